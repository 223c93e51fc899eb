/* Beats: what was read can be written, and is read again as the same. */
#include <stdlib.h>

#include "common/proto/beat_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each that is named is one that may be. */
static void check_sessions(struct beat_doc *doc, struct span list)
{
    struct span id;
    for (size_t at = 0; beat_next_session(doc, list, &at, &id);)
        if (id.len == 0 || id.len > BEAT_SESSION_MAX)
            abort();
}

static void write_again(struct buf *out, const struct beat *b, struct beat_doc *doc)
{
    struct beat_shard shard;
    struct buf findings = {0};
    struct beat head = *b;
    bool first = true;
    if (doc->tells_findings) {
        findings_write(&doc->findings, &findings);
        head.findings = buf_span(&findings);
    }
    beat_open(out, &head);
    buf_clear(&findings);
    for (size_t at = 0; beat_next_shard(doc, &at, &shard); first = false) {
        check_sessions(doc, shard.left);
        check_sessions(doc, shard.joined);
        beat_add_shard(out, &shard, first);
    }
    beat_close(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct beat b;
    struct beat_doc doc, again;
    const char *why;
    struct buf once = {0}, twice = {0};
    if (beat_read(&b, &doc, span_of(data, size), &why) == ERR_OK) {
        write_again(&once, &b, &doc);
        if (beat_read(&b, &again, buf_span(&once), &why) != ERR_OK)
            abort();
        write_again(&twice, &b, &again);
        if (!span_eq(buf_span(&once), buf_span(&twice)))
            abort();
        beat_doc_clear(&again);
    } else if (why == NULL) {
        abort();
    }
    beat_doc_clear(&doc);
    buf_clear(&once);
    buf_clear(&twice);
    return 0;
}
