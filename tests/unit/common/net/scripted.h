#pragma once
/* A server whose words the test says itself: it takes connections, writes down what they send, and
 * sends what it is told. For tests of the client side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/net/conn.h"
#include "common/net/listener.h"
#include "common/proto/url.h"
#include "tests/unit/common/net/turn_until.h"

enum { SCRIPTED_MAX = 8, SCRIPTED_WAIT_MS = 5000 };

struct scripted_conn {
    struct conn conn;
    struct buf got;
    bool open;
};

struct scripted {
    struct loop *loop;
    struct listener *listener;
    struct scripted_conn conns[SCRIPTED_MAX];
    size_t count; /* connections ever */
    size_t open;
    struct url_origin origin;
};

static inline void scripted_data(struct conn *c, char *data, size_t len)
{
    buf_add(&CONTAINER_OF(c, struct scripted_conn, conn)->got, data, len);
}

static inline void scripted_closed(struct conn *c, enum conn_end end)
{
    (void)end;
    CONTAINER_OF(c, struct scripted_conn, conn)->open = false;
}

static inline void scripted_accepted(void *ctx, int fd)
{
    static const struct conn_ops ops = {.data = scripted_data, .closed = scripted_closed};
    struct scripted *s = ctx;
    assert_true(s->count < SCRIPTED_MAX);
    struct scripted_conn *c = &s->conns[s->count++];
    c->open = true;
    conn_open(&c->conn, s->loop, fd, &ops);
}

static inline void scripted_start(struct scripted *s, struct loop *l)
{
    const char *why;
    char text[64];
    *s = (struct scripted){.loop = l};
    assert_int_equal(listener_open(&s->listener, l, "127.0.0.1", 0, scripted_accepted, s, &why),
                     ERR_OK);
    (void)snprintf(text, sizeof text, "http://%s", listener_address(s->listener));
    assert_int_equal(url_origin_parse(span_str(text), &s->origin), ERR_OK);
}

static inline bool scripted_has(const struct scripted_conn *c, const char *text)
{
    return c->got.len > 0 && memmem(c->got.data, c->got.len, text, strlen(text)) != NULL;
}

static inline void scripted_say(struct scripted_conn *c, const char *text)
{
    conn_write_span(&c->conn, span_str(text));
}

static inline void scripted_stop(struct scripted *s)
{
    listener_close(s->listener);
    for (size_t i = 0; i < s->count; i++) {
        conn_abort(&s->conns[i].conn);
        TURN_UNTIL(s->loop, !s->conns[i].open);
        buf_clear(&s->conns[i].got);
    }
    url_origin_clear(&s->origin);
}
