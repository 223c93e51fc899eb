/* What the world and its nodes have found. */
#include "world/ctl/doctor.h"

#include "common/base/clock.h"
#include "common/proto/finding.h"
#include "world/ctl/answer.h"

enum {
    PAGE = 1000,
    PAGES_MAX = 50, /* of a list */
    CHECKUP_MS = 12000,
    LOOK_MS = 250,
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

bool doctor_read_list(struct doctor *d, const char *path, json_t **items)
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
    return !d->decided || (doctor_read_list(d, "/nodes", &d->nodes) &&
                           doctor_read_list(d, "/servers", &d->servers));
}

/* ---- findings */

/* "node n1", or "the world". */
static json_t *seer(const json_t *item)
{
    struct span node = answer_text(json_object_get(item, "by"), "node");
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
        if (span_eq(answer_text(known, "check"), answer_text(item, "check")) &&
            span_eq(answer_text(known, "subject"), answer_text(item, "subject")))
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

bool doctor_read_findings(struct doctor *d)
{
    struct ask a;
    bool good = doctor_get(d, &a, "/findings");

    if (good && ask_is_good(&a))
        doctor_take_findings(d, json_object_get(a.doc, "items"));
    ask_clear(&a);
    return good;
}

/* What a checkup says anew is forgotten first. */
static void forget_checked_up(struct doctor *d)
{
    for (size_t i = json_array_size(d->findings); i-- > 0;) {
        struct span check = answer_text(json_array_get(d->findings, i), "check");
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
                                       "beat.failed, beat.refused); nodes before 0.1.0 know "
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
        doctor_progress(d, "waiting until all nodes have looked around: %zu left",
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

    for (size_t i = 0; i < count && i < DOCTOR_SHOWN; i++)
        buf_addf(out, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(by, i)));
    if (count > DOCTOR_SHOWN)
        buf_addf(out, " and %zu more", count - DOCTOR_SHOWN);
}

/* What it says of "the subject" is said of whom it is. */
static void add_cure(struct buf *out, const json_t *f)
{
    static const struct span word = SPAN_INIT("the subject");
    struct span rest = answer_text(f, "cure"), subject = answer_text(f, "subject");

    for (size_t i = 0; i < rest.len; i++) {
        bool here = subject.len > 0 && span_starts(span_slice(rest, i, rest.len), word);
        if (here)
            buf_add_span(out, subject);
        else
            buf_add_char(out, rest.ptr[i]);
        i += here ? word.len - 1 : 0;
    }
}

static void tell_finding(struct doctor *d, const json_t *f)
{
    struct buf by = {0}, text = {0}, cure = {0};
    struct span detail = answer_text(f, "detail"), means = answer_text(f, "means");

    add_seers(&by, json_object_get(f, "by"));
    buf_addf(&text, "%.*s%s%.*s", SPAN_ARG(detail), detail.len > 0 ? ". " : "", SPAN_ARG(means));
    add_cure(&cure, f);
    diagnosis_add(&d->d, &(struct symptom){.level = level_of(answer_text(f, "level")),
                                           .check = answer_text(f, "check"),
                                           .subject = answer_text(f, "subject"),
                                           .by = buf_span(&by),
                                           .text = buf_span(&text),
                                           .cure = buf_span(&cure)});
    buf_clear(&cure);
    buf_clear(&by);
    buf_clear(&text);
}

static bool has_one_of(const struct doctor *d, const char *const *checks)
{
    for (size_t i = 0; i < json_array_size(d->findings); i++) {
        for (const char *const *check = checks; *check != NULL; check++) {
            if (span_eq(answer_text(json_array_get(d->findings, i), "check"), span_str(*check)))
                return true;
        }
    }
    return false;
}

static bool uses_redis(const struct doctor *d)
{
    return span_eq(answer_text(json_array_get(d->processes, 0), "store"), SPAN("redis"));
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
    if (!has_one_of(d, nodes) && node_count > 0)
        diagnosis_well(&d->d, "nodes", "%zu: secrets, clocks, versions, ways between them",
                       node_count);
    if (!has_one_of(d, rooms) && node_count > 0)
        diagnosis_well(&d->d, "room servers",
                       "%zu of the world, and those of nodes: reached, with the same secret",
                       server_count);
    if (!has_one_of(d, limits))
        diagnosis_well(&d->d, "processes", "descriptors, certificates, secrets, store");
    if (!has_one_of(d, proxies))
        diagnosis_well(&d->d, "proxies", "none is seen to hide or to cut clients");
}

static bool says(const json_t *f, struct span node)
{
    const json_t *by = json_object_get(f, "by");

    for (size_t i = 0; i < json_array_size(by); i++) {
        struct span name = span_str(json_string_value(json_array_get(by, i)));
        if (span_starts(name, SPAN("node ")) && span_eq(span_slice(name, 5, name.len), node))
            return true;
    }
    return false;
}

/* Nodes do not believe each other because the clock of one is off, which is told of it. */
static bool is_of_a_clock(const struct doctor *d, const json_t *f)
{
    if (!span_eq(answer_text(f, "check"), finding_kinds[FINDING_PEER_SECRET].name) ||
        !span_ihas(answer_text(f, "detail"), SPAN("clock")))
        return false;
    for (size_t i = 0; i < json_array_size(d->findings); i++) {
        const json_t *g = json_array_get(d->findings, i);
        struct span node = answer_text(g, "subject");
        if (span_eq(answer_text(g, "check"), finding_kinds[FINDING_CLOCK].name) &&
            (span_eq(answer_text(f, "subject"), node) || says(f, node)))
            return true;
    }
    return false;
}

void doctor_tell_findings(struct doctor *d)
{
    for (size_t i = 0; i < json_array_size(d->findings); i++) {
        const json_t *f = json_array_get(d->findings, i);
        if (!is_of_a_clock(d, f))
            tell_finding(d, f);
    }
    if (d->nodes != NULL && d->servers != NULL)
        tell_well(d);
}
