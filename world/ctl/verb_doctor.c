/* The order of looking: the way, then clients (what they do is seen by nodes), then what nodes have
 * seen. */
#include "world/ctl/verb_doctor.h"

#include <stdarg.h>

#include "common/proto/url.h"
#include "world/ctl/doctor.h"

const struct flag doctor_flags[] = {
    {"quick", NULL, "do not wait for what cuts idle connections", 0},
    {"via", "URL", "also come in by this address, as clients do; may be given more than once", 0},
    {"servers", "LIST", "also dial these room servers from here, by SHARD_SECRET", 0},
    {"room", "ROOM", "come into this room, which is there [one that is made for it]", 0},
    {NULL, NULL, NULL, 0},
};

void doctor_progress(const struct doctor *d, const char *fmt, ...)
{
    va_list args;

    if (d->c->json || !d->c->screen)
        return;
    (void)fprintf(stderr, "\r\033[K");
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fflush(stderr);
}

static bool take_origin(json_t *list, struct span text)
{
    struct url_origin origin;
    struct buf out = {0};

    if (url_origin_parse(text, &origin) != ERR_OK)
        return false;
    url_origin_add(&out, &origin);
    url_origin_clear(&origin);
    (void)json_array_append_new(list, json_stringn(out.data, out.len));
    buf_clear(&out);
    return true;
}

/* Each may be given more than once, and name several. */
static enum ended take_origins(struct doctor *d, const char *flag, json_t *list)
{
    const struct args *a = &d->c->args;

    for (size_t i = 0; i < a->given_count; i++) {
        struct span rest = span_str(a->given[i].value), one;
        if (strcmp(a->given[i].flag->name, flag) != 0)
            continue;
        while (span_split(&rest, ',', &one)) {
            if (!take_origin(list, span_trim(one)))
                return ctl_problem(ENDED_USAGE, "--%s %s: http://host:port or https://host:port",
                                   flag, a->given[i].value);
        }
    }
    return ENDED_DONE;
}

static enum ended begin(struct doctor *d)
{
    struct span more, url;
    enum ended how = ctl_reach_all(d->c);

    if (how != ENDED_DONE)
        return how;
    (void)json_array_append_new(d->urls, json_string(d->c->profile.url));
    more = span_str(d->c->profile.more_urls);
    while (span_split(&more, ',', &url)) {
        if (url.len > 0)
            (void)json_array_append_new(d->urls, json_stringn(url.ptr, url.len));
    }
    how = take_origins(d, "via", d->vias);
    return how == ENDED_DONE ? take_origins(d, "servers", d->dialled) : how;
}

/* What stood before we came, what we have done, and what is seen of it. */
static bool look_at_cluster(struct doctor *d)
{
    bool good = doctor_read_findings(d);

    diagnosis_group(&d->d, "As a client");
    good = good && doctor_visit(d);
    diagnosis_group(&d->d, "The cluster");
    good = good && (d->may != DOCTOR_CHANGES || doctor_check_up(d)) && doctor_read_findings(d);
    if (!good)
        return false;
    doctor_tell_findings(d);
    return doctor_look_at_states(d);
}

static bool look(struct doctor *d)
{
    if (!doctor_look_at_way(d) || !doctor_look_at_servers(d))
        return false;
    if (d->base == NULL)
        return true;
    if (!doctor_read_lists(d) || !doctor_look_at_secret(d))
        return false;
    if (d->decided)
        return look_at_cluster(d);
    diagnosis_group(&d->d, "The cluster");
    doctor_tell_findings(d); /* of processes */
    return true;
}

enum ended verb_doctor(struct ctl *c)
{
    struct doctor d = {.c = c,
                       .quick = args_has(&c->args, "quick"),
                       .urls = json_array(),
                       .vias = json_array(),
                       .dialled = json_array(),
                       .processes = json_array(),
                       .findings = json_array()};
    enum ended how;

    diagnosis_init(&d.d, c);
    how = begin(&d);
    if (how == ENDED_DONE)
        how = look(&d) ? diagnosis_end(&d.d) : ENDED_INTERRUPTED;
    diagnosis_clear(&d.d);
    json_decref(d.urls);
    json_decref(d.vias);
    json_decref(d.dialled);
    json_decref(d.processes);
    json_decref(d.findings);
    json_decref(d.nodes);
    json_decref(d.servers);
    return how;
}
