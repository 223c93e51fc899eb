/* token.h stops at the first thing that is wrong, and says only of what kind; here each rule is
 * looked at once more, in words. Where the two would differ, token.h counts. */
#include "world/ctl/token_verdict.h"

#include <time.h>

#include "common/base/base64url.h"

enum { NBF_LEEWAY_S = 30, PARTS = 3, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

static const char *const alg_names[] = {
    [TOKEN_HS256] = "HS256", [TOKEN_RS256] = "RS256", [TOKEN_ES256] = "ES256"};
enum { ALG_COUNT = sizeof alg_names / sizeof alg_names[0] };

static size_t count_keys(struct span list)
{
    struct span entry;
    size_t n = 0;
    while (span_split(&list, ',', &entry))
        n++;
    return n;
}

static json_t *object_of(struct span part)
{
    struct buf text = {0};
    json_t *value = base64url_decode(&text, part) == ERR_OK ? json_decode(buf_span(&text)) : NULL;
    buf_clear(&text);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

/* False: there is nothing more to look at. */
static bool look_at_form(const struct token_question *q, struct token_verdict *v)
{
    struct span rest = q->text, part[PARTS];
    size_t n = 0;
    while (n < PARTS && span_split(&rest, '.', &part[n]))
        n++;
    if (n < PARTS || rest.ptr != NULL) {
        BUF_ADD_LIT(&v->refusals, "malformed: a token is three parts with dots between them\n");
        return false;
    }
    v->header = object_of(part[0]);
    v->claims = object_of(part[1]);
    if (v->header == NULL)
        BUF_ADD_LIT(&v->refusals, "malformed: its header is no JSON object in base64url\n");
    if (v->claims == NULL)
        BUF_ADD_LIT(&v->refusals, "malformed: its claims are no JSON object in base64url\n");
    return v->header != NULL && v->claims != NULL;
}

static void look_at_header(const struct token_question *q, struct token_verdict *v)
{
    struct span alg = {0};
    bool named = json_get_span(v->header, "alg", &alg);
    if (!named || !span_eq(alg, span_str(alg_names[q->alg])))
        buf_addf(&v->refusals, "algorithm: it says %.*s, the world takes %s (AUTH_JWT_ALG)\n",
                 SPAN_ARG(named ? alg : SPAN("none")), alg_names[q->alg]);
    if (json_object_get(v->header, "crit") != NULL)
        BUF_ADD_LIT(&v->refusals, "malformed: its header has crit, which is not known here\n");
}

static bool is_time(const json_t *at)
{
    return at == NULL || json_is_number(at);
}

/* Of a token whose header is in order. */
static void look_at_signature(const struct token_question *q, const struct token_keys *keys,
                              struct token_verdict *v)
{
    struct token token;
    if (keys == NULL) {
        BUF_ADD_LIT(&v->notes, "its signature was not checked: there is no AUTH_JWT_SECRET here\n");
        return;
    }
    switch (token_read(keys, q->text, q->now_s, &token)) {
    case ERR_OK:
        token_close(&token);
        break;
    case ERR_DENIED:
        if (q->alg == TOKEN_HS256)
            buf_addf(&v->refusals, "signature: by none of the secrets here (%zu)\n",
                     count_keys(q->keys));
        else
            buf_addf(&v->refusals, "signature: not by the private half of this %s key\n",
                     alg_names[q->alg]);
        break;
    case ERR_EXPIRED: /* look_at_times says it */
        break;
    default: /* look_at_times says it, if it is a time */
        if (is_time(json_object_get(v->claims, "exp")) &&
            is_time(json_object_get(v->claims, "nbf")))
            BUF_ADD_LIT(&v->refusals, "malformed: a member that is there twice, a text that is no "
                                      "UTF-8, or a signature that is no base64url\n");
    }
}

static void look_at_time(struct token_verdict *v, const char *name, const json_t *at)
{
    if (!is_time(at))
        buf_addf(&v->refusals, "malformed: %s is no number\n", name);
}

static void look_at_times(const struct token_question *q, struct token_verdict *v)
{
    const json_t *exp = json_object_get(v->claims, "exp"), *nbf = json_object_get(v->claims, "nbf");
    look_at_time(v, "exp", exp);
    look_at_time(v, "nbf", nbf);
    if (exp == NULL)
        BUF_ADD_LIT(&v->notes, "it has no exp: it never expires\n");
    if (json_is_number(exp) && json_number_value(exp) < (double)q->now_s) {
        BUF_ADD_LIT(&v->refusals, "expired: since ");
        token_add_time(&v->refusals, json_number_value(exp), q->now_s);
        buf_add_char(&v->refusals, '\n');
    }
    if (json_is_number(nbf) && json_number_value(nbf) > (double)(q->now_s + NBF_LEEWAY_S)) {
        BUF_ADD_LIT(&v->refusals, "not yet: it counts from ");
        token_add_time(&v->refusals, json_number_value(nbf), q->now_s);
        buf_add_char(&v->refusals, '\n');
    }
}

static void look_at_scope(struct token_verdict *v)
{
    const json_t *scope = json_object_get(v->claims, "scope");
    struct span text = {0};
    bool named = json_get_span(v->claims, "scope", &text);
    if (scope == NULL)
        BUF_ADD_LIT(&v->notes, "it has no scope: that is admin\n");
    else if (!named || (!span_eq(text, SPAN("admin")) && !span_eq(text, SPAN("read"))))
        BUF_ADD_LIT(&v->refusals, "scope: it is neither \"read\" nor \"admin\"\n");
    else if (span_eq(text, SPAN("read")))
        BUF_ADD_LIT(&v->notes, "its scope is read: it changes nothing\n");
}

static void look_at_cover(struct token_verdict *v, const char *claim, struct span name)
{
    const json_t *names = json_object_get(v->claims, claim);
    struct token token = {.claims = v->claims};
    if (names == NULL)
        buf_addf(&v->refusals, "%s: the claim is not there\n", claim);
    else if (!json_is_array(names))
        buf_addf(&v->refusals, "%s: no array of names\n", claim);
    else if (!token_admits(&token, claim, name))
        buf_addf(&v->refusals, "%s: does not cover %.*s\n", claim, SPAN_ARG(name));
}

static void look_at_operator(const struct token_question *q, struct token_verdict *v)
{
    look_at_scope(v);
    look_at_cover(v, "worlds", q->world);
    if (json_object_get(v->claims, "rooms") != NULL)
        BUF_ADD_LIT(&v->refusals,
                    "rooms: a token with this claim lets clients in, and opens nothing here\n");
}

static void look_at_client(const struct token_question *q, struct token_verdict *v)
{
    look_at_cover(v, "rooms", q->room);
    if (json_object_get(v->claims, "worlds") != NULL)
        look_at_cover(v, "worlds", q->world);
}

enum err token_judge(const struct token_question *q, struct token_verdict *out)
{
    struct token_keys *keys = NULL;
    *out = (struct token_verdict){0};
    if (q->keys.len > 0) {
        enum err err = token_keys_new(&keys, q->alg, q->keys);
        if (err != ERR_OK)
            return err;
    }
    if (look_at_form(q, out)) {
        look_at_header(q, out);
        if (out->refusals.len == 0)
            look_at_signature(q, keys, out);
        look_at_times(q, out);
        if (q->room.len > 0)
            look_at_client(q, out);
        else
            look_at_operator(q, out);
    }
    token_keys_free(keys);
    return ERR_OK;
}

void token_verdict_clear(struct token_verdict *v)
{
    json_decref(v->header);
    json_decref(v->claims);
    buf_clear(&v->refusals);
    buf_clear(&v->notes);
    *v = (struct token_verdict){0};
}

enum err token_alg_read(struct span name, enum token_alg *out)
{
    for (size_t i = 0; i < ALG_COUNT; i++) {
        if (span_eq(name, span_str(alg_names[i]))) {
            *out = (enum token_alg)i;
            return ERR_OK;
        }
    }
    return ERR_SYNTAX;
}

const char *token_alg_name(enum token_alg alg)
{
    return alg_names[alg];
}

static void add_distance(struct buf *out, int64_t s)
{
    if (s >= DAY_S)
        buf_addf(out, "%lldd %lldh", (long long)(s / DAY_S), (long long)(s % DAY_S / HOUR_S));
    else if (s >= HOUR_S)
        buf_addf(out, "%lldh %lldm", (long long)(s / HOUR_S), (long long)(s % HOUR_S / MINUTE_S));
    else if (s >= MINUTE_S)
        buf_addf(out, "%lldm %llds", (long long)(s / MINUTE_S), (long long)(s % MINUTE_S));
    else
        buf_addf(out, "%llds", (long long)s);
}

void token_add_time(struct buf *out, double at_s, int64_t now_s)
{
    static const double last_s = 253402300799.0; /* of the year 9999 */
    char text[32] = "";
    struct tm tm;
    if (!(at_s >= 0 && at_s <= last_s)) {
        buf_addf(out, "%.17g", at_s);
        return;
    }
    time_t at = (time_t)at_s;
    if (gmtime_r(&at, &tm) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_addf(out, "%s (%s", text, at >= now_s ? "in " : "");
    add_distance(out, at >= now_s ? at - now_s : now_s - at);
    buf_addf(out, "%s)", at >= now_s ? "" : " ago");
}
