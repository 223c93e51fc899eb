/* A connection under TLS is a connection: against a peer that speaks TLS by OpenSSL alone. */
#include "tls_rig.h"

static void serve(const struct conn_ops *ops)
{
    open_with(ops);
    tls_accept(&owner->conn, server_tls);
    raw_start(false);
}

static void serve_shaken(const struct conn_ops *ops)
{
    serve(ops);
    TURN_UNTIL(loop, raw_shook() && !owner->conn.shaking);
}

static void bytes_go_both_ways(void **state)
{
    (void)state;
    serve_shaken(&plain_ops);
    assert_int_equal(SSL_version(raw.ssl), TLS1_3_VERSION);
    raw_send("hello");
    TURN_UNTIL(loop, got_is("hello"));
    conn_write(&owner->conn, "a", 1);
    conn_send(&owner->conn, frame_of(SPAN("bc")));
    conn_write_span(&owner->conn, SPAN("d"));
    assert_int_equal(conn_queued(&owner->conn), 4);
    TURN_UNTIL(loop, raw_len() == 4);
    assert_memory_equal(raw.in.data, "abcd", 4);
    assert_int_equal(owner->conn.sent, 4);
    TURN_UNTIL(loop, conn_delivered(&owner->conn) == 4);
    assert_int_equal(tls_stats(server_tls)->failures, 0);
}

static void what_was_written_before_the_handshake_waits_for_it(void **state)
{
    (void)state;
    serve(&plain_ops);
    conn_write(&owner->conn, "early", 5);
    turn_some(loop);
    assert_int_equal(conn_queued(&owner->conn), 5);
    TURN_UNTIL(loop, raw_len() == 5);
}

static void a_close_before_the_handshake_sends_what_is_queued_behind_it(void **state)
{
    (void)state;
    serve(&plain_ops);
    conn_write(&owner->conn, "busy", 4);
    conn_linger(&owner->conn);
    TURN_UNTIL(loop, raw_is_over());
    assert_true(raw.ended);
    assert_int_equal(raw.in.len, 4);
}

static void a_close_ends_with_a_close_notify(void **state)
{
    (void)state;
    serve_shaken(&plain_ops);
    conn_write(&owner->conn, "bye", 3);
    conn_close(&owner->conn);
    TURN_UNTIL(loop, raw_is_over());
    assert_true(raw.ended);
    assert_int_equal(raw.in.len, 3);
    TURN_UNTIL(loop, owner->closes == 1);
}

static void an_abort_does_not_look_like_an_end(void **state)
{
    (void)state;
    serve_shaken(&plain_ops);
    conn_abort(&owner->conn);
    TURN_UNTIL(loop, raw_is_over());
    assert_true(raw.failed);
    assert_false(raw.ended);
}

static void a_half_that_was_ended_can_still_be_answered(void **state)
{
    (void)state;
    serve_shaken(&eof_ops);
    raw_send("question");
    assert_int_equal(SSL_shutdown(raw.ssl), 0);
    TURN_UNTIL(loop, owner->eofs == 1);
    assert_true(got_is("question"));
    conn_write(&owner->conn, "answer", 6);
    TURN_UNTIL(loop, raw_len() == 6);
    conn_close(&owner->conn);
    TURN_UNTIL(loop, raw_is_over() && owner->closes == 1);
    assert_int_equal(owner->eofs, 1);
    assert_int_equal(owner->end, CONN_END_LOCAL);
}

static void an_end_without_close_notify_is_an_error(void **state)
{
    (void)state;
    serve_shaken(&eof_ops);
    raw_send("half of some");
    (void)shutdown(peer.fd, SHUT_WR);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_true(got_is("half of some"));
    assert_int_equal(owner->eofs, 0);
    assert_int_equal(owner->end, CONN_END_ERROR);
}

/* The peer's bytes go through a memory first, so that they can be cut and changed. */
static void record_of(const char *text, struct buf *out)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes;
    (void)BIO_up_ref(SSL_get_wbio(raw.ssl));
    BIO *socket = SSL_get_wbio(raw.ssl);
    SSL_set0_wbio(raw.ssl, memory);
    raw_send(text);
    long len = BIO_get_mem_data(memory, &bytes);
    buf_add(out, bytes, (size_t)len);
    SSL_set0_wbio(raw.ssl, socket);
}

