/* The sixteen colours that every terminal has. */
#include "world/ctl/paint.h"

struct span paint_on(bool colour, enum paint p)
{
    static const char *const codes[] = {
        [PAINT_PLAIN] = "",        [PAINT_BOLD] = "\033[1m",  [PAINT_DIM] = "\033[2m",
        [PAINT_GOOD] = "\033[32m", [PAINT_WARN] = "\033[33m", [PAINT_BAD] = "\033[1;31m",
    };

    return colour ? span_str(codes[p]) : (struct span){0};
}

struct span paint_off(bool colour, enum paint p)
{
    return colour && p != PAINT_PLAIN ? SPAN("\033[0m") : (struct span){0};
}

enum paint paint_of_state(struct span word)
{
    static const struct {
        const char *word;
        enum paint paint;
    } rows[] = {
        {"active", PAINT_GOOD},   {"alive", PAINT_GOOD},       {"up", PAINT_GOOD},
        {"draining", PAINT_WARN}, {"maintenance", PAINT_WARN}, {"suspect", PAINT_WARN},
        {"expected", PAINT_WARN}, {"leaving", PAINT_WARN},     {"warning", PAINT_WARN},
        {"unknown", PAINT_DIM},   {"full", PAINT_WARN},        {"dead", PAINT_BAD},
        {"down", PAINT_BAD},      {"error", PAINT_BAD},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (span_eq(span_str(rows[i].word), word))
            return rows[i].paint;
    }
    return PAINT_PLAIN;
}
