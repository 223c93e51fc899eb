/* Reads offers parameter by parameter. Commas may stand in quotes, so nothing is split beforehand.
 */
#include "common/proto/ws_offer.h"

#include "common/proto/ascii.h"

enum { VALUE_MAX = 2 }; /* no value that we know is longer */

/* Of one parameter; a longer value keeps its length only. */
struct param {
    struct span name;
    bool has_value;
    char value[VALUE_MAX];
    size_t value_len;
};

enum known {
    SERVER_NO_CONTEXT,
    CLIENT_NO_CONTEXT,
    SERVER_BITS,
    CLIENT_BITS,
    KNOWN_COUNT,
};

#define ANSWER "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

/* ---- words ---- */

static char peek(struct span s)
{
    if (s.len == 0)
        return '\0';
    return s.ptr[0];
}

static void skip(struct span *s, size_t n)
{
    *s = span_slice(*s, n, s->len);
}

static void skip_blanks(struct span *s)
{
    while (peek(*s) == ' ' || peek(*s) == '\t')
        skip(s, 1);
}

static bool take_char(struct span *s, char c)
{
    skip_blanks(s);
    if (peek(*s) != c)
        return false;
    skip(s, 1);
    skip_blanks(s);
    return true;
}

static bool take_token(struct span *s, struct span *token)
{
    size_t len = 0;
    skip_blanks(s);
    while (len < s->len && ascii_is_tchar(s->ptr[len]))
        len++;
    *token = span_slice(*s, 0, len);
    skip(s, len);
    return len > 0;
}

static void value_add(struct param *p, char c)
{
    if (p->value_len < VALUE_MAX)
        p->value[p->value_len] = c;
    p->value_len++;
}

/* A token in quotes, each character of it perhaps behind a backslash. */
static bool take_quoted(struct span *s, struct param *p)
{
    skip(s, 1);
    for (; s->len > 0 && s->ptr[0] != '"'; skip(s, 1)) {
        if (s->ptr[0] == '\\')
            skip(s, 1);
        if (!ascii_is_tchar(peek(*s)))
            return false;
        value_add(p, s->ptr[0]);
    }
    return p->value_len > 0 && take_char(s, '"');
}

static bool take_value(struct span *s, struct param *p)
{
    struct span token;
    p->has_value = true;
    if (peek(*s) == '"')
        return take_quoted(s, p);
    if (!take_token(s, &token))
        return false;
    for (size_t i = 0; i < token.len; i++)
        value_add(p, token.ptr[i]);
    return true;
}

static bool take_param(struct span *s, struct param *p)
{
    *p = (struct param){.has_value = false};
    return take_token(s, &p->name) && (!take_char(s, '=') || take_value(s, p));
}

/* ---- parameters ---- */

static enum known known_of(struct span name)
{
    static const struct span names[KNOWN_COUNT] = {
        [SERVER_NO_CONTEXT] = SPAN_INIT("server_no_context_takeover"),
        [CLIENT_NO_CONTEXT] = SPAN_INIT("client_no_context_takeover"),
        [SERVER_BITS] = SPAN_INIT("server_max_window_bits"),
        [CLIENT_BITS] = SPAN_INIT("client_max_window_bits"),
    };
    unsigned k = 0;
    while (k < KNOWN_COUNT && !span_eq(name, names[k]))
        k++;
    return (enum known)k;
}

/* 8 to 15, without leading zeros; 0: anything else. */
static uint8_t read_bits(const struct param *p)
{
    uint64_t bits;
    struct span value = span_of(p->value, p->value_len);
    if (p->value_len == 0 || p->value_len > VALUE_MAX || p->value[0] == '0' ||
        span_to_u64(value, &bits) != ERR_OK || bits < WS_WINDOW_BITS_MIN ||
        bits > WS_WINDOW_BITS_MAX)
        return 0;
    return (uint8_t)bits;
}

/* What is known of an offer of permessage-deflate so far. */
struct reading {
    unsigned seen; /* a bit for each enum known */
    uint8_t server_bits;
    bool declined;
};

static void note(struct reading *r, const struct param *p)
{
    enum known k = known_of(p->name);
    if (k == KNOWN_COUNT || (r->seen >> k & 1) != 0) {
        r->declined = true;
        return;
    }
    r->seen |= 1u << k;
    uint8_t bits = p->has_value ? read_bits(p) : 0;
    if (k == SERVER_NO_CONTEXT || k == CLIENT_NO_CONTEXT)
        r->declined = r->declined || p->has_value;
    else if (bits == 0)
        r->declined = r->declined || p->has_value || k == SERVER_BITS;
    if (k == SERVER_BITS)
        r->server_bits = bits;
}

static struct ws_offer accept_offer(uint8_t server_bits)
{
    static const struct span answers[] = {
        SPAN_INIT(ANSWER "; server_max_window_bits=8"),
        SPAN_INIT(ANSWER "; server_max_window_bits=9"),
        SPAN_INIT(ANSWER "; server_max_window_bits=10"),
        SPAN_INIT(ANSWER "; server_max_window_bits=11"),
        SPAN_INIT(ANSWER "; server_max_window_bits=12"),
        SPAN_INIT(ANSWER "; server_max_window_bits=13"),
        SPAN_INIT(ANSWER "; server_max_window_bits=14"),
        SPAN_INIT(ANSWER "; server_max_window_bits=15"),
    };
    if (server_bits == 0) /* not asked for, not answered */
        return (struct ws_offer){.window_bits = WS_WINDOW_BITS_MAX, .answer = SPAN(ANSWER)};
    return (struct ws_offer){.window_bits = server_bits,
                             .answer = answers[server_bits - WS_WINDOW_BITS_MIN]};
}

/* One element of the list. False: not well-formed. `found` is changed while it holds nothing. */
static bool take_offer(struct span *s, struct ws_offer *found)
{
    struct span name;
    struct param p;
    struct reading r = {.seen = 0};
    if (!take_token(s, &name))
        return false;
    while (take_char(s, ';')) {
        if (!take_param(s, &p))
            return false;
        note(&r, &p);
    }
    if (span_eq(name, SPAN("permessage-deflate")) && !r.declined && found->window_bits == 0)
        *found = accept_offer(r.server_bits);
    return true;
}

/* What is known of all headers so far. */
struct offers {
    struct ws_offer found;
    size_t count; /* extensions offered, of any name */
};

/* All of one header. Empty elements of a list are allowed (RFC 9110 section 5.6.1). */
static bool take_offers(struct span s, struct offers *o)
{
    for (;;) {
        while (take_char(&s, ','))
            continue;
        if (s.len == 0)
            return true;
        if (!take_offer(&s, &o->found) || (s.len > 0 && peek(s) != ','))
            return false;
        o->count++;
    }
}

/* False: not well-formed. */
static bool take_headers(const struct http_head *h, struct offers *o)
{
    struct span name = SPAN("Sec-WebSocket-Extensions");
    for (size_t i = 0; i < h->header_count; i++) {
        if (span_ieq(h->headers[i].name, name) && !take_offers(h->headers[i].value, o))
            return false;
    }
    return o->count > 0 || http_head_count(h, name) == 0;
}

bool ws_offers_are_valid(const struct http_head *h)
{
    struct offers offers = {.count = 0};
    return take_headers(h, &offers);
}

struct ws_offer ws_offer_choose(const struct http_head *h)
{
    struct offers offers = {.count = 0};
    return take_headers(h, &offers) ? offers.found : (struct ws_offer){.window_bits = 0};
}
