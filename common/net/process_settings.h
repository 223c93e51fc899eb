#pragma once
/* The settings that every process with a public door has: where it listens, its limits and times
 * (docs/protocol.md, "Limits"), its log. Embedded in the process's own settings. */
#include <stdio.h>

#include "common/base/config.h"
#include "common/net/http_server.h"

struct process_settings {
    char *host;
    int64_t port;
    char *tls_cert, *tls_key, *tls_ca;
    char *internal_listen; /* process_listen_address reads it */
    char *internal_cert, *internal_key, *internal_ca;
    char *trusted_proxies, *proxy_protocol; /* networks, for addr_set_parse */
    int64_t header_ms, body_ms, idle_ms;
    int64_t max_connections; /* 0: what the descriptor limit leaves */
    int64_t message_max, ping_ms, pong_ms;
    int64_t log_level, log_format; /* enum log_level, enum log_format */
};

/* PRIVATE_ROOMS, of worlds and nodes alike. */
enum private_rooms { PRIVATE_ROOMS_IGNORE, PRIVATE_ROOMS_ENFORCE };
extern const char *const process_private_rooms[];

/* AUTH_JWT_ALG, likewise: enum token_alg. */
extern const char *const process_jwt_algs[];

/* Bytes of a secret below which it is weak: guessed, if somebody tries. */
enum { PROCESS_SHARD_SECRET_MIN = 16, PROCESS_JWT_SECRET_MIN = 32 };

/* NULL-terminated, for rows of these settings. */
extern const char *const process_log_levels[], *const process_log_formats[];

/* False: a setting cannot be used, and a line on `err` says why, beginning with `process`. */
bool process_settings_check(const struct process_settings *s, const char *process, FILE *err);
/* The same of a setting `name` that is a comma-separated list of origins; empty is good. */
bool process_check_origins(const char *text, const char *name, const char *process, FILE *err);
/* The same of AUTH_JWT_SECRET, for the algorithm of AUTH_JWT_ALG. */
bool process_check_keys(struct span keys, int64_t jwt_alg, const char *process, FILE *err);
/* A line on `err` for each of the two that is weak: SHARD_SECRET, and AUTH_JWT_SECRET (a checked
 * one, or empty: there is none) if it signs. */
void process_warn_of_secrets(struct span shard_secret, struct span keys, int64_t jwt_alg,
                             const char *process, FILE *err);

/* What a descriptor limit leaves for clients, which is all but min(1 024, a quarter): those go to
 * everything else. `setting`, when it is not 0 and not more than that. */
size_t process_max_connections(int64_t setting, uint64_t descriptors);
/* The least limit that leaves so many for clients. */
uint64_t process_wanted_descriptors(uint64_t connections);
/* Limits without body_max, high_water and max_connections: those are the process's own. */
struct http_limits process_http_limits(const struct process_settings *s);
/* Without queue limits. */
struct ws_settings process_ws_settings(const struct process_settings *s);

/* `host:port`, or a port on 127.0.0.1: the host, with a NUL behind it, is put into the empty buf
 * `host`; port 0 is the system's to choose. ERR_MISSING: the text is empty; ERR_SYNTAX: no address.
 */
MUST_CHECK enum err process_listen_address(const char *text, struct buf *host, uint16_t *port);

#define PROCESS_SETTINGS_TEXT(holder, member, row, field, text)                                    \
    {                                                                                              \
        .name = row, .type = CONFIG_STRING, .offset = offsetof(holder, member.field),              \
        .fallback = "", .help = text                                                               \
    }
/* Files and doors of TLS (docs/tls.md). */
#define PROCESS_SETTINGS_TLS(holder, member)                                                       \
    PROCESS_SETTINGS_TEXT(holder, member, "TLS_CERT", tls_cert,                                    \
                          "File with this process's certificate (PEM); HOST and PORT speak TLS "   \
                          "then. Read again on SIGHUP, as all such files."),                       \
        PROCESS_SETTINGS_TEXT(holder, member, "TLS_KEY", tls_key,                                  \
                              "File with the key of TLS_CERT."),                                   \
        PROCESS_SETTINGS_TEXT(holder, member, "TLS_CA", tls_ca,                                    \
                              "File with the authorities that https servers must be of; empty: "   \
                              "the system's."),                                                    \
        PROCESS_SETTINGS_TEXT(holder, member, "INTERNAL_LISTEN", internal_listen,                  \
                              "Address of a second listener, host:port or a port on 127.0.0.1, "   \
                              "for other processes of the cluster and for probes; empty: none."),  \
        PROCESS_SETTINGS_TEXT(holder, member, "INTERNAL_CERT", internal_cert,                      \
                              "File with the certificate of INTERNAL_LISTEN, which speaks TLS "    \
                              "then; also shown to other processes."),                             \
        PROCESS_SETTINGS_TEXT(holder, member, "INTERNAL_KEY", internal_key,                        \
                              "File with the key of INTERNAL_CERT."),                              \
        PROCESS_SETTINGS_TEXT(holder, member, "INTERNAL_CA", internal_ca,                          \
                              "File with the authority that all processes of the cluster are "     \
                              "of: whoever comes by INTERNAL_LISTEN, and whoever is reached by "   \
                              "https; empty: the former show nothing, the latter are of TLS_CA.")

