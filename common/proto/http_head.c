/* HTTP/1.1 heads. http-parser walks the grammar and calls back with spans; it is lax in places
 * (bare LF, folded lines, blanks in names, a version "HxxxP1.1", a control before a value), so the
 * callbacks check that the spans lie behind each other with nothing but the wire's own punctuation
 * between them, and the framing rules are all checked here, once more where http-parser has them
 * too. */
#include "common/proto/http_head.h"

#include <http_parser.h>

#include "common/proto/ascii.h"
#include "common/proto/url.h"

static const char VERSION[] = "HTTP/1.";

enum {
    CRLF_LEN = 2,
    VERSION_LEN = sizeof VERSION - 1,
    LINE_END_LEN = 1 + VERSION_LEN + 1 + CRLF_LEN, /* " HTTP/1.1\r\n" */
    STATUS_AT = VERSION_LEN + 2,
    STATUS_LEN = 3,
};

struct parse {
    struct http_head *head;
    const char *end;    /* of the whole head */
    const char *expect; /* where the next header line must begin */
    enum err error;
    bool request;
    bool in_header; /* a name is here, its value not yet */
    bool complete;
    uint8_t hosts, lengths, codings;
    bool close, keep_alive; /* tokens of Connection */
    bool upgrade_token, upgrade_header;
};

/* ---- what the headers mean ---- */

static void note_connection(struct parse *p, struct span value)
{
    struct span part;
    while (span_split(&value, ',', &part)) {
        struct span token = span_trim(part);
        p->close |= span_ieq(token, SPAN("close"));
        p->keep_alive |= span_ieq(token, SPAN("keep-alive"));
        p->upgrade_token |= span_ieq(token, SPAN("upgrade"));
    }
}

static enum err note_length(struct parse *p, struct span value)
{
    uint64_t length;
    p->lengths++;
    if (span_to_u64(value, &length) != ERR_OK || length > INT64_MAX)
        return ERR_SYNTAX;
    p->head->content_length = (int64_t)length;
    return p->lengths == 1 ? ERR_OK : ERR_SYNTAX;
}

static enum err note_coding(struct parse *p, struct span value)
{
    p->codings++;
    p->head->chunked = true;
    return p->codings == 1 && span_ieq(value, SPAN("chunked")) ? ERR_OK : ERR_SYNTAX;
}

static enum err note_host(struct parse *p, struct span value)
{
    struct span host;
    int port;
    if (!p->request)
        return ERR_OK;
    p->hosts++;
    return p->hosts == 1 ? url_split_authority(value, &host, &port) : ERR_SYNTAX;
}

/* The headers that this file acts upon. Told apart by their length first: most are none of them. */
static enum err note_header(struct parse *p, const struct http_header *h)
{
    switch (h->name.len) {
    case sizeof "Host" - 1:
        return span_ieq(h->name, SPAN("Host")) ? note_host(p, h->value) : ERR_OK;
    case sizeof "Expect" - 1:
        if (span_ieq(h->name, SPAN("Expect")))
            p->head->expect_continue = span_ieq(h->value, SPAN("100-continue"));
        return ERR_OK;
    case sizeof "Upgrade" - 1:
        p->upgrade_header |= span_ieq(h->name, SPAN("Upgrade"));
        return ERR_OK;
    case sizeof "Connection" - 1:
        if (span_ieq(h->name, SPAN("Connection")))
            note_connection(p, h->value);
        return ERR_OK;
    case sizeof "Content-Length" - 1:
        return span_ieq(h->name, SPAN("Content-Length")) ? note_length(p, h->value) : ERR_OK;
    case sizeof "Transfer-Encoding" - 1:
        return span_ieq(h->name, SPAN("Transfer-Encoding")) ? note_coding(p, h->value) : ERR_OK;
    default:
        return ERR_OK;
    }
}

/* ---- http-parser's callbacks; not 0 ends the parse ---- */

static int fail(struct parse *p, enum err e)
{
    p->error = e;
    return 1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int on_url(http_parser *parser, const char *at, size_t len)
{
    struct parse *p = parser->data;
    p->head->target = span_of(at, len);
    return 0;
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
    struct parse *p = parser->data;
    struct http_head *h = p->head;
    if (h->header_count == HTTP_HEADERS_MAX)
        return fail(p, ERR_LIMIT);
    if (at != p->expect || p->in_header || memchr(at, ' ', len) != NULL)
        return fail(p, ERR_SYNTAX);
    h->headers[h->header_count].name = span_of(at, len);
    p->in_header = true;
    return 0;
}

/* A value must stand on the line of its name: only blanks between the colon and it, CRLF behind it.
 * For an empty one http-parser points at the start of the next line. */
static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct parse *p = parser->data;
    struct http_header *h = &p->head->headers[p->head->header_count];
    if (!p->in_header) /* the second line of a folded value */
        return fail(p, ERR_SYNTAX);
    const char *begin = h->name.ptr + h->name.len + 1;
    const char *end = len == 0 ? at - CRLF_LEN : at + len;
    while (begin < end && is_blank(*begin))
        begin++;
    if (begin > end || (len > 0 && begin != at) || (len == 0 && begin != end) ||
        p->end - end < CRLF_LEN || end[0] != '\r' || end[1] != '\n')
        return fail(p, ERR_SYNTAX);
    p->expect = end + CRLF_LEN;
    while (end > begin && is_blank(end[-1]))
        end--;
    if (begin < end && ascii_is_control(*begin)) /* http-parser checks the others */
        return fail(p, ERR_SYNTAX);
    h->value = span_of(begin, (size_t)(end - begin));
    p->head->header_count++;
    p->in_header = false;
    enum err e = note_header(p, h);
    return e == ERR_OK ? 0 : fail(p, e);
}

