/* The schemas of the four bodies, in the order of the reference's. */
#include "world/core/api/api_body.h"

#include "world/core/api/js_text.h"
#include "world/core/rooms/shards.h"

/* One object under inspection. */
struct reader {
    const json_t *object;
    const char *parent; /* its key in the body; NULL: it is the body */
    struct issues *issues;
};

enum need { REQUIRED, OPTIONAL };

/* The member, or NULL when there is nothing to read; a required one that is missing is an issue
 * for the caller, who knows the type that was expected. */
static const json_t *member(const struct reader *r, const char *key)
{
    return json_object_get(r->object, key);
}

static struct issue_path path(const struct reader *r, const char *key)
{
    return (struct issue_path){.parent = r->parent, .key = key};
}

/* max 0: any length. */
static void read_text(const struct reader *r, const char *key, enum need need, size_t max,
                      struct span *out)
{
    const json_t *value = member(r, key);

    if (value == NULL && need == OPTIONAL)
        return;
    if (!json_is_string(value)) {
        issues_add_type(r->issues, path(r, key), "string", value);
        return;
    }
    *out = span_of(json_string_value(value), json_string_length(value));
    if (max != 0 && out->len > max)
        issues_add_too_big(r->issues, path(r, key), "string", (int64_t)max);
}

static void read_bool(const struct reader *r, const char *key, bool *out)
{
    const json_t *value = member(r, key);

    if (json_is_boolean(value))
        *out = json_is_true(value);
    else
        issues_add_type(r->issues, path(r, key), "boolean", value);
}

/* Doubles beyond REGISTRY_COUNT_MAX have no fraction. */
static bool is_whole(double number)
{
    double max = (double)REGISTRY_COUNT_MAX;

    return number < -max || number > max || (double)(int64_t)number == number;
}

/* A whole number from `min` (0 or 1) to REGISTRY_COUNT_MAX. */
static void read_count(const struct reader *r, const char *key, enum need need, int64_t min,
                       uint64_t *out)
{
    const json_t *value = member(r, key);
    double number = json_number_value(value);
    bool whole, positive = min > 0;

    if (value == NULL && need == OPTIONAL)
        return;
    if (!json_is_number(value)) {
        issues_add_type(r->issues, path(r, key), "number", value);
        return;
    }
    whole = is_whole(number);
    if (!whole)
        issues_add_fraction(r->issues, path(r, key));
    if (positive ? number <= 0 : number < 0)
        issues_add_too_small(r->issues, path(r, key), 0, !positive);
    else if (number > (double)REGISTRY_COUNT_MAX)
        issues_add_too_big(r->issues, path(r, key), "number", REGISTRY_COUNT_MAX);
    else if (whole)
        *out = (uint64_t)number;
}

/* One of `options`, by its index. An issue names only those in `told`. */
static void read_choice(const struct reader *r, const char *key, enum need need,
                        const char *const *options, const char *const *told, unsigned *out)
{
    const json_t *value = member(r, key);
    struct span text;

    if (value == NULL && need == OPTIONAL)
        return;
    if (json_is_string(value)) {
        text = span_of(json_string_value(value), json_string_length(value));
        for (unsigned i = 0; options[i] != NULL; i++) {
            if (span_eq(text, span_str(options[i]))) {
                *out = i;
                return;
            }
        }
    }
    issues_add_choice(r->issues, path(r, key), told, value);
}

static enum body_verdict decode(struct span text, json_t **doc)
{
    *doc = NULL;
    if (js_is_blank(text))
        return BODY_EMPTY;
    *doc = json_decode(text);
    return *doc == NULL ? BODY_MALFORMED : BODY_OK;
}

/* Decodes a body that must be an object. */
static enum body_verdict decode_object(struct span text, json_t **doc, struct issues *issues)
{
    enum body_verdict verdict = decode(text, doc);

    if (verdict != BODY_OK || json_is_object(*doc))
        return verdict;
    issues_add_type(issues, (struct issue_path){0}, "object", *doc);
    return BODY_INVALID;
}

