/* The words of the command, and what it says. How records are read and written is the stores'. */
#include "world/io/copy/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "world/core/record.h"

#define PLACES "sqlite:DIR, redis://..., redis+sentinel://..., file:PATH and -"

enum { EXIT_BAD_WORDS = 2, WORDS = 2 };

struct copy_words {
    struct span ends[WORDS];
    size_t count;
    struct span only;
    char wrong[80]; /* of a word that is not known, for a person; no more of it than its name */
    bool replace, help;
};

static const char *const help =
    "usage: terrane-world copy [--world=ID] [--replace] FROM TO\n"
    "\n"
    "Copies the registry of all worlds, or of one. FROM and TO:\n"
    "  sqlite:DIR               the DATA_DIR of a world process that does not run\n"
    "  redis://..., redis+sentinel://...   as REDIS_URL, with REDIS_PREFIX of the environment;\n"
    "                           to be written, no process may decide for the worlds\n"
    "  file:PATH, -             lines of JSON in a file; - is stdin or stdout\n"
    "\n"
    "  --world=ID   this world only\n"
    "  --replace    what TO holds of the worlds that are written goes; without it such a TO is\n"
    "               refused\n"
    "\n"
    "Exit: 0 done, 1 it failed and stderr says why, 2 the words are wrong.\n";

void copy_add(struct batch *out, struct span only, const struct record *r)
{
    if (only.len == 0 || span_eq(only, r->world))
        batch_put(out, r);
}

enum err copy_refuse(struct buf *why, struct span world)
{
    buf_addf(why, "it holds records of world \"%.*s\" already; --replace replaces them",
             SPAN_ARG(world));
    return ERR_EXISTS;
}

static const struct copy_store *find_store(struct span text, struct span *rest)
{
    *rest = text;
    if (span_starts(text, SPAN("redis://")) || span_starts(text, SPAN("rediss://")) ||
        span_starts(text, SPAN("redis+sentinel://")))
        return &copy_redis;
    if (span_starts(text, SPAN("sqlite:")) && text.len > 7) {
        *rest = span_slice(text, 7, text.len);
        return &copy_sqlite;
    }
    if (span_starts(text, SPAN("file:")) && text.len > 5) {
        *rest = span_slice(text, 5, text.len);
        return &copy_lines;
    }
    *rest = (struct span){0};
    return span_eq(text, SPAN("-")) ? &copy_lines : NULL;
}

/* Behind the = may be a secret. */
static bool refuse_option(struct copy_words *w, struct span word)
{
    struct span name = span_slice(word, 0, span_index(word, '='));

    if (span_eq(name, SPAN("--world")))
        (void)snprintf(w->wrong, sizeof(w->wrong), "--world is written --world=ID");
    else
        (void)snprintf(w->wrong, sizeof(w->wrong), "the option %.*s is not known",
                       (int)(name.len < 40 ? name.len : 40), name.ptr);
    return false;
}

static bool refuse_third(struct copy_words *w)
{
    (void)snprintf(w->wrong, sizeof(w->wrong), "there is a word behind FROM and TO");
    return false;
}

static bool read_word(struct copy_words *w, struct span word)
{
    if (span_eq(word, SPAN("--help")))
        return w->help = true;
    if (span_eq(word, SPAN("--replace")))
        return w->replace = true;
    if (span_starts(word, SPAN("--world=")) && word.len > 8) {
        w->only = span_slice(word, 8, word.len);
        return true;
    }
    if (word.len > 1 && word.ptr[0] == '-')
        return refuse_option(w, word);
    if (w->count == WORDS)
        return refuse_third(w);
    w->ends[w->count++] = word;
    return true;
}

/* Secrets of URLs are not repeated. */
static int refuse_words(const char *what)
{
    (void)fprintf(stderr, "terrane-world copy: %s; see terrane-world copy --help\n", what);
    return EXIT_BAD_WORDS;
}

static int failed(const char *where, const struct buf *why)
{
    (void)fprintf(stderr, "terrane-world copy: %s: %.*s\n", where, SPAN_ARG(buf_span(why)));
    return EXIT_FAILURE;
}

static void say_counts(const struct batch *set)
{
    size_t counts[RECORD_COUNT] = {0};

    LIST_EACH (&set->list, it) {
        counts[CONTAINER_OF(it, struct batch_entry, node)->kind]++;
    }
    (void)fprintf(stderr, "copied %zu records:", batch_count(set));
    for (size_t kind = 0; kind < RECORD_COUNT; kind++)
        (void)fprintf(stderr, " %s=%zu", record_kind_names[kind], counts[kind]);
    (void)fputc('\n', stderr);
}

static int run(const struct copy_words *w, const struct copy_store *const stores[WORDS],
               struct copy_end ends[WORDS])
{
    const char *prefix = getenv("REDIS_PREFIX");
    struct batch set;
    struct buf why = {0};
    int status = EXIT_SUCCESS;

    batch_init(&set);
    for (size_t i = 0; i < WORDS; i++) {
        ends[i].only = w->only;
        ends[i].replace = w->replace;
        ends[i].prefix = prefix == NULL || *prefix == '\0' ? SPAN("terrane") : span_str(prefix);
    }
    if (stores[0]->read(&ends[0], &set, &why) != ERR_OK) {
        status = failed("FROM", &why);
    } else if (w->only.len > 0 && batch_count(&set) == 0) {
        buf_addf(&why, "it holds nothing of world \"%.*s\"", SPAN_ARG(w->only));
        status = failed("FROM", &why);
    } else {
        (void)fprintf(stderr, "read %zu records\n", batch_count(&set));
        if (stores[1]->write(&ends[1], &set, &why) != ERR_OK)
            status = failed("TO", &why);
    }
    if (status == EXIT_SUCCESS)
        say_counts(&set);
    batch_clear(&set);
    buf_clear(&why);
    return status;
}

int copy_main(int argc, char **argv)
{
    struct copy_words w = {0};
    struct copy_end ends[WORDS] = {0};
    const struct copy_store *stores[WORDS];

    log_open("terrane-world", LOG_ERROR, LOG_AUTO);
    (void)umask(077); /* registries are nobody else's to read */
    for (int i = 0; i < argc; i++) {
        if (!read_word(&w, span_str(argv[i])))
            return refuse_words(w.wrong);
    }
    if (w.help) {
        (void)fputs(help, stdout);
        return EXIT_SUCCESS;
    }
    if (w.count < WORDS)
        return refuse_words("FROM and TO are needed");
    for (size_t i = 0; i < WORDS; i++) {
        stores[i] = find_store(w.ends[i], &ends[i].text);
        if (stores[i] == NULL)
            return refuse_words(i == 0 ? "FROM is none of " PLACES : "TO is none of " PLACES);
    }
    return run(&w, stores, ends);
}
