/* Owns a room's chat lines. */
#include "deploy/demo/room/demo_chat.h"

#include <stdlib.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "deploy/demo/room/demo.h"

struct demo_line {
    char *name;
    char *text;
};

static void add_line(struct buf *out, uint64_t key, const struct demo_line *l)
{
    buf_add_char(out, '"');
    buf_add_u64(out, key);
    BUF_ADD_LIT(out, "\":{\"name\":");
    json_add_string(out, span_str(l->name));
    BUF_ADD_LIT(out, ",\"text\":");
    json_add_string(out, span_str(l->text));
    buf_add_char(out, '}');
}

static void line_clear(struct demo_line *l)
{
    free(l->name);
    free(l->text);
    *l = (struct demo_line){0};
}

void demo_chat_say(struct demo_chat *c, struct span name, struct span text, struct buf *out)
{
    if (c->lines == NULL)
        c->lines = xcalloc(DEMO_CHAT_LINES, sizeof *c->lines);
    struct demo_line *l = &c->lines[c->said % DEMO_CHAT_LINES];
    line_clear(l);
    l->name = xspandup(name);
    l->text = xspandup(text);
    add_line(out, c->said, l);
    if (c->said >= DEMO_CHAT_LINES) {
        BUF_ADD_LIT(out, ",\"");
        buf_add_u64(out, c->said - DEMO_CHAT_LINES);
        BUF_ADD_LIT(out, "\":\"$delete\"");
    }
    c->said++;
}

void demo_chat_add_all(const struct demo_chat *c, struct buf *out)
{
    uint64_t first = c->said > DEMO_CHAT_LINES ? c->said - DEMO_CHAT_LINES : 0;
    for (uint64_t key = first; key < c->said; key++) {
        if (key != first)
            buf_add_char(out, ',');
        add_line(out, key, &c->lines[key % DEMO_CHAT_LINES]);
    }
}

void demo_chat_clear(struct demo_chat *c)
{
    for (size_t i = 0; c->lines != NULL && i < DEMO_CHAT_LINES; i++)
        line_clear(&c->lines[i]);
    free(c->lines);
    *c = (struct demo_chat){0};
}
