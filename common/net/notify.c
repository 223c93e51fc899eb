/* Owns the socket to the service manager and the timer of signs of life. */
#include "common/net/notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"

enum {
    STATUS_MS = 5000,
    EXTEND_US = 15000000, /* while stopping: three of them may fail to come */
};

/* False: no path and no abstract name, or a longer one than addresses have. */
static bool read_address(struct notify *n, const char *name)
{
    size_t len = strlen(name);
    if (len < 2 || (*name != '/' && *name != '@') || len >= sizeof n->to.sun_path)
        return false;
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, name, len + 1);
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (*name == '@')
        n->to.sun_path[0] = '\0'; /* abstract: its length ends it (unix(7)) */
    else
        n->to_len++;
    return true;
}

/* A whole number, or -1. */
static int64_t read_number(const char *name)
{
    const char *text = getenv(name);
    char *end;
    if (text == NULL || *text < '0' || *text > '9')
        return -1;
    long long value = strtoll(text, &end, 10);
    return *end == '\0' ? value : -1;
}

/* The watchdog may be meant for another process, which passed its environment on. */
static bool is_watched(int64_t *usec)
{
    int64_t pid = read_number("WATCHDOG_PID");
    *usec = read_number("WATCHDOG_USEC");
    return *usec > 0 && (getenv("WATCHDOG_PID") == NULL || pid == getpid());
}

static void tell(const struct notify *n, struct span text)
{
    (void)sendto(n->fd, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT,
                 (const struct sockaddr *)&n->to, n->to_len);
}

/* A line break would begin another assignment. */
static void add_status(const struct notify *n, struct buf *out)
{
    if (n->add_status == NULL)
        return;
    BUF_ADD_LIT(out, "STATUS=");
    size_t from = out->len;
    n->add_status(n->ctx, out);
    for (size_t i = from; i < out->len; i++)
        if (out->data[i] == '\n')
            out->data[i] = ' ';
    buf_add_char(out, '\n');
}

static void tell_with_status(const struct notify *n, struct span what)
{
    struct buf text = {0};
    buf_add_span(&text, what);
    add_status(n, &text);
    if (text.len > 0)
        tell(n, buf_span(&text));
    buf_clear(&text);
}

static void alive(struct timer *t, int64_t now)
{
    struct notify *n = CONTAINER_OF(t, struct notify, alive);
    struct buf what = {0};
    if (n->watched)
        BUF_ADD_LIT(&what, "WATCHDOG=1\n");
    if (n->stopping)
        buf_addf(&what, "EXTEND_TIMEOUT_USEC=%d\n", EXTEND_US);
    tell_with_status(n, buf_span(&what));
    buf_clear(&what);
    wheel_set(loop_wheel(n->loop), t, now + n->every_ms);
}

void notify_init(struct notify *n, struct loop *l)
{
    const char *name = getenv("NOTIFY_SOCKET");
    int64_t usec;
    *n = (struct notify){.loop = l, .every_ms = STATUS_MS, .alive.fire = alive};
    if (name == NULL || !read_address(n, name))
        return;
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    n->on = n->fd >= 0;
    n->watched = n->on && is_watched(&usec);
    if (n->watched && usec / 2000 < n->every_ms)
        n->every_ms = usec / 2000 > 0 ? usec / 2000 : 1;
}

void notify_ready(struct notify *n)
{
    if (!n->on)
        return;
    tell_with_status(n, SPAN("READY=1\n"));
    wheel_set(loop_wheel(n->loop), &n->alive, loop_now(n->loop) + n->every_ms);
}

void notify_reloading(struct notify *n)
{
    struct buf text = {0};
    if (!n->on)
        return;
    buf_addf(&text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n", clock_mono_us());
    tell(n, buf_span(&text));
    buf_clear(&text);
}

void notify_stopping(struct notify *n)
{
    if (!n->on)
        return;
    n->stopping = true;
    tell_with_status(n, SPAN("STOPPING=1\n"));
    wheel_set(loop_wheel(n->loop), &n->alive, loop_now(n->loop) + n->every_ms);
}

void notify_clear(struct notify *n)
{
    if (!n->on)
        return;
    wheel_cancel(loop_wheel(n->loop), &n->alive);
    (void)close(n->fd);
    n->on = false;
}
