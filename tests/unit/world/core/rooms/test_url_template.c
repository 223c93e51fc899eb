#include "world/core/rooms/url_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_first_of_each_placeholder_is_filled(void **state)
{
    static const struct {
        const char *text, *room, *url;
    } rows[] = {
        {"{shardId}", "r", "ID"},
        {"", "r", ""},
        {"fixed", "r", "fixed"},
        {"wss://h/{roomId}/{shardId}", "r", "wss://h/r/ID"},
        {"{shardId}|{shardId}|{roomId}|{roomId}|{worldId}", "r",
         "ID|{shardId}|r|{roomId}|{worldId}"},
        {"{roomId}", "$&$1", "$&$1"},
        {"{roomid}{ shardId }", "r", "{roomid}{ shardId }"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out = {0};
        url_template_fill(&out, span_str(rows[i].text), SPAN("ID"), span_str(rows[i].room));
        buf_add_char(&out, '\0');
        assert_string_equal(out.data, rows[i].url);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_each_placeholder_is_filled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
