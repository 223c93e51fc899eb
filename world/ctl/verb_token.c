/* Makes tokens, and says of one what a world would say to it. */
#include "world/ctl/verb_token.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/config_value.h"
#include "common/base/mem.h"
#include "common/proto/token_sign.h"
#include "world/ctl/print.h"
#include "world/ctl/text.h"
#include "world/ctl/token_source.h"
#include "world/ctl/token_verdict.h"

enum { TOKEN_LINE_MAX = 16 * 1024 };

const struct flag token_mint_flags[] = {
    {"scope", "SCOPE", "admin (the default) or read", 0},
    {"worlds", "LIST", "worlds with commas between them, or * [the world that is asked]", 0},
    {"rooms", "LIST", "rooms: a token for clients of private rooms, and nothing else", 0},
    {"sub", "NAME", "who bears it, for logs and rooms", 0},
    {"for", "TIME", "until it expires: 90s, 15m, 1h [1h]", 0},
    {"key", "FILE", "a secret, or a private key in PEM [AUTH_JWT_SECRET, _FILE]", 0},
    {"alg", "ALG", "HS256, RS256 or ES256 [AUTH_JWT_ALG, or what the key is]", 0},
    {NULL, NULL, NULL, 0},
};

const struct flag token_check_flags[] = {
    {"room", "ROOM", "whether it lets a client into this private room", 0},
    {"key", "FILE", "secrets, or a public key in PEM [AUTH_JWT_SECRET, _FILE]", 0},
    {"alg", "ALG", "HS256, RS256 or ES256 [AUTH_JWT_ALG, or what the key is]", 0},
    {NULL, NULL, NULL, 0},
};

/* ---- mint */

static enum err read_seconds(const char *text, int64_t *out, struct buf *problem)
{
    static const struct config_row row = {
        .type = CONFIG_DURATION, .min = 1000, .max = 3650LL * 24 * 3600 * 1000};
    if (config_value_parse(&row, span_str(text), out) != ERR_OK) {
        buf_addf(problem, "--for %s: a time from 1s to 87600h, as 90s, 15m or 1h", text);
        return ERR_SYNTAX;
    }
    *out /= 1000;
    return ERR_OK;
}

static json_t *names_of(struct span list)
{
    json_t *names = json_array();
    struct span name;
    while (span_split(&list, ',', &name)) {
        name = span_trim(name);
        (void)json_array_append_new(names, json_stringn(name.ptr, name.len));
    }
    return names;
}

static bool scope_is_known(const char *scope, struct buf *problem)
{
    if (strcmp(scope, "admin") == 0 || strcmp(scope, "read") == 0)
        return true;
    buf_addf(problem, "--scope is admin or read, not %s", scope);
    return false;
}

/* An operator's token names worlds and a scope, a client's rooms. NULL: `problem` says why. */
static json_t *claims_of(const struct ctl *c, int64_t now_s, struct buf *problem)
{
    const char *rooms = args_value(&c->args, "rooms"), *scope = args_value(&c->args, "scope");
    const char *worlds = args_value(&c->args, "worlds"), *sub = args_value(&c->args, "sub");
    const char *lasts = args_value(&c->args, "for");
    int64_t seconds = 3600;

    if (lasts != NULL && read_seconds(lasts, &seconds, problem) != ERR_OK)
        return NULL;
    if (rooms != NULL && scope != NULL) {
        BUF_ADD_LIT(problem, "--rooms and --scope exclude each other: a token with rooms lets "
                             "clients in, and does nothing else");
        return NULL;
    }
    if (scope != NULL && !scope_is_known(scope, problem))
        return NULL;
    json_t *claims = json_object();
    if (worlds != NULL || rooms == NULL)
        (void)json_object_set_new(claims, "worlds",
                                  names_of(span_str(worlds != NULL ? worlds : c->profile.world)));
    if (rooms != NULL)
        (void)json_object_set_new(claims, "rooms", names_of(span_str(rooms)));
    else
        (void)json_object_set_new(claims, "scope", json_string(scope != NULL ? scope : "admin"));
    if (sub != NULL)
        (void)json_object_set_new(claims, "sub", json_string(sub));
    (void)json_object_set_new(claims, "iat", json_integer(now_s));
    (void)json_object_set_new(claims, "exp", json_integer(now_s + seconds));
    return claims;
}

static enum ended print_token(const struct ctl *c, const struct buf *token, const json_t *claims)
{
    struct buf out = {0};
    if (c->json) {
        json_t *doc = json_pack("{s:s%,s:O}", "token", token->data, token->len, "claims", claims);
        print_json(&out, doc);
        json_decref(doc);
    } else {
        buf_addf(&out, "%.*s\n", SPAN_ARG(buf_span(token)));
    }
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}

static enum ended mint(struct ctl *c, const struct token_source *s, struct buf *problem)
{
    json_t *claims = claims_of(c, clock_wall_ms() / 1000, problem);
    char *text = json_dumps(claims, JSON_COMPACT);
    struct buf token = {0};
    enum ended how = ENDED_USAGE;

