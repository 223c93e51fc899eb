/* The client's side: whom it believes, and what it tells of itself. Against a peer that speaks TLS
 * by OpenSSL alone. */
#include "tls_rig.h"

static int listening;

/* Dials a socket of the test's, whose other end becomes peer.fd. */
static void dial_with(struct tls_context *t, const char *host, const struct identity *shown)
{
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof at;
    struct addr to;
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(addr_parse(SPAN("127.0.0.1"), &to), ERR_OK);
    *owner = (struct owner){0};
    conn_dial(&owner->conn, loop, &to, ntohs(at.sin_port), &plain_ops);
    tls_connect(&owner->conn, t, host, &to, ntohs(at.sin_port));
    peer = peer_of(accept4(listening, NULL, NULL, SOCK_CLOEXEC));
    assert_true(peer.fd >= 0);
    (void)close(listening);
    raw_start(true);
    (void)SSL_use_certificate(raw.ssl, shown->cert);
    (void)SSL_use_PrivateKey(raw.ssl, shown->key);
}

static void hang_up(void)
{
    conn_abort(&owner->conn);
    loop_turn(loop, 0);
    buf_clear(&owner->got);
    raw_stop();
    peer_close(&peer);
}

static void connected_comes_behind_the_handshake(void **state)
{
    (void)state;
    dial_with(client_tls, "terrane.test", &server_id);
    turn_some(loop);
    assert_int_equal(owner->connects, 0);
    TURN_UNTIL(loop, (raw_pump(), owner->connects == 1));
    assert_true(conn_is_open(&owner->conn));
    conn_write(&owner->conn, "question", 8);
    TURN_UNTIL(loop, raw_len() == 8);
    assert_string_equal(SSL_get_servername(raw.ssl, TLSEXT_NAMETYPE_host_name), "terrane.test");
    raw_send("answer");
    TURN_UNTIL(loop, got_is("answer"));
    conn_close(&owner->conn);
    TURN_UNTIL(loop, raw_is_over());
    assert_true(raw.ended);
}

static const unsigned char *offered;
static unsigned offered_len;

static int see_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                         const unsigned char *in, unsigned in_len, void *ctx)
{
    (void)ssl, (void)ctx;
    offered_len = in_len;
    assert_memory_equal(in, "\x08http/1.1", in_len);
    *out = in + 1;
    *out_len = in[0];
    offered = in;
    return SSL_TLSEXT_ERR_OK;
}

static void http_1_1_is_offered(void **state)
{
    (void)state;
    dial_with(client_tls, "terrane.test", &server_id);
    SSL_CTX_set_alpn_select_cb(raw.ctx, see_protocols, NULL);
    TURN_UNTIL(loop, (raw_pump(), owner->connects == 1));
    assert_int_equal(offered_len, 9);
}

/* Whoever speaks first is heard: behind `connected`. */
static void what_comes_with_the_end_of_the_handshake_is_kept(void **state)
{
    (void)state;
    dial_with(client_tls, "terrane.test", &server_id);
    (void)SSL_set_max_proto_version(raw.ssl, TLS1_2_VERSION);
    (void)SSL_set_num_tickets(raw.ssl, 0);
    TURN_UNTIL(loop, raw_shook());
    raw_send("welcome");
    TURN_UNTIL(loop, got_is("welcome"));
    assert_int_equal(owner->connects, 1);
}

