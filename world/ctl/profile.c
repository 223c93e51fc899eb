/* Four texts, each from the strongest source that has it. */
#include "world/ctl/profile.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/proto/token_sign.h"
#include "common/proto/url.h"
#include "world/ctl/token_source.h"

enum { FILE_MAX = 65536, TOKEN_MAX = 16384, MINTED_SECONDS = 60, EARLY_SECONDS = 5 };

struct loading {
    struct profile *p;
    const struct args *args;
    json_t *file;     /* NULL: none */
    struct buf where; /* its path, with a NUL behind it */
    struct buf *problem;
};

/* NULL: not set, or empty. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value == NULL || *value == '\0' ? NULL : value;
}

static const char *from_file(const struct loading *l, const char *key)
{
    return json_string_value(json_object_get(l->file, key));
}

/* The path as one that is relative to the folder of the file that names it. */
static char *beside(const struct loading *l, const char *path)
{
    struct span where = span_of(l->where.data, l->where.len);
    struct buf out = {0};

    if (*path != '/')
        buf_add_span(&out, span_slice(where, 0, span_rindex(where, '/') + 1));
    buf_add_span(&out, span_str(path));
    buf_add_char(&out, '\0');
    return out.data;
}

/* ---- the file */

static bool check_member(struct loading *l, const char *key, const json_t *value)
{
    static const char *const known[] = {"url", "world", "token", "tokenFile", "ca"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i], key) != 0)
            continue;
        if (json_is_string(value))
            return true;
        buf_addf(l->problem, "%s: %s must be a text", l->where.data, key);
        return false;
    }
    buf_addf(l->problem, "%s: unknown member %s; url, world, token, tokenFile and ca are known",
             l->where.data, key);
    return false;
}

static bool check_file(struct loading *l)
{
    const char *key;
    json_t *value;

    if (!json_is_object(l->file)) {
        buf_addf(l->problem, "%s: it is no JSON object", l->where.data);
        return false;
    }
    json_object_foreach(l->file, key, value)
    {
        if (!check_member(l, key, value))
            return false;
    }
    return true;
}

static bool read_file(struct loading *l)
{
    const char *named = environment("WORLDCTL_CONFIG"), *home = environment("HOME");
    struct buf text = {0};
    enum err e;

    if (named == NULL && home == NULL)
        return true;
    buf_addf(&l->where, "%s%s", named != NULL ? named : home,
             named != NULL ? "" : "/.config/terrane/worldctl.json");
    buf_add_char(&l->where, '\0');
    l->where.len--;
    e = file_read(l->where.data, FILE_MAX, &text);
    if (e == ERR_OK)
        l->file = json_decode(buf_span(&text));
    buf_clear(&text);
    if (e != ERR_OK && named == NULL && errno == ENOENT)
        return true;
    if (e != ERR_OK) {
        buf_addf(l->problem, "%s: %s", l->where.data,
                 e == ERR_LIMIT ? "too long" : strerror(errno));
        return false;
    }
    return check_file(l);
}

/* ---- values */

/* flag, environment, file; NULL: none of them. */
static const char *strongest(const struct loading *l, const char *flag, const char *variable,
                             const char *key)
{
    const char *value = args_value(l->args, flag);

    if (value == NULL && variable != NULL)
        value = environment(variable);
    return value != NULL ? value : from_file(l, key);
}

static bool add_url(const struct loading *l, struct span text, struct buf *out)
{
    struct url_origin origin;

    if (url_origin_parse(text, &origin) != ERR_OK) {
        buf_addf(l->problem, "'%.*s' is no URL of a world: http://host:port or https://host:port",
                 SPAN_ARG(text));
        return false;
    }
    url_origin_add(out, &origin);
    url_origin_clear(&origin);
    return true;
}

static bool read_url(struct loading *l)
{
    const char *text = strongest(l, "url", "TERRANE_URL", "url");
    struct span rest = span_str(text == NULL ? "http://127.0.0.1:3002" : text), each;
    struct buf first = {0}, more = {0};
    bool good = span_split(&rest, ',', &each) && add_url(l, span_trim(each), &first);

    while (good && span_split(&rest, ',', &each)) {
        good = add_url(l, span_trim(each), &more);
        buf_add_char(&more, ',');
    }
    buf_add_char(&first, '\0');
    l->p->url = first.data;
    if (more.len > 0)
        l->p->more_urls = xspandup(buf_span(&more));
    buf_clear(&more);
    return good;
}

static bool is_world(struct span name)
{
    bool good = span_starts(name, SPAN("world-")) && name.len > 6;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        good = good && ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z') || c == '_' || c == '-');
    }
    return good;
}

