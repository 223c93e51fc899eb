/* REDIS_URL: one scheme after the other, from the left to the right. */
#include "common/proto/redis_url.h"

#include <stdlib.h>

#include "common/base/mem.h"

enum { SERVER_PORT = 6379, SENTINEL_PORT = 26379, SENTINELS_MAX = 64 };

static const char no_tls[] =
    "the installed hiredis has no TLS; put a TLS tunnel such as stunnel in "
    "front, and say redis://";

static const char bad_server[] =
    "one of its hosts or ports cannot be one (a / in a password is written %2F, a @ %40)";

/* Whether `word`, in lower case, stands anywhere in `s`. */
static bool mentions(struct span s, struct span word)
{
    for (size_t at = 0; at + word.len <= s.len; at++) {
        if (span_ieq(span_slice(s, at, at + word.len), word))
            return true;
    }
    return false;
}

static bool wants_tls(struct span scheme)
{
    return span_ieq(span_slice(scheme, 0, 6), SPAN("rediss")) || mentions(scheme, SPAN("tls")) ||
           mentions(scheme, SPAN("ssl"));
}

/* Takes the scheme off *rest. */
static const char *parse_scheme(struct span *rest, struct redis_url *out)
{
    size_t colon = span_index(*rest, ':');
    struct span scheme = span_slice(*rest, 0, colon);
    if (!span_starts(span_slice(*rest, colon, rest->len), SPAN("://")))
        return "it does not begin with redis:// or redis+sentinel://";
    *rest = span_slice(*rest, colon + 3, rest->len);
    if (wants_tls(scheme))
        return no_tls;
    if (span_ieq(scheme, SPAN("redis+sentinel")))
        out->kind = REDIS_SENTINEL;
    else if (!span_ieq(scheme, SPAN("redis")))
        return "its scheme is neither redis nor redis+sentinel";
    return NULL;
}

/* Decodes to a text that ends in NUL and holds no other; NULL: it does not decode to one. */
static char *decode(struct span s)
{
    struct buf out = {.len = 0};
    char *text = NULL;
    if (url_decode(&out, s) == ERR_OK && span_index(buf_span(&out), '\0') == out.len)
        text = xspandup(buf_span(&out));
    buf_clear(&out);
    return text;
}

/* Takes user and password off *authority; the last @ ends them. */
static const char *parse_login(struct span *authority, struct redis_url *out)
{
    size_t at = span_rindex(*authority, '@');
    if (at == authority->len)
        return NULL;
    struct span login = span_slice(*authority, 0, at);
    *authority = span_slice(*authority, at + 1, authority->len);
    size_t colon = span_index(login, ':');
    if (colon + 1 >= login.len)
        return "there is a user or an @ in it, but no password (:password@ or user:password@)";
    out->password = decode(span_slice(login, colon + 1, login.len));
    if (colon > 0)
        out->user = decode(span_slice(login, 0, colon));
    if (out->password == NULL || (colon > 0 && out->user == NULL))
        return "its user or password is not percent-encoded UTF-8";
    return NULL;
}

static const char *parse_servers(struct span authority, struct redis_url *out)
{
    bool sentinel = out->kind == REDIS_SENTINEL;
    uint16_t port = sentinel ? SENTINEL_PORT : SERVER_PORT;
    for (struct span part; span_split(&authority, ',', &part); out->count++) {
        if (out->count == (sentinel ? SENTINELS_MAX : 1))
            return sentinel ? "it names too many Sentinels" : "redis:// takes one server only";
        out->servers = xreallocarray(out->servers, out->count + 1, sizeof *out->servers);
        if (redis_url_parse_server(part, port, &out->servers[out->count]) != ERR_OK)
            return bad_server;
    }
    return out->count == 0 ? "it names no host" : NULL;
}

/* What stands behind the hosts: `/master/db`, `/db`, or parts of it. */
static const char *parse_path(struct span path, struct redis_url *out)
{
    struct span part;
    uint64_t db = 0;
    path = span_slice(path, 1, path.len);
    if (out->kind == REDIS_SENTINEL) {
        if (!span_split(&path, '/', &part) || part.len == 0)
            return "the name of the master is missing (redis+sentinel://host,host/master)";
        out->master = decode(part);
        if (out->master == NULL)
            return "the name of its master is not percent-encoded UTF-8";
    }
    if (path.len > 0 && (span_to_u64(path, &db) != ERR_OK || db > INT32_MAX))
        return "what it has for a database is not a number";
    out->db = (uint32_t)db;
    return NULL;
}

static const char *parse(struct span rest, struct redis_url *out)
{
    const char *why = parse_scheme(&rest, out);
    if (why != NULL)
        return why;
    size_t mark = span_index(rest, '?');
    size_t slash = span_index(span_slice(rest, 0, mark), '/');
    struct span query = span_slice(rest, mark, rest.len);
    if (mentions(query, SPAN("tls")) || mentions(query, SPAN("ssl")))
        return no_tls;
    if (mark < rest.len)
        return "nothing may follow its database, and a ? in a password is written %3F";
    struct span authority = span_slice(rest, 0, slash);
    why = parse_login(&authority, out);
    if (why == NULL)
        why = parse_servers(authority, out);
    return why == NULL ? parse_path(span_slice(rest, slash, rest.len), out) : why;
}

enum err redis_url_parse(struct span text, struct redis_url *out, const char **why)
{
    *out = (struct redis_url){.count = 0};
    *why = parse(text, out);
    if (*why == NULL)
        return ERR_OK;
    redis_url_clear(out);
    return ERR_SYNTAX;
}

void redis_url_clear(struct redis_url *u)
{
    for (size_t i = 0; i < u->count; i++)
        url_origin_clear(&u->servers[i]);
    free(u->servers);
    free(u->master);
    free(u->user);
    free(u->password);
    *u = (struct redis_url){.count = 0};
}

enum err redis_url_parse_server(struct span text, uint16_t port, struct url_origin *out)
{
    struct span host;
    struct buf whole = {.len = 0};
    int given;
    if (url_split_authority(text, &host, &given) != ERR_OK)
        return ERR_SYNTAX;
    if (given < 0)
        given = port;
    if (host.len == 0 || given == 0)
        return ERR_SYNTAX;
    *out = (struct url_origin){.host = xspandup(host), .port = (uint16_t)given};
    buf_addf(&whole, text.ptr[0] == '[' ? "[%s]:%u" : "%s:%u", out->host, (unsigned)out->port);
    out->text = xspandup(buf_span(&whole));
    buf_clear(&whole);
    return ERR_OK;
}
