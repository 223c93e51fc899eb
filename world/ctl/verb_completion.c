/* The table of verbs as a shell reads it, and behind it the file that does. */
#include "world/ctl/verb_completion.h"

#include "world/ctl/print.h"
#include "world/ctl/verbs.h"

static void add_flags(struct buf *out, const struct flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        const char *value = flags->value == NULL ? "" : flags->value;
        buf_addf(out, "--%s:%s ", flags->name, value);
        if (flags->letter != 0)
            buf_addf(out, "-%c:%s ", flags->letter, value);
    }
}

/* An empty field would be none: tabs are blanks to `read`. */
static void add_row(struct buf *out, const char *name, const char *arguments,
                    const struct flag *flags)
{
    buf_addf(out, "%s\t%s\t", name, *arguments == '\0' ? "-" : arguments);
    add_flags(out, flags);
    buf_add_char(out, '\n');
}

enum ended verb_completion(struct ctl *c)
{
    struct buf out = {0};
    const char *shell = args_word(&c->args, 0);

    if (strcmp(shell, "bash") != 0)
        return ctl_problem(ENDED_USAGE, "completion is for bash, not %s", shell);
    BUF_ADD_LIT(&out, "# bash completion of worldctl: eval \"$(worldctl completion bash)\"\n"
                      "_worldctl_table() {\n    cat <<'TABLE'\n");
    add_row(&out, "*", "", args_global);
    for (const struct verb *v = verbs; v->name != NULL; v++)
        add_row(&out, v->name, v->arguments, v->flags);
    BUF_ADD_LIT(&out, "TABLE\n}\n\n");
    buf_add_span(&out, completion_bash);
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}
