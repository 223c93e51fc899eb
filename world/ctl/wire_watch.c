/* Descriptors and timers of others, served by the same context. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "world/ctl/wire_parts.h"

struct wire_watch {
    struct wire_conn conn;
    void (*readable)(void *ctx);
    void *ctx;
};

static void watch_free(struct wire_conn *c)
{
    wire_conn_clear(c);
    free(CONTAINER_OF(c, struct wire_watch, conn));
}

void wire_unwatch(struct wire_watch *h)
{
    if (h != NULL)
        watch_free(&h->conn);
}

static int on_event(struct wire_conn *c, enum lws_callback_reasons why, void *in, size_t len)
{
    struct wire_watch *h = CONTAINER_OF(c, struct wire_watch, conn);

    (void)in;
    (void)len;
    if (why == LWS_CALLBACK_RAW_CLOSE_FILE) { /* a pipe has no writer: its end can be read */
        lws_set_opaque_user_data(c->wsi, NULL);
        c->wsi = NULL;
    }
    if (why == LWS_CALLBACK_RAW_RX_FILE || why == LWS_CALLBACK_RAW_CLOSE_FILE)
        h->readable(h->ctx);
    return 0;
}

struct wire_watch *wire_watch(struct wire *w, int fd, void (*readable)(void *ctx), void *ctx)
{
    lws_sock_file_fd_type own = {.filefd = dup(fd)}; /* lws closes it */
    int flags = fcntl(fd, F_GETFL);
    struct wire_watch *h;
    struct lws *wsi;

    if (own.filefd < 0)
        return NULL;
    wsi = lws_adopt_descriptor_vhost(w->host, LWS_ADOPT_RAW_FILE_DESC, own, "wire", NULL);
    if (flags >= 0) /* lws has it not block, and with it whatever shares the terminal */
        (void)fcntl(fd, F_SETFL, flags);
    if (wsi == NULL) /* and it has closed it */
        return NULL;
    h = xcalloc(1, sizeof(*h));
    h->conn.on = on_event;
    h->conn.free = watch_free;
    h->conn.wsi = wsi;
    h->readable = readable;
    h->ctx = ctx;
    wire_conn_init(&h->conn, w);
    lws_set_opaque_user_data(wsi, &h->conn);
    return h;
}

/* ---- timers */

struct wire_timer_state {
    lws_sorted_usec_list_t sul;
    void (*due)(void *ctx);
    void *ctx;
};

static void on_due(lws_sorted_usec_list_t *sul)
{
    struct wire_timer_state *t = CONTAINER_OF(sul, struct wire_timer_state, sul);

    t->due(t->ctx);
}

void wire_timer_start(struct wire *w, struct wire_timer *t, int64_t ms, void (*due)(void *ctx),
                      void *ctx)
{
    if (t->state == NULL)
        t->state = xcalloc(1, sizeof(*t->state));
    t->state->due = due;
    t->state->ctx = ctx;
    lws_sul_schedule(w->lws, 0, &t->state->sul, on_due, ms <= 0 ? 1 : ms * LWS_US_PER_MS);
}

void wire_timer_stop(struct wire_timer *t)
{
    if (t->state != NULL)
        lws_sul_cancel(&t->state->sul);
}

void wire_timer_clear(struct wire_timer *t)
{
    wire_timer_stop(t);
    free(t->state);
    t->state = NULL;
}
