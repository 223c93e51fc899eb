/* What a process finds wrong with itself. */
#include "tls_rig.h"

#include "common/net/facts.h"

static struct findings findings;

static void set(void *ctx, enum finding_check check, struct span subject, bool is_so,
                struct span detail)
{
    (void)ctx;
    (void)findings_set(&findings, check, subject, is_so, detail, 1);
}

static const struct facts_port port = {.set = set};

static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static int make_findings(void **state)
{
    (void)state;
    log_capture(no_log);
    return 0;
}

static int clear_findings(void **state)
{
    (void)state;
    findings_clear(&findings);
    log_capture(NULL);
    return 0;
}

static void a_certificate_is_told_of_two_weeks_before_its_end(void **state)
{
    static char none[] = "";
    static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    struct loop *l = loop_new();
    struct doors d;
    const struct process_settings s = {.tls_cert = server_id.cert_path,
                                       .tls_key = server_id.key_path,
                                       .tls_ca = none,
                                       .internal_listen = none,
                                       .internal_cert = none,
                                       .internal_key = none,
                                       .internal_ca = none};
    (void)state;
    assert_true(doors_init(&d, l, &s, "test", stderr));
    int64_t end_ms = tls_expires_s(d.tls[DOORS_PUBLIC]) * 1000;
    facts_certificates(&port, &d, end_ms - 15 * day_ms);
    assert_int_equal(findings.count, 0);
    facts_certificates(&port, &d, end_ms - 5 * day_ms);
    const struct finding *f = findings_get(&findings, FINDING_CERTIFICATE, SPAN("TLS_CERT"));
    assert_non_null(f);
    assert_true(span_starts(f->detail, SPAN("expires on 2")));
    facts_certificates(&port, &d, end_ms + day_ms);
    assert_true(span_starts(findings.items[0].detail, SPAN("expired on 2")));
    facts_certificates(&port, &d, end_ms - 15 * day_ms); /* another file was read */
    assert_int_equal(findings.count, 0);
    doors_clear(&d);
    loop_free(l);
}

static void a_limit_of_descriptors_says_what_is_needed(void **state)
{
    (void)state;
    facts_descriptors(&port, 0, 1024, 1); /* as many as there are */
    facts_descriptors(&port, 10000, 11024, 1);
    assert_int_equal(findings.count, 0);
    facts_descriptors(&port, 10000, 1024, 1);
    assert_true(span_eq(findings.items[0].detail,
                        SPAN("MAX_CONNECTIONS 10000 takes a limit of 11024, which is 1024")));
    facts_descriptors(&port, 10000, 11024, 2); /* each passes through */
    assert_true(span_eq(findings.items[0].detail,
                        SPAN("MAX_CONNECTIONS 10000 takes a limit of 22048, which is 11024")));
    facts_descriptors(&port, 10000, 22048, 2);
    assert_int_equal(findings.count, 0);
}

static void a_short_secret_is_weak(void **state)
{
    (void)state;
    facts_secret(&port, "SHARD_SECRET", 16, 16);
    assert_int_equal(findings.count, 0);
    facts_secret(&port, "SHARD_SECRET", 15, 16);
    assert_non_null(findings_get(&findings, FINDING_WEAK_SECRET, SPAN("SHARD_SECRET")));
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_findings, clear_findings)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_certificate_is_told_of_two_weeks_before_its_end),
        T(a_limit_of_descriptors_says_what_is_needed),
        T(a_short_secret_is_weak),
    };
    return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
