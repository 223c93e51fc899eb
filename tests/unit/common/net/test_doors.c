/* A process's doors and dials together: an HTTP server behind TLS, and a client of ours before it.
 */
#include "tls_rig.h"

#include "common/net/doors.h"
#include "common/net/errand.h"

static struct doors doors;
static struct http_server *server;
static struct process_settings settings;
static bool seen_tls;

static void answer(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    seen_tls = x->tls;
    http_respond(x, 200, SPAN(""), SPAN("here"));
}

static void ignore_body(void *ctx, struct http_exchange *x, struct span part)
{
    (void)ctx, (void)x, (void)part;
}

static void ignore_end(void *ctx, struct http_exchange *x)
{
    (void)ctx, (void)x;
}

static const struct http_app app = {.begin = answer, .body = ignore_body, .complete = ignore_end};
static const struct http_limits limits = {
    .header_ms = 10000, .body_ms = 10000, .idle_ms = 10000, .high_water = 65536};
static const struct http_pool_settings pool_settings = {
    .connect_ms = 5000, .answer_ms = 5000, .max_idle = 1, .idle_ms = 4000, .high_water = 65536};

static char host[] = "127.0.0.1", any_port[] = "0", no_file[] = "/no/such";
static const struct addr_set nobody;
static struct proxy_door_stats proxy_stats;

static int open_all(void **state)
{
    (void)set_up(state);
    peer.fd = -1;
    settings = (struct process_settings){.host = host,
                                         .tls_cert = server_id.cert_path,
                                         .tls_key = server_id.key_path,
                                         .tls_ca = authority.cert_path,
                                         .internal_listen = any_port,
                                         .internal_cert = server_id.cert_path,
                                         .internal_key = server_id.key_path,
                                         .internal_ca = authority.cert_path};
    assert_true(doors_init(&doors, loop, &settings, "test", stderr));
    server = http_server_new(loop, &app, NULL, &limits, SPAN(""));
    doors_wire(&doors, &nobody, &limits, &proxy_stats);
    assert_true(doors_open(&doors, server, &settings, "test", stderr));
    return 0;
}

static int close_all(void **state)
{
    doors_abort(&doors);
    http_server_free(server);
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    int rc = tear_down(state);
    doors_clear(&doors);
    return rc;
}

struct call {
    struct errand errand;
    bool over;
    enum err why;
};

static void call_over(struct errand *e, enum err why)
{
    struct call *c = CONTAINER_OF(e, struct call, errand);
    c->over = true;
    c->why = why;
}

/* Asks once; `inside`: as a process of the cluster. */
static enum err ask(struct span url, bool inside)
{
    struct call call = {.errand = {.done = call_over, .answer_max = 100}};
    struct url_origin origin;
    assert_int_equal(url_origin_parse(url, &origin), ERR_OK);
    origin.inside = inside;
    struct http_pool *pool = http_pool_new(loop, &origin, &pool_settings);
    errand_send(&call.errand, loop, pool, SPAN("GET / HTTP/1.1\r\n"), SPAN(""), 5000);
    TURN_UNTIL(loop, call.over);
    if (call.why == ERR_OK)
        assert_true(span_eq(buf_span(&call.errand.answer), SPAN("here")));
    errand_clear(&call.errand);
    http_pool_free(pool);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 0);
    url_origin_clear(&origin);
    return call.why;
}

static void both_doors_are_reached_by_their_urls(void **state)
{
    (void)state;
    struct buf url = {0};
    doors_add_public_url(&url, &doors);
    assert_true(span_starts(buf_span(&url), SPAN("https://127.0.0.1:")));
    assert_int_equal(ask(buf_span(&url), false), ERR_OK);
    assert_true(seen_tls);
    buf_reset(&url);
    doors_add_internal_url(&url, &doors);
    assert_int_equal(ask(buf_span(&url), true), ERR_OK);
    /* without a certificate */
    assert_int_not_equal(ask(buf_span(&url), false), ERR_OK);
    buf_clear(&url);
}

