/* Two columns: what is said, and what it does. */
#include "world/ctl/help.h"

enum { COLUMN = 44 };

static void add_row(struct buf *out, struct span left, const char *right)
{
    buf_addf(out, "  %-*.*s %s\n", COLUMN, SPAN_ARG(left), right);
}

static void add_flags(struct buf *out, const struct flag *flags)
{
    struct buf left = {0};

    for (; flags != NULL && flags->name != NULL; flags++) {
        buf_reset(&left);
        if (flags->letter != 0)
            buf_addf(&left, "-%c, ", flags->letter);
        buf_addf(&left, "--%s%s%s", flags->name, flags->value == NULL ? "" : " ",
                 flags->value == NULL ? "" : flags->value);
        add_row(out, buf_span(&left), flags->help);
    }
    buf_clear(&left);
}

static bool begins_with(const struct verb *v, const char *group)
{
    size_t len = group == NULL ? 0 : strlen(group);

    return group == NULL || (strncmp(v->name, group, len) == 0 && v->name[len] == ' ');
}

void help_all(struct buf *out, const char *group)
{
    struct buf left = {0};

    BUF_ADD_LIT(out, "usage: worldctl [FLAG]... VERB [ARGUMENT]...\n\n");
    for (const struct verb *v = verbs; v->name != NULL; v++) {
        if (!begins_with(v, group))
            continue;
        buf_reset(&left);
        buf_addf(&left, "%s %s", v->name, v->arguments);
        add_row(out, span_trim(buf_span(&left)), v->summary);
    }
    BUF_ADD_LIT(out, "\nFlags of all verbs:\n");
    add_flags(out, args_global);
    BUF_ADD_LIT(out,
                "\nworldctl VERB --help says more. Exit status: 0 done, 1 refused, 2 usage or a "
                "broken\nfile, 3 not permitted, 4 not reached, 5 no such thing, 6 not done in "
                "time.\n");
    buf_clear(&left);
}

void help_verb(struct buf *out, const struct verb *v)
{
    buf_addf(out, "usage: worldctl %s%s%s%s\n\n%s.\n", v->name, *v->arguments == '\0' ? "" : " ",
             v->arguments, v->flags == NULL ? "" : " [FLAG]...", v->summary);
    if (v->more != NULL)
        buf_addf(out, "%s\n", v->more);
    if (v->flags != NULL) {
        BUF_ADD_LIT(out, "\nFlags:\n");
        add_flags(out, v->flags);
    }
    BUF_ADD_LIT(out, "\nFlags of all verbs:\n");
    add_flags(out, args_global);
}
