/* The context of libwebsockets, its signals and what all connections have in common. */
#include "world/ctl/wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "world/ctl/wire_parts.h"

enum { HEADERS_MAX = 32768, SERVICE_BUFFER = 65536, LWS_SECONDS = 3600 };

static volatile sig_atomic_t interrupted;
static struct lws_context *signalled; /* the one context: a handler has no argument */

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
    if (signalled != NULL)
        lws_cancel_service(signalled); /* writes into a pipe, no more */
}

static void take_signals(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in,
                    size_t len)
{
    struct wire_conn *c = wsi == NULL ? NULL : lws_get_opaque_user_data(wsi);

    (void)user;
    if (c == NULL)
        return 0;
    c->wsi = wsi;
    if (why == LWS_CALLBACK_WSI_DESTROY) {
        c->wsi = NULL;
        return 0;
    }
    if (why == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) {
        c->distrusted = c->distrusted || len == 0; /* OpenSSL's verdict; it stands */
        return 0;
    }
    return c->on(c, why, in, len);
}

static const struct lws_protocols protocols[] = {
    {.name = "wire", .callback = on_event, .rx_buffer_size = SERVICE_BUFFER}, {.name = NULL}};

static struct lws_context_creation_info settings_of(const struct wire *w, bool tls)
{
    bool own = w->ca != NULL;

    return (struct lws_context_creation_info){
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .pt_serv_buf_size = SERVICE_BUFFER,
        .max_http_header_data2 = HEADERS_MAX,
        .timeout_secs = LWS_SECONDS, /* the timers here are shorter */
        .connect_timeout_secs = LWS_SECONDS,
        .client_ssl_ca_filepath = tls ? w->ca : NULL,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   (tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0) |
                   (own ? LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS : 0),
    };
}

bool wire_tls(struct wire *w)
{
    struct lws_context_creation_info info = settings_of(w, true);

    if (!w->tls)
        w->tls = lws_init_vhost_client_ssl(&info, w->host) == 0;
    return w->tls;
}

static bool open_host(struct wire *w)
{
    struct lws_context_creation_info info = settings_of(w, false);

    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    w->lws = lws_create_context(&info);
    info.options &= ~(uint64_t)LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    w->host = w->lws == NULL ? NULL : lws_create_vhost(w->lws, &info);
    return w->host != NULL;
}

struct wire *wire_new(const struct wire_options *options, const char **why)
{
    struct wire *w;

    if (options->ca != NULL && access(options->ca, R_OK) != 0) {
        *why = strerror(errno);
        return NULL;
    }
    lws_set_log_level(0, NULL);
    w = xcalloc(1, sizeof(*w));
    w->ca = options->ca == NULL ? NULL : xstrdup(options->ca);
    list_init(&w->conns);
    if (!open_host(w) || (w->ca != NULL && !wire_tls(w))) {
        wire_free(w);
        *why = "it holds no certificates that can be read";
        return NULL;
    }
    signalled = w->lws;
    take_signals(on_signal);
    return w;
}

void wire_free(struct wire *w)
{
    if (w == NULL)
        return;
    for (struct list *it; (it = list_first(&w->conns)) != NULL;) {
        struct wire_conn *c = CONTAINER_OF(it, struct wire_conn, node);
        c->free(c);
    }
    signalled = NULL;
    if (w->lws != NULL)
        lws_context_destroy(w->lws);
    free(w->ca);
    free(w);
}

bool wire_run(struct wire *w)
{
    w->stopped = false;
    while (!w->stopped && !interrupted && lws_service(w->lws, 0) >= 0)
        continue;
    return w->stopped;
}

void wire_stop(struct wire *w)
{
    w->stopped = true;
    lws_cancel_service(w->lws); /* timers run before lws waits */
}

bool wire_interrupted(const struct wire *w)
{
    (void)w;
    return interrupted != 0;
}

void wire_go_on(struct wire *w)
{
    (void)w;
    interrupted = 0;
}

/* ---- connections */

void wire_conn_init(struct wire_conn *c, struct wire *w)
{
    c->wire = w;
    list_push(&w->conns, &c->node);
}

void wire_conn_clear(struct wire_conn *c)
{
    lws_sul_cancel(&c->due);
    if (c->wsi != NULL) {
        lws_set_opaque_user_data(c->wsi, NULL);
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    }
    list_remove(&c->node);
    span_free(c->headers);
    buf_clear(&c->peer);
    buf_clear(&c->why);
}

void wire_conn_due(struct wire_conn *c, int64_t ms, sul_cb_t late)
{
    lws_sul_schedule(c->wire->lws, 0, &c->due, late, ms <= 0 ? 1 : ms * LWS_US_PER_MS);
}

void wire_conn_undue(struct wire_conn *c)
{
    lws_sul_cancel(&c->due);
}
