/* REDIS_URL: what is accepted is whole, what is refused leaves nothing, and a host is accepted
 * again as it is written out. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/proto/redis_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_server(const struct url_origin *o)
{
    struct url_origin again;
    assert(o->port > 0 && o->host[0] != '\0');
    enum err e = redis_url_parse_server(span_str(o->text), 1, &again);
    assert(e == ERR_OK && again.port == o->port && strcmp(again.host, o->host) == 0);
    assert(strcmp(again.text, o->text) == 0);
    url_origin_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = xspandup(span_of(data, size));
    struct redis_url u;
    const char *why;
    if (redis_url_parse(span_of(copy, size), &u, &why) == ERR_OK) {
        assert(why == NULL && u.count > 0);
        assert(u.kind == REDIS_SENTINEL ? u.master != NULL : u.master == NULL && u.count == 1);
        assert(u.user == NULL || u.password != NULL);
        for (size_t i = 0; i < u.count; i++)
            check_server(&u.servers[i]);
    } else {
        assert(why != NULL && u.count == 0 && u.password == NULL && u.servers == NULL);
    }
    redis_url_clear(&u);
    free(copy);
    return 0;
}