static void a_record_in_single_bytes_comes_whole(void **state)
{
    (void)state;
    struct buf record = {0};
    serve_shaken(&plain_ops);
    record_of("slowly", &record);
    for (size_t i = 0; i < record.len; i++) {
        peer_send_bytes(&peer, record.data + i, 1);
        loop_turn(loop, 0);
    }
    TURN_UNTIL(loop, got_is("slowly"));
    assert_int_equal(owner->datas, 1);
    buf_clear(&record);
}

static void a_cut_record_gives_nothing(void **state)
{
    (void)state;
    struct buf record = {0};
    serve_shaken(&plain_ops);
    record_of("never", &record);
    peer_send_bytes(&peer, record.data, record.len - 1);
    turn_some(loop);
    (void)shutdown(peer.fd, SHUT_WR);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->end, CONN_END_ERROR);
    assert_int_equal(owner->datas, 0);
    buf_clear(&record);
}

static void a_changed_record_ends_it_behind_what_came_before(void **state)
{
    (void)state;
    struct buf records = {0};
    uint64_t before = tls_stats(server_tls)->failures;
    serve_shaken(&plain_ops);
    record_of("good", &records);
    record_of("evil", &records);
    records.data[records.len - 1] ^= 1;
    peer_send_bytes(&peer, records.data, records.len);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_true(got_is("good"));
    assert_int_equal(owner->end, CONN_END_ERROR);
    assert_int_equal(tls_stats(server_tls)->failures, before + 1);
    buf_clear(&records);
}

static void a_slow_reader_gets_all_and_holds_the_writer_back(void **state)
{
    (void)state;
    size_t total = 3 * sizeof bulk;
    serve_shaken(&plain_ops);
    for (size_t i = 0; i < sizeof bulk; i++)
        bulk[i] = (char)(i * 31 + (i >> 9));
    for (int i = 0; i < 3; i++)
        conn_write(&owner->conn, bulk, sizeof bulk);
    for (int i = 0; i < 50; i++)
        loop_turn(loop, 0);
    assert_true(conn_queued(&owner->conn) > 0);
    assert_true(owner->conn.held > 0);
    assert_true(conn_delivered(&owner->conn) <= owner->conn.sent);
    TURN_UNTIL(loop, raw_len() == total);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(raw.in.data + i * sizeof bulk, bulk, sizeof bulk);
    assert_int_equal(owner->conn.sent, total);
    TURN_UNTIL(loop, conn_is_flushed(&owner->conn) && conn_delivered(&owner->conn) == total);
}

static void a_big_upload_comes_whole_though_it_is_paused_again_and_again(void **state)
{
    (void)state;
    size_t sent = 0, total = sizeof bulk;
    serve_shaken(&plain_ops);
    for (size_t i = 0; i < total; i++)
        bulk[i] = (char)(i * 7 + (i >> 11));
    (void)SSL_set_mode(raw.ssl,
                       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    for (int i = 0; i < 1000000 && owner->got.len < total; i++) {
        int n = sent < total ? SSL_write(raw.ssl, bulk + sent, (int)(total - sent)) : 0;
        sent += n > 0 ? (size_t)n : 0;
        if (i % 5 == 0)
            conn_pause(&owner->conn, CONN_PAUSE_LINK);
        if (i % 5 == 3)
            conn_resume(&owner->conn, CONN_PAUSE_LINK);
        loop_turn(loop, 0);
    }
    assert_int_equal(owner->got.len, total);
    assert_memory_equal(owner->got.data, bulk, total);
}

static void what_the_transport_holds_is_unacknowledged_and_not_queued(void **state)
{
    (void)state;
    serve_shaken(&plain_ops);
    fill();
    size_t queued = conn_queued(&owner->conn), sent = owner->conn.sent, held = owner->conn.held;
    assert_true(held > 0);
    conn_abort(&owner->conn);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->left, queued);
    assert_int_equal(sent + queued, 800000);
    assert_true(conn_unacknowledged(&owner->conn) >= held);
    assert_true(conn_unacknowledged(&owner->conn) <= sent);
}

