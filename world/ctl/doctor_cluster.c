/* What the world and its nodes know of themselves. */
#include "world/ctl/doctor.h"

#include "common/base/clock.h"
#include "common/proto/finding.h"
#include "world/ctl/print.h"

enum {
    PAGE = 1000,
    PAGES_MAX = 50, /* of a list */
    CHECKUP_MS = 12000,
    LOOK_MS = 250,
    FULL_PERCENT = 100,
    NEARLY_PERCENT = 90,
    SHOWN = 5, /* of many of a kind */
};

/* ---- lists */

bool doctor_get(struct doctor *d, struct ask *a, const char *path)
{
    struct buf below = {0};
    bool good;

    buf_addf(&below, "/api/v1/worlds/%s%s", d->c->profile.world, path);
    good = asks_get(d->c, a, d->base, buf_span(&below));
    buf_clear(&below);
    return good;
}

/* *next: the cursor behind the page, empty at the end. False: no page. */
static bool take_page(const struct ask *a, json_t *items, struct buf *next)
{
    struct span cursor;

    buf_reset(next);
    if (!ask_is_good(a) || json_array_extend(items, json_object_get(a->doc, "items")) != 0)
        return false;
    if (json_get_span(a->doc, "next", &cursor))
        buf_add_span(next, cursor);
    return true;
}

/* *items: NULL, it could not be read. */
static bool read_list(struct doctor *d, const char *path, json_t **items)
{
    struct buf page = {0}, next = {0};
    bool good = true, more = true;
    int64_t until = clock_wall_ms() + DOCTOR_STEP_MS;

    *items = json_array();
    for (int i = 0; good && more && i < PAGES_MAX && clock_wall_ms() < until; i++) {
        struct ask a;
        buf_reset(&page);
        buf_addf(&page, "%s?limit=%d%s%.*s", path, PAGE, next.len > 0 ? "&after=" : "",
                 SPAN_ARG(buf_span(&next)));
        buf_add_char(&page, '\0');
        good = doctor_get(d, &a, page.data);
        more = good && take_page(&a, *items, &next) && next.len > 0;
        if (good && !ask_is_good(&a)) {
            json_decref(*items);
            *items = NULL;
        }
        ask_clear(&a);
    }
    buf_clear(&page);
    buf_clear(&next);
    return good;
}

bool doctor_read_lists(struct doctor *d)
{
    return d->may == DOCTOR_NOTHING ||
           (read_list(d, "/nodes", &d->nodes) && read_list(d, "/servers", &d->servers));
}

/* ---- findings */

/* "node n1", or "the world". */
static json_t *seer(const json_t *item)
{
    struct span node = print_text(json_object_get(item, "by"), "node");
    struct buf text = {0};
    json_t *name;

    if (node.len > 0)
        buf_addf(&text, "node %.*s", SPAN_ARG(node));
    else
        BUF_ADD_LIT(&text, "the world");
    name = json_stringn(text.data, text.len);
    buf_clear(&text);
    return name;
}

static json_t *same(const json_t *findings, const json_t *item)
{
    for (size_t i = 0; i < json_array_size(findings); i++) {
        json_t *known = json_array_get(findings, i);
        if (span_eq(print_text(known, "check"), print_text(item, "check")) &&
            span_eq(print_text(known, "subject"), print_text(item, "subject")))
            return known;
    }
    return NULL;
}

static void add_seer(json_t *finding, const json_t *item)
{
    json_t *all = json_object_get(finding, "by"), *name = seer(item);

    for (size_t i = 0; i < json_array_size(all); i++) {
        if (json_equal(json_array_get(all, i), name) != 0) {
            json_decref(name);
            return;
        }
    }
    (void)json_array_append_new(all, name);
}

void doctor_take_findings(struct doctor *d, const json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        json_t *known = same(d->findings, item);
        if (known == NULL) {
            known = json_copy((json_t *)(uintptr_t)item); /* jansson asks for it */
            (void)json_object_set_new(known, "by", json_array());
            (void)json_array_append_new(d->findings, known);
        }
        add_seer(known, item);
    }
}

bool doctor_read_findings(struct doctor *d, bool *under_way)
{
    struct ask a;
    bool good = doctor_get(d, &a, "/findings");

    *under_way = good && json_is_object(json_object_get(a.doc, "checkup"));
    if (good && ask_is_good(&a))
        doctor_take_findings(d, json_object_get(a.doc, "items"));
    ask_clear(&a);
    return good;
}

