/* Looks at settings and files that are in use, and words what is wrong. */
#include "common/net/facts.h"

#include <time.h>

enum { DAY_S = 24 * 60 * 60 };

static void tell_certificate(const struct facts_port *p, const char *name, int64_t end_s,
                             int64_t now_s)
{
    char day[sizeof "2026-11-21"];
    struct tm tm;
    time_t end = (time_t)end_s;
    struct buf detail = {0};
    (void)gmtime_r(&end, &tm);
    (void)strftime(day, sizeof day, "%Y-%m-%d", &tm);
    buf_addf(&detail, "%s %s", end_s <= now_s ? "expired on" : "expires on", day);
    p->set(p->ctx, FINDING_CERTIFICATE, span_str(name),
           end_s != 0 && end_s - now_s < (int64_t)FACTS_CERTIFICATE_DAYS * DAY_S,
           buf_span(&detail));
    buf_clear(&detail);
}

void facts_certificates(const struct facts_port *p, const struct doors *d, int64_t wall_ms)
{
    static const struct {
        enum doors_side side;
        const char *setting;
    } rows[] = {
        {DOORS_PUBLIC, "TLS_CERT"},
        {DOORS_TO_CLUSTER, "INTERNAL_CERT"}, /* with or without INTERNAL_LISTEN */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tls_context *t = d->tls[rows[i].side];
        tell_certificate(p, rows[i].setting, t == NULL ? 0 : tls_expires_s(t), wall_ms / 1000);
    }
}

void facts_descriptors(const struct facts_port *p, int64_t setting, uint64_t limit, unsigned each)
{
    struct buf detail = {0};
    uint64_t wanted = process_wanted_descriptors((uint64_t)setting) * each;
    buf_addf(&detail, "MAX_CONNECTIONS %lld takes a limit of %llu, which is %llu",
             (long long)setting, (unsigned long long)wanted, (unsigned long long)limit);
    p->set(p->ctx, FINDING_DESCRIPTORS, SPAN(""), setting > 0 && limit < wanted, buf_span(&detail));
    buf_clear(&detail);
}

void facts_secret(const struct facts_port *p, const char *name, size_t bytes, size_t wanted)
{
    struct buf detail = {0};
    buf_addf(&detail, "%s: shorter than %zu bytes", name, wanted);
    p->set(p->ctx, FINDING_WEAK_SECRET, span_str(name), bytes < wanted, buf_span(&detail));
    buf_clear(&detail);
}
