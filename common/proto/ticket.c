/* The form of tickets. Whom one lets in, others decide.
 * The payload, as bytes: epoch and expires_ms (8 each, big-endian), the nonce, then world, shard,
 * room and session, each behind its length (2, big-endian); and, where there is one, the id of the
 * trace as it is written. */
#include "common/proto/ticket.h"

#include <assert.h>
#include <openssl/crypto.h>

#include "common/base/base64url.h"
#include "common/proto/mac.h"
#include "common/proto/trace.h"

#define VERSION "t1"
#define LABEL   SPAN("terrane ticket v1")

enum { NAMES = 4 };

static void add_number(struct buf *out, uint64_t n, unsigned bytes)
{
    while (bytes-- > 0)
        buf_add_char(out, (char)(unsigned char)(n >> (8 * bytes)));
}

static void sign(uint8_t out[MAC_LEN], struct span secret, struct span text)
{
    struct mac *mac = mac_begin(secret, LABEL);
    mac_add(mac, text);
    mac_end(mac, out);
}

bool ticket_names_fit(const struct ticket *t)
{
    size_t sum = t->world.len + t->shard.len + t->room.len + t->session.len;
    return t->world.len > 0 && t->shard.len > 0 && t->room.len > 0 && t->session.len > 0 &&
           sum <= TICKET_NAMES_MAX;
}

void ticket_add(struct buf *out, const struct secrets *secrets, const struct ticket *t)
{
    const struct span names[NAMES] = {t->world, t->shard, t->room, t->session};
    struct buf payload = {0};
    uint8_t mac[MAC_LEN];
    size_t start = out->len;
    assert(t->epoch > 0 && t->expires_ms > 0 && ticket_names_fit(t));
    add_number(&payload, (uint64_t)t->epoch, 8);
    add_number(&payload, (uint64_t)t->expires_ms, 8);
    buf_add(&payload, t->nonce, sizeof t->nonce);
    for (size_t i = 0; i < NAMES; i++) {
        add_number(&payload, names[i].len, 2);
        buf_add_span(&payload, names[i]);
    }
    buf_add_span(&payload, t->trace);
    BUF_ADD_LIT(out, VERSION ".");
    base64url_add(out, buf_span(&payload));
    buf_clear(&payload);
    sign(mac, secrets_first(secrets), span_of(out->data + start, out->len - start));
    buf_add_char(out, '.');
    base64url_add(out, span_of(mac, sizeof mac));
    assert(out->len - start <= TICKET_MAX);
}

/* Every secret is tried, so the time does not tell which of them fits. */
static bool is_signed(const struct secrets *secrets, struct span text, struct span given)
{
    uint8_t want[MAC_LEN];
    bool found = false;
    struct span list = secrets->list, secret;
    while (span_split(&list, ',', &secret)) {
        secret = span_trim(secret);
        if (secret.len == 0)
            continue;
        sign(want, secret, text);
        found |= CRYPTO_memcmp(want, given.ptr, MAC_LEN) == 0;
    }
    return found;
}

/* Takes bytes off the front; false: there are not so many. */
static bool take(struct span *rest, size_t len, struct span *out)
{
    if (rest->len < len)
        return false;
    *out = span_slice(*rest, 0, len);
    *rest = span_slice(*rest, len, rest->len);
    return true;
}

static bool take_number(struct span *rest, unsigned bytes, uint64_t *out)
{
    struct span digits;
    if (!take(rest, bytes, &digits))
        return false;
    *out = 0;
    for (size_t i = 0; i < digits.len; i++)
        *out = *out << 8 | (unsigned char)digits.ptr[i];
    return true;
}

static bool take_time(struct span *rest, int64_t *out)
{
    uint64_t n;
    if (!take_number(rest, 8, &n) || n == 0 || n > INT64_MAX - TICKET_LEEWAY_MS)
        return false;
    *out = (int64_t)n;
    return true;
}

/* None of them is empty. */
static bool take_name(struct span *rest, struct span *out)
{
    uint64_t len;
    return take_number(rest, 2, &len) && len > 0 && take(rest, (size_t)len, out);
}

static bool read_payload(struct span rest, struct ticket *out)
{
    struct span nonce;
    if (!take_time(&rest, &out->epoch) || !take_time(&rest, &out->expires_ms) ||
        !take(&rest, TICKET_NONCE_LEN, &nonce) || !take_name(&rest, &out->world) ||
        !take_name(&rest, &out->shard) || !take_name(&rest, &out->room) ||
        !take_name(&rest, &out->session))
        return false;
    memcpy(out->nonce, nonce.ptr, TICKET_NONCE_LEN);
    out->trace = rest;
    return rest.len == 0 || rest.len == TRACE_ID_LEN;
}

/* The signature goes through `scratch`, which is left to the payload. */
static enum err check_signature(const struct secrets *secrets, struct span text, struct span mac,
                                struct buf *scratch)
{
    buf_reset(scratch);
    if (base64url_decode(scratch, mac) != ERR_OK || scratch->len != MAC_LEN)
        return ERR_SYNTAX;
    enum err e = is_signed(secrets, text, buf_span(scratch)) ? ERR_OK : ERR_DENIED;
    buf_reset(scratch);
    return e;
}

enum err ticket_open(const struct secrets *secrets, struct span text, int64_t wall_ms,
                     struct buf *scratch, struct ticket *out)
{
    struct span rest = text, version = {0}, payload = {0}, mac = {0};
    struct ticket read = {.epoch = 0};
    if (text.len > TICKET_MAX || !span_split(&rest, '.', &version) ||
        !span_eq(version, SPAN(VERSION)) || !span_split(&rest, '.', &payload) ||
        !span_split(&rest, '.', &mac) || rest.ptr != NULL)
        return ERR_SYNTAX;
    struct span head = span_slice(text, 0, version.len + 1 + payload.len);
    enum err e = check_signature(secrets, head, mac, scratch);
    if (e != ERR_OK)
        return e;
    if (base64url_decode(scratch, payload) != ERR_OK || !read_payload(buf_span(scratch), &read))
        return ERR_SYNTAX;
    *out = read;
    return read.expires_ms + TICKET_LEEWAY_MS < wall_ms ? ERR_EXPIRED : ERR_OK;
}