/* What a checkup says anew is forgotten first. */
static void forget_checked_up(struct doctor *d)
{
    for (size_t i = json_array_size(d->findings); i-- > 0;) {
        struct span check = print_text(json_array_get(d->findings, i), "check");
        if (span_starts(check, SPAN("room-")) || span_starts(check, SPAN("peer-")))
            (void)json_array_remove(d->findings, i);
    }
}

static void tell_unconfirmed(struct doctor *d, const json_t *waiting)
{
    for (size_t i = 0; i < json_array_size(waiting); i++)
        diagnosis_add(&d->d,
                      &(struct symptom){
                          .level = DIAGNOSIS_WARNING,
                          .check = SPAN("checkup"),
                          .subject = span_str(json_string_value(json_array_get(waiting, i))),
                          .text = SPAN("the node has not said in time what it sees around it"),
                          .cure = SPAN("See whether the node runs and reaches the world (its log: "
                                       "world.unreachable, beat.refused); nodes before 0.1.0 know "
                                       "no checkups.")});
}

/* Asks until it is over; `waiting`: nodes that had not confirmed by the end, owned. */
static bool await_checkup(struct doctor *d, json_t **waiting)
{
    int64_t began = clock_wall_ms();
    bool good = true, under_way = true;

    *waiting = NULL;
    while (good && under_way) {
        struct ask a;
        const json_t *checkup;
        good = ctl_pause(d->c, LOOK_MS) && doctor_get(d, &a, "/findings");
        if (!good)
            break;
        checkup = json_object_get(a.doc, "checkup");
        under_way = json_is_object(checkup) && clock_wall_ms() - began < CHECKUP_MS;
        doctor_progress(d, "waiting for %zu nodes to look around",
                        json_array_size(json_object_get(checkup, "waiting")));
        if (!under_way)
            *waiting = json_incref(json_object_get(checkup, "waiting"));
        ask_clear(&a);
    }
    doctor_progress(d, "%s", "");
    return good;
}

bool doctor_check_up(struct doctor *d)
{
    struct ask a = {.method = "POST", .token = true, .body = SPAN("{}")};
    json_t *waiting = NULL;
    struct buf text = {0};
    bool good;

    buf_addf(&a.url, "%s/api/v1/worlds/%s/checkup", d->base, d->c->profile.world);
    good = asks_run(d->c, &a, 1, ASKS_MS);
    if (good && ask_is_good(&a)) {
        forget_checked_up(d);
        good = await_checkup(d, &waiting);
        tell_unconfirmed(d, waiting);
    } else if (good) {
        ask_add_fault(&a, &text);
        diagnosis_skip(&d->d, "checkup", "no node is asked to look: %.*s",
                       SPAN_ARG(buf_span(&text)));
    }
    json_decref(waiting);
    ask_clear(&a);
    buf_clear(&text);
    return good;
}

/* ---- telling them */

static enum diagnosis_level level_of(struct span name)
{
    return span_eq(name, finding_level_names[FINDING_ERROR])     ? DIAGNOSIS_ERROR
           : span_eq(name, finding_level_names[FINDING_WARNING]) ? DIAGNOSIS_WARNING
                                                                 : DIAGNOSIS_NOTICE;
}

static void add_seers(struct buf *out, const json_t *by)
{
    size_t count = json_array_size(by);

    for (size_t i = 0; i < count && i < SHOWN; i++)
        buf_addf(out, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(by, i)));
    if (count > SHOWN)
        buf_addf(out, " and %zu more", count - SHOWN);
}

static void tell_finding(struct doctor *d, const json_t *f)
{
    struct buf by = {0}, text = {0};
    struct span detail = print_text(f, "detail"), means = print_text(f, "means");

    add_seers(&by, json_object_get(f, "by"));
    buf_addf(&text, "%.*s%s%.*s", SPAN_ARG(detail), detail.len > 0 ? ". " : "", SPAN_ARG(means));
    diagnosis_add(&d->d, &(struct symptom){.level = level_of(print_text(f, "level")),
                                           .check = print_text(f, "check"),
                                           .subject = print_text(f, "subject"),
                                           .by = buf_span(&by),
                                           .text = buf_span(&text),
                                           .cure = print_text(f, "cure")});
    buf_clear(&by);
    buf_clear(&text);
}