static void a_dropped_queue_leaves_the_peer_a_sound_stream(void **state)
{
    (void)state;
    serve_shaken(&plain_ops);
    fill();
    conn_drop_queue(&owner->conn);
    size_t total = owner->conn.sent + conn_queued(&owner->conn);
    conn_write(&owner->conn, "end", 3);
    conn_close(&owner->conn);
    TURN_UNTIL(loop, raw_is_over());
    assert_true(raw.ended);
    assert_int_equal(raw.in.len, total + 3);
    assert_memory_equal(raw.in.data + total, "end", 3);
}

static void a_peer_that_takes_nothing_is_reset_in_time(void **state)
{
    (void)state;
    serve_shaken(&plain_ops);
    fill();
    conn_close(&owner->conn);
    turn_some(loop);
    assert_int_equal(owner->closes, 0);
    for (int i = 0; i < 3 && owner->closes == 0; i++) {
        /* what was on its way may have arrived since */
        wheel_advance(loop_wheel(loop), owner->conn.linger.due_ms + WHEEL_TICK_MS);
        turn_some(loop);
    }
    assert_int_equal(owner->closes, 1);
    assert_true(owner->left > 0);
}

static struct owner moved;

static void a_moved_connection_goes_on(void **state)
{
    (void)state;
    serve_shaken(&plain_ops);
    fill();
    size_t total = owner->conn.sent + conn_queued(&owner->conn);
    conn_move(&moved.conn, &owner->conn, &plain_ops);
    TURN_UNTIL(loop, raw_len() == total);
    raw_send("still");
    TURN_UNTIL(loop, span_eq(buf_span(&moved.got), SPAN("still")));
    conn_abort(&moved.conn);
    loop_turn(loop, 0);
    buf_clear(&moved.got);
}

static void nothing_is_held_once_the_peer_has_all(void **state)
{
    (void)state;
    serve_shaken(&plain_ops);
    fill();
    TURN_UNTIL(loop, raw_len() == 800000);
    TURN_UNTIL(loop, conn_is_flushed(&owner->conn));
    assert_false(conn_has_input(&owner->conn));
}

static void a_plain_request_is_told_in_plain(void **state)
{
    (void)state;
    uint64_t before = tls_stats(server_tls)->failures;
    serve(&plain_ops);
    peer_send(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    TURN_UNTIL(loop, peer_ended(&peer));
    assert_true(peer_has(&peer, "HTTP/1.1 400 "));
    assert_int_equal(peer_count(&peer, "\r\n\r\n{\"error\":"), 1);
    TURN_UNTIL(loop, owner->closes == 1);
    assert_int_equal(owner->end, CONN_END_ERROR);
    assert_int_equal(tls_stats(server_tls)->failures, before + 1);
}

static void tls_1_1_is_refused(void **state)
{
    (void)state;
    serve(&plain_ops);
    SSL_set_security_level(raw.ssl, 0);
    (void)SSL_set_min_proto_version(raw.ssl, TLS1_1_VERSION);
    (void)SSL_set_max_proto_version(raw.ssl, TLS1_1_VERSION);
    TURN_UNTIL(loop, raw_is_over() && owner->closes == 1);
    assert_true(raw.failed);
    assert_false(raw.shook);
}

static void tls_1_2_is_spoken(void **state)
{
    (void)state;
    serve(&plain_ops);
    (void)SSL_set_max_proto_version(raw.ssl, TLS1_2_VERSION);
    TURN_UNTIL(loop, raw_shook());
    raw_send("old");
    TURN_UNTIL(loop, got_is("old"));
    assert_int_equal(SSL_version(raw.ssl), TLS1_2_VERSION);
}

static void a_renegotiation_is_refused(void **state)
{
    (void)state;
    serve(&plain_ops);
    (void)SSL_set_max_proto_version(raw.ssl, TLS1_2_VERSION);
    TURN_UNTIL(loop, raw_shook() && !owner->conn.shaking);
    assert_int_equal(SSL_renegotiate(raw.ssl), 1);
    TURN_UNTIL(loop, raw_is_over());
    assert_true(raw.failed);
    assert_int_equal(raw.reason, SSL_R_NO_RENEGOTIATION);
}

static void the_protocol_is_http_1_1_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *offer;
        bool good;
    } rows[] = {{"\x08http/1.1", true}, {"\x02h2\x08http/1.1", true}, {"\x02h2", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const unsigned char *chosen;
        unsigned len = 0;
        serve(&plain_ops);
        owner->closes = 0;
        (void)SSL_set_alpn_protos(raw.ssl, (const unsigned char *)rows[i].offer,
                                  (unsigned)strlen(rows[i].offer));
        TURN_UNTIL(loop, raw_shook() || raw_is_over());
        assert_int_equal(raw.shook, rows[i].good);
        SSL_get0_alpn_selected(raw.ssl, &chosen, &len);
        assert_int_equal(len, rows[i].good ? 8 : 0);
        conn_abort(&owner->conn);
        TURN_UNTIL(loop, owner->closes == 1);
        raw_stop();
        peer_close(&peer);
    }
}