static int on_complete(http_parser *parser)
{
    struct parse *p = parser->data;
    p->complete = true;
    return 0;
}

/* ---- the rules for the head as a whole ---- */

/* One method, one blank, one target, one blank, the version. */
static enum err check_request_line(struct http_head *h, const char *line, size_t line_len,
                                   enum http_method method)
{
    if (method == HTTP_CONNECT)
        return ERR_SYNTAX; /* this is no such proxy */
    h->method = span_of(line, strlen(http_method_str(method)));
    const char *target = line + h->method.len + 1;
    if (h->target.ptr != target || h->method.len + 1 + h->target.len + LINE_END_LEN != line_len)
        return ERR_SYNTAX;
    if (memcmp(target + h->target.len + 1, VERSION, VERSION_LEN) != 0)
        return ERR_SYNTAX;
    for (size_t i = 0; i < h->target.len; i++) {
        unsigned char c = (unsigned char)target[i];
        if (c <= ' ' || c == 0x7F)
            return ERR_SYNTAX;
    }
    return ERR_OK;
}

/* "HTTP/1.1 200", then a blank and a reason or nothing at all. */
static enum err check_status_line(const char *line, size_t line_len)
{
    if (line_len < STATUS_AT + STATUS_LEN + CRLF_LEN || line[STATUS_AT - 1] != ' ' ||
        memcmp(line, VERSION, VERSION_LEN) != 0)
        return ERR_SYNTAX;
    for (size_t i = STATUS_AT; i < STATUS_AT + STATUS_LEN; i++) {
        if (line[i] < '0' || line[i] > '9')
            return ERR_SYNTAX;
    }
    size_t end = line_len - CRLF_LEN;
    for (size_t i = STATUS_AT + STATUS_LEN; i < end; i++) {
        if (ascii_is_control(line[i])) /* a bare CR ends the line for http-parser */
            return ERR_SYNTAX;
    }
    bool reason = STATUS_AT + STATUS_LEN < end;
    return line[STATUS_AT] != '0' && (!reason || line[STATUS_AT + STATUS_LEN] == ' ') ? ERR_OK
                                                                                      : ERR_SYNTAX;
}

/* Whatever Host says, an absolute target names the host. */
static enum err check_target(struct http_head *h)
{
    struct url_target parts;
    struct span host;
    int port;
    if (span_starts(h->target, SPAN("/")) || url_split_target(h->target, &parts) != ERR_OK ||
        parts.authority.ptr == NULL)
        return ERR_OK; /* one that cannot be split goes nowhere */
    for (size_t i = 0; i < h->header_count; i++)
        if (span_ieq(h->headers[i].name, SPAN("Host")))
            h->headers[i].value = parts.authority;
    return url_split_authority(parts.authority, &host, &port);
}

static enum err check_framing(const struct parse *p)
{
    int minor = p->head->minor;
    if (p->lengths > 0 && p->codings > 0)
        return ERR_SYNTAX;
    if (p->codings > 0 && minor == 0)
        return ERR_SYNTAX;
    return p->request && minor == 1 && p->hosts == 0 ? ERR_SYNTAX : ERR_OK;
}

static void settle(const struct parse *p)
{
    struct http_head *h = p->head;
    h->keep_alive = !p->close && (h->minor == 1 || p->keep_alive);
    h->upgrade = p->upgrade_token && p->upgrade_header;
    h->expect_continue = h->expect_continue && h->minor == 1;
}

/* `line` is the first line that is not empty, up to p->expect. */
static enum err run(struct parse *p, const char *line)
{
    static const http_parser_settings callbacks = {.on_url = on_url,
                                                   .on_header_field = on_name,
                                                   .on_header_value = on_value,
                                                   .on_headers_complete = on_complete};
    size_t line_len = (size_t)(p->expect - line), len = (size_t)(p->end - line);
    http_parser parser;
    http_parser_init(&parser, p->request ? HTTP_REQUEST : HTTP_RESPONSE);
    parser.data = p;
    size_t parsed = http_parser_execute(&parser, &callbacks, line, len);
    if (p->error != ERR_OK)
        return p->error;
    if (HTTP_PARSER_ERRNO(&parser) != HPE_OK || !p->complete || parsed != len ||
        p->expect + CRLF_LEN != p->end || memcmp(p->expect, "\r\n", CRLF_LEN) != 0)
        return ERR_SYNTAX;
    if (parser.http_major != 1 || parser.http_minor > 1)
        return ERR_SYNTAX;
    p->head->minor = parser.http_minor;
    p->head->status = p->request ? 0 : (int)parser.status_code;
    return p->request ? check_request_line(p->head, line, line_len, (enum http_method)parser.method)
                      : check_status_line(line, line_len);
}

