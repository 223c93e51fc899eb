#pragma once
/* IP addresses as text and networks (CIDR), and the client's address behind trusted proxies. */
#include <stdbool.h>

#include "common/base/buf.h"

enum { ADDR_TEXT_MAX = 46 };

struct addr {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
};
/* ERR_SYNTAX: not an address. Brackets and a port behind it are allowed ("[::1]:80", "1.2.3.4:5").
 */
MUST_CHECK enum err addr_parse(struct span text, struct addr *out);
/* With a NUL; IPv4 in dotted form. */
void addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);
bool addr_is_loopback(const struct addr *a);

struct addr_set {
    struct addr_net *nets;
    size_t count;
};
/* Comma-separated networks ("10.0.0.0/8, ::1"); empty: none. ERR_SYNTAX: *bad is the part at fault.
 */
MUST_CHECK enum err addr_set_parse(struct addr_set *set, struct span text, struct span *bad);
bool addr_set_has(const struct addr_set *set, const struct addr *a);
void addr_set_clear(struct addr_set *set);

/* The client's address: `peer` unless it is trusted; then the right-most entry of X-Forwarded-For
 * (all occurrences joined) that is not trusted itself. Entries that are no addresses end the walk.
 * *hops: how many entries were taken. */
struct addr addr_of_client(const struct addr_set *trusted, const struct addr *peer,
                           struct span forwarded_for, size_t *hops);
