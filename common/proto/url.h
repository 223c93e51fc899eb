#pragma once
/* Request targets and origins: percent-encoding (RFC 3986), query strings as browsers read them
 * (https://url.spec.whatwg.org/#urlencoded-parsing). */
#include "common/base/buf.h"

/* `host`, `host:port` or `[IPv6]:port`, as in a Host header or an origin: host without brackets,
 * port of at most 65535, or -1 when there is none. An empty text passes. ERR_SYNTAX: characters
 * that the host of a URL cannot have, or a number that is no IPv4 address (`1.2.3.999`; WHATWG
 * parsers refuse it, so it must not reach one). */
MUST_CHECK enum err url_split_authority(struct span text, struct span *host, int *port);

/* The parts of a request target, undecoded; spans into the target. */
struct url_target {
    struct span path;      /* from the first slash; never empty */
    struct span query;     /* behind '?', or {NULL, 0} */
    struct span authority; /* of absolute form, not checked; else {NULL, 0} */
};

/* Origin form, or absolute form (http or https) whose authority is cut off; a fragment is cut off
 * too. ERR_SYNTAX: neither. */
MUST_CHECK enum err url_split_target(struct span target, struct url_target *out);
/* A target's path as it is meant: as in a browser, `\` is a slash, and `.` and `..` segments (also
 * as %2e) are resolved. `path` itself when it is so already, else in `scratch`, which is emptied
 * first; never longer than `path`. */
struct span url_resolve_path(struct span path, struct buf *scratch);
/* Appends the path as some servers read it: slashes in a row are one, %2F, %5C and %3B are what
 * they stand for, and what follows a `;` in its segment is left out. Dot segments stay. */
void url_read_loosely(struct buf *out, struct span path);
/* Takes a segment off *rest, which starts with its slash. False: *rest is empty. */
bool url_next_segment(struct span *rest, struct span *segment);
/* `/parties/{party}/{name}[/rest]`. As in a browser, `\` is a slash, and `.` and
 * `..` segments (also as %2e) are resolved first. *party and *name are decoded into `scratch`,
 * which is emptied first; *rest is the raw remainder, empty or with its slash; it points into
 * `path` or `scratch`. ERR_MISSING: another path, or an empty party or name; ERR_SYNTAX: a bad
 * escape in party or name, or bytes that are not UTF-8. */
MUST_CHECK enum err url_split_party(struct span path, struct buf *scratch, struct span *party,
                                    struct span *name, struct span *rest);
/* Percent-decodes a path segment. ERR_SYNTAX: a bad escape, or the result is not UTF-8. */
MUST_CHECK enum err url_decode(struct buf *out, struct span s);
/* encodeURIComponent. */
void url_encode(struct buf *out, struct span s);
/* The first value of a query parameter, decoded: + is a blank, bad escapes stay as written, bad
 * UTF-8 becomes U+FFFD. False when there is none. Appends to `out`. */
bool url_query_get(struct span query, struct span name, struct buf *out);
/* Whether one of the raw parts between the `&` of a query string is a parameter of that name. */
bool url_query_names(struct span part, struct span name);

/* `http://host[:port]` or `https://host[:port]`, as settings have it. */
struct url_origin {
    char *host; /* without brackets; owned */
    uint16_t port;
    bool tls;    /* https */
    bool inside; /* another process of the cluster, which proves itself as INTERNAL_CA has it; its
                    owner sets this */
    char *text;  /* host:port as it goes into the Host header; owned */
};
enum {
    URL_HOST_MAX = 255,   /* bytes of an origin's host: no name that can be looked up is longer */
    URL_ORIGIN_MAX = 272, /* of an origin as url_origin_add writes it */
};
/* ERR_SYNTAX: not an http origin (a path other than "/" is an error too). */
MUST_CHECK enum err url_origin_parse(struct span text, struct url_origin *out);
void url_origin_clear(struct url_origin *o);
/* The one spelling of it: scheme, host in brackets if it needs them, port unless the scheme has it.
 */
void url_origin_add(struct buf *out, const struct url_origin *o);
/* What stands behind `http://` or `https://` in such a spelling. */
struct span url_origin_host(struct span spelling);