static bool has_one_of(const struct doctor *d, const char *const *checks)
{
    for (size_t i = 0; i < json_array_size(d->findings); i++) {
        for (const char *const *check = checks; *check != NULL; check++) {
            if (span_eq(print_text(json_array_get(d->findings, i), "check"), span_str(*check)))
                return true;
        }
    }
    return false;
}

static bool uses_redis(const struct doctor *d)
{
    return span_eq(print_text(json_array_get(d->processes, 0), "store"), SPAN("redis"));
}

static void tell_well(struct doctor *d)
{
    static const char *const
        redis[] = {"redis-unreachable", "redis-read-only", "redis-evicts", "redis-forgets", NULL},
        *const rooms[] = {"room-unreachable", "room-upgrade", "room-secret", "server-down", NULL},
        *const nodes[] =
            {"peer-unreachable", "peer-secret", "beat-refused", "node-secret", "node-id",
             "node-lost",        "clock",       "node-version", NULL},
        *const limits[] = {"descriptors", "certificate", "weak-secret", "store", NULL},
        *const proxies[] = {"proxy-untrusted", "one-address", "idle-cut", NULL};
    size_t node_count = json_array_size(d->nodes), server_count = json_array_size(d->servers);

    if (uses_redis(d) && !has_one_of(d, redis))
        diagnosis_well(&d->d, "redis", "takes writes, keeps them, and throws nothing away");
    if (!has_one_of(d, nodes))
        diagnosis_well(&d->d, "nodes", "%zu: secrets, clocks, versions, ways between them",
                       node_count);
    if (!has_one_of(d, rooms))
        diagnosis_well(&d->d, "room servers", "%zu: reached by nodes, with the same secret",
                       server_count);
    if (!has_one_of(d, limits))
        diagnosis_well(&d->d, "processes", "descriptors, certificates, secrets, store");
    if (!has_one_of(d, proxies))
        diagnosis_well(&d->d, "proxies", "none is seen to hide or to cut clients");
}

void doctor_tell_findings(struct doctor *d)
{
    for (size_t i = 0; i < json_array_size(d->findings); i++)
        tell_finding(d, json_array_get(d->findings, i));
    if (d->nodes != NULL && d->servers != NULL)
        tell_well(d);
}

/* ---- states */

static void tell_node(struct doctor *d, const json_t *node)
{
    struct span id = print_text(node, "node"), state = print_text(node, "state");

    if (span_eq(state, SPAN("suspect")))
        diagnosis_add(&d->d,
                      &(struct symptom){
                          .level = DIAGNOSIS_WARNING,
                          .check = SPAN("node-suspect"),
                          .subject = id,
                          .text = SPAN("nothing has been heard of it for some beats; it gets no "
                                       "new clients"),
                          .cure = SPAN("See whether it runs and reaches the world; if it stays "
                                       "away, its shards go to others by themselves.")});
    else if (span_eq(state, SPAN("expected")))
        diagnosis_add(&d->d, &(struct symptom){
                                 .level = DIAGNOSIS_WARNING,
                                 .check = SPAN("node-expected"),
                                 .subject = id,
                                 .text = SPAN("it has not come back since the world began"),
                                 .cure = SPAN("Start it, or forget it: worldctl nodes delete.")});
    else if (json_is_true(json_object_get(node, "draining")))
        diagnosis_add(&d->d,
                      &(struct symptom){.level = DIAGNOSIS_NOTICE,
                                        .check = SPAN("node-draining"),
                                        .subject = id,
                                        .text = SPAN("it takes no shards"),
                                        .cure = SPAN("If it should: worldctl undrain --node.")});
}

/* Nobody serves them. In a world without nodes shards have none. */
static void tell_shards(struct doctor *d, const json_t *shards)
{
    struct buf text = {0};
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(shards); i++) {
        const json_t *shard = json_array_get(shards, i);
        if (!json_is_null(json_object_get(shard, "node")))
            continue;
        if (count++ < SHOWN)
            buf_addf(&text, "%s%.*s", count > 1 ? ", " : "",
                     SPAN_ARG(print_text(shard, "shardId")));
    }
    if (count > SHOWN)
        buf_addf(&text, " and %zu more", count - SHOWN);
    if (count > 0)
        diagnosis_add(&d->d,
                      &(struct symptom){.level = DIAGNOSIS_WARNING,
                                        .check = SPAN("shard-without-node"),
                                        .text = buf_span(&text),
                                        .cure = SPAN("Start a node (WORLD_IDS must name the world "
                                                     "if it has none yet), or worldctl shards "
                                                     "delete what nobody needs.")});
    else
        diagnosis_well(&d->d, "shards", "%zu, each on a node", json_array_size(shards));
    buf_clear(&text);
}