static void plain_http_to_a_door_under_tls_is_a_bad_request(void **state)
{
    (void)state;
    struct peer p = peer_connect(listener_port(doors.listener));
    peer_send(&p, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    TURN_UNTIL(loop, peer_ended(&p));
    assert_true(peer_has(&p, "HTTP/1.1 400 "));
    peer_close(&p);
}

/* The time for a request's head counts from the beginning. */
static void who_does_not_shake_hands_is_let_go_in_time(void **state)
{
    (void)state;
    struct peer p = peer_connect(listener_port(doors.listener));
    TURN_UNTIL(loop, http_server_connections(server) == 1);
    wheel_advance(loop_wheel(loop), loop_now(loop) + limits.header_ms + WHEEL_TICK_MS);
    TURN_UNTIL(loop, http_server_connections(server) == 0);
    assert_int_equal(peer_len(&p), 0);
    peer_close(&p);
}

static void without_contexts_https_cannot_be_dialled(void **state)
{
    (void)state;
    loop_set_tls(loop, NULL, NULL);
    struct buf url = {0};
    doors_add_public_url(&url, &doors);
    assert_int_equal(ask(buf_span(&url), false), ERR_MISSING);
    buf_clear(&url);
}

static void metrics_tell_of_each_side(void **state)
{
    (void)state;
    struct buf text = {0}, url = {0};
    doors_add_public_url(&url, &doors);
    assert_int_equal(ask(buf_span(&url), false), ERR_OK);
    doors_add_metrics(&text, &doors, "terrane_x_", false);
    buf_add_char(&text, '\0');
    assert_non_null(strstr(text.data, "terrane_x_tls_handshakes_total{side=\"public\"} 1\n"));
    assert_non_null(strstr(text.data, "terrane_x_tls_handshakes_total{side=\"internal\"} 0\n"));
    assert_non_null(strstr(text.data, "terrane_x_tls_handshakes_total{side=\"to_servers\"} 1\n"));
    assert_non_null(
        strstr(text.data, "terrane_x_tls_certificate_expires_seconds{side=\"public\"} 4"));
    assert_null(strstr(text.data, "expires_seconds{side=\"to_servers\"}"));
    buf_clear(&text);
    buf_clear(&url);
}

static char lines[4096];

static void take_line(const char *line, size_t len)
{
    (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%.*s", (int)len, line);
}

static void a_reload_names_the_bad_files_and_keeps_the_old_ones(void **state)
{
    (void)state;
    struct buf url = {0};
    doors_add_public_url(&url, &doors);
    FILE *f = fopen(server_id.key_path, "w");
    (void)fputs("nonsense", f);
    (void)fclose(f);
    lines[0] = '\0';
    log_capture(take_line);
    doors_reload(&doors);
    log_capture(NULL);
    identity_write(&server_id);
    assert_non_null(strstr(lines, "\"tls.reload\""));
    assert_non_null(strstr(lines, "TLS_CERT, TLS_KEY"));
    assert_non_null(strstr(lines, server_id.key_path));
    assert_int_equal(ask(buf_span(&url), false), ERR_OK);
    buf_clear(&url);
}

static void a_bad_file_is_named_with_its_setting(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *err = open_memstream(&text, &len);
    struct doors none;
    settings.internal_ca = no_file;
    assert_false(doors_init(&none, loop, &settings, "test", err));
    (void)fclose(err);
    assert_string_equal(text, "test: INTERNAL_CERT, INTERNAL_KEY, INTERNAL_CA: /no/such: No such "
                              "file or directory\n");
    free(text);
}

static void who_dials_by_tls_ca_alone_reads_its_name_in_the_complaint(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *err = open_memstream(&text, &len);
    struct doors none;
    char nothing[] = "";
    struct process_settings plain = {.tls_cert = nothing,
                                     .tls_key = nothing,
                                     .internal_listen = nothing,
                                     .internal_cert = nothing,
                                     .internal_key = nothing,
                                     .internal_ca = nothing,
                                     .tls_ca = no_file};
    assert_false(doors_init(&none, loop, &plain, "test", err));
    (void)fclose(err);
    assert_string_equal(text, "test: TLS_CA: /no/such: No such file or directory\n");
    free(text);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(both_doors_are_reached_by_their_urls),
        T(plain_http_to_a_door_under_tls_is_a_bad_request),
        T(who_does_not_shake_hands_is_let_go_in_time),
        T(without_contexts_https_cannot_be_dialled),
        T(metrics_tell_of_each_side),
        T(a_reload_names_the_bad_files_and_keeps_the_old_ones),
        T(a_bad_file_is_named_with_its_setting),
        T(who_dials_by_tls_ca_alone_reads_its_name_in_the_complaint),
    };
    return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
