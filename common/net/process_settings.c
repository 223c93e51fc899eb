/* What the common settings mean for the HTTP server and for WebSockets. */
#include "common/net/process_settings.h"

#include "common/proto/origins.h"
#include "common/proto/secret.h"
#include "common/proto/token.h"
#include "common/proto/url.h"

const char *const process_log_levels[] = {"debug", "info", "warn", "error", NULL};
const char *const process_private_rooms[] = {"ignore", "enforce", NULL};
const char *const process_jwt_algs[] = {
    [TOKEN_HS256] = "HS256", [TOKEN_RS256] = "RS256", [TOKEN_ES256] = "ES256", NULL};
const char *const process_log_formats[] = {"auto", "json", "text", NULL};

static bool check_networks(const char *text, const char *name, const char *process, FILE *err)
{
    struct addr_set set = {0};
    struct span bad;
    if (addr_set_parse(&set, span_str(text), &bad) != ERR_OK) {
        (void)fprintf(err, "%s: %s: \"%.*s\" is not a network such as 10.0.0.0/8 or fd00::/8\n",
                      process, name, SPAN_ARG(bad));
        return false;
    }
    addr_set_clear(&set);
    return true;
}

enum { RESERVE = 1024 }; /* descriptors that are not for clients, or a quarter of all */

size_t process_max_connections(int64_t setting, uint64_t descriptors)
{
    uint64_t quarter = descriptors / 4;
    uint64_t left = descriptors - (quarter < RESERVE ? quarter : RESERVE);
    return (size_t)(setting > 0 && (uint64_t)setting < left ? (uint64_t)setting : left);
}

uint64_t process_wanted_descriptors(uint64_t connections)
{
    uint64_t with_quarter = connections + (connections > 0 ? (connections - 1) / 3 : 0);
    return with_quarter < connections + RESERVE ? with_quarter : connections + RESERVE;
}

struct http_limits process_http_limits(const struct process_settings *s)
{
    return (struct http_limits){
        .header_ms = s->header_ms, .body_ms = s->body_ms, .idle_ms = s->idle_ms};
}

struct ws_settings process_ws_settings(const struct process_settings *s)
{
    return (struct ws_settings){
        .max_message = (size_t)s->message_max, .ping_ms = s->ping_ms, .pong_ms = s->pong_ms};
}

static enum err split_address(struct span text, struct span *host, uint64_t *port)
{
    int number;
    if (span_to_u64(text, port) == ERR_OK) {
        *host = SPAN("127.0.0.1");
        return *port <= UINT16_MAX ? ERR_OK : ERR_SYNTAX;
    }
    enum err e = url_split_authority(text, host, &number);
    if (e != ERR_OK || number < 0 || host->len == 0)
        return ERR_SYNTAX;
    *port = (uint64_t)number;
    return ERR_OK;
}

enum err process_listen_address(const char *text, struct buf *host, uint16_t *port)
{
    struct span name;
    uint64_t number;
    if (*text == '\0')
        return ERR_MISSING;
    enum err e = split_address(span_str(text), &name, &number);
    if (e != ERR_OK)
        return e;
    buf_add_span(host, name);
    buf_add_char(host, '\0');
    *port = (uint16_t)number;
    return ERR_OK;
}

/* What is wrong with the settings of TLS, which are files and go together; NULL: nothing. */
static const char *tls_problem(const struct process_settings *s)
{
    bool cert = *s->internal_cert != '\0', door = *s->internal_listen != '\0';
    if ((*s->tls_cert != '\0') != (*s->tls_key != '\0'))
        return "TLS_CERT, TLS_KEY: one is set without the other";
    if (cert != (*s->internal_key != '\0'))
        return "INTERNAL_CERT, INTERNAL_KEY: one is set without the other";
    if (door && *s->internal_ca != '\0' && !cert)
        return "INTERNAL_CA: INTERNAL_LISTEN cannot ask for certificates without INTERNAL_CERT";
    return NULL;
}

static bool check_tls(const struct process_settings *s, const char *process, FILE *err)
{
    struct buf host = {0};
    uint16_t port;
    const char *problem = tls_problem(s);
    bool good = process_listen_address(s->internal_listen, &host, &port) != ERR_SYNTAX;
    buf_clear(&host);
    if (!good)
        (void)fprintf(
            err,
            "%s: INTERNAL_LISTEN: \"%s\" is not host:port, such as 10.0.0.2:3011, nor a port\n",
            process, s->internal_listen);
    if (problem != NULL)
        (void)fprintf(err, "%s: %s\n", process, problem);
    return good && problem == NULL;
}

bool process_settings_check(const struct process_settings *s, const char *process, FILE *err)
{
    return check_networks(s->trusted_proxies, "TRUSTED_PROXIES", process, err) &&
           check_networks(s->proxy_protocol, "PROXY_PROTOCOL", process, err) &&
           check_tls(s, process, err);
}

bool process_check_origins(const char *text, const char *name, const char *process, FILE *err)
{
    struct origins origins = {0};
    struct span bad;
    if (origins_parse(&origins, span_str(text), &bad) != ERR_OK) {
        (void)fprintf(
            err, "%s: %s: \"%.*s\" is not an http or https origin such as http://127.0.0.1:3002\n",
            process, name, SPAN_ARG(bad));
        return false;
    }
    origins_clear(&origins);
    return true;
}

bool process_check_keys(struct span keys, int64_t jwt_alg, const char *process, FILE *err)
{
    struct token_keys *read;
    if (token_keys_new(&read, (enum token_alg)jwt_alg, keys) != ERR_OK) {
        (void)fprintf(err, "%s: AUTH_JWT_SECRET: no key for the algorithm of AUTH_JWT_ALG\n",
                      process);
        return false;
    }
    token_keys_free(read);
    return true;
}

static void warn_of(const char *name, int wanted, const char *process, FILE *err)
{
    (void)fprintf(err, "%s: warning: %s is weak: under %d bytes; `worldctl secret` makes one\n",
                  process, name, wanted);
}

void process_warn_of_secrets(struct span shard_secret, struct span keys, int64_t jwt_alg,
                             const char *process, FILE *err)
{
    struct token_keys *read;

    if (secrets_shortest(&(struct secrets){.list = shard_secret}) < PROCESS_SHARD_SECRET_MIN)
        warn_of("SHARD_SECRET", PROCESS_SHARD_SECRET_MIN, process, err);
    if (keys.len == 0 || jwt_alg != TOKEN_HS256 ||
        token_keys_new(&read, TOKEN_HS256, keys) != ERR_OK)
        return;
    if (token_keys_shortest(read) < PROCESS_JWT_SECRET_MIN)
        warn_of("AUTH_JWT_SECRET", PROCESS_JWT_SECRET_MIN, process, err);
    token_keys_free(read);
}
