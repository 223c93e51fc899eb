#pragma once
/* Where Redis is, as REDIS_URL says it:
 *     redis://[[user]:password@]host[:port][/db]
 *     redis+sentinel://[[user]:password@]host[:port],host[:port].../master[/db]
 * User, password and master are percent-encoded; an IPv6 host stands in brackets. Sentinels are
 * given the same user and password, and may do without. Holds a secret: neither the text nor the
 * password is ever logged. */
#include "common/proto/url.h"

enum redis_kind { REDIS_SERVER, REDIS_SENTINEL };

struct redis_url {
    enum redis_kind kind;
    struct url_origin *servers; /* the one server, or the Sentinels; `text` always has the port */
    size_t count;
    char *master;   /* the name that the Sentinels know; NULL: there are none */
    char *user;     /* NULL: the default user */
    char *password; /* NULL: none is asked for */
    uint32_t db;
};

/* ERR_SYNTAX: *why says what is wrong with it, without saying what it holds; *out is empty. The
 * all-zero struct is empty, too. */
MUST_CHECK enum err redis_url_parse(struct span text, struct redis_url *out, const char **why);
void redis_url_clear(struct redis_url *u);

/* `host[:port]`, with `port` where there is none (0: there must be one). ERR_SYNTAX: not that. */
MUST_CHECK enum err redis_url_parse_server(struct span text, uint16_t port, struct url_origin *out);
