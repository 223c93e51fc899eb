#pragma once
/* Sec-WebSocket-Extensions: what a client offers of permessage-deflate (RFC 7692 section 7.1), and
 * what a server answers that keeps no context in either direction. Pure. */
#include "common/proto/http_head.h"

enum { WS_WINDOW_BITS_MIN = 8, WS_WINDOW_BITS_MAX = 15 };

/* The first offer that can be taken: one whose parameters are all known, none of them twice. */
struct ws_offer {
    uint8_t window_bits; /* no frame to the client may need a larger window; 0: no offer is taken */
    struct span answer;  /* the value of the answer's header; static; empty: none */
};
/* RFC 6455 section 9.1: a client whose header is not well-formed is refused. True without any. */
bool ws_offers_are_valid(const struct http_head *h);
/* A header that is not well-formed (RFC 6455 section 9.1) offers nothing. */
struct ws_offer ws_offer_choose(const struct http_head *h);
