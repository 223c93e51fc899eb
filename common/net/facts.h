#pragma once
/* What a process can find wrong with itself without asking anybody (docs/protocol.md, "Findings"):
 * its certificates, its descriptors, its secrets. Each call tells of all that it looks at whether
 * it is so, so that what was mended is no more. */
#include "common/net/doors.h"
#include "common/proto/finding.h"

enum {
    FACTS_LOOK_MS = 60 * 60 * 1000, /* certificates grow old: how often to look */
    FACTS_CERTIFICATE_DAYS = 14,    /* left: worth a warning */
};

/* As findings_set: true puts the finding, false drops it. Texts are borrowed until return. */
struct facts_port {
    void (*set)(void *ctx, enum finding_check check, struct span subject, bool is_so,
                struct span detail);
    void *ctx;
};

/* FINDING_CERTIFICATE of each side of the doors; the subject is the setting of its file. */
void facts_certificates(const struct facts_port *p, const struct doors *d, int64_t wall_ms);
/* FINDING_DESCRIPTORS: `setting` is MAX_CONNECTIONS as it was set, `limit` the descriptor limit, of
 * which a client takes `each`. */
void facts_descriptors(const struct facts_port *p, int64_t setting, uint64_t limit, unsigned each);
/* FINDING_WEAK_SECRET: the shortest secret of the setting `name` has `bytes` of them. */
void facts_secret(const struct facts_port *p, const char *name, size_t bytes, size_t wanted);