static int64_t percent_used(const json_t *room)
{
    int64_t used = print_number(room, "currentConnections") + print_number(room, "reserved") +
                   print_number(room, "returning"),
            max = print_number(room, "maxConnections");

    return max == 0 ? 0 : used * 100 / max;
}

/* A room that makes shards as it fills is never full. */
static void tell_room(struct doctor *d, const json_t *room)
{
    int64_t max = print_number(room, "maxShards"), percent = percent_used(room);
    bool grows = max == 0 || print_number(json_object_get(room, "shards"), "total") < max;
    struct buf text = {0};

    if (grows || percent < NEARLY_PERCENT)
        return;
    buf_addf(&text, "%lld %% of its seats are taken, and it has all of its %lld shards",
             (long long)percent, (long long)max);
    diagnosis_add(&d->d, &(struct symptom){.level = percent >= FULL_PERCENT ? DIAGNOSIS_WARNING
                                                                            : DIAGNOSIS_NOTICE,
                                           .check = SPAN("room-full"),
                                           .subject = print_text(room, "name"),
                                           .text = buf_span(&text),
                                           .cure = SPAN("Let it have more: worldctl rooms set ROOM "
                                                        "--max-shards N.")});
    buf_clear(&text);
}

static void tell_servers(struct doctor *d)
{
    for (size_t i = 0; i < json_array_size(d->servers); i++) {
        const json_t *server = json_array_get(d->servers, i);
        struct span state = print_text(server, "state"), origin = print_text(server, "server");
        bool down = span_eq(state, SPAN("down")) || span_eq(state, SPAN("dead"));
        if (!down || diagnosis_has(&d->d, SPAN("server-down"), origin))
            continue;
        diagnosis_add(&d->d, &(struct symptom){.level = DIAGNOSIS_ERROR,
                                               .check = finding_kinds[FINDING_SERVER_DOWN].name,
                                               .subject = origin,
                                               .text = finding_kinds[FINDING_SERVER_DOWN].means,
                                               .cure = finding_kinds[FINDING_SERVER_DOWN].cure});
    }
}

static bool is_new(const json_t *versions, struct span version)
{
    for (size_t i = 0; i < json_array_size(versions); i++) {
        if (span_eq(span_str(json_string_value(json_array_get(versions, i))), version))
            return false;
    }
    return version.len > 0;
}

static void gather_versions(json_t *versions, const json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        struct span version = print_text(json_array_get(items, i), "version");
        if (is_new(versions, version))
            (void)json_array_append_new(versions, json_stringn(version.ptr, version.len));
    }
}

static void tell_versions(struct doctor *d)
{
    json_t *versions = json_array();
    struct buf text = {0};

    gather_versions(versions, d->processes);
    gather_versions(versions, d->nodes);
    for (size_t i = 0; i < json_array_size(versions); i++)
        buf_addf(&text, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(versions, i)));
    if (json_array_size(versions) > 1)
        diagnosis_add(&d->d, &(struct symptom){.level = DIAGNOSIS_NOTICE,
                                               .check = SPAN("versions"),
                                               .text = buf_span(&text),
                                               .cure = finding_kinds[FINDING_NODE_VERSION].cure});
    else
        diagnosis_well(&d->d, "versions", "%.*s everywhere", SPAN_ARG(buf_span(&text)));
    json_decref(versions);
    buf_clear(&text);
}

bool doctor_look_at_states(struct doctor *d)
{
    json_t *shards = NULL, *rooms = NULL;
    bool good = read_list(d, "/shards", &shards) && read_list(d, "/rooms", &rooms);

    if (good && d->nodes != NULL) {
        for (size_t i = 0; i < json_array_size(d->nodes); i++)
            tell_node(d, json_array_get(d->nodes, i));
        tell_versions(d);
        if (json_array_size(d->nodes) > 0 && shards != NULL)
            tell_shards(d, shards);
    }
    if (good)
        tell_servers(d);
    for (size_t i = 0; good && i < json_array_size(rooms); i++)
        tell_room(d, json_array_get(rooms, i));
    json_decref(shards);
    json_decref(rooms);
    return good;
}