/* The rows: `holder` is the process's struct, `member` its struct process_settings. */
#define PROCESS_SETTINGS_ROWS(holder, member, default_port)                                        \
    {.name = "HOST",                                                                               \
     .type = CONFIG_STRING,                                                                        \
     .offset = offsetof(holder, member.host),                                                      \
     .fallback = "127.0.0.1",                                                                      \
     .help = "Address to listen on; :: is all addresses of both families."},                       \
        {.name = "PORT",                                                                           \
         .type = CONFIG_INT,                                                                       \
         .offset = offsetof(holder, member.port),                                                  \
         .fallback = default_port,                                                                 \
         .max = 65535,                                                                             \
         .help = "Port to listen on; 0: the system chooses."},                                     \
        PROCESS_SETTINGS_TLS(holder, member),                                                      \
        {.name = "TRUSTED_PROXIES",                                                                \
         .type = CONFIG_STRING,                                                                    \
         .offset = offsetof(holder, member.trusted_proxies),                                       \
         .fallback = "",                                                                           \
         .reload = true,                                                                           \
         .help =                                                                                   \
             "Networks whose x-forwarded-* and forwarded headers are believed, comma-separated."}, \
        {.name = "PROXY_PROTOCOL",                                                                 \
         .type = CONFIG_STRING,                                                                    \
         .offset = offsetof(holder, member.proxy_protocol),                                        \
         .fallback = "",                                                                           \
         .reload = true,                                                                           \
         .help = "Networks whose connections to HOST and PORT must begin with a PROXY header "     \
                 "(version 1 or 2), comma-separated."},                                            \
        {.name = "HEADER_TIMEOUT",                                                                 \
         .type = CONFIG_DURATION,                                                                  \
         .offset = offsetof(holder, member.header_ms),                                             \
         .fallback = "10s",                                                                        \
         .min = 1,                                                                                 \
         .max = 3600000,                                                                           \
         .reload = true,                                                                           \
         .help = "Time for a request's head, and for a PROXY header."},                            \
        {.name = "BODY_TIMEOUT",                                                                   \
         .type = CONFIG_DURATION,                                                                  \
         .offset = offsetof(holder, member.body_ms),                                               \
         .fallback = "30s",                                                                        \
         .min = 1,                                                                                 \
         .max = 3600000,                                                                           \
         .reload = true,                                                                           \
         .help = "Time between two parts of a request's body."},                                   \
        {.name = "IDLE_TIMEOUT",                                                                   \
         .type = CONFIG_DURATION,                                                                  \
         .offset = offsetof(holder, member.idle_ms),                                               \
         .fallback = "60s",                                                                        \
         .min = 1,                                                                                 \
         .max = 3600000,                                                                           \
         .reload = true,                                                                           \
         .help = "Time between two requests of one connection."},                                  \
        {.name = "MAX_CONNECTIONS",                                                                \
         .type = CONFIG_INT,                                                                       \
         .offset = offsetof(holder, member.max_connections),                                       \
         .fallback = "0",                                                                          \
         .max = 10000000,                                                                          \
         .reload = true,                                                                           \
         .help = "Clients at a time, at most and by default (0): the descriptor limit less "       \
                 "min(1024, a quarter of it)."},                                                   \
        {.name = "MESSAGE_MAX",                                                                    \
         .type = CONFIG_SIZE,                                                                      \
         .offset = offsetof(holder, member.message_max),                                           \
         .fallback = "1MiB",                                                                       \
         .min = 126,                                                                               \
         .max = INT32_MAX / 2,                                                                     \
         .reload = true,                                                                           \
         .help = "Largest WebSocket message from a client."},                                      \
        {.name = "PING_INTERVAL",                                                                  \
         .type = CONFIG_DURATION,                                                                  \
         .offset = offsetof(holder, member.ping_ms),                                               \
         .fallback = "25s",                                                                        \
         .max = 86400000,                                                                          \
         .reload = true,                                                                           \
         .help = "Silence after which a WebSocket peer is pinged; 0: never."},                     \
        {.name = "PONG_TIMEOUT",                                                                   \
         .type = CONFIG_DURATION,                                                                  \
         .offset = offsetof(holder, member.pong_ms),                                               \
         .fallback = "10s",                                                                        \
         .min = 1,                                                                                 \
         .max = 86400000,                                                                          \
         .reload = true,                                                                           \
         .help = "How long a peer may take to answer a ping."},                                    \
        {.name = "LOG_LEVEL",                                                                      \
         .type = CONFIG_CHOICE,                                                                    \
         .offset = offsetof(holder, member.log_level),                                             \
         .fallback = "info",                                                                       \
         .choices = process_log_levels,                                                            \
         .reload = true,                                                                           \
         .help = "Least level that is logged."},                                                   \
    {                                                                                              \
        .name = "LOG_FORMAT", .type = CONFIG_CHOICE,                                               \
        .offset = offsetof(holder, member.log_format), .fallback = "auto",                         \
        .choices = process_log_formats,                                                            \
        .help = "Lines on stderr; auto: text on a terminal, else json."                            \
    }
