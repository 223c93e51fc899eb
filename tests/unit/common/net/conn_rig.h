#pragma once
/* A connection with an owner that counts what it hears, and its peer. */
#include "wire.h"

#include "common/net/conn.h"

struct owner {
    struct conn conn;
    struct buf got;
    size_t datas, connects, drains, eofs, closes;
    enum conn_end end;
    void (*in_data)(struct owner *o);
    bool in_call; /* a call of ours is under way: `closed` may not come */
    struct outq taken;
    size_t left; /* conn_queued in `closed` */
};

static struct loop *loop;
static struct owner *owner;
static struct peer peer;
static size_t fds;

static inline struct owner *owner_of(struct conn *c)
{
    return CONTAINER_OF(c, struct owner, conn);
}

static inline void on_connected(struct conn *c)
{
    owner_of(c)->connects++;
}

static inline void on_data(struct conn *c, char *data, size_t len)
{
    struct owner *o = owner_of(c);
    assert_int_equal(o->closes, 0);
    o->datas++;
    buf_add(&o->got, data, len);
    memset(data, 'x', len); /* the bytes are ours */
    if (o->in_data == NULL)
        return;
    o->in_call = true;
    o->in_data(o);
    if (owner == o)
        o->in_call = false;
}

static inline void on_drained(struct conn *c)
{
    owner_of(c)->drains++;
}

static inline void on_closed(struct conn *c, enum conn_end end)
{
    struct owner *o = owner_of(c);
    assert_false(o->in_call);
    o->closes++;
    o->end = end;
    o->left = conn_queued(c);
}

static inline void on_eof(struct conn *c)
{
    owner_of(c)->eofs++;
}

static const struct conn_ops plain_ops = {
    .connected = on_connected, .data = on_data, .drained = on_drained, .closed = on_closed};
static const struct conn_ops eof_ops = {.connected = on_connected,
                                        .data = on_data,
                                        .drained = on_drained,
                                        .closed = on_closed,
                                        .eof = on_eof};

static inline int set_up(void **state)
{
    (void)state;
    fds = open_fds();
    loop = loop_new();
    owner = xcalloc(1, sizeof *owner);
    return 0;
}

static inline void open_with(const struct conn_ops *ops)
{
    int fd;
    peer = peer_pair(&fd);
    conn_open(&owner->conn, loop, fd, ops);
}

static inline int tear_down(void **state)
{
    (void)state;
    conn_abort(&owner->conn);
    loop_turn(loop, 0);
    loop_free(loop);
    peer_close(&peer);
    buf_clear(&owner->got);
    outq_clear(&owner->taken);
    free(owner);
    assert_int_equal(open_fds(), fds);
    return 0;
}

static inline bool got_is(const char *text)
{
    return span_eq(buf_span(&owner->got), span_str(text));
}

static char bulk[1 << 20];

/* Writes until the kernel takes no more. */
static inline void fill(void)
{
    for (int i = 0; i < 8; i++) {
        conn_write(&owner->conn, bulk, 100000);
        loop_turn(loop, 0);
    }
    assert_true(conn_queued(&owner->conn) > 100000);
}
