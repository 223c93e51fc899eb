/* A file says what rooms and room servers there should be. */
#include "world/ctl/answer.h"
#include "world/ctl/api.h"
#include "world/ctl/diff.h"
#include "world/ctl/json_file.h"
#include "world/ctl/print.h"
#include "world/ctl/room_fields.h"
#include "world/ctl/verb_rooms.h"

const struct flag verb_rooms_apply_flags[] = {
    {"file", "FILE", "what there should be; - is stdin", 'f'},
    {"dry-run", NULL, "show what would change, and change nothing", 0},
    {"prune", NULL, "delete rooms that are not in the file", 0},
    {NULL, NULL, NULL, 0},
};

struct apply {
    struct ctl *c;
    const char *path;
    json_t *file;
    struct diff diff;
};

static enum ended broken(const struct apply *a, const char *where, const char *name,
                         const struct buf *problem)
{
    return ctl_problem(ENDED_USAGE, "%s: %s %s: %.*s", a->path, where, name,
                       SPAN_ARG(buf_span(problem)));
}

/* ---- the file */

static enum ended check_rooms(const struct apply *a)
{
    json_t *rooms = json_object_get(a->file, "rooms"), *settings;
    struct buf problem = {0};
    enum ended how = ENDED_DONE;
    const char *name;

    json_object_foreach(rooms, name, settings)
    {
        if (how == ENDED_DONE && !room_fields_check(settings, &problem))
            how = broken(a, "room", name, &problem);
    }
    buf_clear(&problem);
    return how;
}

static bool check_server(const json_t *settings, struct buf *problem)
{
    const json_t *draining = json_object_get(settings, "draining");

    if (!json_is_object(settings))
        BUF_ADD_LIT(problem, "its settings must be an object");
    else if (json_object_size(settings) > (draining == NULL ? 0 : 1))
        BUF_ADD_LIT(problem, "unknown setting; draining is known");
    else if (draining != NULL && !json_is_boolean(draining))
        BUF_ADD_LIT(problem, "draining must be true or false");
    return problem->len == 0;
}

static enum ended check_servers(const struct apply *a)
{
    json_t *servers = json_object_get(a->file, "servers"), *settings;
    struct buf problem = {0};
    enum ended how = ENDED_DONE;
    const char *name;

    json_object_foreach(servers, name, settings)
    {
        if (how == ENDED_DONE && !check_server(settings, &problem))
            how = broken(a, "server", name, &problem);
    }
    buf_clear(&problem);
    return how;
}

static enum ended check_top(const struct apply *a)
{
    const char *key;
    json_t *value;

    if (!json_is_object(a->file))
        return ctl_problem(ENDED_USAGE, "%s: it must be an object with rooms and servers", a->path);
    json_object_foreach(a->file, key, value)
    {
        if (strcmp(key, "rooms") != 0 && strcmp(key, "servers") != 0)
            return ctl_problem(ENDED_USAGE, "%s: unknown member %s; rooms and servers are known",
                               a->path, key);
        if (!json_is_object(value))
            return ctl_problem(ENDED_USAGE, "%s: %s must be an object", a->path, key);
    }
    return ENDED_DONE;
}

static enum ended read_file(struct apply *a)
{
    struct buf problem = {0};
    enum ended how;

    a->file = json_file_read(a->path, &problem);
    if (a->file == NULL) {
        how = ctl_problem(ENDED_USAGE, "%.*s", SPAN_ARG(buf_span(&problem)));
        buf_clear(&problem);
        return how;
    }
    how = check_top(a);
    if (how == ENDED_DONE)
        how = check_rooms(a);
    return how == ENDED_DONE ? check_servers(a) : how;
}

/* ---- what would change */

static json_t *find(const json_t *items, const char *key, const char *name)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        if (span_eq(answer_text(item, key), span_str(name)))
            return item;
    }
    return NULL;
}

static void compare_room(struct apply *a, const json_t *room, const char *name, json_t *settings)
{
    json_t *was = room == NULL ? NULL : room_fields_of(room, false);
    json_t *will = room_fields_of(settings, true);

    diff_add(&a->diff, "room", name, was, will);
    json_decref(was);
    json_decref(will);
}

/* Rooms by name; lists may be long. */
static json_t *by_name(const json_t *items)
{
    json_t *out = json_object();

    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        struct span name = answer_text(item, "name");
        if (span_index(name, '\0') == name.len) /* others cannot stand in a file, and stay */
            (void)json_object_setn_nocheck(out, name.ptr, name.len, item);
    }
    return out;
}

