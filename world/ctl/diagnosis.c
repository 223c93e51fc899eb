/* Items are JSON objects all along: what -o json prints, and what the lines are made of. */
#include "world/ctl/diagnosis.h"

#include <stdarg.h>
#include <stdlib.h>

#include "world/ctl/answer.h"
#include "world/ctl/paint.h"
#include "world/ctl/print.h"
#include "world/ctl/text.h"

static const struct {
    const char *name, *word;
    enum paint paint;
} levels[DIAGNOSIS_LEVEL_COUNT] = {
    [DIAGNOSIS_OK] = {"ok", "ok  ", PAINT_GOOD},
    [DIAGNOSIS_SKIPPED] = {"skipped", "--  ", PAINT_DIM},
    [DIAGNOSIS_NOTICE] = {"notice", "note", PAINT_BOLD},
    [DIAGNOSIS_WARNING] = {"warning", "warn", PAINT_WARN},
    [DIAGNOSIS_ERROR] = {"error", "FAIL", PAINT_BAD},
};

/* What stands before another in it is likely to be the other's cause. Others come last. */
static const char *const causes[] = {
    "redis-unreachable",
    "redis-read-only",
    "redis-evicts",
    "world-unreachable",
    "token",
    "world-undecided",
    "store",
    "clock",
    "node-id",
    "node-secret",
    "beat-refused",
    "shard-secret",
    "peer-secret",
    "no-node",
    "node-lost",
    "peer-unreachable",
    "room-unreachable",
    "room-upgrade",
    "room-secret",
    "server-down",
    "certificate",
    "descriptors",
    "idle-cut",
    "proxy-untrusted",
};
enum { CAUSES = sizeof(causes) / sizeof(causes[0]) };

void diagnosis_init(struct diagnosis *d, const struct ctl *c)
{
    *d = (struct diagnosis){.ctl = c, .items = json_array()};
}

void diagnosis_clear(struct diagnosis *d)
{
    json_decref(d->items);
    *d = (struct diagnosis){0};
}

void diagnosis_group(struct diagnosis *d, const char *title)
{
    d->group = title;
    d->titled = false;
}

/* ---- lines */

static void add_painted(const struct diagnosis *d, struct buf *out, enum paint p, const char *text)
{
    buf_add_span(out, paint_on(d->ctl->colour, p));
    buf_add_span(out, span_str(text));
    buf_add_span(out, paint_off(d->ctl->colour, p));
}

static void add_cure(struct buf *out, const json_t *item)
{
    struct span cure = answer_text(item, "cure");

    if (cure.len == 0)
        return;
    BUF_ADD_LIT(out, "        -> ");
    text_add(out, cure);
    buf_add_char(out, '\n');
}

/* `check subject (by): text`, of which each may be missing but the check. */
static void add_what(struct buf *out, const json_t *item)
{
    struct span subject = answer_text(item, "subject"), by = answer_text(item, "by");
    struct span text = answer_text(item, "text");

    text_add(out, answer_text(item, "check"));
    if (subject.len > 0)
        buf_add_char(out, ' ');
    text_add(out, subject);
    if (by.len > 0) {
        BUF_ADD_LIT(out, " (says ");
        text_add(out, by);
        buf_add_char(out, ')');
    }
    if (text.len > 0)
        BUF_ADD_LIT(out, ": ");
    text_add(out, text);
    buf_add_char(out, '\n');
}

static void write_line(struct diagnosis *d, const json_t *item, enum diagnosis_level level)
{
    struct buf out = {0};

    if (d->ctl->json)
        return;
    if (!d->titled) {
        add_painted(d, &out, PAINT_BOLD, d->group);
        buf_add_char(&out, '\n');
        d->titled = true;
    }
    BUF_ADD_LIT(&out, "  ");
    add_painted(d, &out, levels[level].paint, levels[level].word);
    BUF_ADD_LIT(&out, "  ");
    add_what(&out, item);
    add_cure(&out, item);
    (void)print_flush(&out);
    (void)fflush(stdout);
}

static json_t *text_of(struct span s)
{
    return json_stringn(s.ptr == NULL ? "" : s.ptr, s.len);
}

