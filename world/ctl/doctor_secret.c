/* Whether SHARD_SECRET, as it is in the environment here, is that of worlds and nodes. It is shown
 * in ways that change nothing. */
#include <errno.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/proto/hop_sign.h"
#include "world/ctl/answer.h"
#include "world/ctl/doctor.h"

enum { SECRET_MAX = 64 * 1024, BAD_REQUEST = 400, FORBIDDEN = 403 };

static const struct span cure = SPAN_INIT(
    "Give both the same SHARD_SECRET. To change it without a break, list both, the new one behind "
    "the old, everywhere; then turn the order around; then take the old one out.");

bool doctor_read_secret(struct doctor *d, struct buf *out)
{
    const char *text = getenv("SHARD_SECRET"), *path = getenv("SHARD_SECRET_FILE");
    enum err e;

    if (text != NULL && *text != '\0') {
        buf_add_span(out, span_str(text));
        return true;
    }
    if (path == NULL || *path == '\0')
        return true;
    e = file_read(path, SECRET_MAX, out);
    if (e != ERR_OK)
        diagnosis_skip(&d->d, "shard-secret", "SHARD_SECRET_FILE %s: %s", path,
                       e == ERR_LIMIT ? "too long" : strerror(errno));
    return e == ERR_OK;
}

static void tell_other(struct doctor *d, struct span subject, const char *text)
{
    diagnosis_add(&d->d, &(struct symptom){.level = DIAGNOSIS_ERROR,
                                           .check = SPAN("shard-secret"),
                                           .subject = subject,
                                           .text = span_str(text),
                                           .cure = cure});
}

/* A report of a shard that lacks everything: 400 to who may report, else 403. */
static void ask_world(const struct doctor *d, struct ask *a, const char *url, struct span secret)
{
    a->method = "POST";
    a->body = SPAN("{}");
    buf_addf(&a->url, "%s/parties/world/%s/update-shard", url, d->c->profile.world);
    buf_addf(&a->headers, "x-access-shard: %.*s\r\n", SPAN_ARG(secret));
}

static void ask_node(struct ask *a, struct span url, const struct secrets *secrets)
{
    const struct hop_sign sign = {.method = SPAN("GET"),
                                  .target = SPAN("/version"),
                                  .entry = SPAN("worldctl"),
                                  .client_ip = SPAN("127.0.0.1")}; /* nobody's behalf */

    buf_addf(&a->url, "%.*s/version", SPAN_ARG(url));
    hop_sign_add(&a->headers, secrets, &sign, clock_wall_ms());
}

static bool judge_world(struct doctor *d, const char *url, const struct ask *a)
{
    if (a->status == FORBIDDEN)
        tell_other(d, span_str(url), "the world has another than this environment");
    return a->status == BAD_REQUEST;
}

static bool judge_node(struct doctor *d, const json_t *node, const struct ask *a)
{
    struct span id = answer_text(node, "node");

    if (a->err != ERR_OK)
        diagnosis_skip(&d->d, "shard-secret", "node %.*s is not reached from here: %.*s",
                       SPAN_ARG(id), SPAN_ARG(buf_span(&a->why)));
    else if (a->status == FORBIDDEN && span_eq(answer_text(a->doc, "error"), SPAN(HOP_SIGN_LATE)))
        diagnosis_skip(&d->d, "shard-secret", "node %.*s cannot tell: its clock is far from ours",
                       SPAN_ARG(id));
    else if (a->status == FORBIDDEN)
        tell_other(d, id, "the node has another than this environment");
    return ask_is_good(a);
}

static bool compare(struct doctor *d, const struct secrets *secrets)
{
    size_t worlds = json_array_size(d->urls), nodes = json_array_size(d->nodes), same = 0;
    struct ask *asks = xcalloc(worlds + nodes + 1, sizeof(*asks));
    bool good;

    for (size_t i = 0; i < worlds; i++)
        ask_world(d, &asks[i], json_string_value(json_array_get(d->urls, i)),
                  secrets_first(secrets));
    for (size_t i = 0; i < nodes; i++)
        ask_node(&asks[worlds + i], answer_text(json_array_get(d->nodes, i), "internalUrl"),
                 secrets);
    good = asks_run(d->c, asks, worlds + nodes, DOCTOR_STEP_MS);
    for (size_t i = 0; i < worlds + nodes; i++) {
        if (good && i < worlds)
            same += judge_world(d, json_string_value(json_array_get(d->urls, i)), &asks[i]);
        else if (good)
            same += judge_node(d, json_array_get(d->nodes, i - worlds), &asks[i]);
        ask_clear(&asks[i]);
    }
    if (good && same > 0)
        diagnosis_well(&d->d, "shard-secret", "SHARD_SECRET is the same here and in %zu process%s",
                       same, same == 1 ? "" : "es");
    free(asks);
    return good;
}

bool doctor_look_at_secret(struct doctor *d)
{
    struct buf text = {0};
    struct secrets secrets;
    bool good = true;

    diagnosis_group(&d->d, "Secrets");
    if (doctor_read_secret(d, &text)) {
        secrets.list = span_trim(buf_span(&text));
        if (secrets.list.len == 0)
            diagnosis_skip(&d->d, "shard-secret", "SHARD_SECRET is not in this environment");
        else
            good = compare(d, &secrets);
    }
    buf_clear(&text);
    return good;
}