static void the_peer_must_be_who_was_dialled(void **state)
{
    (void)state;
    struct tls_context *strange = context_of(false, NULL, &stranger);
    struct tls_context *system = context_of(false, NULL, NULL);
    const struct {
        struct tls_context *t;
        const char *host;
        const struct identity *shown;
        bool good;
    } rows[] = {
        {client_tls, "terrane.test", &server_id, true},
        {client_tls, "terrane.test.", &server_id, true},
        {client_tls, "TERRANE.test", &server_id, true},
        {client_tls, "a.wild.test", &server_id, true},
        {client_tls, "127.0.0.1", &server_id, true},
        {client_tls, "a.b.wild.test", &server_id, false},
        {client_tls, "other.test", &server_id, false},
        {client_tls, "server", &server_id, false}, /* the common name is no name of a host */
        {client_tls, "127.0.0.2", &server_id, false},
        {client_tls, "::1", &server_id, false},
        {client_tls, "terrane.test", &expired_id, false},
        {client_tls, "terrane.test", &stranger, false},
        {strange, "terrane.test", &server_id, false},
        {system, "terrane.test", &server_id, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t failures = tls_stats(rows[i].t)->failures;
        dial_with(rows[i].t, rows[i].host, rows[i].shown);
        TURN_UNTIL(loop, (raw_pump(), owner->connects + owner->closes == 1));
        assert_int_equal(owner->connects, rows[i].good);
        assert_int_equal(tls_stats(rows[i].t)->failures - failures, !rows[i].good);
        if (!rows[i].good) {
            assert_int_equal(owner->end, CONN_END_ERROR);
            TURN_UNTIL(loop, raw_is_over());
            assert_false(raw.ended);
        }
        hang_up();
    }
    tls_free(strange);
    tls_free(system);
}

static void tls_1_1_is_not_spoken(void **state)
{
    (void)state;
    dial_with(client_tls, "terrane.test", &server_id);
    SSL_set_security_level(raw.ssl, 0);
    (void)SSL_set_min_proto_version(raw.ssl, TLS1_VERSION);
    (void)SSL_set_max_proto_version(raw.ssl, TLS1_1_VERSION);
    TURN_UNTIL(loop, (raw_pump(), owner->closes == 1));
    assert_int_equal(owner->connects, 0);
}

static void a_peer_that_speaks_no_tls_is_an_error(void **state)
{
    (void)state;
    dial_with(client_tls, "terrane.test", &server_id);
    peer_send(&peer, "HTTP/1.1 200 OK\r\n\r\n");
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->connects, 0);
    assert_int_equal(owner->end, CONN_END_ERROR);
}

static char said[512];

static void keep_line(const char *line, size_t len)
{
    (void)snprintf(said, sizeof said, "%.*s", (int)len, line);
}

/* By then the kernel has forgotten whom it was with. */
static void a_peer_that_breaks_off_in_the_handshake_is_named_in_the_log(void **state)
{
    (void)state;
    dial_with(client_tls, "terrane.test", &server_id);
    turn_some(loop);
    log_capture(keep_line);
    peer_reset(&peer);
    TURN_UNTIL(loop, owner->closes == 1);
    log_capture(NULL);
    assert_int_equal(owner->connects, 0);
    assert_non_null(strstr(said, "127.0.0.1"));
}

static void a_peer_that_ends_in_the_handshake_is_an_error(void **state)
{
    (void)state;
    uint64_t failures = tls_stats(client_tls)->failures;
    dial_with(client_tls, "terrane.test", &server_id);
    turn_some(loop);
    (void)shutdown(peer.fd, SHUT_WR);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->end, CONN_END_ERROR);
    assert_int_equal(tls_stats(client_tls)->failures, failures + 1);
}

static void its_certificate_is_shown_to_who_asks(void **state)
{
    (void)state;
    struct tls_context *named = context_of(false, &client_id, &authority);
    dial_with(named, "terrane.test", &server_id);
    SSL_set_verify(raw.ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    (void)SSL_CTX_load_verify_locations(raw.ctx, authority.cert_path, NULL);
    TURN_UNTIL(loop, raw_shook());
    X509 *seen = SSL_get1_peer_certificate(raw.ssl);
    assert_int_equal(X509_cmp(seen, client_id.cert), 0);
    X509_free(seen);
    hang_up();
    tls_free(named);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_raw)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(connected_comes_behind_the_handshake),
        T(http_1_1_is_offered),
        T(what_comes_with_the_end_of_the_handshake_is_kept),
        T(the_peer_must_be_who_was_dialled),
        T(tls_1_1_is_not_spoken),
        T(a_peer_that_speaks_no_tls_is_an_error),
        T(a_peer_that_breaks_off_in_the_handshake_is_named_in_the_log),
        T(a_peer_that_ends_in_the_handshake_is_an_error),
        T(its_certificate_is_shown_to_who_asks),
    };
    return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
