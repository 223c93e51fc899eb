/* URLs and addresses: what is decoded is UTF-8 and survives encoding, spans stay where they belong,
 * and what is accepted is accepted again when it is written out. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/proto/addr.h"
#include "common/proto/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct span part, struct span whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static void check_party(struct span path)
{
    struct buf scratch = {.len = 0}, again = {.len = 0}, plain = {.len = 0};
    struct span party, name, rest, party2, name2, rest2;
    if (url_split_party(path, &scratch, &party, &name, &rest) == ERR_OK) {
        assert(span_is_utf8(party) && span_is_utf8(name) && party.len > 0 && name.len > 0);
        assert(rest.len == 0 || rest.ptr[0] == '/');
        assert(lies_in(rest, path) || lies_in(rest, buf_span(&scratch)));
        BUF_ADD_LIT(&plain, "/parties/");
        url_encode(&plain, party);
        buf_add_char(&plain, '/');
        url_encode(&plain, name);
        buf_add_span(&plain, rest);
        enum err e = url_split_party(buf_span(&plain), &again, &party2, &name2, &rest2);
        assert(e == ERR_OK && span_eq(party, party2) && span_eq(name, name2));
        assert(span_eq(rest, rest2));
    }
    buf_clear(&scratch);
    buf_clear(&again);
    buf_clear(&plain);
}

static void check_target(struct span target)
{
    struct url_target t;
    struct buf value = {.len = 0};
    if (url_split_target(target, &t) != ERR_OK)
        return;
    assert(t.path.len > 0 && t.path.ptr[0] == '/');
    assert(span_index(t.path, '?') == t.path.len && span_index(t.path, '#') == t.path.len);
    if (url_query_get(t.query, SPAN("id"), &value))
        assert(span_is_utf8(buf_span(&value)) && value.len <= 3 * t.query.len);
    buf_clear(&value);
    check_party(t.path);
}

static void check_encoding(struct span s)
{
    struct buf encoded = {.len = 0}, decoded = {.len = 0};
    url_encode(&encoded, s);
    enum err e = url_decode(&decoded, buf_span(&encoded));
    assert(e == (span_is_utf8(s) ? ERR_OK : ERR_SYNTAX));
    assert(e != ERR_OK || span_eq(buf_span(&decoded), s));
    buf_reset(&decoded);
    if (url_decode(&decoded, s) == ERR_OK)
        assert(span_is_utf8(buf_span(&decoded)) && decoded.len <= s.len);
    buf_clear(&encoded);
    buf_clear(&decoded);
}

static void check_origin(struct span s)
{
    struct url_origin o, again;
    struct buf text = {.len = 0};
    if (url_origin_parse(s, &o) != ERR_OK)
        return;
    url_origin_add(&text, &o);
    assert(span_eq(url_origin_host(buf_span(&text)), span_str(o.text)));
    enum err e = url_origin_parse(buf_span(&text), &again);
    assert(e == ERR_OK && strcmp(o.host, again.host) == 0 && o.port == again.port);
    assert(o.tls == again.tls);
    assert(strcmp(o.text, again.text) == 0 && o.port > 0 && o.host[0] != '\0');
    url_origin_clear(&o);
    url_origin_clear(&again);
    buf_clear(&text);
}

static void check_addr(struct span s)
{
    struct addr a, again;
    struct addr_set set;
    struct span bad;
    char text[ADDR_TEXT_MAX];
    if (addr_parse(s, &a) == ERR_OK) {
        addr_format(&a, text);
        enum err e = addr_parse(span_str(text), &again);
        assert(e == ERR_OK && memcmp(&a, &again, sizeof a) == 0);
        e = addr_set_parse(&set, span_str(text), &bad);
        assert(e == ERR_OK && addr_set_has(&set, &a));
        size_t hops;
        again = addr_of_client(&set, &a, s, &hops);
        assert(memcmp(&a, &again, sizeof a) == 0);
        addr_set_clear(&set);
    }
    if (addr_set_parse(&set, s, &bad) == ERR_OK)
        addr_set_clear(&set);
    else
        assert(lies_in(bad, s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = xspandup(span_of(data, size));
    struct span s = span_of(copy, size);
    struct span host;
    int port;
    check_target(s);
    check_party(s);
    check_encoding(s);
    check_origin(s);
    check_addr(s);
    if (url_split_authority(s, &host, &port) == ERR_OK)
        assert(lies_in(host, s) && port >= -1 && port <= UINT16_MAX);
    free(copy);
    return 0;
}
