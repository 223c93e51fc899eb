#pragma once
/* The clients: they ask where to go, dial, stay, leave, break off and come back. */
#include "tests/sim/fleet.h"

enum client_state {
    CLIENT_AWAY,
    CLIENT_ASKING,  /* /connect is under way */
    CLIENT_HOLDING, /* it has been told where to go, and has not gone yet */
    CLIENT_DIALING,
    CLIENT_OPEN,
    CLIENT_WAITING, /* to come back to where it was */
};

/* A seat that is kept for a client at a node. */
struct keepsake {
    int station; /* index of its host; 0: none */
    uint64_t life;
    int64_t since_ms;
    char shard[SIM_ID_MAX];
};

struct client {
    struct sim *sim;
    int index, room;
    enum client_state state;
    uint64_t attempt;       /* to come in; what belongs to an earlier one is over */
    char session[16];       /* empty: it has no id of its own */
    char shard[SIM_ID_MAX]; /* that it was told or dials */
    bool promised;          /* it asked for the seat that it dials */
    int64_t promised_ms;
    int station; /* OPEN: index of the host that serves it */
    struct keepsake kept;
};

struct crowd {
    struct sim *sim;
    struct client clients[SIM_CLIENTS_MAX];
};

struct crowd *crowd_new(struct sim *s);
void crowd_free(struct crowd *c);
/* One of them does something. */
void crowd_step(struct crowd *c);

/* ---- told by dials. False: nobody waits for it any more. */
bool crowd_opened(struct crowd *c, int client, uint64_t attempt, const struct station *st,
                  const char *shard);
void crowd_refused(struct crowd *c, int client, uint64_t attempt, enum node_reason why);

/* ---- told by stations. None of these calls back before it returns. */
/* The node has closed it. */
void crowd_closed(struct crowd *c, int client, uint64_t attempt, uint16_t code);
/* Its node has died. */
void crowd_lost(struct crowd *c, int client, uint64_t attempt);
/* What it came through has died; its node still has the socket. */
void crowd_break(struct crowd *c, struct socket *socket);
/* Nobody is at the other end of the socket (may be NULL); its node learns of it later. */
void crowd_abandon(struct crowd *c, struct station *st, struct socket *socket, int64_t after_ms);

/* ---- for the checks */
/* The client broke off from that node so lately that its seat must be there. */
bool crowd_expects_seat(const struct crowd *c, int client, const struct station *st,
                        struct span shard);
/* No shard has more clients and promises than seats. Only while nothing fails. */
void crowd_check_seats(const struct crowd *c);