static void a_client_without_a_certificate_is_refused_where_one_is_wanted(void **state)
{
    (void)state;
    static const struct identity *const shown[] = {NULL, &stranger, &client_id};
    struct tls_context *strict = context_of(true, &server_id, &authority);
    for (size_t i = 0; i < 3; i++) {
        open_with(&plain_ops);
        owner->closes = 0;
        tls_accept(&owner->conn, strict);
        raw_start(false);
        if (shown[i] != NULL) {
            (void)SSL_use_certificate(raw.ssl, shown[i]->cert);
            (void)SSL_use_PrivateKey(raw.ssl, shown[i]->key);
        }
        TURN_UNTIL(loop, raw_shook() && (!owner->conn.shaking || owner->closes == 1));
        assert_int_equal(owner->closes, i < 2);
        conn_abort(&owner->conn);
        TURN_UNTIL(loop, owner->closes == 1);
        raw_stop();
        peer_close(&peer);
    }
    assert_int_equal(tls_stats(strict)->failures, 2);
    tls_free(strict);
}

static void a_ticket_resumes(void **state)
{
    (void)state;
    uint64_t before = tls_stats(server_tls)->resumed;
    serve_shaken(&plain_ops);
    conn_write(&owner->conn, "x", 1);
    TURN_UNTIL(loop, raw_len() == 1);
    SSL_SESSION *session = SSL_get1_session(raw.ssl);
    SSL_set_shutdown(raw.ssl, SSL_SENT_SHUTDOWN); /* or its session is taken for a bad one */
    conn_abort(&owner->conn);
    TURN_UNTIL(loop, owner->closes == 1);
    raw_stop();
    peer_close(&peer);
    owner->closes = 0;
    serve(&plain_ops);
    (void)SSL_set_session(raw.ssl, session);
    TURN_UNTIL(loop, raw_shook() && !owner->conn.shaking);
    assert_int_equal(tls_stats(server_tls)->resumed, before + 1);
    SSL_SESSION_free(session);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_raw)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(bytes_go_both_ways),
        T(what_was_written_before_the_handshake_waits_for_it),
        T(a_close_before_the_handshake_sends_what_is_queued_behind_it),
        T(a_close_ends_with_a_close_notify),
        T(an_abort_does_not_look_like_an_end),
        T(a_half_that_was_ended_can_still_be_answered),
        T(an_end_without_close_notify_is_an_error),
        T(a_record_in_single_bytes_comes_whole),
        T(a_cut_record_gives_nothing),
        T(a_changed_record_ends_it_behind_what_came_before),
        T(a_slow_reader_gets_all_and_holds_the_writer_back),
        T(a_big_upload_comes_whole_though_it_is_paused_again_and_again),
        T(what_the_transport_holds_is_unacknowledged_and_not_queued),
        T(a_dropped_queue_leaves_the_peer_a_sound_stream),
        T(a_peer_that_takes_nothing_is_reset_in_time),
        T(a_moved_connection_goes_on),
        T(nothing_is_held_once_the_peer_has_all),
        T(a_plain_request_is_told_in_plain),
        T(tls_1_1_is_refused),
        T(tls_1_2_is_spoken),
        T(a_renegotiation_is_refused),
        T(the_protocol_is_http_1_1_or_none),
        T(a_client_without_a_certificate_is_refused_where_one_is_wanted),
        T(a_ticket_resumes),
    };
    return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
