/* One question to the process's own door: which door, and what the answer means. */
#include "common/net/health.h"

#include <string.h>

#include "common/net/errand.h"
#include "common/net/tls.h"
#include "common/proto/addr.h"

enum {
    ANSWER_MS = 3000,
    ANSWER_MAX = 4096,
    TURNS = 3, /* what is freed ends at the end of a turn */
    READY = 0,
    NOT_READY = 1,
    CANNOT_ASK = 2,
};

/* A door of this process, as its own clients dial it. */
struct door {
    struct buf host; /* with a NUL behind it */
    uint16_t port;
    bool tls, shows; /* INTERNAL_CERT, where INTERNAL_CA is asked for */
};

struct question {
    struct errand errand;
    struct loop *loop;
    enum err outcome;
};

/* All addresses are reached by one that every machine has. */
static struct span host_of(const struct door *d)
{
    struct span host = span_of(d->host.data, d->host.len - 1);
    bool everywhere = host.len == 0 || span_eq(host, SPAN("0.0.0.0")) || span_eq(host, SPAN("::"));
    return everywhere ? SPAN("127.0.0.1") : host;
}

/* True: who comes from there to HOST and PORT has to begin with a PROXY header. */
static bool is_front(const struct process_settings *s, struct span host)
{
    struct addr_set fronts = {0};
    struct addr address;
    struct span bad;
    bool is = addr_set_parse(&fronts, span_str(s->proxy_protocol), &bad) == ERR_OK &&
              addr_parse(host, &address) == ERR_OK && addr_set_has(&fronts, &address);
    addr_set_clear(&fronts);
    return is;
}

/* NULL, or why there is no door to ask at. */
static const char *find_door(const struct process_settings *s, struct door *d)
{
    if (process_listen_address(s->internal_listen, &d->host, &d->port) == ERR_OK && d->port != 0) {
        d->tls = d->shows = *s->internal_cert != '\0';
        return NULL;
    }
    buf_reset(&d->host);
    buf_add_span(&d->host, span_str(s->host));
    buf_add_char(&d->host, '\0');
    d->port = (uint16_t)s->port;
    d->tls = *s->tls_cert != '\0';
    if (d->port == 0)
        return "PORT is 0, and INTERNAL_LISTEN names no port either";
    if (is_front(s, host_of(d)))
        return "PROXY_PROTOCOL has this machine's address; INTERNAL_LISTEN is needed";
    return NULL;
}

static void add_origin(struct buf *out, const struct door *d)
{
    struct span host = host_of(d);
    bool ipv6 = span_index(host, ':') < host.len;
    buf_addf(out, "%s://%s%.*s%s:%u", d->tls ? "https" : "http", ipv6 ? "[" : "", SPAN_ARG(host),
             ipv6 ? "]" : "", d->port);
}

static void on_done(struct errand *e, enum err why)
{
    struct question *q = CONTAINER_OF(e, struct question, errand);
    q->outcome = why;
    loop_stop(q->loop);
}

static int judge(const struct question *q, struct span origin, const char *process, FILE *out,
                 FILE *err)
{
    struct span answer = buf_span(&q->errand.answer);
    if (q->outcome == ERR_OK && q->errand.status == 200) {
        (void)fprintf(out, "%s: ready\n", process);
        return READY;
    }
    if (q->outcome == ERR_OK)
        (void)fprintf(err, "%s: %.*s/readyz: status %d: %.*s\n", process, SPAN_ARG(origin),
                      q->errand.status, SPAN_ARG(answer));
    else
        (void)fprintf(err, "%s: %.*s/readyz: %s\n", process, SPAN_ARG(origin),
                      q->outcome == ERR_MISSING ? "nobody answers" : err_text(q->outcome));
    return NOT_READY;
}

static int ask(const struct url_origin *to, struct span origin, const char *process, FILE *out,
               FILE *err, struct loop *loop)
{
    static const struct http_pool_settings pool_settings = {.connect_ms = ANSWER_MS,
                                                            .answer_ms = ANSWER_MS,
                                                            .max_idle = 1,
                                                            .idle_ms = ANSWER_MS,
                                                            .high_water = ANSWER_MAX};
    struct question q = {.errand = {.done = on_done, .answer_max = ANSWER_MAX}, .loop = loop};
    struct http_pool *pool = http_pool_new(loop, to, &pool_settings);
    errand_send(&q.errand, loop, pool, SPAN("GET /readyz HTTP/1.1\r\n"), SPAN(""), ANSWER_MS);
    loop_run(loop);
    int status = judge(&q, origin, process, out, err);
    errand_clear(&q.errand);
    http_pool_free(pool);
    for (int i = 0; i < TURNS; i++)
        loop_turn(loop, 0);
    return status;
}

/* NULL: `err` has a line that names the file at fault. */
static struct tls_context *believer(const struct process_settings *s, const struct door *d,
                                    const char *process, FILE *err)
{
    struct tls_files files = {.cert = d->shows ? s->internal_cert : "",
                              .key = d->shows ? s->internal_key : ""};
    struct tls_context *tls = NULL;
    struct buf why = {0};
    if (tls_probe_new(&tls, &files, &why) != ERR_OK)
        (void)fprintf(err, "%s: %.*s\n", process, SPAN_ARG(buf_span(&why)));
    buf_clear(&why);
    return tls;
}

static int ask_at(const struct process_settings *s, const struct door *d, const char *process,
                  FILE *out, FILE *err)
{
    struct tls_context *tls = believer(s, d, process, err);
    struct buf text = {0};
    struct url_origin to;
    int status = CANNOT_ASK;
    if (tls == NULL)
        return status;
    add_origin(&text, d);
    if (url_origin_parse(buf_span(&text), &to) == ERR_OK) {
        struct loop *loop = loop_new();
        loop_set_tls(loop, tls, tls);
        status = ask(&to, buf_span(&text), process, out, err, loop);
        loop_free(loop);
        url_origin_clear(&to);
    } else {
        (void)fprintf(err, "%s: HOST cannot be asked: %.*s\n", process, SPAN_ARG(buf_span(&text)));
    }
    buf_clear(&text);
    tls_free(tls);
    return status;
}

int health_ask(const struct process_settings *s, const char *process, FILE *out, FILE *err)
{
    struct door d = {0};
    int status = CANNOT_ASK;
    const char *why = find_door(s, &d);
    if (why == NULL)
        status = ask_at(s, &d, process, out, err);
    else
        (void)fprintf(err, "%s: --health: %s\n", process, why);
    buf_clear(&d.host);
    return status;
}
