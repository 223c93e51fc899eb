/* Counts and deadlines of what waits. What happens to a peer then is ws_conn's. */
#include "common/net/ws_watch.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/ws_conn.h"

struct ws_watch {
    struct ws_conn *ws;
    struct timer timer;      /* for both deadlines */
    size_t out, in;          /* as counted in ws_buffers */
    int64_t taken_ms;        /* when the peer was last seen to take something; 0: nothing waits */
    uint64_t delivered;      /* conn_delivered, as of then */
    int64_t begun_ms;        /* of the unfinished message; 0: none */
    struct frame *late_pong; /* for the newest ping, when the peer does not read */
    uint64_t pong_at;        /* conn.sent, as of then */
};

enum {
    FRAME_COST = 32, /* bytes of memory that a queued frame takes beside its own */
    LOOKS = 4,       /* at what a stalled peer takes, until its time is over */
};

static void fired(struct timer *t, int64_t now);

static struct ws_watch *watch_of(struct ws_conn *w)
{
    if (w->watch == NULL) {
        w->watch = xcalloc(1, sizeof *w->watch);
        w->watch->ws = w;
        w->watch->timer.fire = fired;
    }
    return w->watch;
}

static void drop(struct ws_conn *w)
{
    wheel_cancel(loop_wheel(w->conn.loop), &w->watch->timer);
    frame_unref(w->watch->late_pong);
    free(w->watch);
    w->watch = NULL;
}

static void drop_if_idle(struct ws_conn *w)
{
    const struct ws_watch *x = w->watch;
    if (x != NULL && x->taken_ms == 0 && x->begun_ms == 0 && x->in == 0 && x->late_pong == NULL)
        drop(w);
}

/* Sets the timer for the deadline that is next, unless it is set for no later. */
static void arm(struct ws_watch *x, int64_t now)
{
    const struct ws_settings *s = x->ws->settings;
    int64_t due = INT64_MAX;
    if (x->taken_ms != 0 && s->slow_ms != 0)
        due = now + (s->slow_ms + LOOKS - 1) / LOOKS;
    if (x->begun_ms != 0 && s->message_ms != 0 && x->begun_ms + s->message_ms < due)
        due = x->begun_ms + s->message_ms;
    if (due != INT64_MAX && (!timer_is_set(&x->timer) || due < x->timer.due_ms))
        wheel_set(loop_wheel(x->ws->conn.loop), &x->timer, due);
}

/* True: the bound of all is passed, and by no small thanks to this one. */
static bool is_too_much(const struct ws_buffers *b, size_t own)
{
    return b != NULL && b->max != 0 && own > WS_SMALL && b->out + b->in > b->max;
}

static void count(struct ws_conn *w, size_t out, size_t in)
{
    struct ws_buffers *b = w->settings->buffers;
    struct ws_watch *x = w->watch;
    if (b != NULL) {
        b->out += out - x->out;
        b->in += in - x->in;
    }
    x->out = out;
    x->in = in;
}

static bool has_stalled(struct ws_watch *x, int64_t now)
{
    if (x->taken_ms == 0 || x->ws->settings->slow_ms == 0)
        return false;
    uint64_t delivered = conn_delivered(&x->ws->conn);
    if (delivered != x->delivered) {
        x->delivered = delivered;
        x->taken_ms = now;
    }
    return now - x->taken_ms >= x->ws->settings->slow_ms;
}

/* While we do not read, the peer cannot go on. */
static bool is_overdue(struct ws_watch *x, int64_t now)
{
    int64_t max = x->ws->settings->message_ms;
    if (x->begun_ms == 0 || max == 0)
        return false;
    if (x->ws->conn.pauses != 0)
        x->begun_ms = now;
    return now - x->begun_ms >= max;
}

/* What has come of its message is of no use any more. */
static void give_up(struct ws_conn *w, uint16_t code, struct span reason)
{
    ws_fail(w, code, reason);
    ws_decoder_clear(&w->decoder);
    if (w->watch != NULL)
        count(w, w->watch->out, 0);
}

static void fired(struct timer *t, int64_t now)
{
    struct ws_watch *x = CONTAINER_OF(t, struct ws_watch, timer);
    if (!ws_is_open(x->ws))
        return;
    if (has_stalled(x, now))
        ws_close_slow(x->ws, WS_SLOW_STALLED);
    else if (is_overdue(x, now))
        give_up(x->ws, WS_CODE_POLICY, SPAN("message timeout"));
    else
        arm(x, now);
}

void ws_watch_output(struct ws_conn *w)
{
    size_t bytes = conn_waiting(&w->conn);
    if (bytes == 0 && w->watch == NULL)
        return;
    struct ws_watch *x = watch_of(w);
    int64_t now = loop_now(w->conn.loop);
    count(w, bytes + (size_t)w->conn.out.count * FRAME_COST, x->in);
    if (bytes == 0) {
        x->taken_ms = 0;
        drop_if_idle(w);
        return;
    }
    if (x->taken_ms == 0) {
        x->taken_ms = now;
        x->delivered = conn_delivered(&w->conn);
        arm(x, now);
    }
    if (ws_is_open(w) && is_too_much(w->settings->buffers, x->out))
        ws_close_slow(w, WS_SLOW_BUFFERS);
}

void ws_watch_input(struct ws_conn *w, bool ended)
{
    bool midway = ws_decoder_is_midway(&w->decoder);
    size_t held = ws_decoder_held(&w->decoder) + conn_unread_bytes(&w->conn);
    if (!midway && held == 0 && w->watch == NULL)
        return;
    struct ws_watch *x = watch_of(w);
    int64_t now = loop_now(w->conn.loop);
    count(w, x->out, held);
    if (!midway || ended)
        x->begun_ms = 0;
    if (midway && x->begun_ms == 0) {
        x->begun_ms = now;
        arm(x, now);
    }
    /* Also of a peer that we are closing: it may send on until it answers. */
    if (conn_is_open(&w->conn) && is_too_much(w->settings->buffers, held))
        give_up(w, WS_CODE_TRY_LATER, SPAN("buffers full"));
    else
        drop_if_idle(w);
}

void ws_watch_keep_pong(struct ws_conn *w, struct frame *pong)
{
    if (pong == NULL && w->watch == NULL)
        return;
    struct ws_watch *x = watch_of(w);
    if (x->late_pong == NULL)
        x->pong_at = w->conn.sent;
    frame_unref(x->late_pong);
    x->late_pong = pong;
    drop_if_idle(w);
}

struct frame *ws_watch_take_pong(struct ws_conn *w)
{
    struct frame *pong = w->watch == NULL ? NULL : w->watch->late_pong;
    if (pong == NULL || (w->conn.out.bytes > 0 && w->conn.sent == w->watch->pong_at))
        return NULL;
    w->watch->late_pong = NULL;
    drop_if_idle(w);
    return pong;
}

void ws_watch_clear(struct ws_conn *w)
{
    if (w->watch == NULL)
        return;
    count(w, 0, 0);
    drop(w);
}
