/* The world that answers, or a node by its world's orders. */
#include "world/ctl/verb_log_level.h"

#include "common/base/config_value.h"
#include "world/ctl/api.h"
#include "world/ctl/text.h"

const struct flag log_level_flags[] = {
    {"node", "NODE", "a node's [the process that answers]", 0},
    {"for", "TIME", "then it is again what the settings say: 90s, 10m [until it ends]", 0},
    {NULL, NULL, NULL, 0},
};

static bool is_level(const char *word)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(levels[i], word) == 0)
            return true;
    return false;
}

/* Appends the body; ENDED_USAGE: it was said why not. */
static enum ended add_body(const struct ctl *c, struct buf *out)
{
    static const struct config_row row = {
        .type = CONFIG_DURATION, .min = 1000, .max = 24LL * 3600 * 1000};
    const char *level = args_word(&c->args, 0), *lasts = args_value(&c->args, "for");
    int64_t ms = 0;

    if (!is_level(level))
        return ctl_problem(ENDED_USAGE, "'%s' is no level: error, warn, info or debug", level);
    if (lasts != NULL && config_value_parse(&row, span_str(lasts), &ms) != ERR_OK)
        return ctl_problem(ENDED_USAGE, "--for %s: a time from 1s to 24h, as 90s or 10m", lasts);
    buf_addf(out, "{\"level\":\"%s\"", level);
    if (lasts != NULL)
        buf_addf(out, ",\"seconds\":%lld", (long long)(ms / 1000));
    buf_add_char(out, '}');
    return ENDED_DONE;
}

static void tell(const struct ctl *c)
{
    const char *node = args_value(&c->args, "node"), *lasts = args_value(&c->args, "for");
    struct buf out = {0};
    text_add(&out, span_str(node != NULL ? node : "the world"));
    (void)printf("%.*s logs %s%s%s\n", SPAN_ARG(buf_span(&out)), args_word(&c->args, 0),
                 lasts != NULL ? " for " : "", lasts != NULL ? lasts : "");
    buf_clear(&out);
}

enum ended verb_log_level(struct ctl *c)
{
    const char *node = args_value(&c->args, "node");
    struct buf body = {0}, path = {0};
    enum ended how = add_body(c, &body);

    if (how == ENDED_DONE && node != NULL) {
        api_path(&path, "/nodes/%/log-level", span_str(node));
        how = api_ask(c, "PUT", buf_span(&path), buf_span(&body), NULL);
    } else if (how == ENDED_DONE) {
        how = api_ask_top(c, "PUT", SPAN("/api/v1/process/log-level"), buf_span(&body), NULL);
    }
    if (how == ENDED_DONE)
        tell(c);
    buf_clear(&body);
    buf_clear(&path);
    return how;
}
