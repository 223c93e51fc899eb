/* A world on one line, and its last hour. */
#include "common/base/json_out.h"
#include "world/core/feed/overview.h"
#include "world/core/manage/manage_verbs.h"

void manage_show_overview(struct manage *m)
{
    struct core *core = m->call->core;

    buf_reset(&core->text);
    overview_add(&core->text, manage_make_world(m), &core->pulse, m->call->now);
    call_answer(m->call, buf_span(&core->text));
}

void manage_show_history(struct manage *m)
{
    enum { LEAST_S = HISTORY_STEP_MS / 1000, MOST_S = HISTORY_STEPS * LEAST_S };
    struct core *core = m->call->core;
    struct histories *all = &core->registry.histories;
    struct json_out o = {.out = &core->text};
    uint64_t seconds = MOST_S;

    if (!manage_query_count(m, "seconds", LEAST_S, MOST_S, &seconds))
        return;
    history_ask(all, manage_make_world(m));
    buf_reset(&core->text);
    history_view(&o, all, m->world, (uint32_t)seconds / LEAST_S);
    call_answer(m->call, buf_span(&core->text));
}
