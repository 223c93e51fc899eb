#pragma once
/* The demo's rooms: a counter, chat lines and who is there, behind the room side of the envelope
 * protocol (docs/protocol.md, "Shard and room"). Decides; the links are moved by demo_server.
 *
 * State, as clients see it in `{"type":"sync","value":…}` frames, merged deeply, "$delete" removes:
 *     {"pId":P, "count":N, "users":{P:{"name":…,"connected":…}}, "chat":{K:{"name":…,"text":…}}}
 * Actions of clients, `{"action":A,"value":V}`:
 *     increment {"amount":N}   chat {"text":…}   rename {"name":…} */
#include "common/base/buf.h"

enum {
    DEMO_CHAT_LINES = 50,
    DEMO_NAME_MAX = 40,  /* bytes */
    DEMO_TEXT_MAX = 500, /* bytes */
    DEMO_ROOMS_MAX = 10000,
    DEMO_FORGET_MS = 60000, /* how long someone who left stays in the list */
};

struct demo;
struct demo_link;

struct demo_port {
    /* One text message to the shard behind a link; borrowed. */
    void (*send)(void *peer, struct span text);
};

/* `port` is borrowed for the demo's life. */
struct demo *demo_new(const struct demo_port *port, uint64_t seed);
void demo_free(struct demo *d); /* links included; sends nothing */

/* A shard has opened a link to a room; `peer` is what `send` gets. ERR_FULL: DEMO_ROOMS_MAX. */
MUST_CHECK enum err demo_link_open(struct demo *d, struct span room, void *peer,
                                   struct demo_link **out);
/* What is not an envelope is ignored. */
void demo_link_frame(struct demo_link *l, struct span text, int64_t now);
/* Everyone who was there through this link alone has left. Frees the link. */
void demo_link_close(struct demo_link *l, int64_t now);

/* Forgets who left long ago; call it every second or so. */
void demo_tick(struct demo *d, int64_t now);
/* The room's state as JSON (without pId); false when there is no such room. */
bool demo_state(const struct demo *d, struct span room, struct buf *out);
