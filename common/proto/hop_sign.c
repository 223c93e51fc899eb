/* Signs and checks. Which processes are asked, and what their word is worth, others decide. */
#include "common/proto/hop_sign.h"

#include <assert.h>
#include <openssl/crypto.h>

#include "common/proto/mac.h"
#include "common/proto/url.h"

#define HOP    "x-terrane-hop"
#define CLIENT "x-terrane-client"
#define SIGN   "x-terrane-sign"

#define BY_WORLD "world"

enum { HEX_LEN = 2 * MAC_LEN };

/* What is signed; all but the method and the target are header values. */
struct claim {
    struct span ms, method, target, hop, client;
};

static void mac_hex(char out[HEX_LEN], struct span secret, const struct claim *c)
{
    static const char digits[] = "0123456789abcdef";
    const struct span parts[] = {c->ms, c->method, c->target, c->hop, c->client};
    uint8_t bytes[MAC_LEN];
    struct mac *mac = mac_begin(secret, SPAN(""));
    mac_add(mac, SPAN("v1"));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        mac_add(mac, SPAN("\n"));
        mac_add(mac, parts[i]);
    }
    mac_end(mac, bytes);
    for (size_t i = 0; i < MAC_LEN; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

/* Every secret is tried, so the time does not tell which of them fits. */
static bool is_signed(const struct secrets *secrets, const struct claim *c, struct span hex)
{
    char want[HEX_LEN];
    bool found = false;
    struct span list = secrets->list, secret;
    if (hex.len != HEX_LEN)
        return false;
    while (span_split(&list, ',', &secret)) {
        secret = span_trim(secret);
        if (secret.len == 0)
            continue;
        mac_hex(want, secret, c);
        found |= CRYPTO_memcmp(want, hex.ptr, HEX_LEN) == 0;
    }
    return found;
}

static bool is_fresh(struct span ms, int64_t wall_ms)
{
    uint64_t made;
    if (span_to_u64(ms, &made) != ERR_OK || made > INT64_MAX - HOP_SIGN_AGE_MS)
        return false;
    int64_t at = (int64_t)made;
    return at >= wall_ms - HOP_SIGN_AGE_MS && at <= wall_ms + HOP_SIGN_AGE_MS;
}

/* `world` or `world;{epoch}`. */
static bool read_mark(struct span mark, struct hop_signed *out)
{
    struct span word;
    uint64_t epoch = 0;
    if (mark.ptr == NULL)
        return true;
    (void)span_split(&mark, ';', &word);
    if (!span_eq(word, SPAN(BY_WORLD)) ||
        (mark.ptr != NULL && (span_to_u64(mark, &epoch) != ERR_OK || epoch > INT64_MAX)))
        return false;
    out->by_world = true;
    out->epoch = (int64_t)epoch;
    return true;
}

/* The entry is percent-encoded, so the first semicolon begins the mark. */
static enum err read_claim(const struct claim *c, struct hop_signed *out)
{
    struct hop_signed read = {.entry_len = 0};
    struct buf entry = {0};
    struct span mark = c->hop, name;
    (void)span_split(&mark, ';', &name);
    enum err e = url_decode(&entry, name);
    if (!read_mark(mark, &read))
        e = ERR_SYNTAX;
    if (e == ERR_OK && entry.len > sizeof read.entry)
        e = ERR_LIMIT;
    if (e == ERR_OK)
        e = addr_parse(c->client, &read.client);
    if (e == ERR_OK) {
        read.entry_len = entry.len;
        if (entry.len > 0)
            memcpy(read.entry, entry.data, entry.len);
        *out = read;
    }
    buf_clear(&entry);
    return e == ERR_OK ? ERR_OK : ERR_DENIED;
}

static void add_line(struct buf *out, struct span name, struct span value)
{
    buf_add_span(out, name);
    BUF_ADD_LIT(out, ": ");
    buf_add_span(out, value);
    BUF_ADD_LIT(out, "\r\n");
}

void hop_sign_add(struct buf *out, const struct secrets *secrets, const struct hop_sign *s,
                  int64_t wall_ms)
{
    char hex[HEX_LEN];
    struct span secret = secrets_first(secrets);
    struct buf hop = {0}, ms = {0};
    assert(secret.len > 0);
    url_encode(&hop, s->entry);
    if (s->by_world)
        BUF_ADD_LIT(&hop, ";" BY_WORLD);
    if (s->by_world && s->epoch > 0) {
        buf_add_char(&hop, ';');
        buf_add_i64(&hop, s->epoch);
    }
    buf_add_i64(&ms, wall_ms);
    mac_hex(hex, secret,
            &(struct claim){.ms = buf_span(&ms),
                            .method = s->method,
                            .target = s->target,
                            .hop = buf_span(&hop),
                            .client = s->client_ip});
    add_line(out, SPAN(HOP), buf_span(&hop));
    add_line(out, SPAN(CLIENT), s->client_ip);
    BUF_ADD_LIT(out, SIGN ": v1 ");
    buf_add_span(out, buf_span(&ms));
    buf_add_char(out, ' ');
    buf_add(out, hex, HEX_LEN);
    BUF_ADD_LIT(out, "\r\n");
    buf_clear(&hop);
    buf_clear(&ms);
}

enum err hop_sign_check(const struct http_head *h, const struct secrets *secrets, int64_t wall_ms,
                        struct hop_signed *out)
{
    size_t hops = http_head_count(h, SPAN(HOP)), clients = http_head_count(h, SPAN(CLIENT));
    size_t signs = http_head_count(h, SPAN(SIGN));
    struct span sign = http_head_get(h, SPAN(SIGN)), version, hex;
    struct claim c = {
        .method = h->method,
        .target = h->target,
        .hop = http_head_get(h, SPAN(HOP)),
        .client = http_head_get(h, SPAN(CLIENT)),
    };
    if (hops == 0 && clients == 0 && signs == 0)
        return ERR_MISSING;
    if (hops != 1 || clients != 1 || signs != 1)
        return ERR_DENIED;
    if (!span_split(&sign, ' ', &version) || !span_eq(version, SPAN("v1")) ||
        !span_split(&sign, ' ', &c.ms) || !span_split(&sign, ' ', &hex) || sign.ptr != NULL)
        return ERR_DENIED;
    if (!is_signed(secrets, &c, hex))
        return ERR_DENIED;
    if (!is_fresh(c.ms, wall_ms))
        return ERR_EXPIRED;
    return read_claim(&c, out);
}
