/* Beats are changed as JSON values; the wrapped functions of the cores do nothing while their
 * feature is off. */
#include "tests/sim/off.h"

#include "common/base/json.h"
#include "common/base/rng.h"
#include "common/base/stable_hash.h"
#include "common/proto/orders.h"
#include "tests/sim/sim.h"
#include "world/core/moment.h"

const char *const sim_off_names[SIM_OFF_COUNT + 1] = {
    [SIM_OFF_SEQ] = "seq",       [SIM_OFF_EXPIRY] = "expiry",   [SIM_OFF_RETURNING] = "returning",
    [SIM_OFF_REPEAT] = "repeat", [SIM_OFF_MISSING] = "missing",
};
bool sim_off[SIM_OFF_COUNT];

enum { NUMBER_MAX_EXP = 53 };
static const int64_t number_max = (INT64_C(1) << NUMBER_MAX_EXP) - 1;

static int64_t number(const json_t *object, const char *key)
{
    int64_t n = 0;
    (void)json_get_int(object, key, 0, number_max, &n);
    return n;
}

/* The entry of the node that wrote the beat; NULL: the beat has no node, or there are too many. */
static size_t entry_of(struct orders_memory *m, const json_t *beat)
{
    struct span id;
    if (!json_get_span(json_object_get(beat, "node"), "id", &id))
        return OFF_NODES;
    uint64_t hash = stable_hash(id);
    for (size_t i = 0; i < m->count; i++) {
        if (m->nodes[i].node == hash)
            return i;
    }
    if (m->count == OFF_NODES)
        return OFF_NODES;
    m->nodes[m->count].node = hash;
    return m->count++;
}

static void renumber(struct orders_memory *m, size_t i, json_t *beat)
{
    json_t *node = json_object_get(beat, "node");
    int64_t process = number(node, "epoch");
    if (process > m->nodes[i].seen_process)
        m->nodes[i].seen_process = process;
    json_object_set_new(node, "epoch", json_integer(m->nodes[i].seen_process));
    json_object_set_new(beat, "seq", json_integer(++m->nodes[i].next_seq + 1000000));
}

static void pretend_to_have(const struct orders_memory *m, size_t i, json_t *beat)
{
    json_t *have = json_object_get(beat, "haveOrders");
    if (m->nodes[i].version == 0 ||
        m->nodes[i].process != number(json_object_get(beat, "node"), "epoch"))
        return;
    json_object_set_new(have, "epoch", json_integer(m->nodes[i].epoch));
    json_object_set_new(have, "version", json_integer(m->nodes[i].version));
}

/* json_decode reads all numbers as reals. */
static void make_whole(json_t *value)
{
    const char *key;
    json_t *member;
    void *tmp;
    size_t i;
    json_array_foreach(value, i, member)
    {
        if (json_is_real(member))
            json_array_set_new(value, i, json_integer((json_int_t)json_real_value(member)));
        else
            make_whole(member);
    }
    json_object_foreach_safe(value, tmp, key, member)
    {
        if (json_is_real(member))
            json_object_set_new(value, key, json_integer((json_int_t)json_real_value(member)));
        else
            make_whole(member);
    }
}

static int append(const char *text, size_t len, void *out)
{
    buf_add(out, text, len);
    return 0;
}

bool off_change_beat(struct orders_memory *m, struct span text, struct buf *out)
{
    if (!sim_off[SIM_OFF_SEQ] && !sim_off[SIM_OFF_REPEAT])
        return false;
    json_t *beat = json_decode(text);
    size_t i = entry_of(m, beat);
    if (i < OFF_NODES) {
        if (sim_off[SIM_OFF_REPEAT])
            pretend_to_have(m, i, beat);
        if (sim_off[SIM_OFF_SEQ])
            renumber(m, i, beat);
        make_whole(beat);
        (void)json_dump_callback(beat, append, out, JSON_COMPACT);
    }
    json_decref(beat);
    return i < OFF_NODES;
}

void off_note_orders(struct orders_memory *m, struct span beat_text, struct span orders_text)
{
    json_t *beat = json_decode(beat_text), *doc = NULL;
    struct orders orders;
    size_t i = beat == NULL ? OFF_NODES : entry_of(m, beat);
    if (i < OFF_NODES && orders_read(&orders, &doc, orders_text) == ERR_OK) {
        m->nodes[i].process = number(json_object_get(beat, "node"), "epoch");
        m->nodes[i].epoch = orders.epoch;
        m->nodes[i].version = orders.version;
    }
    json_decref(doc);
    json_decref(beat);
}

void off_forget(struct orders_memory *m)
{
    *m = (struct orders_memory){.count = 0};
}

/* ---- by the linker */

struct reservations;
struct registry;
struct shard;
struct seating;

int64_t __real_reservations_due_ms(const struct reservations *rs);
int64_t __wrap_reservations_due_ms(const struct reservations *rs);
void __real_seats_keep(struct registry *r, struct shard *s, uint64_t count, struct moment now);
void __wrap_seats_keep(struct registry *r, struct shard *s, uint64_t count, struct moment now);
void __real_seating_keep(struct seating *s, struct span session, int64_t now);
void __wrap_seating_keep(struct seating *s, struct span session, int64_t now);
struct world;
void __real_missing_follow(struct world *w, const json_t *orders, int64_t now);
void __wrap_missing_follow(struct world *w, const json_t *orders, int64_t now);
void __wrap_rng_bytes(void *out, size_t len);

/* No promise ever ends. */
int64_t __wrap_reservations_due_ms(const struct reservations *rs)
{
    return sim_off[SIM_OFF_EXPIRY] ? INT64_MAX : __real_reservations_due_ms(rs);
}

void __wrap_seats_keep(struct registry *r, struct shard *s, uint64_t count, struct moment now)
{
    if (!sim_off[SIM_OFF_RETURNING])
        __real_seats_keep(r, s, count, now);
}

void __wrap_seating_keep(struct seating *s, struct span session, int64_t now)
{
    if (!sim_off[SIM_OFF_RETURNING])
        __real_seating_keep(s, session, now);
}

void __wrap_missing_follow(struct world *w, const json_t *orders, int64_t now)
{
    if (!sim_off[SIM_OFF_MISSING])
        __real_missing_follow(w, orders, now);
}

/* Not by a feature, but so that a seed is all that decides: the keys of hash maps. */
void __wrap_rng_bytes(void *out, size_t len)
{
    static const unsigned char pattern[] = "the same in every run";
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)out)[i] = pattern[i % (sizeof pattern - 1)];
}
