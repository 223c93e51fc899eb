/* The bar is on stderr, lines are on stdout. */
#include "world/ctl/progress.h"

enum { WIDTH = 24 };

static void draw(const struct progress *p, int64_t left, int64_t ms)
{
    int64_t done = p->from == 0 ? WIDTH : (p->from - left) * WIDTH / p->from;
    char bar[WIDTH + 1];

    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < done ? '#' : '.';
    bar[WIDTH] = '\0';
    (void)fprintf(stderr, "\r\033[K[%s] %s left: %lld of %lld, %lld s", bar, p->unit,
                  (long long)left, (long long)p->from, (long long)(ms / 1000));
    (void)fflush(stderr);
}

void progress_tell(struct progress *p, int64_t left, int64_t ms)
{
    bool changed = !p->told || left != p->last;

    if (left > p->from)
        p->from = left;
    p->told = true;
    p->last = left;
    if (p->c->json)
        return;
    if (p->c->screen) {
        draw(p, left, ms);
        p->on_line = true;
    } else if (changed) {
        (void)printf("%s left: %lld\n", p->unit, (long long)left);
        (void)fflush(stdout);
    }
}

void progress_end(struct progress *p)
{
    if (p->on_line)
        (void)fprintf(stderr, "\r\033[K");
    p->on_line = false;
}
