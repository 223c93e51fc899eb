/* What verbs share: whom they ask, and how they say what went wrong. */
#include "world/ctl/ctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "world/ctl/print.h"
#include "world/ctl/text.h"

enum ended ctl_reach_all(struct ctl *c)
{
    struct buf problem = {0};
    const char *why = NULL;
    enum ended how = ENDED_DONE;

    if (c->wire != NULL)
        return ENDED_DONE;
    if (profile_load(&c->profile, &c->args, &problem) != ERR_OK) {
        how = ctl_problem(ENDED_USAGE, "%.*s", SPAN_ARG(buf_span(&problem)));
    } else {
        c->wire = wire_new(&(struct wire_options){.ca = c->profile.ca}, &why);
        if (c->wire == NULL)
            how = ctl_problem(ENDED_USAGE, "--ca %s: %s",
                              c->profile.ca == NULL ? "" : c->profile.ca, why);
    }
    buf_clear(&problem);
    return how;
}

enum ended ctl_reach(struct ctl *c)
{
    enum ended how = ctl_reach_all(c);

    if (how == ENDED_DONE && c->profile.more_urls != NULL)
        return ctl_problem(ENDED_USAGE, "--url must name one world; only doctor takes more");
    return how;
}

static void add_va(struct buf *out, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

static void add_va(struct buf *out, const char *fmt, va_list args)
{
    char *text = NULL;
    int len = vasprintf(&text, fmt, args);

    if (len >= 0)
        text_add(out, span_of(text, (size_t)len));
    free(text);
}

enum ended ctl_problem(enum ended how, const char *fmt, ...)
{
    struct buf out = {0};
    va_list args;

    BUF_ADD_LIT(&out, "worldctl: ");
    va_start(args, fmt);
    add_va(&out, fmt, args);
    va_end(args);
    buf_add_char(&out, '\n');
    (void)fwrite(out.data, 1, out.len, stderr);
    buf_clear(&out);
    return how;
}

static bool read_yes(void)
{
    char line[16];

    return fgets(line, sizeof(line), stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

bool ctl_agrees(const struct ctl *c, const char *fmt, ...)
{
    struct buf out = {0};
    va_list args;

    if (c->yes || isatty(STDIN_FILENO) == 0)
        return true;
    va_start(args, fmt);
    add_va(&out, fmt, args);
    va_end(args);
    (void)fprintf(stderr, "%.*s [y/N] ", SPAN_ARG(buf_span(&out)));
    buf_clear(&out);
    return read_yes();
}

enum ended ctl_disagreed(const struct ctl *c)
{
    if (c->wire != NULL && wire_interrupted(c->wire))
        return ENDED_INTERRUPTED;
    return ctl_problem(ENDED_REFUSED, "nothing was changed");
}

static enum ended say_json(const json_t *doc)
{
    struct buf out = {0};

    if (doc != NULL)
        print_json(&out, doc);
    else
        BUF_ADD_LIT(&out, "{}\n");
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}

enum ended ctl_say(const struct ctl *c, const json_t *doc, const char *fmt, ...)
{
    struct buf out = {0};
    va_list args;

    if (c->json)
        return say_json(doc);
    va_start(args, fmt);
    add_va(&out, fmt, args);
    va_end(args);
    buf_add_char(&out, '\n');
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}

static void pause_over(void *ctx)
{
    wire_stop(ctx);
}

bool ctl_pause(struct ctl *c, int64_t ms)
{
    struct wire_timer timer = {0};
    bool good;

    wire_timer_start(c->wire, &timer, ms, pause_over, c->wire);
    good = wire_run(c->wire);
    wire_timer_clear(&timer);
    return good;
}
