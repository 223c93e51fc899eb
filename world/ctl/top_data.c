/* Rates are differences of totals; a process that has begun anew has none for a moment. */
#include "world/ctl/top_data.h"

#include "world/ctl/answer.h"

void top_data_clear(struct top_data *d)
{
    json_decref(d->overview);
    for (int i = 0; i < TOP_PAGE_COUNT; i++)
        json_decref(d->lists[i]);
    buf_clear(&d->trouble);
    *d = (struct top_data){0};
}

/* NULL: nothing is there. */
static const json_t *member(const json_t *value, const char *path)
{
    struct span rest = span_str(path), part;
    while (value != NULL && span_split(&rest, '.', &part))
        value = json_object_getn(value, part.ptr, part.len);
    return value;
}

double top_data_number(const struct top_data *d, const char *path)
{
    return json_number_value(member(d->overview, path));
}

static double refusals_of(const json_t *overview)
{
    json_t *all = json_object_get(json_object_get(overview, "process"), "refusals"), *each;
    const char *reason;
    double sum = 0;
    json_object_foreach(all, reason, each)
    {
        sum += json_number_value(each);
    }
    return sum;
}

static void find_rates(struct top_data *d, const json_t *new)
{
    const json_t *old = d->overview;
    double ms = json_number_value(json_object_get(new, "now")) -
                json_number_value(json_object_get(old, "now"));
    double placed = json_number_value(member(new, "process.placements")) -
                    json_number_value(member(old, "process.placements"));
    double refused = refusals_of(new) - refusals_of(old);
    d->rates = old != NULL && ms > 0 && placed >= 0 && refused >= 0;
    d->placements_s = d->rates ? placed * 1000 / ms : 0;
    d->refusals_s = d->rates ? refused * 1000 / ms : 0;
}

void top_data_overview(struct top_data *d, json_t *overview)
{
    find_rates(d, overview);
    json_decref(d->overview);
    d->overview = overview;
    d->now_ms = answer_number(overview, "now");
}

bool top_data_list(struct top_data *d, enum top_page page, json_t *answer)
{
    json_t *items = json_object_get(answer, "items");
    bool good = json_is_array(items);
    if (good) {
        json_decref(d->lists[page]);
        d->lists[page] = json_incref(items);
        d->more[page] = json_is_string(json_object_get(answer, "next"));
    }
    json_decref(answer);
    return good;
}
