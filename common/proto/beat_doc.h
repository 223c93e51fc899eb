#pragma once
/* A heartbeat that a world has got (docs/protocol.md, "Node and world"; docs/design.md
 * section 5.1). Members that are missing count as 0, false or empty, but for those that say whose
 * beat it is and which: so a node and a world may be a version apart. */
#include "common/base/json.h"
#include "common/proto/beat.h"
#include "common/proto/finding.h"

/* A beat that was read. Its shards, which may be many, stay text. */
struct beat_doc {
    json_t *head;        /* all but the shards */
    bool tells_findings; /* the node has said what it finds: */
    struct findings findings;
    struct span shards; /* raw, in the body */
    bool full;
    struct buf id, server, key; /* of the last shard, where the text has escapes */
    struct buf session;         /* the same of the last session */
};

/* Reads a body, which is borrowed as long as *doc is used; spans point into both. The caller clears
 * *doc in every case.
 * ERR_SYNTAX: not a beat; *why names the member at fault, a static text. Counts over 2^53 - 1,
 * negative ones, empty ids, control characters in any text but a shard id (clients choose those:
 * docs/design.md section 8) are syntax errors; ERR_LIMIT: beyond the bounds of beat.h. */
MUST_CHECK enum err beat_read(struct beat *out, struct beat_doc *doc, struct span text,
                              const char **why);
/* The shards of a beat that was read, in order: start with *at = 0; false at the end. beat_read has
 * checked them all. What *out points to holds until the next call. */
bool beat_next_shard(struct beat_doc *doc, size_t *at, struct beat_shard *out);
/* The ids in `joined` or `left` of a shard, in the same way. */
bool beat_next_session(struct beat_doc *doc, struct span list, size_t *at, struct span *id);
void beat_doc_clear(struct beat_doc *doc);
