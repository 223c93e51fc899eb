/* One table of settings. */
#include "world/ctl/room_fields.h"

#include "world/ctl/print.h"

static const char *const strategies[] = {
    "round-robin", "least-connections", "random", "packed", "p2c", "hash", NULL,
};

static const double COUNT_MAX = 1e9;

const struct room_field room_fields[] = {
    {"balancingStrategy", ROOM_FIELD_STRATEGY, 0, "\"round-robin\""},
    {"public", ROOM_FIELD_BOOL, 0, "true"},
    {"maxPlayersPerShard", ROOM_FIELD_COUNT, 1, "75"},
    {"minShards", ROOM_FIELD_COUNT, 0, "1"},
    {"maxShards", ROOM_FIELD_COUNT, 1, NULL},
    {NULL, ROOM_FIELD_BOOL, 0, NULL},
};

static const struct room_field *find(const char *name)
{
    for (const struct room_field *f = room_fields; f->name != NULL; f++) {
        if (strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

static bool is_strategy(const json_t *value)
{
    for (size_t i = 0; json_is_string(value) && strategies[i] != NULL; i++) {
        if (strcmp(strategies[i], json_string_value(value)) == 0)
            return true;
    }
    return false;
}

static bool is_count(const json_t *value, int64_t min)
{
    double n = json_number_value(value);

    return json_is_number(value) && n >= (double)min && n <= COUNT_MAX && n == (double)(int64_t)n;
}

static bool check(const struct room_field *f, const json_t *value, struct buf *problem)
{
    switch (f->type) {
    case ROOM_FIELD_STRATEGY:
        if (is_strategy(value))
            return true;
        buf_addf(problem, "%s must be one of", f->name);
        for (size_t i = 0; strategies[i] != NULL; i++)
            buf_addf(problem, "%s %s", i == 0 ? "" : ",", strategies[i]);
        return false;
    case ROOM_FIELD_BOOL:
        if (json_is_boolean(value))
            return true;
        buf_addf(problem, "%s must be true or false", f->name);
        return false;
    case ROOM_FIELD_COUNT:
        if (is_count(value, f->min))
            return true;
        buf_addf(problem, "%s must be a whole number from %lld to %.0f", f->name, (long long)f->min,
                 COUNT_MAX);
        return false;
    }
    return false;
}

bool room_fields_check(const json_t *given, struct buf *problem)
{
    json_t *each = (json_t *)(uintptr_t)given, *value; /* jansson's iterator asks for it */
    const struct room_field *f;
    const char *key;

    if (!json_is_object(given)) {
        BUF_ADD_LIT(problem, "its settings must be an object");
        return false;
    }
    json_object_foreach(each, key, value)
    {
        f = find(key);
        if (f == NULL)
            buf_addf(problem, "unknown setting %s", key);
        if (f == NULL || !check(f, value, problem))
            return false;
    }
    return true;
}

json_t *room_fields_of(const json_t *object, bool complete)
{
    json_t *out = json_object();

    for (const struct room_field *f = room_fields; f->name != NULL; f++) {
        json_t *value = json_object_get(object, f->name);
        if (value != NULL)
            (void)json_object_set(out, f->name, value);
        else if (complete && f->otherwise != NULL)
            (void)json_object_set_new(out, f->name, json_decode(span_str(f->otherwise)));
    }
    return out;
}

void room_fields_add(struct buf *out, const json_t *settings)
{
    print_json(out, settings);
}