void diagnosis_add(struct diagnosis *d, const struct symptom *s)
{
    json_t *item =
        json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "group", d->group, "level",
                  levels[s->level].name, "check", text_of(s->check), "subject", text_of(s->subject),
                  "by", text_of(s->by), "text", text_of(s->text), "cure", text_of(s->cure));

    d->counts[s->level]++;
    write_line(d, item, s->level);
    (void)json_array_append_new(d->items, item);
}

static void add_va(struct diagnosis *d, enum diagnosis_level level, const char *check,
                   const char *fmt, va_list args) PRINTF_LIKE(4, 0);

static void add_va(struct diagnosis *d, enum diagnosis_level level, const char *check,
                   const char *fmt, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, fmt, args) < 0)
        return;
    diagnosis_add(
        d, &(struct symptom){.level = level, .check = span_str(check), .text = span_str(text)});
    free(text);
}

void diagnosis_well(struct diagnosis *d, const char *check, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add_va(d, DIAGNOSIS_OK, check, fmt, args);
    va_end(args);
}

void diagnosis_skip(struct diagnosis *d, const char *check, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add_va(d, DIAGNOSIS_SKIPPED, check, fmt, args);
    va_end(args);
}

/* ---- the sum */

static enum diagnosis_level level_of(const json_t *item)
{
    enum diagnosis_level level = DIAGNOSIS_OK;

    while (level < DIAGNOSIS_ERROR &&
           !span_eq(answer_text(item, "level"), span_str(levels[level].name)))
        level++;
    return level;
}

bool diagnosis_has(const struct diagnosis *d, struct span check, struct span subject)
{
    for (size_t i = 0; i < json_array_size(d->items); i++) {
        const json_t *item = json_array_get(d->items, i);
        if (level_of(item) > DIAGNOSIS_SKIPPED && span_eq(answer_text(item, "check"), check) &&
            span_eq(answer_text(item, "subject"), subject))
            return true;
    }
    return false;
}

static size_t cause_rank(struct span check)
{
    size_t rank = 0;

    while (rank < CAUSES && !span_eq(check, span_str(causes[rank])))
        rank++;
    return rank;
}

static bool is_worse(const json_t *a, const json_t *b)
{
    if (level_of(a) != level_of(b))
        return level_of(a) > level_of(b);
    return cause_rank(answer_text(a, "check")) < cause_rank(answer_text(b, "check"));
}

/* NULL: there is nothing to do. */
static json_t *worst(const struct diagnosis *d)
{
    json_t *found = NULL;

    for (size_t i = 0; i < json_array_size(d->items); i++) {
        json_t *item = json_array_get(d->items, i);
        if (level_of(item) >= DIAGNOSIS_WARNING && (found == NULL || is_worse(item, found)))
            found = item;
    }
    return found;
}

static void add_sum_json(const struct diagnosis *d, struct buf *out)
{
    json_t *first = worst(d);
    json_t *doc = json_pack("{s:i,s:i,s:i,s:O,s:O?}", "errors", (int)d->counts[DIAGNOSIS_ERROR],
                            "warnings", (int)d->counts[DIAGNOSIS_WARNING], "notices",
                            (int)d->counts[DIAGNOSIS_NOTICE], "checks", d->items, "first", first);

    print_json(out, doc);
    json_decref(doc);
}

static void add_count(struct buf *out, size_t n, const char *word, const char *behind)
{
    buf_addf(out, "%zu %s%s%s", n, word, n == 1 ? "" : "s", behind);
}

static void add_sum(const struct diagnosis *d, struct buf *out)
{
    const json_t *first = worst(d);

    buf_add_char(out, '\n');
    if (first != NULL) {
        add_painted(d, out, PAINT_BOLD, "What to do first");
        BUF_ADD_LIT(out, "\n        ");
        add_what(out, first);
        add_cure(out, first);
    }
    add_count(out, d->counts[DIAGNOSIS_ERROR], "error", ", ");
    add_count(out, d->counts[DIAGNOSIS_WARNING], "warning", ", ");
    add_count(out, d->counts[DIAGNOSIS_NOTICE], "notice", "\n");
}

enum ended diagnosis_end(struct diagnosis *d)
{
    struct buf out = {0};

    if (d->ctl->json)
        add_sum_json(d, &out);
    else
        add_sum(d, &out);
    return print_flush(&out) && d->counts[DIAGNOSIS_ERROR] == 0 ? ENDED_DONE : ENDED_REFUSED;
}
