/* The program that lies beside this one, else the one in PATH, takes this one's place: what it says
 * and how it ends is its own. */
#include "world/ctl/verb_config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/mem.h"

static const char *program_of(const char *word)
{
    if (strcmp(word, "world") == 0)
        return "terrane-world";
    return strcmp(word, "shard") == 0 ? "terrane-shard" : NULL;
}

/* Appends the path of the program beside worldctl, with its NUL; false: there is none. */
static bool beside(struct buf *out, const char *program)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self);
    struct span path = span_of(self, len > 0 ? (size_t)len : 0);
    size_t slash = span_rindex(path, '/');
    if (slash >= path.len)
        return false;
    buf_addf(out, "%.*s%s", SPAN_ARG(span_slice(path, 0, slash + 1)), program);
    buf_add_char(out, '\0');
    return access(out->data, X_OK) == 0;
}

static enum ended become(const char *program, char **argv)
{
    struct buf path = {0};
    if (beside(&path, program))
        (void)execv(path.data, argv);
    else
        (void)execvp(program, argv);
    int why = errno;
    buf_clear(&path);
    return ctl_problem(ENDED_USAGE, "%s, beside worldctl or in PATH: %s", program, strerror(why));
}

/* Words: PROCESS, then a file, then flags for it. */
static enum ended hand_over(struct ctl *c, const char *flag)
{
    enum { FIXED = 3 }; /* the program, `flag`, --config=FILE */
    const char *program = program_of(args_word(&c->args, 0)), *file = args_word(&c->args, 1);
    char *argv[ARGS_MAX + FIXED + 1] = {0};
    size_t count = 0, next = 1;
    struct buf config = {0};

    if (program == NULL)
        return ctl_problem(ENDED_USAGE, "config is of a world or a shard, not of %s",
                           args_word(&c->args, 0));
    argv[count++] = xstrdup(program);
    argv[count++] = xstrdup(flag);
    if (file != NULL && file[0] != '-') {
        buf_addf(&config, "--config=%s", file);
        argv[count++] = xspandup(buf_span(&config));
        next++;
    }
    for (; next < c->args.count; next++)
        argv[count++] = xstrdup(args_word(&c->args, next));
    enum ended how = become(program, argv);
    while (count > 0)
        free(argv[--count]);
    buf_clear(&config);
    return how;
}

enum ended verb_config_check(struct ctl *c)
{
    return hand_over(c, "--check-config");
}

enum ended verb_config_print(struct ctl *c)
{
    return hand_over(c, "--print-config");
}
