/* The text of frames; when they are sent is feed.c's. */
#include "world/core/feed/feed_text.h"

#include "common/base/json.h"
#include "world/core/rooms/shards.h"

/* Between two members of one object. */
static void comma(struct buf *out, bool *more)
{
    if (*more)
        buf_add_char(out, ',');
    *more = true;
}

static void add_key(struct buf *out, bool *more, const char *key)
{
    comma(out, more);
    json_add_string(out, span_str(key));
    buf_add_char(out, ':');
}

static void add_text(struct buf *out, bool *more, const char *key, struct span value)
{
    add_key(out, more, key);
    json_add_string(out, value);
}

static void add_number(struct buf *out, bool *more, const char *key, uint64_t value)
{
    add_key(out, more, key);
    buf_add_u64(out, value);
}

static void add_max_shards(struct buf *out, bool *more, uint64_t max_shards)
{
    if (max_shards == 0)
        add_text(out, more, "maxShards", SPAN("$delete"));
    else
        add_number(out, more, "maxShards", max_shards);
}

void feed_text_open(struct feed_text *t, struct buf *out)
{
    *t = (struct feed_text){.out = out};
    BUF_ADD_LIT(out, "{\"type\":\"sync\",\"value\":{");
}

void feed_text_id(struct feed_text *t, struct span id)
{
    add_text(t->out, &t->more, "pId", id);
}

void feed_text_section(struct feed_text *t, const char *section)
{
    if (t->section != NULL && span_eq(span_str(t->section), span_str(section)))
        return;
    if (t->section != NULL) {
        buf_add_char(t->out, '}');
        t->more = true;
    }
    add_key(t->out, &t->more, section);
    buf_add_char(t->out, '{');
    t->section = section;
    t->more = false;
}

void feed_text_room(struct feed_text *t, const struct room *room, unsigned fields)
{
    const struct room_settings *s = &room->settings;
    struct buf *out = t->out;
    bool more = false;

    feed_text_section(t, "rooms");
    comma(out, &t->more);
    json_add_string(out, room->name);
    BUF_ADD_LIT(out, ":{");
    if (fields & ROOM_NAME)
        add_text(out, &more, "name", room->name);
    if (fields & ROOM_STRATEGY)
        add_text(out, &more, "balancingStrategy", span_str(strategy_names[s->strategy]));
    if (fields & ROOM_PUBLIC) {
        add_key(out, &more, "public");
        buf_add_span(out, s->is_public ? SPAN("true") : SPAN("false"));
    }
    if (fields & ROOM_MAX_PLAYERS)
        add_number(out, &more, "maxPlayersPerShard", s->max_players);
    if (fields & ROOM_MIN_SHARDS)
        add_number(out, &more, "minShards", s->min_shards);
    if (fields & ROOM_MAX_SHARDS)
        add_max_shards(out, &more, s->max_shards);
    buf_add_char(out, '}');
}

void feed_text_shard(struct feed_text *t, const struct shard *shard, unsigned fields)
{
    struct buf *out = t->out;
    bool more = false;

    feed_text_section(t, "shards");
    comma(out, &t->more);
    json_add_string(out, shard->id);
    BUF_ADD_LIT(out, ":{");
    if (fields & SHARD_ROOM)
        add_text(out, &more, "roomId", shard->room->name);
    if (fields & SHARD_WORLD)
        add_text(out, &more, "worldId", shard->room->world->id);
    if (fields & SHARD_URL)
        add_text(out, &more, "url", shard->url);
    if (fields & SHARD_OPEN)
        add_number(out, &more, "currentConnections", shard->open);
    if (fields & SHARD_MAX)
        add_number(out, &more, "maxConnections", shard->max);
    if (fields & SHARD_STATUS)
        add_text(out, &more, "status", span_str(shard_status_names[shard->status]));
    if (fields & SHARD_HEARTBEAT) {
        add_key(out, &more, "lastHeartbeat");
        buf_add_i64(out, shard->heartbeat_ms);
    }
    buf_add_char(out, '}');
}

void feed_text_removed(struct feed_text *t, const char *section, struct span members)
{
    if (members.len == 0)
        return;
    feed_text_section(t, section);
    comma(t->out, &t->more);
    buf_add_span(t->out, members);
}

void feed_text_close(struct feed_text *t)
{
    if (t->section != NULL)
        buf_add_char(t->out, '}');
    BUF_ADD_LIT(t->out, "}}");
}

void feed_text_add_removed(struct buf *members, struct span name)
{
    bool more = members->len > 0;

    comma(members, &more);
    json_add_string(members, name);
    BUF_ADD_LIT(members, ":\"$delete\"");
}
