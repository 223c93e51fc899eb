#pragma once
/* The Forwarded header (RFC 7239): each proxy appends an element, so the right-most is the nearest
 * one's. It is read from the right, so that nothing that stands further left, be it a quote that
 * never closes, changes how what a trusted proxy wrote is read. Pure. */
#include <stdbool.h>

#include "common/proto/addr.h"

enum forwarded_kind {
    FORWARDED_NONE,   /* the parameter is not there */
    FORWARDED_ADDR,   /* an address, with or without a port */
    FORWARDED_HIDDEN, /* `unknown`, or an obfuscated identifier (`_name`) */
};
struct forwarded_node {
    enum forwarded_kind kind;
    struct addr addr;
};

enum { FORWARDED_PROTO_MAX = 16, FORWARDED_HOST_MAX = 264 };
struct forwarded {
    struct forwarded_node from, by;  /* for=, by= */
    size_t proto_len, host_len;      /* 0: not there */
    char proto[FORWARDED_PROTO_MAX]; /* a scheme, as written */
    char host[FORWARDED_HOST_MAX];   /* as a Host header has it, host and port */
};

/* Takes the right-most element off `*rest`, all field lines joined by commas; empty ones are
 * skipped. ERR_MISSING: none is left; ERR_SYNTAX: not an element (a parameter twice, a node that is
 * none, no token or quoted string where one must be, a proto or host over its size …); what is left
 * of it cannot be read on. */
MUST_CHECK enum err forwarded_take_last(struct span *rest, struct forwarded *out);