    if (claims != NULL) {
        if (token_sign(&token, s->alg, token_source_signer(s), span_str(text)) == ERR_OK)
            how = print_token(c, &token, claims);
        else
            buf_addf(problem, "no %s key to sign with: --key FILE or AUTH_JWT_SECRET",
                     token_alg_name(s->alg));
    }
    json_decref(claims);
    free(text);
    buf_clear(&token);
    return how;
}

/* The world of flags, environment or file; no token is needed. */
static enum ended with_source(struct ctl *c,
                              enum ended (*fn)(struct ctl *c, const struct token_source *s,
                                               struct buf *problem))
{
    struct buf problem = {0};
    struct token_source s = {0};
    enum ended how = ENDED_USAGE;

    if (token_source_read(&s, &c->args, &problem) == ERR_OK &&
        profile_load(&c->profile, &c->args, &problem) == ERR_OK)
        how = fn(c, &s, &problem);
    if (problem.len > 0)
        (void)ctl_problem(how, "%.*s", SPAN_ARG(buf_span(&problem)));
    token_source_clear(&s);
    buf_clear(&problem);
    return how;
}

enum ended verb_token_mint(struct ctl *c)
{
    return with_source(c, mint);
}

/* ---- check */

/* A token in the command line can be seen by others: `-` reads it from stdin. */
static void read_token(const char *word, struct buf *out)
{
    char *line = xcalloc(1, TOKEN_LINE_MAX);
    if (strcmp(word, "-") != 0)
        buf_add_span(out, span_trim(span_str(word)));
    else if (fgets(line, TOKEN_LINE_MAX, stdin) != NULL)
        buf_add_span(out, span_trim(span_str(line)));
    free(line);
}

static void add_claim(struct buf *out, const char *name, const json_t *value, int64_t now_s)
{
    struct buf text = {0};
    bool is_time = strcmp(name, "exp") == 0 || strcmp(name, "nbf") == 0 || strcmp(name, "iat") == 0;
    char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    if (is_time && json_is_number(value))
        token_add_time(&text, json_number_value(value), now_s);
    else
        buf_add_span(&text, span_str(json));
    text_add(out, span_str(name));
    BUF_ADD_LIT(out, ": ");
    text_add(out, buf_span(&text));
    buf_add_char(out, '\n');
    free(json);
    buf_clear(&text);
}

static void add_lines(struct buf *out, const char *word, const struct buf *lines)
{
    struct span rest = buf_span(lines), line;
    while (span_split(&rest, '\n', &line)) {
        if (line.len == 0)
            continue;
        buf_addf(out, "%s: ", word);
        text_add(out, line);
        buf_add_char(out, '\n');
    }
}

static void add_verdict(struct buf *out, const struct token_verdict *v, int64_t now_s)
{
    const char *name;
    json_t *value;
    json_object_foreach(v->header, name, value)
    {
        add_claim(out, name, value, now_s);
    }
    json_object_foreach(v->claims, name, value)
    {
        add_claim(out, name, value, now_s);
    }
    add_lines(out, "note", &v->notes);
    add_lines(out, "refused", &v->refusals);
    if (v->refusals.len == 0)
        BUF_ADD_LIT(out, "accepted\n");
}

static json_t *lines_as_json(const struct buf *lines)
{
    struct span rest = buf_span(lines), line;
    json_t *all = json_array();
    while (span_split(&rest, '\n', &line))
        if (line.len > 0)
            (void)json_array_append_new(all, json_stringn(line.ptr, line.len));
    return all;
}

static void add_verdict_json(struct buf *out, const struct token_verdict *v)
{
    json_t *doc = json_pack("{s:b,s:o,s:o,s:O?,s:O?}", "accepted", v->refusals.len == 0, "refusals",
                            lines_as_json(&v->refusals), "notes", lines_as_json(&v->notes),
                            "header", v->header, "claims", v->claims);
    print_json(out, doc);
    json_decref(doc);
}

static enum ended check(struct ctl *c, const struct token_source *s, struct buf *problem)
{
    struct buf text = {0}, out = {0};
    struct token_verdict v;
    read_token(args_word(&c->args, 0), &text);
    struct token_question q = {.text = buf_span(&text),
                               .keys = buf_span(&s->keys),
                               .alg = s->alg,
                               .world = span_str(c->profile.world),
                               .room = span_str(args_value(&c->args, "room")),
                               .now_s = clock_wall_ms() / 1000};
    enum ended how = ENDED_USAGE;

    if (token_judge(&q, &v) != ERR_OK) {
        buf_addf(problem, "no %s key to read with: --key FILE or AUTH_JWT_SECRET",
                 token_alg_name(s->alg));
    } else {
        if (c->json)
            add_verdict_json(&out, &v);
        else
            add_verdict(&out, &v, q.now_s);
        how = print_flush(&out) && v.refusals.len == 0 ? ENDED_DONE : ENDED_DENIED;
        if (how == ENDED_DENIED)
            buf_addf(problem, "%s would refuse this token", c->profile.world);
    }
    token_verdict_clear(&v);
    buf_clear(&text);
    return how;
}

enum ended verb_token_check(struct ctl *c)
{
    return with_source(c, check);
}
