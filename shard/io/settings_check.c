/* What the table's rows cannot say: the form of lists, and settings that need each other. */
#include <string.h>

#include "common/proto/allowed_origins.h"
#include "common/proto/beat.h"
#include "common/proto/hop_sign.h"
#include "common/proto/secret.h"
#include "common/proto/shard_id.h"
#include "shard/io/settings.h"

#define PROCESS "terrane-shard"

/* Both beats and signed hops carry it. */
enum { NODE_ID_MAX = BEAT_NODE_ID_MAX };
_Static_assert((int)HOP_SIGN_ENTRY_MAX >= (int)NODE_ID_MAX, "a hop can name every node");

/* One, or none. */
static bool check_origin(const char *name, const char *text, FILE *err)
{
    if (strchr(text, ',') == NULL)
        return process_check_origins(text, name, PROCESS, err);
    (void)fprintf(err, "terrane-shard: %s: \"%s\" is more than one origin\n", name, text);
    return false;
}

static bool check_world(const struct settings *s, FILE *err)
{
    if (s->world_urls[0] == '\0') {
        (void)fprintf(err, "terrane-shard: WORLD_URLS: at least one world is needed\n");
        return false;
    }
    if (!world_id_is_valid(span_str(s->world_id))) {
        (void)fprintf(err,
                      "terrane-shard: WORLD_ID: \"%s\" is not a world's id such as "
                      "world-default\n",
                      s->world_id);
        return false;
    }
    return process_check_origins(s->world_urls, "WORLD_URLS", PROCESS, err);
}

static bool check_world_ids(const struct settings *s, FILE *err)
{
    struct span rest = span_str(s->world_ids), part;
    while (rest.len > 0 && span_split(&rest, ',', &part)) {
        if (world_id_is_valid(span_trim(part)))
            continue;
        (void)fprintf(err,
                      "terrane-shard: WORLD_IDS: \"%.*s\" is not a world's id such as "
                      "world-default\n",
                      SPAN_ARG(part));
        return false;
    }
    return true;
}

static bool is_printable(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
            return false;
    return true;
}

static bool check_node_id(const struct settings *s, FILE *err)
{
    struct span id = span_str(s->node_id);
    bool plain = span_is_utf8(id);
    for (size_t i = 0; i < id.len; i++)
        plain = plain && (unsigned char)id.ptr[i] >= ' ' && id.ptr[i] != 0x7f;
    if (id.len <= NODE_ID_MAX && plain)
        return true;
    (void)fprintf(
        err, "terrane-shard: NODE_ID: longer than %d bytes, control characters, or not UTF-8\n",
        NODE_ID_MAX);
    return false;
}

static bool check_urls(const struct settings *s, FILE *err)
{
    struct span url = span_str(s->node_url);
    bool is_url = span_starts(url, SPAN("http://")) || span_starts(url, SPAN("https://"));
    if (url.len > 0 && (!is_url || url.len > BEAT_URL_MAX || !is_printable(url))) {
        (void)fprintf(err, "terrane-shard: NODE_URL: \"%s\" is not an http or https URL\n",
                      s->node_url);
        return false;
    }
    return check_origin("INTERNAL_URL", s->internal_url, err);
}

static bool check_allowed(const struct settings *s, FILE *err)
{
    struct span bad;
    if (allowed_origins_check(span_str(s->allowed_origins), &bad) == ERR_OK)
        return true;
    (void)fprintf(err,
                  "terrane-shard: ALLOWED_ORIGINS: \"%.*s\" is not an origin such as "
                  "https://game.example, https://*.game.example or null\n",
                  SPAN_ARG(bad));
    return false;
}

/* It goes into headers. */
static bool check_secret(const struct settings *s, FILE *err)
{
    const struct secrets secrets = {span_str(s->shard_secret)};
    if (secrets_shortest(&secrets) > 0 && is_printable(secrets_first(&secrets)))
        return true;
    (void)fprintf(err, "terrane-shard: SHARD_SECRET: a secret is empty or has characters other "
                       "than printable ASCII without blanks\n");
    return false;
}

static bool needs_keys(const struct settings *s, const struct routes *routes)
{
    const struct route_rule *rule;
    for (size_t i = 0; (rule = routes_at(routes, i)) != NULL; i++) {
        enum route_auth auth = route_rule_auth(rule, settings_auth(s));
        if (auth == ROUTE_AUTH_JWT || auth == ROUTE_AUTH_MESSAGE)
            return true;
    }
    return false;
}

static bool check_keys(const struct settings *s, const struct routes *routes, FILE *err)
{
    struct span text = span_str(s->jwt_secret);
    if (text.len == 0 && !needs_keys(s, routes))
        return true;
    if (text.len == 0) {
        (void)fprintf(err, "terrane-shard: AUTH_JWT_SECRET: needed to verify the tokens that "
                           "CLIENT_AUTH or ROUTES want\n");
        return false;
    }
    return process_check_keys(text, s->jwt_alg, PROCESS, err);
}

static bool check_routes(const struct settings *s, FILE *err)
{
    struct routes *routes;
    struct buf problem = {0};
    bool good = settings_routes(s, &routes, &problem) == ERR_OK;
    if (!good) {
        (void)fprintf(err, "terrane-shard: ROUTES: %.*s\n", SPAN_ARG(buf_span(&problem)));
    } else {
        good = check_keys(s, routes, err);
        routes_free(routes);
    }
    buf_clear(&problem);
    return good;
}

bool settings_check(const void *config, FILE *err)
{
    const struct settings *s = config;
    return check_world(s, err) && check_world_ids(s, err) && check_node_id(s, err) &&
           check_urls(s, err) &&
           process_check_origins(settings_room_servers(s), "ROOM_SERVERS", PROCESS, err) &&
           process_settings_check(&s->common, PROCESS, err) && check_allowed(s, err) &&
           check_secret(s, err) && check_routes(s, err);
}
