/* What a process calls itself by where it listens. */
#include "common/net/own_url.h"

#include <unistd.h>

#include "tests/unit/common/net/scripted.h"

static void accepted(void *ctx, int fd)
{
    (void)ctx;
    (void)close(fd);
}

static void expect(const char *host, const char *begin, bool tls)
{
    struct loop *loop = loop_new();
    struct listener *l;
    struct buf url = {0}, want = {0};
    const char *why;
    assert_int_equal(listener_open(&l, loop, host, 0, accepted, NULL, &why), ERR_OK);
    own_url_add(&url, l, tls);
    buf_addf(&want, "%s://%s:%u", tls ? "https" : "http", begin, listener_port(l));
    assert_true(span_eq(buf_span(&url), buf_span(&want)));
    buf_clear(&url);
    buf_clear(&want);
    listener_close(l);
    loop_free(loop);
}

static void address_is_the_name(void **state)
{
    (void)state;
    expect("127.0.0.1", "127.0.0.1", false);
    expect("127.0.0.1", "127.0.0.1", true);
}

static void on_all_addresses_the_host_is_named(void **state)
{
    char host[256] = {0};
    (void)state;
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    expect("0.0.0.0", host, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_is_the_name),
        cmocka_unit_test(on_all_addresses_the_host_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
