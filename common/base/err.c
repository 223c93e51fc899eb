/* The texts of the shared error values. */
#include "common/base/err.h"

const char *err_text(enum err e)
{
    switch (e) {
    case ERR_OK:
        return "ok";
    case ERR_AGAIN:
        return "not enough input";
    case ERR_SYNTAX:
        return "malformed";
    case ERR_LIMIT:
        return "too large";
    case ERR_FULL:
        return "full";
    case ERR_MISSING:
        return "not found";
    case ERR_EXISTS:
        return "exists already";
    case ERR_DENIED:
        return "denied";
    case ERR_EXPIRED:
        return "expired";
    case ERR_IO:
        return "input/output failed";
    case ERR_TIMEOUT:
        return "timed out";
    case ERR_CLOSED:
        return "closed";
    }
    return "unknown error";
}
