/* Where a connection goes, what its request says, and how it says that it failed. */
#include <stdlib.h>

#include "common/proto/url.h"
#include "world/ctl/wire_parts.h"

struct target {
    bool tls;
    int port;
    char *host;         /* owned */
    struct buf address; /* host:port as in the Host header, with a NUL behind it */
    struct buf path;    /* with a NUL behind it */
};

static bool is_printable(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    }
    return true;
}

/* Takes the scheme off *url. */
static bool read_scheme(struct span *url, bool *tls)
{
    static const struct {
        const char *text;
        bool tls;
    } schemes[] = {{"http://", false}, {"https://", true}, {"ws://", false}, {"wss://", true}};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        struct span scheme = span_str(schemes[i].text);
        if (span_starts(*url, scheme)) {
            *url = span_slice(*url, scheme.len, url->len);
            *tls = schemes[i].tls;
            return true;
        }
    }
    return false;
}

static bool read_target(struct span url, struct target *t)
{
    struct span host, authority;
    size_t end = 0;

    if (!is_printable(url) || !read_scheme(&url, &t->tls))
        return false;
    while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?')
        end++;
    authority = span_slice(url, 0, end);
    if (url_split_authority(authority, &host, &t->port) != ERR_OK || host.len == 0)
        return false;
    if (t->port < 0)
        t->port = t->tls ? 443 : 80;
    t->host = xspandup(host);
    buf_add_span(&t->address, authority);
    buf_add_char(&t->address, '\0');
    url = span_slice(url, authority.len, url.len);
    if (url.len == 0 || url.ptr[0] != '/')
        buf_add_char(&t->path, '/');
    buf_add_span(&t->path, url);
    buf_add_char(&t->path, '\0');
    return true;
}

static void target_clear(struct target *t)
{
    free(t->host);
    buf_clear(&t->address);
    buf_clear(&t->path);
}

static struct span headers_of(const struct wire_to *to)
{
    const struct wire_call *call = to->call;
    struct buf out = {0};

    if (call->token.len > 0) {
        BUF_ADD_LIT(&out, "Authorization: Bearer ");
        buf_add_span(&out, call->token);
        BUF_ADD_LIT(&out, "\r\n");
    }
    if (call->body.ptr != NULL && to->method != NULL)
        buf_addf(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", call->body.len);
    buf_add_span(&out, call->headers);
    buf_add_span(&out, to->more);
    return buf_span(&out);
}

/* Only now `why` is of use: the dial itself may call back. */
static void dial(struct wire_conn *c, const struct wire_to *to, const struct target *t)
{
    struct lws_client_connect_info info = {
        .context = c->wire->lws,
        .vhost = c->wire->host,
        .address = t->host,
        .port = t->port,
        .path = t->path.data,
        .host = t->address.data,
        .origin = to->origin,
        .protocol = to->protocols,
        .local_protocol_name = "wire",
        .method = to->method,
        .alpn = "http/1.1",
        .ssl_connection = (t->tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
        .opaque_user_data = c,
    };
    struct lws *wsi;

    c->dialling = true;
    wsi = lws_client_connect_via_info(&info);
    c->dialling = false;
    if (wsi == NULL && !c->failed)
        BUF_ADD_LIT(&c->why, "its name is not known");
    c->failed = c->failed || wsi == NULL;
    if (c->failed)
        c->wsi = NULL;
}

void wire_conn_dial(struct wire_conn *c, const struct wire_to *to, sul_cb_t late)
{
    struct target t = {0};

    c->failed = c->distrusted = false;
    buf_reset(&c->peer);
    buf_reset(&c->why);
    span_free(c->headers);
    c->headers = headers_of(to);
    if (!is_printable(to->call->token) || !read_target(to->call->url, &t)) {
        BUF_ADD_LIT(&c->why, "this is no URL of http or https");
        c->failed = true;
    } else {
        buf_add_span(&c->peer, span_of(t.address.data, t.address.len - 1));
        c->failed = t.tls && !wire_tls(c->wire);
        if (c->failed)
            BUF_ADD_LIT(&c->why, "the certificates to trust cannot be read");
        else
            dial(c, to, &t);
    }
    target_clear(&t);
    wire_conn_due(c, c->failed ? 0 : WIRE_DIAL_MS, late);
}

int wire_conn_add_headers(struct wire_conn *c, void *in, size_t len)
{
    char **at = in;

    if (c->headers.len > len)
        return -1;
    if (c->headers.len > 0)
        memcpy(*at, c->headers.ptr, c->headers.len);
    *at += c->headers.len;
    return 0;
}

/* What lws says, by how it begins, in words of people. */
static struct span in_words(struct span said)
{
    static const struct {
        const char *lws, *words;
    } rows[] = {
        {"Unable to connect", "nobody listens there, or no way leads there"},
        {"unable to connect", "nobody listens there, or no way leads there"},
        {"connect SSL err", "it does not speak TLS, or not as we do"},
        {"read failed", "it closed the connection"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (span_starts(said, span_str(rows[i].lws)))
            return span_str(rows[i].words);
    }
    return said.len > 0 ? said : SPAN("it closed the connection");
}

void wire_conn_fails(struct wire_conn *c, const char *in, size_t len)
{
    struct span said = span_of(in, in == NULL ? 0 : strnlen(in, len));

    buf_reset(&c->why);
    buf_add_span(&c->why, c->distrusted ? SPAN("its certificate is not trusted (--ca), or is for "
                                               "another name")
                                        : in_words(said));
    c->failed = true;
    c->wsi = NULL;
}
