/* How much this process and nodes log, for a while. */
#include "common/base/log.h"
#include "world/core/manage/manage_body.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/nodes/nodes.h"

enum { SECONDS_MAX = 366 * 24 * 3600, MS = 1000 };

/* What is asked for; *seconds 0: without end. False: the request has been answered. */
static bool read_wish(struct manage *m, unsigned *level, uint64_t *seconds)
{
    const struct field fields[] = {
        {"level", FIELD_CHOICE, .required = true, .options = log_level_names, .out = level},
        {"seconds", FIELD_COUNT, .min = 1, .max = SECONDS_MAX, .out = seconds},
    };
    json_t *doc = NULL;
    bool good = manage_body_read(m->call, fields, sizeof(fields) / sizeof(*fields), &doc);

    json_decref(doc);
    return good;
}

static int64_t end_of(uint64_t seconds, struct moment now)
{
    return seconds == 0 ? 0 : now.mono_ms + (int64_t)seconds * MS;
}

void manage_set_log_level(struct manage *m)
{
    struct json_out o = {.out = &m->call->core->text};
    unsigned level = LOG_INFO;
    uint64_t seconds = 0;

    if (!token_covers(&m->token, SPAN("*"))) {
        call_refuse(m->call, REFUSAL_DENIED, SPAN("Not permitted"));
        return;
    }
    if (!read_wish(m, &level, &seconds))
        return;
    log_override((enum log_level)level, end_of(seconds, m->call->now));
    buf_reset(&m->call->core->text);
    json_out_open(&o, NULL, '{');
    json_out_text(&o, "logLevel", span_str(log_level_names[log_least()]));
    json_out_close(&o, '}');
    call_answer(m->call, buf_span(&m->call->core->text));
}

void manage_set_node_log_level(struct manage *m)
{
    struct node *n = manage_node(m, m->args[0]);
    unsigned level = LOG_INFO;
    uint64_t seconds = 0;

    if (n == NULL || !read_wish(m, &level, &seconds))
        return;
    n->log = (struct order_log){
        .id = m->call->now.wall_ms > n->log.id ? m->call->now.wall_ms : n->log.id + 1,
        .level = level,
    };
    n->log_until_ms = end_of(seconds, m->call->now);
    manage_answer_node(m, n);
}