static enum err parse(struct http_head *h, const char *data, size_t len, bool request)
{
    struct parse p = {.head = h, .end = data + len, .request = request};
    h->method = h->target = (struct span){.ptr = NULL};
    h->status = h->minor = 0;
    h->content_length = -1;
    h->chunked = h->keep_alive = h->upgrade = h->expect_continue = false;
    h->header_count = 0;
    if (len > HTTP_HEAD_MAX)
        return ERR_LIMIT;
    const char *line = data;
    while (p.request && p.end - line >= CRLF_LEN && line[0] == '\r' && line[1] == '\n')
        line += CRLF_LEN;
    const char *newline = memchr(line, '\n', (size_t)(p.end - line));
    if (newline == NULL || newline == line || newline[-1] != '\r')
        return ERR_SYNTAX;
    p.expect = newline + 1;
    enum err e = run(&p, line);
    if (e != ERR_OK)
        return e;
    settle(&p);
    e = check_framing(&p);
    return e == ERR_OK && request ? check_target(h) : e;
}

/* ---- looking into a head ---- */

static bool is_named(const struct http_header *h, struct span name)
{
    return h->name.len == name.len && span_ieq(h->name, name);
}

static void rebase(struct span *s, const char *from, const char *data)
{
    if (s->ptr != NULL)
        s->ptr = data + (s->ptr - from);
}

/* ---- public ---- */

enum err http_head_find(const char *data, size_t len, size_t *scanned, size_t *head_len)
{
    size_t end = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX, start = 0;
    while (start < end && (data[start] == '\r' || data[start] == '\n'))
        start++;
    /* An empty line ends the head however its line ends are written; the parser then refuses those
     * that are not CRLF, instead of waiting for more. */
    for (size_t at = *scanned > start ? *scanned : start; at < end; at++) {
        const char *newline = memchr(data + at, '\n', end - at);
        if (newline == NULL)
            break;
        at = (size_t)(newline - data);
        if (data[at - 1] == '\n' || (data[at - 1] == '\r' && data[at - 2] == '\n')) {
            *head_len = at + 1;
            return ERR_OK;
        }
    }
    *scanned = end;
    return len < HTTP_HEAD_MAX ? ERR_AGAIN : ERR_LIMIT;
}

enum err http_head_parse_request(struct http_head *h, const char *data, size_t len)
{
    return parse(h, data, len, true);
}

enum err http_head_parse_response(struct http_head *h, const char *data, size_t len)
{
    return parse(h, data, len, false);
}

struct span http_head_get(const struct http_head *h, struct span name)
{
    for (size_t i = 0; i < h->header_count; i++) {
        if (is_named(&h->headers[i], name))
            return h->headers[i].value;
    }
    return (struct span){.ptr = NULL};
}

size_t http_head_count(const struct http_head *h, struct span name)
{
    size_t count = 0;
    for (size_t i = 0; i < h->header_count; i++)
        count += is_named(&h->headers[i], name);
    return count;
}

bool http_head_has_token(const struct http_head *h, struct span name, struct span token)
{
    for (size_t i = 0; i < h->header_count; i++) {
        struct span rest = h->headers[i].value, part;
        if (!is_named(&h->headers[i], name))
            continue;
        while (span_split(&rest, ',', &part)) {
            if (part.len > 0 && span_ieq(span_trim(part), token))
                return true;
        }
    }
    return false;
}

void http_head_rebase(struct http_head *h, const char *from, const char *data)
{
    rebase(&h->method, from, data);
    rebase(&h->target, from, data);
    for (size_t i = 0; i < h->header_count; i++) {
        rebase(&h->headers[i].name, from, data);
        rebase(&h->headers[i].value, from, data);
    }
}

bool http_head_is_hop(const struct http_head *h, struct span name)
{
    static const char *const hop[] = {"Connection", "Keep-Alive",        "Proxy-Connection", "TE",
                                      "Trailer",    "Transfer-Encoding", "Upgrade"};
    for (size_t i = 0; i < sizeof hop / sizeof *hop; i++) {
        if (span_ieq(name, span_str(hop[i])))
            return true;
    }
    return http_head_has_token(h, SPAN("Connection"), name);
}

const char *http_reason(int status)
{
    if (status < 100 || status > 599)
        return "Unknown";
    const char *text = http_status_str((enum http_status)status);
    return text[0] == '<' ? "Unknown" : text; /* http-parser says "<unknown>" */
}