static bool read_world(struct loading *l)
{
    const char *name = strongest(l, "world", "TERRANE_WORLD", "world");

    if (name == NULL)
        name = "world-default";
    if (!is_world(span_str(name))) {
        buf_addf(l->problem, "'%s' is no name of a world: world- and letters, digits, _ or -",
                 name);
        return false;
    }
    l->p->world = xstrdup(name);
    return true;
}

/* ---- the token */

static bool set_token(struct loading *l, struct span text, const char *from)
{
    bool good = text.len > 0 && text.len <= TOKEN_MAX;

    for (size_t i = 0; i < text.len; i++)
        good = good && text.ptr[i] > ' ' && text.ptr[i] <= '~';
    l->p->token_from = span_str(from);
    if (good) {
        free(l->p->token);
        l->p->token = xspandup(text);
    } else
        buf_addf(l->problem, "%s holds no token", from);
    return good;
}

static bool read_small(struct loading *l, const char *path, struct buf *out)
{
    enum err e = file_read(path, FILE_MAX, out);

    if (e != ERR_OK)
        buf_addf(l->problem, "%s: %s", path, e == ERR_LIMIT ? "too long" : strerror(errno));
    return e == ERR_OK;
}

static bool token_from_path(struct loading *l, const char *path, const char *from)
{
    struct buf text = {0};
    bool good = read_small(l, path, &text) && set_token(l, span_trim(buf_span(&text)), from);

    buf_clear(&text);
    return good;
}

static bool mint(struct loading *l, const struct token_source *source)
{
    int64_t now = clock_wall_ms() / 1000;
    struct buf claims = {0}, out = {0};
    bool good = true;

    buf_addf(&claims, "{\"worlds\":[\"*\"],\"sub\":\"worldctl\",\"nbf\":%lld,\"exp\":%lld}",
             (long long)(now - EARLY_SECONDS), (long long)(now + MINTED_SECONDS));
    if (token_sign(&out, source->alg, token_source_signer(source), buf_span(&claims)) == ERR_OK)
        good = set_token(l, buf_span(&out), "AUTH_JWT_SECRET");
    l->p->minted_s = now;
    buf_clear(&claims);
    buf_clear(&out);
    return good;
}

/* Without anything that signs, such as a public key, there is no token. */
static bool mint_from_environment(struct loading *l)
{
    struct token_source source;
    bool good = token_source_read(&source, l->args, l->problem) == ERR_OK &&
                (source.keys.len == 0 || mint(l, &source));

    token_source_clear(&source);
    return good;
}

static bool token_from_file(struct loading *l)
{
    const char *path = from_file(l, "tokenFile");
    char *whole;
    bool good;

    if (from_file(l, "token") != NULL)
        return set_token(l, span_str(from_file(l, "token")), "the member token of the file");
    whole = beside(l, path);
    good = token_from_path(l, whole, "the file that tokenFile names");
    free(whole);
    return good;
}

static bool read_token(struct loading *l)
{
    const char *value;

    if ((value = args_value(l->args, "token")) != NULL)
        return set_token(l, span_str(value), "--token");
    if ((value = args_value(l->args, "token-file")) != NULL)
        return token_from_path(l, value, "the file of --token-file");
    if ((value = environment("TERRANE_TOKEN")) != NULL)
        return set_token(l, span_str(value), "TERRANE_TOKEN");
    if ((value = environment("TERRANE_TOKEN_FILE")) != NULL)
        return token_from_path(l, value, "the file of TERRANE_TOKEN_FILE");
    if (from_file(l, "token") != NULL || from_file(l, "tokenFile") != NULL)
        return token_from_file(l);
    return mint_from_environment(l);
}

static void read_ca(struct loading *l)
{
    const char *given = args_value(l->args, "ca"), *named = from_file(l, "ca");

    if (given != NULL)
        l->p->ca = xstrdup(given);
    else if (named != NULL)
        l->p->ca = beside(l, named);
}

enum err profile_load(struct profile *p, const struct args *args, struct buf *problem)
{
    struct loading l = {.p = p, .args = args, .problem = problem};
    bool good;

    *p = (struct profile){0};
    good = read_file(&l) && read_url(&l) && read_world(&l) && read_token(&l);
    if (good)
        read_ca(&l);
    json_decref(l.file);
    buf_clear(&l.where);
    return good ? ERR_OK : ERR_SYNTAX;
}

void profile_renew(struct profile *p, const struct args *args)
{
    struct buf problem = {0};
    struct loading l = {.p = p, .args = args, .problem = &problem};

    if (p->minted_s > 0 && clock_wall_ms() / 1000 - p->minted_s >= MINTED_SECONDS / 2)
        (void)mint_from_environment(&l); /* what has gone since is told by the world's answer */
    buf_clear(&problem);
}

void profile_clear(struct profile *p)
{
    free(p->url);
    free(p->more_urls);
    free(p->world);
    free(p->token);
    free(p->ca);
    *p = (struct profile){0};
}