static enum body_verdict verdict_of(const struct issues *issues)
{
    return issues_empty(issues) ? BODY_OK : BODY_INVALID;
}

enum body_verdict api_body_connect(struct connect_body *out, struct span text)
{
    enum body_verdict verdict;
    const json_t *room, *auto_create;
    size_t known = 0;

    *out = (struct connect_body){0};
    verdict = decode(text, &out->doc);
    if (verdict != BODY_OK)
        return verdict;
    room = json_object_get(out->doc, "roomId");
    auto_create = json_object_get(out->doc, "autoCreate");
    out->room = js_is_true(room) ? room : NULL;
    out->auto_create = auto_create == NULL || js_is_true(auto_create);
    known += room != NULL;
    known += auto_create != NULL;
    known += json_get_span(out->doc, "session", &out->session);
    if (json_object_size(out->doc) > known) /* most bodies have nothing else */
        out->direct = js_is_true(json_object_get(out->doc, "direct"));
    return BODY_OK;
}

bool api_body_token(const struct connect_body *body, struct span *out)
{
    return json_get_span(body->doc, "token", out);
}

enum body_verdict api_body_register(struct register_body *out, struct span text,
                                    struct issues *issues)
{
    enum body_verdict verdict;
    unsigned strategy = 0;

    *out = (struct register_body){0};
    verdict = decode_object(text, &out->doc, issues);
    if (verdict != BODY_OK)
        return verdict;
    struct reader r = {.object = out->doc, .issues = issues};
    read_text(&r, "name", REQUIRED, ROOM_ID_MAX, &out->name);
    /* The text of the issue is the reference's. */
    read_choice(&r, "balancingStrategy", REQUIRED, strategy_names, strategy_reference_names,
                &strategy);
    read_bool(&r, "public", &out->settings.is_public);
    read_count(&r, "maxPlayersPerShard", REQUIRED, 1, &out->settings.max_players);
    read_count(&r, "minShards", REQUIRED, 0, &out->settings.min_shards);
    read_count(&r, "maxShards", OPTIONAL, 1, &out->settings.max_shards);
    out->settings.strategy = (enum strategy)strategy;
    return verdict_of(issues);
}

enum body_verdict api_body_update(struct update_body *out, struct span text, struct issues *issues)
{
    enum body_verdict verdict;
    unsigned status = SHARD_STATUS_COUNT;

    *out = (struct update_body){0};
    verdict = decode_object(text, &out->doc, issues);
    if (verdict != BODY_OK)
        return verdict;
    struct reader r = {.object = out->doc, .issues = issues};
    read_text(&r, "shardId", REQUIRED, 0, &out->shard);
    read_text(&r, "worldId", OPTIONAL, 0, &out->world);
    read_count(&r, "connections", REQUIRED, 0, &out->open);
    read_choice(&r, "status", OPTIONAL, shard_status_names, shard_status_names, &status);
    out->status = (enum shard_status)status;
    return verdict_of(issues);
}

enum body_verdict api_body_scale(struct scale_body *out, struct span text, struct issues *issues)
{
    enum body_verdict verdict;
    const json_t *shard_template;

    *out = (struct scale_body){0};
    verdict = decode_object(text, &out->doc, issues);
    if (verdict != BODY_OK)
        return verdict;
    struct reader r = {.object = out->doc, .issues = issues};
    read_text(&r, "roomId", REQUIRED, 0, &out->room);
    read_count(&r, "targetShardCount", REQUIRED, 1, &out->target);
    shard_template = member(&r, "shardTemplate");
    if (shard_template == NULL)
        return verdict_of(issues);
    if (!json_is_object(shard_template)) {
        issues_add_type(issues, path(&r, "shardTemplate"), "object", shard_template);
        return BODY_INVALID;
    }
    r = (struct reader){.object = shard_template, .parent = "shardTemplate", .issues = issues};
    read_text(&r, "urlTemplate", REQUIRED, URL_TEMPLATE_MAX, &out->url_template);
    read_count(&r, "maxConnections", REQUIRED, 1, &out->max);
    return verdict_of(issues);
}
