/* One pass: global flags are known before the verb is, the verb's only behind it. */
#include "world/ctl/args.h"

#include "world/ctl/verbs.h"

const struct flag args_global[] = {
    {"url", "URL", "a world's address [TERRANE_URL, http://127.0.0.1:3002]", 0},
    {"world", "ID", "which world [TERRANE_WORLD, world-default]", 0},
    {"token", "T", "an operator's token [TERRANE_TOKEN]", 0},
    {"token-file", "FILE", "a file that holds it [TERRANE_TOKEN_FILE]", 0},
    {"ca", "FILE", "certificates to trust, in the place of the system's", 0},
    {"output", "FORM", "table or json", 'o'},
    {"quiet", NULL, "names only, one a line", 'q'},
    {"yes", NULL, "do not ask", 'y'},
    {"no-color", NULL, "no colours on a terminal [NO_COLOR]", 0},
    {"help", NULL, "this", 'h'},
    {"version", NULL, "the version", 0},
    {NULL, NULL, NULL, 0},
};

static const struct flag *find(const struct flag *flags, struct span name, char letter)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        if (letter != 0 ? flags->letter == letter : span_eq(span_str(flags->name), name))
            return flags;
    }
    return NULL;
}

static const struct flag *find_any(const struct args *a, struct span name, char letter)
{
    const struct flag *own = find(a->verb == NULL ? NULL : a->verb->flags, name, letter);

    return own != NULL ? own : find(args_global, name, letter);
}

static enum err keep(struct args *a, const struct flag *flag, const char *value,
                     struct buf *problem)
{
    if (a->given_count == ARGS_FLAGS_MAX) {
        BUF_ADD_LIT(problem, "too many flags");
        return ERR_SYNTAX;
    }
    a->given[a->given_count].flag = flag;
    a->given[a->given_count++].value = value;
    return ERR_OK;
}

struct cursor {
    int at, argc;
    char **argv;
};

/* `attached`: the value behind `=` or the letter; NULL: none. */
static enum err read_flag(struct args *a, struct cursor *c, const struct flag *flag,
                          const char *attached, struct buf *problem)
{
    const char *given = c->argv[c->at];

    if (flag == NULL) {
        buf_addf(problem, "unknown flag %s", given);
        return ERR_SYNTAX;
    }
    if (flag->value == NULL && attached != NULL) {
        buf_addf(problem, "--%s takes no value", flag->name);
        return ERR_SYNTAX;
    }
    if (flag->value != NULL && attached == NULL) {
        if (++c->at == c->argc) {
            buf_addf(problem, "--%s needs a value: %s", flag->name, flag->value);
            return ERR_SYNTAX;
        }
        attached = c->argv[c->at];
    }
    return keep(a, flag, attached, problem);
}

static enum err read_long(struct args *a, struct cursor *c, struct buf *problem)
{
    struct span text = span_str(c->argv[c->at] + 2);
    struct span name = span_slice(text, 0, span_index(text, '='));
    const char *value = name.len < text.len ? text.ptr + name.len + 1 : NULL;

    return read_flag(a, c, find_any(a, name, 0), value, problem);
}

static enum err read_short(struct args *a, struct cursor *c, struct buf *problem)
{
    const char *text = c->argv[c->at] + 1;

    return read_flag(a, c, find_any(a, (struct span){0}, text[0]),
                     text[1] == '\0' ? NULL : text + 1, problem);
}

/* The first word or two are the verb. */
static enum err read_word(struct args *a, struct cursor *c, struct buf *problem)
{
    const char *word = c->argv[c->at], *next = c->at + 1 < c->argc ? c->argv[c->at + 1] : NULL;

    if (a->verb == NULL) {
        a->verb = verbs_find(word, next);
        if (a->verb != NULL) {
            c->at++;
            return ERR_OK;
        }
        a->verb = verbs_find(word, NULL);
        if (a->verb != NULL)
            return ERR_OK;
        a->group = verbs_group(word);
        if (a->group != NULL && (next == NULL || next[0] == '-')) {
            a->verb = verbs_find(word, "list");
            return ERR_OK;
        }
        buf_addf(problem, "unknown verb %s%s%s", word, a->group != NULL ? " " : "",
                 a->group != NULL ? next : "");
        return ERR_SYNTAX;
    }
    if (a->count == ARGS_MAX) {
        BUF_ADD_LIT(problem, "too many arguments");
        return ERR_SYNTAX;
    }
    a->words[a->count++] = word;
    return ERR_OK;
}

enum err args_read(struct args *a, int argc, char **argv, struct buf *problem)
{
    struct cursor c = {.at = 1, .argc = argc, .argv = argv};
    bool flags = true;
    enum err e = ERR_OK;

    *a = (struct args){0};
    for (; c.at < argc && e == ERR_OK; c.at++) {
        struct span text = span_str(argv[c.at]);
        if (flags && span_eq(text, SPAN("--")))
            flags = false;
        else if (flags && span_starts(text, SPAN("--")))
            e = read_long(a, &c, problem);
        else if (flags && text.len > 1 && text.ptr[0] == '-')
            e = read_short(a, &c, problem);
        else
            e = read_word(a, &c, problem);
    }
    return e;
}

enum err args_count(const struct args *a, struct buf *problem)
{
    struct span rest = span_str(a->verb->arguments), part;
    size_t least = 0, most = 0;

    while (rest.len > 0 && span_split(&rest, ' ', &part)) {
        if (part.ptr[0] != '[')
            least++;
        most = span_ends(part, SPAN("...")) || span_ends(part, SPAN("...]")) ? ARGS_MAX : most + 1;
    }
    if (a->count >= least && a->count <= most)
        return ERR_OK;
    if (most == 0)
        BUF_ADD_LIT(problem, "takes no arguments");
    else
        buf_addf(problem, "takes %s", a->verb->arguments);
    return ERR_SYNTAX;
}

static size_t given_at(const struct args *a, const char *name)
{
    size_t at = a->given_count;

    while (at > 0 && strcmp(a->given[at - 1].flag->name, name) != 0)
        at--;
    return at;
}

bool args_has(const struct args *a, const char *name)
{
    return given_at(a, name) > 0;
}

const char *args_value(const struct args *a, const char *name)
{
    size_t at = given_at(a, name);

    return at == 0 ? NULL : a->given[at - 1].value;
}

const char *args_word(const struct args *a, size_t n)
{
    return n < a->count ? a->words[n] : NULL;
}
