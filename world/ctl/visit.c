/* libwebsockets answers pings without a word: they are what comes over the connection and is no
 * message. */
#include "world/ctl/visit.h"

#include "common/base/clock.h"

enum { NORMAL = 1000 };

static void stir(struct visit *v)
{
    v->quiet_since = clock_mono_ms();
    v->heard_bytes = wire_socket_heard(v->socket);
    v->stirred = false;
}

static void on_opened(void *ctx, struct span protocol)
{
    struct visit *v = ctx;

    (void)protocol;
    v->opened = true;
    stir(v);
    if (v->leaving)
        wire_socket_close(v->socket, NORMAL, SPAN(""));
}

static void on_message(void *ctx, struct span data, bool is_text)
{
    struct visit *v = ctx;

    (void)data, (void)is_text;
    v->messages++;
    stir(v);
}

static void on_closed(void *ctx, const struct wire_socket_end *e)
{
    struct visit *v = ctx;

    v->socket = NULL;
    if (!v->pinged)
        v->silence_ms = clock_mono_ms() - v->quiet_since;
    v->end = *e;
    buf_add_span(&v->reason, e->reason);
    buf_add_span(&v->why, e->why);
    v->end.reason = buf_span(&v->reason);
    v->end.why = buf_span(&v->why);
}

void visit_start(struct visit *v, struct wire *w, struct span url, struct span headers)
{
    static const struct wire_socket_hear hear = {on_opened, on_message, NULL, on_closed};
    struct wire_dial how = {.call = {.url = url, .headers = headers}};

    v->wire = w;
    v->quiet_since = clock_mono_ms();
    v->socket = wire_socket_open(w, &how, &hear, v);
}

/* What came a moment ago may be a message that has not been read yet. */
void visit_look(struct visit *v)
{
    if (v->socket == NULL || !v->opened || v->pinged)
        return;
    if (wire_socket_heard(v->socket) == v->heard_bytes)
        return;
    if (v->stirred) {
        v->pinged = true;
        v->silence_ms = clock_mono_ms() - v->quiet_since;
    }
    v->stirred = true;
}

bool visit_is_over(const struct visit *v)
{
    return v->socket == NULL;
}

void visit_leave(struct visit *v)
{
    v->leaving = true;
    if (v->socket != NULL && v->opened)
        wire_socket_close(v->socket, NORMAL, SPAN(""));
}

void visit_clear(struct visit *v)
{
    if (v->socket != NULL)
        wire_socket_drop(v->socket);
    buf_clear(&v->reason);
    buf_clear(&v->why);
    *v = (struct visit){0};
}
