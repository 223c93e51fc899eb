/* Room servers dialled from here as nodes dial them: a warm-up, then a link of a room that nobody
 * needs. It need not be the way of nodes, which their checkup looks at. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/proto/finding.h"
#include "common/proto/hop.h"
#include "common/proto/secret.h"
#include "world/ctl/doctor.h"
#include "world/ctl/visit.h"

#define ROOM_PATH "/parties/main/terrane-checkup"

enum { LOOK_MS = 100, OPEN_MS = 3000, STANDS_MS = 1000, UNAUTHORIZED = 401, FORBIDDEN = 403 };

struct dialled {
    const char *origin;
    struct ask warm_up;
    struct visit visit;
};

static void tell(struct doctor *d, const struct dialled *s, enum finding_check check,
                 struct span text)
{
    const struct finding_kind *kind = &finding_kinds[check];

    diagnosis_add(&d->d, &(struct symptom){.level = DIAGNOSIS_ERROR,
                                           .check = kind->name,
                                           .subject = span_str(s->origin),
                                           .by = SPAN("worldctl"),
                                           .text = text,
                                           .cure = kind->cure});
}

static void judge(struct doctor *d, const struct dialled *s, bool by_secret)
{
    int status = s->visit.end.status;

    if (s->warm_up.err != ERR_OK)
        tell(d, s, FINDING_ROOM_UNREACHABLE, buf_span(&s->warm_up.why));
    else if (!by_secret)
        diagnosis_well(&d->d, "room server", "%s answers; SHARD_SECRET is not here to go further",
                       s->origin);
    else if (status == UNAUTHORIZED || status == FORBIDDEN)
        tell(d, s, FINDING_ROOM_SECRET, buf_span(&s->visit.why));
    else if (!s->visit.opened)
        tell(d, s, FINDING_ROOM_UPGRADE,
             visit_is_over(&s->visit) ? buf_span(&s->visit.why) : SPAN("no answer in time"));
    else if (visit_is_over(&s->visit) && s->visit.messages == 0)
        tell(d, s, FINDING_ROOM_SECRET, SPAN("it closes the link at once"));
    else
        diagnosis_well(&d->d, "room server", "%s takes links with this SHARD_SECRET", s->origin);
}

static void add_headers(const struct doctor *d, struct span secret, struct buf *out)
{
    BUF_ADD_LIT(out, "x-shard-id: terrane-checkup\r\nx-shard-world-id: ");
    hop_add_value(out, span_str(d->c->profile.world));
    BUF_ADD_LIT(out, "\r\nx-access-shard: ");
    hop_add_value(out, secret);
    BUF_ADD_LIT(out, "\r\n");
}

static void dial(struct doctor *d, struct dialled *s, struct span headers)
{
    struct buf url = {0};

    if (s->warm_up.err != ERR_OK)
        return;
    buf_addf(&url, "%s" ROOM_PATH, s->origin);
    visit_start(&s->visit, d->c->wire, buf_span(&url), headers);
    buf_clear(&url);
}

static bool is_open(const struct dialled *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!list[i].visit.opened && !visit_is_over(&list[i].visit))
            return false;
    }
    return true;
}

static bool link_all(struct doctor *d, struct dialled *list, size_t count, struct span secret)
{
    struct buf headers = {0};
    bool good = true;

    add_headers(d, secret, &headers);
    for (size_t i = 0; i < count; i++)
        dial(d, &list[i], buf_span(&headers));
    for (int ms = 0; good && ms < OPEN_MS && !is_open(list, count); ms += LOOK_MS)
        good = ctl_pause(d->c, LOOK_MS);
    buf_clear(&headers);
    return good && ctl_pause(d->c, STANDS_MS);
}

static bool warm_up(struct doctor *d, struct dialled *list, size_t count)
{
    struct ask *asks = xcalloc(count, sizeof(*asks));
    bool good;

    for (size_t i = 0; i < count; i++) {
        asks[i].method = "OPTIONS";
        buf_addf(&asks[i].url, "%s" ROOM_PATH, list[i].origin);
    }
    good = asks_run(d->c, asks, count, ASKS_MS);
    for (size_t i = 0; i < count; i++)
        list[i].warm_up = asks[i];
    free(asks);
    return good;
}

bool doctor_look_at_servers(struct doctor *d)
{
    size_t count = json_array_size(d->dialled);
    struct dialled *list = xcalloc(count + 1, sizeof(*list));
    struct buf secret = {0};
    struct secrets secrets;
    bool good = true, by_secret;

    diagnosis_group(&d->d, "Room servers from here");
    by_secret = count > 0 && doctor_read_secret(d, &secret) && secret.len > 0;
    secrets.list = span_trim(buf_span(&secret));
    for (size_t i = 0; i < count; i++)
        list[i].origin = json_string_value(json_array_get(d->dialled, i));
    if (count > 0)
        good = warm_up(d, list, count);
    if (good && by_secret)
        good = link_all(d, list, count, secrets_first(&secrets));
    for (size_t i = 0; i < count; i++) {
        if (good)
            judge(d, &list[i], by_secret);
        visit_clear(&list[i].visit);
        ask_clear(&list[i].warm_up);
    }
    buf_clear(&secret);
    free(list);
    return good;
}
