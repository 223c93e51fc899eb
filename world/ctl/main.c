/* worldctl: the registry of a world, and its cluster, from the command line. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/version.h"
#include "world/ctl/help.h"
#include "world/ctl/print.h"

static enum ended usage(const struct args *a, struct buf *problem)
{
    struct span text = buf_span(problem);
    const char *verb = a->verb == NULL ? "" : a->verb->name;

    (void)ctl_problem(ENDED_USAGE, "%s%s%.*s; see worldctl %s%s--help", verb,
                      *verb == '\0' ? "" : ": ", SPAN_ARG(text), verb, *verb == '\0' ? "" : " ");
    return ENDED_USAGE;
}

static enum ended help(const struct args *a)
{
    struct buf out = {0};

    if (a->verb != NULL && a->group == NULL)
        help_verb(&out, a->verb);
    else
        help_all(&out, a->group);
    return print_flush(&out) ? ENDED_DONE : ENDED_REFUSED;
}

static enum err read_output(struct ctl *c, struct buf *problem)
{
    const char *form = args_value(&c->args, "output");

    c->json = form != NULL && strcmp(form, "json") == 0;
    if (form == NULL || c->json || strcmp(form, "table") == 0)
        return ERR_OK;
    buf_addf(problem, "--output is table or json, not %s", form);
    return ERR_SYNTAX;
}

static void read_looks(struct ctl *c)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    c->quiet = args_has(&c->args, "quiet");
    c->yes = args_has(&c->args, "yes");
    c->screen = isatty(STDOUT_FILENO) != 0;
    c->colour = c->screen && !args_has(&c->args, "no-color") &&
                (no_color == NULL || *no_color == '\0') &&
                (term == NULL || strcmp(term, "dumb") != 0);
}

static enum ended run(struct ctl *c, int argc, char **argv, struct buf *problem)
{
    const struct args *a = &c->args;

    if (args_read(&c->args, argc, argv, problem) != ERR_OK)
        return usage(a, problem);
    if (args_has(a, "version")) {
        (void)printf("worldctl %s\n", TERRANE_VERSION);
        return ENDED_DONE;
    }
    if (args_has(a, "help"))
        return help(a);
    if (a->verb == NULL) {
        BUF_ADD_LIT(problem, "a verb is missing");
        return usage(a, problem);
    }
    if (args_count(a, problem) != ERR_OK || read_output(c, problem) != ERR_OK)
        return usage(a, problem);
    read_looks(c);
    return a->verb->run(c);
}

/* A connection that came by the number of stdout would get what is printed. What is opened the
 * wrong way round fails as a closed descriptor does. */
static void hold_closed_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY); /* the lowest: fd */
}

int main(int argc, char **argv)
{
    struct ctl c = {0};
    struct buf problem = {0};
    enum ended how;

    hold_closed_descriptors();
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* what ncurses writes */
    how = run(&c, argc, argv, &problem);
    wire_free(c.wire);
    profile_clear(&c.profile);
    buf_clear(&problem);
    return (int)how;
}
