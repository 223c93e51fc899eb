/* Requests, their answers, and what is said about those that were refused. */
#include "world/ctl/api.h"

#include <stdarg.h>

#include "common/proto/url.h"

enum { PAGE = 1000, FIRST_REFUSAL = 300, NOT_STORED = 507 };

void api_path(struct buf *out, const char *pattern, ...)
{
    va_list args;

    va_start(args, pattern);
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '%')
            url_encode(out, va_arg(args, struct span));
        else
            buf_add_char(out, *pattern);
    }
    va_end(args);
}

void api_query(struct buf *path, const char *key, const char *value)
{
    if (value == NULL)
        return;
    buf_add_char(path, span_index(buf_span(path), '?') < path->len ? '&' : '?');
    buf_add_span(path, span_str(key));
    buf_add_char(path, '=');
    url_encode(path, span_str(value));
}

/* ---- failures */

static enum ended unreached(const struct ctl *c, const struct wire_answer *a)
{
    if (wire_interrupted(c->wire))
        return ENDED_INTERRUPTED;
    return ctl_problem(a->err == ERR_LIMIT ? ENDED_REFUSED : ENDED_UNREACHED,
                       "cannot reach the world: %.*s", SPAN_ARG(buf_span(&a->why)));
}

static enum ended how_refused(int status)
{
    switch (status) {
    case 400: /* a name, a number or a file that the world does not take */
        return ENDED_USAGE;
    case 401:
    case 403:
        return ENDED_DENIED;
    case 404:
        return ENDED_MISSING;
    default:
        return ENDED_REFUSED;
    }
}

static enum ended denied(const struct ctl *c, struct span text)
{
    const struct profile *p = &c->profile;

    if (p->token == NULL)
        return ctl_problem(ENDED_DENIED, "a token is needed: --token, TERRANE_TOKEN, or "
                                         "AUTH_JWT_SECRET to make one");
    return ctl_problem(ENDED_DENIED, "%.*s (the token of %.*s)%s", SPAN_ARG(text),
                       SPAN_ARG(p->token_from),
                       span_eq(text, SPAN("Not permitted")) ? "; worldctl doctor says why" : "");
}

enum ended api_refused(const struct ctl *c, const struct wire_answer *a)
{
    json_t *doc = json_decode(buf_span(&a->body));
    enum ended how = how_refused(a->status);
    struct span text = {0};

    if (!json_get_span(doc, "detail", &text) && !json_get_span(doc, "error", &text))
        how = ctl_problem(ENDED_UNREACHED, "%s answers %d: is this the world's management address?",
                          c->profile.url, a->status);
    else if (how == ENDED_DENIED)
        (void)denied(c, text);
    else
        (void)ctl_problem(how, "%.*s%s", SPAN_ARG(text),
                          a->status == NOT_STORED
                              ? "; it counts in memory and is tried again: worldctl status says why"
                              : "");
    json_decref(doc);
    return how;
}

/* ---- asking */

static bool try_url(struct ctl *c, const char *method, struct span url, struct span body,
                    struct wire_answer *a, enum ended *how)
{
    struct wire_call call = {
        .method = method, .url = url, .token = span_str(c->profile.token), .body = body};
    bool good = wire_request(c->wire, &call, a);

    *how = good ? ENDED_DONE : unreached(c, a);
    return good;
}

static bool try_path(struct ctl *c, const char *method, struct span path, struct span body,
                     bool below_world, struct wire_answer *a, enum ended *how)
{
    struct buf url = {0};
    bool good;

    *a = (struct wire_answer){0};
    *how = ctl_reach(c);
    if (*how != ENDED_DONE)
        return false;
    buf_addf(&url, "%s", c->profile.url);
    if (below_world)
        buf_addf(&url, "/api/v1/worlds/%s", c->profile.world);
    buf_add_span(&url, path);
    good = try_url(c, method, buf_span(&url), body, a, how);
    buf_clear(&url);
    return good;
}

bool api_try(struct ctl *c, const char *method, struct span path, struct span body,
             struct wire_answer *a, enum ended *how)
{
    return try_path(c, method, path, body, true, a, how);
}

static enum ended read_answer(const struct ctl *c, const struct wire_answer *a, json_t **doc)
{
    json_t *value = NULL;

    if (a->status >= FIRST_REFUSAL)
        return api_refused(c, a);
    if (a->body.len > 0) {
        value = json_decode(buf_span(&a->body));
        if (value == NULL)
            return ctl_problem(ENDED_UNREACHED, "%s answers no JSON: is this a world?",
                               c->profile.url);
    }
    if (doc != NULL)
        *doc = value;
    else
        json_decref(value);
    return ENDED_DONE;
}

static enum ended ask(struct ctl *c, const char *method, struct span path, struct span body,
                      bool below_world, json_t **doc)
{
    struct wire_answer a;
    enum ended how;

    if (doc != NULL)
        *doc = NULL;
    if (try_path(c, method, path, body, below_world, &a, &how))
        how = read_answer(c, &a, doc);
    wire_answer_clear(&a);
    return how;
}

enum ended api_ask(struct ctl *c, const char *method, struct span path, struct span body,
                   json_t **doc)
{
    return ask(c, method, path, body, true, doc);
}

enum ended api_get(struct ctl *c, struct span path, json_t **doc)
{
    return ask(c, "GET", path, (struct span){0}, true, doc);
}

enum ended api_ask_top(struct ctl *c, const char *method, struct span path, struct span body,
                       json_t **doc)
{
    return ask(c, method, path, body, false, doc);
}

/* ---- lists */

/* How many the next page may have. */
static uint64_t page_size(uint64_t limit, size_t have)
{
    uint64_t left = limit == 0 ? PAGE : limit - have;

    return left < PAGE ? left : PAGE;
}

/* *next: the cursor behind the page, with its NUL; empty: it was the last. */
static enum ended take_page(struct ctl *c, struct span path, json_t *items, struct buf *next)
{
    struct span cursor;
    json_t *doc;
    enum ended how = api_get(c, path, &doc);

    buf_reset(next);
    if (how == ENDED_DONE && json_array_extend(items, json_object_get(doc, "items")) != 0)
        how = ctl_problem(ENDED_UNREACHED, "%s answers no list: is this a world?", c->profile.url);
    if (how == ENDED_DONE && json_get_span(doc, "next", &cursor)) {
        buf_add_span(next, cursor);
        buf_add_char(next, '\0');
    }
    json_decref(doc);
    return how;
}

enum ended api_list(struct ctl *c, struct span path, uint64_t limit, json_t **items)
{
    struct buf page = {0}, next = {0};
    enum ended how;

    *items = json_array();
    do {
        struct buf size = {0};
        buf_addf(&size, "%llu", (unsigned long long)page_size(limit, json_array_size(*items)));
        buf_add_char(&size, '\0');
        buf_reset(&page);
        buf_add_span(&page, path);
        api_query(&page, "limit", size.data);
        api_query(&page, "after", next.len > 0 ? next.data : NULL);
        how = take_page(c, buf_span(&page), *items, &next);
        buf_clear(&size);
    } while (how == ENDED_DONE && next.len > 0 && (limit == 0 || json_array_size(*items) < limit));
    buf_clear(&page);
    buf_clear(&next);
    return how;
}
