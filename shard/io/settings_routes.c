/* ROUTES: where its text is, and what it says together with other settings. */
#include <errno.h>
#include <stdio.h>

#include "shard/io/settings.h"

enum { FILE_MAX = 1024 * 1024 };

static enum err read_file(const char *path, struct buf *out, struct buf *problem)
{
    FILE *file = fopen(path, "re");
    enum err e = ERR_OK;
    if (file == NULL) {
        buf_addf(problem, "%s: %s", path, strerror(errno));
        return ERR_IO;
    }
    out->len = fread(buf_reserve(out, FILE_MAX + 1), 1, FILE_MAX + 1, file);
    if (ferror(file) != 0) {
        buf_addf(problem, "%s: %s", path, strerror(errno));
        e = ERR_IO;
    } else if (out->len > FILE_MAX) {
        buf_addf(problem, "%s: is longer than 1 MiB", path);
        e = ERR_LIMIT;
    }
    (void)fclose(file);
    return e;
}

static bool is_served(const struct route_rule *rule, const struct settings *s)
{
    return rule->mode == ROUTE_MUX || rule->has_shard || rule->servers.count > 0 ||
           settings_room_servers(s)[0] != '\0';
}

static enum err check_servers(const struct routes *routes, const struct settings *s,
                              struct buf *problem)
{
    const struct route_rule *rule;
    for (size_t i = 0; (rule = routes_at(routes, i)) != NULL; i++) {
        if (!rule->has_shard && route_rule_auth(rule, settings_auth(s)) == ROUTE_AUTH_TICKET) {
            buf_addf(problem, "[%zu].auth: tickets are for paths with {shard}", i);
            return ERR_SYNTAX;
        }
        if (is_served(rule, s))
            continue;
        buf_addf(problem, "[%zu].servers: none is named, and there are no ROOM_SERVERS", i);
        return ERR_SYNTAX;
    }
    return ERR_OK;
}

enum err settings_routes(const struct settings *s, struct routes **out, struct buf *problem)
{
    struct buf text = {0};
    struct span json = span_str(s->routes);
    enum err e = ERR_OK;
    *out = NULL;
    buf_reset(problem);
    if (span_starts(json, SPAN("@"))) {
        e = read_file(s->routes + 1, &text, problem);
        json = buf_span(&text);
    }
    if (e == ERR_OK)
        e = routes_parse(out, json, problem);
    if (e == ERR_OK) {
        e = check_servers(*out, s, problem);
        if (e != ERR_OK) {
            routes_free(*out);
            *out = NULL;
        }
    }
    buf_clear(&text);
    return e;
}
