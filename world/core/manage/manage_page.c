/* Cursors: "{epoch}-{serial}". Serials start anew with each process that decides for the world, so
 * a cursor of another epoch is told from one of ours. */
#include "world/core/manage/manage_page.h"

static int64_t epoch_of(const struct manage *m)
{
    return m->world != NULL ? m->world->epoch : m->call->core->registry.epoch;
}

static bool read_cursor(struct page *p, struct span text)
{
    struct span epoch = span_slice(text, 0, span_index(text, '-'));
    uint64_t n;

    return span_to_u64(epoch, &n) == ERR_OK && n == (uint64_t)epoch_of(p->m) &&
           span_to_u64(span_slice(text, epoch.len + 1, text.len), &p->after) == ERR_OK;
}

bool page_begin(struct page *p, struct manage *m)
{
    struct buf text = {0};
    bool good;

    *p = (struct page){.m = m, .limit = PAGE_LIMIT};
    if (!manage_query_count(m, "limit", 1, PAGE_LIMIT_MAX, &p->limit))
        return false;
    good = !manage_query_text(m, "after", &text) || read_cursor(p, buf_span(&text));
    buf_clear(&text);
    if (!good) {
        call_refuse(m->call, REFUSAL_QUERY,
                    SPAN("Query parameter after is no cursor of this world: begin anew"));
        return false;
    }
    (void)manage_query_text(m, "q", &p->wanted);
    p->out.out = &p->text;
    json_out_open(&p->out, NULL, '{');
    json_out_open(&p->out, "items", '[');
    return true;
}

bool page_takes(struct page *p, uint64_t serial, struct span name)
{
    if (serial <= p->after || !span_ihas(name, buf_span(&p->wanted)))
        return false;
    p->full = p->count == p->limit;
    if (p->full)
        return false;
    p->count++;
    p->last = serial;
    return true;
}

void page_end(struct page *p)
{
    struct buf cursor = {0};

    json_out_close(&p->out, ']');
    buf_addf(&cursor, "%lld-%llu", (long long)epoch_of(p->m), (unsigned long long)p->last);
    if (p->full)
        json_out_text(&p->out, "next", buf_span(&cursor));
    else
        json_out_null(&p->out, "next");
    buf_clear(&cursor);
}

void page_send(struct page *p)
{
    json_out_close(&p->out, '}');
    call_answer(p->m->call, buf_span(&p->text));
    buf_clear(&p->text);
    buf_clear(&p->wanted);
}
