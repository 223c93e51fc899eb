#pragma once
/* Why a request was refused: each reason has a name for logs and metrics, and a status. */

enum refusal {
    REFUSAL_NONE,     /* it was not */
    REFUSAL_PATH,     /* outside /parties/world/ */
    REFUSAL_WORLD_ID, /* no valid world id */
    REFUSAL_ROUTE,    /* no such method and path in a world */
    REFUSAL_ESCAPE,   /* a percent escape that cannot be decoded */
    REFUSAL_DENIED,
    REFUSAL_EXPIRED,
    REFUSAL_BODY_EMPTY,
    REFUSAL_BODY_MALFORMED,
    REFUSAL_BODY_INVALID,
    REFUSAL_ROOM_ID_MISSING,
    REFUSAL_ROOM_ID_TOO_LONG,
    REFUSAL_SESSION_TOO_LONG,
    REFUSAL_TICKET_NAMES,  /* room and session are too long for a ticket */
    REFUSAL_PRIVATE_TOKEN, /* the room is private, and no good token was shown */
    REFUSAL_PRIVATE,       /* the one that was shown does not cover it */
    REFUSAL_ROOM_NOT_MADE,
    REFUSAL_ROOM_MISSING,
    REFUSAL_NO_SHARDS,
    REFUSAL_FULL,
    REFUSAL_NO_ACTIVE,
    REFUSAL_CREATE_MAX,  /* strangers have made as much in the world as they may */
    REFUSAL_CREATE_RATE, /* … faster than they may */
    REFUSAL_WORLDS_MAX,  /* strangers have named as many worlds as they may */
    REFUSAL_WORLDS_RATE,
    REFUSAL_MIN_OVER_MAX,
    REFUSAL_TOO_MANY_SHARDS,
    REFUSAL_OVER_MAX_SHARDS,
    REFUSAL_SHARD_MISSING,
    REFUSAL_SHARD_RETIRED,
    REFUSAL_SHARD_FOREIGN,
    REFUSAL_NO_NODE,   /* nobody is there to take a shard */
    REFUSAL_CONFLICT,  /* another process has the node's id */
    REFUSAL_SETTLING,  /* too much waits for the nodes to be heard of */
    REFUSAL_NOT_OWNER, /* another process decides for the world */
    REFUSAL_BROKEN,    /* what is stored of the world cannot be read */
    REFUSAL_STORE,
    REFUSAL_METHOD,    /* the path is there, with other methods */
    REFUSAL_READ_ONLY, /* the token may not change anything */
    REFUSAL_QUERY,     /* a query parameter cannot be used */
    REFUSAL_IN_USE,    /* it still holds clients */
    REFUSAL_NODE_MISSING,
    REFUSAL_NODE_UNUSABLE, /* it takes no shards now */
    REFUSAL_BAN_MISSING,
    REFUSAL_BANS_FULL,
    REFUSAL_EXISTS, /* what is to be imported is there already */
    REFUSAL_SERVER_MISSING,
    REFUSAL_SERVER_ORIGIN,   /* no http origin */
    REFUSAL_SERVER_UNUSABLE, /* it takes no rooms now */
    REFUSAL_SERVERS_FULL,
    REFUSAL_READERS,   /* too many readers of events */
    REFUSAL_HANDSHAKE, /* no good WebSocket handshake */
    REFUSAL_CROWDED,   /* no more sockets may come in */
    REFUSAL_FEED_WORLD_ID,
    REFUSAL_FEED_DENIED,
    REFUSAL_FEED_SHARD,
    REFUSAL_COUNT,
};

/* A stable lower-case name, never NULL. */
const char *refusal_name(enum refusal why);
/* The HTTP status; 0 for REFUSAL_NONE and for those of the feed, which have none. */
int refusal_status(enum refusal why);
