/* What can be seen of the lists of the world, besides what it has found by itself. */
#include "common/proto/finding.h"
#include "world/ctl/answer.h"
#include "world/ctl/doctor.h"

enum { FULL_PERCENT = 100, NEARLY_PERCENT = 90 };

static void tell_node(struct doctor *d, const json_t *node)
{
    struct span id = answer_text(node, "node"), state = answer_text(node, "state");

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
    else if (answer_true(node, "draining"))
        diagnosis_add(&d->d,
                      &(struct symptom){.level = DIAGNOSIS_NOTICE,
                                        .check = SPAN("node-draining"),
                                        .subject = id,
                                        .text = SPAN("it takes no shards"),
                                        .cure = SPAN("If it should: worldctl undrain --node.")});
}

/* Shards of other programs report by themselves. */
static void tell_no_nodes(struct doctor *d, const json_t *shards)
{
    bool others = false;

    for (size_t i = 0; i < json_array_size(shards); i++)
        others =
            others || !span_eq(answer_text(json_array_get(shards, i), "roomId"), SPAN(DOCTOR_ROOM));
    diagnosis_add(
        &d->d,
        &(struct symptom){
            .level = others ? DIAGNOSIS_NOTICE : DIAGNOSIS_ERROR,
            .check = SPAN("no-node"),
            .subject = span_str(d->c->profile.world),
            .text = SPAN("no node reports to this world"),
            .cure = SPAN("Name the world by --world if it has another name; else start a node with "
                         "it in WORLD_URLS and WORLD_IDS, and with the same SHARD_SECRET.")});
}

/* Nobody serves them. */
static void tell_shards(struct doctor *d, const json_t *shards)
{
    struct buf text = {0};
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(shards); i++) {
        const json_t *shard = json_array_get(shards, i);
        if (!json_is_null(json_object_get(shard, "node")))
            continue;
        if (count++ < DOCTOR_SHOWN)
            buf_addf(&text, "%s%.*s", count > 1 ? ", " : "",
                     SPAN_ARG(answer_text(shard, "shardId")));
    }
    if (count > DOCTOR_SHOWN)
        buf_addf(&text, " and %zu more", count - DOCTOR_SHOWN);
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
    int64_t used = answer_number(room, "currentConnections") + answer_number(room, "reserved") +
                   answer_number(room, "returning"),
            max = answer_number(room, "maxConnections");

    return max == 0 ? 0 : used * 100 / max;
}

/* A room that makes shards as it fills is never full. */
static void tell_room(struct doctor *d, const json_t *room)
{
    int64_t max = answer_number(room, "maxShards"), percent = percent_used(room);
    bool grows = max == 0 || answer_number(json_object_get(room, "shards"), "total") < max;
    struct buf text = {0};

    if (grows || percent < NEARLY_PERCENT)
        return;
    buf_addf(&text, "%lld %% of its seats are taken, and it has as many shards as it may: %lld",
             (long long)percent, (long long)max);
    diagnosis_add(&d->d, &(struct symptom){.level = percent >= FULL_PERCENT ? DIAGNOSIS_WARNING
                                                                            : DIAGNOSIS_NOTICE,
                                           .check = SPAN("room-full"),
                                           .subject = answer_text(room, "name"),
                                           .text = buf_span(&text),
                                           .cure = SPAN("Let it have more: worldctl rooms set ROOM "
                                                        "--max-shards N.")});
    buf_clear(&text);
}

static void tell_servers(struct doctor *d)
{
    for (size_t i = 0; i < json_array_size(d->servers); i++) {
        const json_t *server = json_array_get(d->servers, i);
        struct span state = answer_text(server, "state"), origin = answer_text(server, "server");
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
        struct span version = answer_text(json_array_get(items, i), "version");
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
    bool good = doctor_read_list(d, "/shards", &shards) && doctor_read_list(d, "/rooms", &rooms);

    if (good && d->nodes != NULL) {
        for (size_t i = 0; i < json_array_size(d->nodes); i++)
            tell_node(d, json_array_get(d->nodes, i));
        tell_versions(d);
        if (json_array_size(d->nodes) == 0)
            tell_no_nodes(d, shards);
        else if (shards != NULL)
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
