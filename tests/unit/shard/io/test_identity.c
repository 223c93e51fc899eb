/* What a node calls itself, by its settings and by where it listens. */
#include "shard/io/identity.h"

#include <unistd.h>

#include "tests/unit/common/net/scripted.h"

static void accepted(void *ctx, int fd)
{
    (void)ctx;
    (void)close(fd);
}

static struct settings settings_of(const char *id, const char *internal, const char *url)
{
    return (struct settings){.node_id = xspandup(span_str(id)),
                             .internal_url = xspandup(span_str(internal)),
                             .node_url = xspandup(span_str(url)),
                             .world_ids = xspandup(SPAN("world-a, world-b"))};
}

static void settings_free(struct settings *s)
{
    free(s->node_id);
    free(s->internal_url);
    free(s->node_url);
    free(s->world_ids);
}

/* Answers the port. */
static unsigned complete(struct identity *i, const struct settings *s)
{
    struct loop *loop = loop_new();
    struct listener *door;
    const char *why;
    assert_int_equal(listener_open(&door, loop, "127.0.0.1", 0, accepted, NULL, &why), ERR_OK);
    unsigned port = listener_port(door);
    identity_init(i, s, &(struct doors){.listener = door});
    listener_close(door);
    loop_free(loop);
    return port;
}

static void what_is_set_stays(void **state)
{
    struct settings s = settings_of("n1", "http://in:1", "http://out:2");
    struct identity me;
    struct buf version = {0};
    (void)state;
    (void)complete(&me, &s);
    assert_string_equal(me.id, "n1");
    assert_string_equal(me.internal_url, "http://in:1");
    assert_string_equal(me.url, "http://out:2");
    identity_add_version(&version, &me, span_str(s.world_ids));
    buf_add_char(&version, '\0');
    assert_non_null(strstr(version.data, "\"node\":\"n1\",\"worlds\":[\"world-a\",\"world-b\"],"
                                         "\"internalUrl\":\"http://in:1\"}"));
    buf_clear(&version);
    identity_clear(&me);
    settings_free(&s);
}

static void what_is_not_set_is_the_hosts_and_the_listeners(void **state)
{
    struct settings s = settings_of("", "", "");
    struct identity me;
    char host[256] = {0}, id[300], url[64];
    (void)state;
    unsigned port = complete(&me, &s);
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    (void)snprintf(id, sizeof id, "%s-%u", host, port);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    assert_string_equal(me.id, id);
    assert_string_equal(me.internal_url, url);
    assert_string_equal(me.url, url);
    identity_clear(&me);
    settings_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_stays),
        cmocka_unit_test(what_is_not_set_is_the_hosts_and_the_listeners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
