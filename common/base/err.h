#pragma once
/* The error values that every layer shares, and the attributes that guard them. */

#define MUST_CHECK           __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, at) __attribute__((format(printf, fmt, at)))

enum err {
    ERR_OK = 0,
    ERR_AGAIN,   /* not enough input yet; call again with more */
    ERR_SYNTAX,  /* the input breaks its grammar */
    ERR_LIMIT,   /* the input is larger than a limit allows */
    ERR_FULL,    /* a queue or table is at its limit */
    ERR_MISSING, /* no such thing */
    ERR_EXISTS,  /* there is one already */
    ERR_DENIED,  /* not authorised */
    ERR_EXPIRED, /* was valid once */
    ERR_IO,      /* a socket, file or peer failed */
    ERR_TIMEOUT, /* it took too long */
    ERR_CLOSED,  /* closed by the peer or by us */
};

/* A short lower-case text for logs, never NULL. */
const char *err_text(enum err e);