static void compare_rooms(struct apply *a, const json_t *items)
{
    json_t *wanted = json_object_get(a->file, "rooms"), *there = by_name(items), *value;
    const char *name;

    json_object_foreach(wanted, name, value)
    {
        compare_room(a, json_object_get(there, name), name, value);
    }
    json_object_foreach(there, name, value)
    {
        if (args_has(&a->c->args, "prune") && json_object_get(wanted, name) == NULL) {
            json_t *was = room_fields_of(value, false);
            diff_add(&a->diff, "room", name, was, NULL);
            json_decref(was);
        }
    }
    json_decref(there);
}

static json_t *server_fields(bool draining)
{
    return json_pack("{s:b}", "draining", (int)draining);
}

static void compare_servers(struct apply *a, const json_t *items)
{
    json_t *servers = json_object_get(a->file, "servers"), *value;
    const char *name;

    json_object_foreach(servers, name, value)
    {
        const json_t *item = find(items, "server", name);
        json_t *was = item == NULL ? NULL : server_fields(answer_true(item, "draining"));
        json_t *will = server_fields(answer_true(value, "draining"));
        diff_add(&a->diff, "server", name, was, will);
        json_decref(was);
        json_decref(will);
    }
}

static enum ended compare(struct apply *a)
{
    json_t *rooms = NULL, *servers = NULL;
    enum ended how = api_list(a->c, SPAN("/rooms"), 0, &rooms);

    if (how == ENDED_DONE)
        how = api_list(a->c, SPAN("/servers"), 0, &servers);
    if (how == ENDED_DONE) {
        compare_servers(a, servers);
        compare_rooms(a, rooms);
    }
    json_decref(rooms);
    json_decref(servers);
    return how;
}

/* ---- changing */

static enum ended change_one(const struct apply *a, const struct change *ch)
{
    bool room = strcmp(ch->kind, "room") == 0;
    struct buf path = {0}, body = {0};
    enum ended how;

    api_path(&path, room ? "/rooms/%" : "/servers/%", span_str(ch->name));
    if (ch->will != NULL)
        room_fields_add(&body, ch->will);
    how =
        api_ask(a->c, ch->will == NULL ? "DELETE" : "PUT", buf_span(&path), buf_span(&body), NULL);
    buf_clear(&path);
    buf_clear(&body);
    return how;
}

static enum ended change_all(const struct apply *a)
{
    enum ended how = ENDED_DONE;

    for (size_t i = 0; i < a->diff.count && how == ENDED_DONE; i++) {
        how = change_one(a, &a->diff.changes[i]);
        if (how != ENDED_DONE && i > 0)
            (void)ctl_problem(how, "changes made before: %zu of %zu", i, a->diff.count);
    }
    return how;
}

static enum ended show(const struct apply *a)
{
    struct buf out = {0};

    if (!a->c->json)
        diff_print(&a->diff, a->c->colour, &out);
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}

static enum ended close_with(const struct apply *a, bool dry)
{
    json_t *doc = json_pack("{s:o,s:b}", "changes", diff_json(&a->diff), "applied",
                            (int)(!dry && a->diff.count > 0));
    enum ended how;

    if (a->diff.count == 0)
        how = ctl_say(a->c, doc, "nothing to change");
    else
        how = ctl_say(a->c, doc, "changes %s: %zu", dry ? "that would be made" : "made",
                      a->diff.count);
    json_decref(doc);
    return how;
}

static enum ended apply(struct apply *a)
{
    bool dry = args_has(&a->c->args, "dry-run");
    enum ended how = read_file(a);

    if (how == ENDED_DONE)
        how = compare(a);
    if (how == ENDED_DONE)
        how = show(a);
    if (how != ENDED_DONE)
        return how;
    if (!dry && a->diff.count > 0) {
        if (!ctl_agrees(a->c, "make these changes (%zu)?", a->diff.count))
            return ctl_disagreed(a->c);
        how = change_all(a);
    }
    return how == ENDED_DONE ? close_with(a, dry) : how;
}

enum ended verb_rooms_apply(struct ctl *c)
{
    struct apply a = {.c = c, .path = args_value(&c->args, "file")};
    enum ended how;

    if (a.path == NULL)
        return ctl_problem(ENDED_USAGE, "rooms apply: -f FILE is missing");
    how = apply(&a);
    diff_clear(&a.diff);
    json_decref(a.file);
    return how;
}
