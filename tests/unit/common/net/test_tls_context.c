/* What contexts make of their files, and when they read them again. */
#include "tls_rig.h"

static void spoil(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

static void bad_files_are_named(void **state)
{
    (void)state;
    char empty[PATH_LEN];
    (void)snprintf(empty, sizeof empty, "%s/empty", tls_dir);
    spoil(empty, "");
    const struct {
        struct tls_files files;
        const char *file, *why;
    } rows[] = {
        {{"/no/such", server_id.key_path, NULL}, "/no/such", "No such file"},
        {{server_id.cert_path, "/no/such", NULL}, "/no/such", "No such file"},
        {{server_id.cert_path, "", NULL}, server_id.cert_path, "key is not named"},
        {{server_id.cert_path, client_id.key_path, NULL}, client_id.key_path, "mismatch"},
        {{empty, server_id.key_path, NULL}, empty, "no certificate in PEM"},
        {{server_id.cert_path, empty, NULL}, empty, "no key in PEM"},
        {{server_id.cert_path, server_id.cert_path, NULL}, server_id.cert_path, "no key in PEM"},
        {{server_id.cert_path, server_id.key_path, "/no/such"}, "/no/such", "No such file"},
        {{server_id.cert_path, server_id.key_path, empty}, empty, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tls_context *t = NULL;
        struct buf why = {0};
        assert_int_equal(tls_server_new(&t, &rows[i].files, &why), ERR_MISSING);
        buf_add_char(&why, '\0');
        assert_ptr_equal(strstr(why.data, rows[i].file), why.data);
        assert_non_null(strstr(why.data, rows[i].why));
        assert_null(t);
        buf_clear(&why);
    }
    (void)unlink(empty);
}

static void a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked(void **state)
{
    (void)state;
    char path[PATH_LEN];
    (void)snprintf(path, sizeof path, "%s/locked.key", tls_dir);
    FILE *f = fopen(path, "w");
    assert_int_equal(PEM_write_PrivateKey(f, server_id.key, EVP_aes_128_cbc(),
                                          (const unsigned char *)"x1234", 5, NULL, NULL),
                     1);
    (void)fclose(f);
    struct tls_files files = {.cert = server_id.cert_path, .key = path};
    struct tls_context *t = NULL;
    struct buf why = {0};
    assert_int_equal(tls_server_new(&t, &files, &why), ERR_MISSING);
    buf_clear(&why);
    (void)unlink(path);
}

static char lines[4096];

static void take_line(const char *line, size_t len)
{
    (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%.*s", (int)len, line);
}

static void an_expiry_that_is_near_is_a_warning(void **state)
{
    (void)state;
    struct identity soon = identity_new("soon", &authority, NULL, -DAY, 3L * DAY + 60);
    lines[0] = '\0';
    log_capture(take_line);
    struct tls_context *t = context_of(true, &server_id, NULL);
    assert_string_equal(lines, "");
    assert_true(tls_expires_s(t) > clock_wall_ms() / 1000 + 49L * DAY);
    tls_free(t);
    t = context_of(true, &soon, NULL);
    assert_non_null(strstr(lines, "\"tls.expires\""));
    assert_non_null(strstr(lines, "\"days\":3"));
    assert_int_equal(tls_expires_s(client_tls), 0);
    log_capture(NULL);
    tls_free(t);
    identity_free(&soon);
}

static bool peer_shows(const struct identity *id)
{
    X509 *seen = SSL_get1_peer_certificate(raw.ssl);
    bool same = seen != NULL && X509_cmp(seen, id->cert) == 0;
    X509_free(seen);
    return same;
}

static struct tls_context *swapped;
static struct owner second;

static void files_read_again_count_for_new_connections(void **state)
{
    (void)state;
    struct identity old = identity_new("swap", &authority, "DNS:a.test", -DAY, 30L * DAY);
    swapped = context_of(true, &old, NULL);
    open_with(&plain_ops);
    tls_accept(&owner->conn, swapped);
    raw_start(false);
    TURN_UNTIL(loop, raw_shook() && !owner->conn.shaking);
    assert_true(peer_shows(&old));

    struct identity new = identity_new("swap", &authority, "DNS:a.test", -DAY, 60L * DAY);
    struct buf why = {0};
    assert_int_equal(tls_reload(swapped, &why), ERR_OK);
    raw_send("as before");
    TURN_UNTIL(loop, got_is("as before"));
    struct raw first = raw;
    struct peer first_peer = peer;

    int fd;
    peer = peer_pair(&fd);
    conn_open(&second.conn, loop, fd, &plain_ops);
    tls_accept(&second.conn, swapped);
    raw_start(false);
    TURN_UNTIL(loop, raw_shook() && !second.conn.shaking);
    assert_true(peer_shows(&new));
    raw_stop();
    peer_close(&peer);
    TURN_UNTIL(loop, second.closes == 1);
    raw = first;
    peer = first_peer;
    conn_abort(&owner->conn);
    loop_turn(loop, 0);
    tls_free(swapped);
    identity_free(&old);
    identity_free(&new);
}

static void a_bad_file_leaves_all_as_it_was(void **state)
{
    (void)state;
    struct identity id = identity_new("swap", &authority, "DNS:a.test", -DAY, 30L * DAY);
    swapped = context_of(true, &id, NULL);
    struct buf why = {0};
    spoil(id.key_path, "nonsense");
    assert_int_equal(tls_reload(swapped, &why), ERR_MISSING);
    buf_add_char(&why, '\0');
    assert_ptr_equal(strstr(why.data, id.key_path), why.data);
    buf_clear(&why);
    assert_int_equal(tls_stats(swapped)->reloads_failed, 1);
    open_with(&plain_ops);
    tls_accept(&owner->conn, swapped);
    raw_start(false);
    TURN_UNTIL(loop, raw_shook() && !owner->conn.shaking);
    assert_true(peer_shows(&id));
    conn_abort(&owner->conn);
    loop_turn(loop, 0);
    tls_free(swapped);
    identity_free(&id);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_raw)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_named),
        cmocka_unit_test(a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked),
        cmocka_unit_test(an_expiry_that_is_near_is_a_warning),
        T(files_read_again_count_for_new_connections),
        T(a_bad_file_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
