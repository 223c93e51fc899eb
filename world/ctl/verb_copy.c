/* The document of GET /export, as the world wrote it. */
#include "world/ctl/verb_copy.h"

#include <errno.h>
#include <unistd.h>

#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/diff.h"
#include "world/ctl/json_file.h"
#include "world/ctl/print.h"
#include "world/ctl/text.h"

const struct flag verb_import_flags[] = {
    {"replace", NULL, "over what is there already", 0},
    {"dry-run", NULL, "show what would come in, and change nothing", 0},
    {NULL, NULL, NULL, 0},
};

/* ---- export */

/* A whole file, or none: what is written first is renamed at the end. */
static bool write_whole(const char *path, struct span data)
{
    struct buf part = {0};
    FILE *f;
    bool good;
    int why;

    buf_addf(&part, "%s.part", path);
    buf_add_char(&part, '\0');
    f = fopen(part.data, "we");
    good = f != NULL && fwrite(data.ptr, 1, data.len, f) == data.len && fflush(f) == 0 &&
           fsync(fileno(f)) == 0;
    why = errno;
    if (f != NULL && fclose(f) != 0)
        good = false;
    if (good) {
        good = rename(part.data, path) == 0;
        why = errno;
    } else if (f != NULL) {
        (void)unlink(part.data);
    }
    buf_clear(&part);
    errno = why;
    return good;
}

/* As it came; what a terminal would obey is escaped there, which is the same JSON. */
static enum ended print_out(const struct ctl *c, struct span body)
{
    struct buf out = {0};

    if (c->screen)
        text_add_json(&out, body);
    else
        buf_add_span(&out, body);
    buf_add_char(&out, '\n');
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}

static enum ended write_out(const struct ctl *c, struct span body, size_t records)
{
    const char *path = args_word(&c->args, 0);

    if (path == NULL || strcmp(path, "-") == 0)
        return print_out(c, body);
    if (!write_whole(path, body))
        return ctl_problem(ENDED_USAGE, "%s: %s", path, strerror(errno));
    return ctl_say(c, NULL, "exported to %s; records: %zu", path, records);
}

/* Nothing is written over an earlier export that is none itself. */
static enum ended take_export(const struct ctl *c, const struct wire_answer *a)
{
    json_t *doc = json_decode(buf_span(&a->body)), *records = json_object_get(doc, "records");
    enum ended how;

    if (json_is_array(records))
        how = write_out(c, buf_span(&a->body), json_array_size(records));
    else
        how =
            ctl_problem(ENDED_UNREACHED, "%s answers no export: is this a world?", c->profile.url);
    json_decref(doc);
    return how;
}

enum ended verb_export(struct ctl *c)
{
    struct wire_answer a;
    enum ended how;

    if (api_try(c, "GET", SPAN("/export"), (struct span){0}, &a, &how))
        how = a.status == 200 ? take_export(c, &a) : api_refused(c, &a);
    wire_answer_clear(&a);
    return how;
}

/* ---- import */

struct import {
    struct ctl *c;
    const char *path;
    json_t *file, *there;
    struct diff diff;
};

static enum ended read_file(struct import *im)
{
    struct buf problem = {0};
    enum ended how = ENDED_DONE;

    im->file = json_file_read(im->path, &problem);
    if (im->file == NULL)
        how = ctl_problem(ENDED_USAGE, "%.*s", SPAN_ARG(buf_span(&problem)));
    else if (!json_is_array(json_object_get(im->file, "records")))
        how = ctl_problem(ENDED_USAGE, "%s: it is no export: it has no records", im->path);
    buf_clear(&problem);
    return how;
}

/* Of each record: "kind key" to its value. */
static json_t *by_key(const json_t *doc)
{
    const json_t *records = json_object_get(doc, "records");
    json_t *out = json_object();

    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        struct buf key = {0};
        buf_addf(&key, "%.*s %.*s", SPAN_ARG(answer_text(record, "kind")),
                 SPAN_ARG(answer_text(record, "key")));
        (void)json_object_setn(out, key.data, key.len, json_object_get(record, "value"));
        buf_clear(&key);
    }
    return out;
}

static void compare(struct import *im)
{
    json_t *file = by_key(im->file), *there = by_key(im->there), *value;
    const char *key;

    json_object_foreach(file, key, value)
    {
        diff_add(&im->diff, "record", key, json_object_get(there, key), value);
    }
    json_decref(file);
    json_decref(there);
}

static enum ended show_diff(struct import *im)
{
    struct buf out = {0};
    json_t *doc;
    enum ended how = api_get(im->c, SPAN("/export"), &im->there);

    if (how != ENDED_DONE)
        return how;
    compare(im);
    doc = json_pack("{s:o,s:b}", "changes", diff_json(&im->diff), "applied", 0);
    if (!im->c->json) {
        diff_print(&im->diff, im->c->colour, &out);
        how = print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
    }
    if (how == ENDED_DONE)
        how = ctl_say(im->c, doc, "records: %zu; new or different: %zu",
                      json_array_size(json_object_get(im->file, "records")), im->diff.count);
    json_decref(doc);
    return how;
}

static enum ended send(struct import *im)
{
    bool replace = args_has(&im->c->args, "replace");
    struct buf body = {0};
    json_t *doc = NULL;
    enum ended how;

    if (replace && !ctl_agrees(im->c, "replace what is there by %s?", im->path))
        return ctl_disagreed(im->c);
    if (replace)
        (void)json_object_set_new(im->file, "replace", json_true());
    print_json(&body, im->file);
    how = api_ask(im->c, "POST", SPAN("/import"), buf_span(&body), &doc);
    if (how == ENDED_DONE)
        how =
            ctl_say(im->c, doc,
                    "taken in: rooms %lld, shards %lld, nodes %lld, servers %lld, bans %lld; "
                    "skipped %lld",
                    (long long)answer_number(doc, "room"), (long long)answer_number(doc, "shard"),
                    (long long)answer_number(doc, "node"), (long long)answer_number(doc, "server"),
                    (long long)answer_number(doc, "ban"), (long long)answer_number(doc, "skipped"));
    json_decref(doc);
    buf_clear(&body);
    return how;
}

enum ended verb_import(struct ctl *c)
{
    struct import im = {.c = c, .path = args_word(&c->args, 0)};
    enum ended how = read_file(&im);

    if (how == ENDED_DONE)
        how = args_has(&c->args, "dry-run") ? show_diff(&im) : send(&im);
    diff_clear(&im.diff);
    json_decref(im.file);
    json_decref(im.there);
    return how;
}
