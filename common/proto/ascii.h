#pragma once
/* Classes of ASCII characters, independent of any locale. */
#include <stdbool.h>
#include <string.h>

static inline bool ascii_is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A letter, a digit, or one of `others`. */
static inline bool ascii_is_alnum_or(char c, const char *others)
{
    return ascii_is_alnum(c) || (c != '\0' && strchr(others, c) != NULL);
}

/* What HTTP's tokens consist of (RFC 9110 section 5.6.2). */
static inline bool ascii_is_tchar(char c)
{
    return ascii_is_alnum_or(c, "!#$%&'*+-.^_`|~");
}

/* The value of a hexadecimal digit, or -1. */
static inline int ascii_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A control character, the tab excepted: none may stand in a field value or a line's text. */
static inline bool ascii_is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7F;
}
