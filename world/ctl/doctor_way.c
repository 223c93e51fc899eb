/* From this machine to the processes of the world: addresses, token, clocks. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/proto/finding.h"
#include "world/ctl/answer.h"
#include "world/ctl/doctor.h"
#include "world/ctl/token_source.h"
#include "world/ctl/token_verdict.h"

enum { DAY_S = 24 * 3600, CERT_SOON_S = 13 * DAY_S };

static const struct span clock_cure = SPAN_INIT(
    "Set the clock of the machine that is off by NTP (chrony or systemd-timesyncd): if all "
    "processes are off by the same, it is this one's.");

/* ---- addresses */

static struct span cure_of_address(const struct ask *a)
{
    struct span why = buf_span(&a->why);

    if (a->status == 400)
        return SPAN("Use https:// instead of http:// if it says so; else have --url (or "
                    "TERRANE_URL) name a world's own address.");
    if (a->err == ERR_OK)
        return SPAN("Have --url (or TERRANE_URL) name a world's own address; if it does, see that "
                    "what is before it passes requests on.");
    if (span_ihas(why, SPAN("its certificate is not trusted")))
        return SPAN("Name the authority's certificate by --ca FILE, or put a certificate for this "
                    "name that has not expired into TLS_CERT of the world.");
    if (span_ends(why, SPAN("as we do")))
        return SPAN("Use http:// instead of https:// if the world has no TLS_CERT.");
    return SPAN("Start the world, or correct --url (or TERRANE_URL); see that this machine may "
                "connect to it (HOST and PORT of the world, firewalls).");
}

static void tell_unreached(struct doctor *d, struct span url, const struct ask *a)
{
    struct span name = answer_text(a->doc, "name");
    struct buf text = {0};

    if (ask_is_good(a) && name.len > 0)
        buf_addf(&text, "%.*s answers there, and no world", SPAN_ARG(name));
    else
        ask_add_fault(a, &text);
    diagnosis_add(&d->d, &(struct symptom){.level = DIAGNOSIS_ERROR,
                                           .check = SPAN("world-unreachable"),
                                           .subject = url,
                                           .text = buf_span(&text),
                                           .cure = cure_of_address(a)});
    buf_clear(&text);
}

static bool is_world(const struct ask *version)
{
    return ask_is_good(version) &&
           span_eq(answer_text(version->doc, "name"), SPAN("terrane-world"));
}

/* Also one that somebody before the world has, of which no process knows. */
static void judge_certificate(struct doctor *d, const char *url, const struct ask *a)
{
    int64_t left_s = a->cert_until_s - clock_wall_ms() / 1000, days = left_s / DAY_S + 2;
    struct buf text = {0};

    if (a->cert_until_s == 0 || left_s > CERT_SOON_S)
        return;
    buf_addf(&text, "the certificate that is shown there ends in %lld days or less",
             (long long)days);
    diagnosis_add(&d->d, &(struct symptom){.level = DIAGNOSIS_WARNING,
                                           .check = finding_kinds[FINDING_CERTIFICATE].name,
                                           .subject = span_str(url),
                                           .text = buf_span(&text),
                                           .cure = SPAN("Renew it where TLS ends: TLS_CERT and "
                                                        "TLS_KEY of the world (then SIGHUP), or "
                                                        "the proxy before it.")});
    buf_clear(&text);
}

/* `asked`: /livez, then /version. */
static void judge_url(struct doctor *d, const char *url, const struct ask *asked)
{
    const struct ask *version = &asked[1];

    if (!ask_is_good(&asked[0])) {
        tell_unreached(d, span_str(url), &asked[0]);
    } else if (!is_world(version)) {
        tell_unreached(d, span_str(url), version);
    } else {
        if (d->base == NULL)
            d->base = url;
        diagnosis_well(&d->d, "world", "%s answers, version %.*s%s", url,
                       SPAN_ARG(answer_text(version->doc, "version")),
                       strncmp(url, "https:", 6) == 0 ? ", its certificate is trusted" : "");
        judge_certificate(d, url, version);
    }
}

static bool look_at_urls(struct doctor *d)
{
    size_t count = json_array_size(d->urls);
    struct ask *asks = xcalloc(2 * count + 1, sizeof(*asks));
    bool good;

    for (size_t i = 0; i < count; i++) {
        const char *url = json_string_value(json_array_get(d->urls, i));
        buf_addf(&asks[2 * i].url, "%s/livez", url);
        buf_addf(&asks[2 * i + 1].url, "%s/version", url);
    }
    good = asks_run(d->c, asks, 2 * count, ASKS_MS);
    for (size_t i = 0; good && i < count; i++)
        judge_url(d, json_string_value(json_array_get(d->urls, i)), &asks[2 * i]);
    for (size_t i = 0; i < 2 * count; i++)
        ask_clear(&asks[i]);
    free(asks);
    return good;
}

/* ---- the token */

static void tell_token(struct doctor *d, struct span text, struct span cure)
{
    diagnosis_add(&d->d, &(struct symptom){.level = DIAGNOSIS_ERROR,
                                           .check = SPAN("token"),
                                           .subject = d->c->profile.token_from,
                                           .text = text,
                                           .cure = cure});
}

/* The lines as one, with semicolons. */
static void add_joined(struct buf *out, const struct buf *lines)
{
    struct span rest = buf_span(lines), line;

    while (span_split(&rest, '\n', &line)) {
        if (line.len == 0)
            continue;
        buf_addf(out, "%s%.*s", out->len > 0 ? "; " : "", SPAN_ARG(line));
    }
}

/* Why the world has refused it: what can be told from here. */
static void explain_refusal(struct doctor *d, const struct token_verdict *v, const struct ask *a)
{
    struct buf text = {0};

    add_joined(&text, &v->refusals);
    if (text.len > 0) {
        tell_token(d, buf_span(&text),
                   SPAN("Make another: worldctl token mint, with the world's "
                        "AUTH_JWT_SECRET."));
    } else {
        ask_add_fault(a, &text);
        tell_token(d, buf_span(&text),
                   SPAN("Use the world's own AUTH_JWT_SECRET (and AUTH_JWT_ALG): this token is in "
                        "order but for its signature, or the clocks are apart."));
    }
    buf_clear(&text);
}

static void tell_good_token(struct doctor *d, const struct token_verdict *v)
{
    struct span scope = answer_text(v->claims, "scope");
    const json_t *exp = json_object_get(v->claims, "exp");
    struct buf until = {0};

    d->may = span_eq(scope, SPAN("read")) ? DOCTOR_READS : DOCTOR_CHANGES;
    if (json_is_number(exp) && d->c->profile.minted_s == 0) {
        BUF_ADD_LIT(&until, ", until ");
        token_add_time(&until, json_number_value(exp), clock_wall_ms() / 1000);
    }
    diagnosis_well(&d->d, "token", "%.*s opens %s, to %s%.*s", SPAN_ARG(d->c->profile.token_from),
                   d->c->profile.world, d->may == DOCTOR_READS ? "read" : "read and change",
                   SPAN_ARG(buf_span(&until)));
    if (d->may == DOCTOR_READS)
        diagnosis_skip(&d->d, "checkup", "no node is asked to look: the token may only read");
    buf_clear(&until);
}

/* What /overview answers counts; the token is read only to explain it. 503: it was let in, but
 * nobody decides for the world. */
static void judge_token(struct doctor *d, const struct ask *a)
{
    struct token_source source = {0};
    struct token_verdict v = {0};
    struct buf problem = {0};
    struct token_question q = {.text = span_str(d->c->profile.token),
                               .world = span_str(d->c->profile.world),
                               .now_s = clock_wall_ms() / 1000};
    bool readable;

    if (token_source_read(&source, &d->c->args, &problem) == ERR_OK) {
        q.keys = buf_span(&source.keys);
        q.alg = source.alg;
    }
    readable = token_judge(&q, &v) == ERR_OK;
    if (!readable) { /* the keys are none */
        q.keys = (struct span){0};
        readable = token_judge(&q, &v) == ERR_OK;
    }
    assert(readable);
    if (a->status == 401 || a->status == 403)
        explain_refusal(d, &v, a);
    else if (a->err == ERR_OK)
        tell_good_token(d, &v);
    else
        d->may = DOCTOR_READS; /* for all that is known; processes will say */
    token_verdict_clear(&v);
    token_source_clear(&source);
    buf_clear(&problem);
}

static void tell_undecided(struct doctor *d, const struct ask *a)
{
    struct buf text = {0};
    bool missing = a->status == 404;

    ask_add_fault(a, &text);
    diagnosis_add(
        &d->d,
        &(struct symptom){
            .level = DIAGNOSIS_ERROR,
            .check = missing ? SPAN("world-missing") : SPAN("world-undecided"),
            .subject = span_str(d->c->profile.world),
            .text = buf_span(&text),
            .cure = missing ? SPAN("Name the world by --world (or TERRANE_WORLD); worlds are made "
                                   "by their first room. With ADMIN_LISTEN, --url is that address.")
                            : SPAN("No process can decide for the world: mend what is said of "
                                   "Redis below, and it begins anew by itself.")});
    buf_clear(&text);
}

static bool look_at_token(struct doctor *d)
{
    struct ask a;

    if (d->c->profile.token == NULL) {
        tell_token(d, SPAN("there is none, so that most cannot be looked at"),
                   SPAN("Give --token, TERRANE_TOKEN, or AUTH_JWT_SECRET of the world to make "
                        "one."));
        return true;
    }
    if (!doctor_get(d, &a, "/overview")) {
        ask_clear(&a);
        return false;
    }
    judge_token(d, &a);
    d->decided = ask_is_good(&a);
    d->rooms = answer_number(a.doc, "rooms");
    if (d->may != DOCTOR_NOTHING && !d->decided)
        tell_undecided(d, &a);
    ask_clear(&a);
    return true;
}

/* ---- processes */

/* Half of the way there has gone when it looked at its clock. */
static void judge_clock(struct doctor *d, const char *at, const struct ask *a)
{
    int64_t off = answer_number(a->doc, "now") - (a->sent_ms + a->came_ms) / 2;
    struct buf text = {0};

    if (off > -DOCTOR_CLOCK_MS && off < DOCTOR_CLOCK_MS)
        return;
    buf_addf(&text, "%lld s %s of this machine", (long long)((off < 0 ? -off : off) / 1000),
             off < 0 ? "behind the clock" : "ahead of the clock");
    diagnosis_add(&d->d, &(struct symptom){.level = DIAGNOSIS_ERROR,
                                           .check = SPAN("clock"),
                                           .subject = span_str(at),
                                           .text = buf_span(&text),
                                           .cure = clock_cure});
    buf_clear(&text);
}

/* A process without Redis has no id: its address is. */
static bool is_there(const struct doctor *d, struct span id)
{
    for (size_t i = 0; id.len > 0 && i < json_array_size(d->processes); i++) {
        if (span_eq(answer_text(json_array_get(d->processes, i), "id"), id))
            return true;
    }
    return false;
}

static void take_process(struct doctor *d, const char *at, const struct ask *a)
{
    if (is_there(d, answer_text(a->doc, "id")))
        return;
    judge_clock(d, at, a);
    (void)json_object_set_new(a->doc, "at", json_string(at));
    doctor_take_findings(d, json_object_get(a->doc, "findings"));
    (void)json_array_append(d->processes, a->doc);
}

static void tell_no_process(struct doctor *d, const char *at, const struct ask *a, bool is_peer)
{
    struct buf text = {0};

    ask_add_fault(a, &text);
    diagnosis_add(
        &d->d,
        &(struct symptom){
            .level = is_peer ? DIAGNOSIS_NOTICE : DIAGNOSIS_WARNING,
            .check = SPAN("process"),
            .subject = span_str(at),
            .text = buf_span(&text),
            .cure = is_peer ? SPAN("It need not be reached from here; its own findings are missing "
                                   "in this list. Run doctor with --url of it from where it is.")
                            : SPAN("Name the world's management address (ADMIN_LISTEN) by --url, "
                                   "if that is another one.")});
    buf_clear(&text);
}

static bool ask_processes(struct doctor *d, const json_t *at, bool are_peers)
{
    size_t count = json_array_size(at);
    struct ask *asks = xcalloc(count + 1, sizeof(*asks));
    bool good;

    for (size_t i = 0; i < count; i++) {
        asks[i].token = true;
        buf_addf(&asks[i].url, "%s/api/v1/process", json_string_value(json_array_get(at, i)));
    }
    good = asks_run(d->c, asks, count, ASKS_MS);
    for (size_t i = 0; i < count; i++) {
        const char *url = json_string_value(json_array_get(at, i));
        if (good && ask_is_good(&asks[i]))
            take_process(d, url, &asks[i]);
        else if (good && (are_peers || asks[i].err == ERR_OK)) /* unreached: it has been said */
            tell_no_process(d, url, &asks[i], are_peers);
        ask_clear(&asks[i]);
    }
    free(asks);
    return good;
}

/* Those that are named and that nobody has asked yet. */
static json_t *peers_of(const struct doctor *d)
{
    json_t *found = json_array();

    for (size_t i = 0; i < json_array_size(d->processes); i++) {
        const json_t *peers = json_object_get(json_array_get(d->processes, i), "peers");
        for (size_t k = 0; k < json_array_size(peers); k++) {
            const json_t *peer = json_array_get(peers, k);
            const char *url = json_string_value(json_object_get(peer, "url"));
            bool is_new = url != NULL && !is_there(d, answer_text(peer, "id"));
            for (size_t n = 0; is_new && n < json_array_size(found); n++)
                is_new = strcmp(json_string_value(json_array_get(found, n)), url) != 0;
            if (is_new)
                (void)json_array_append_new(found, json_string(url));
        }
    }
    return found;
}

static json_t *reached(const struct doctor *d)
{
    json_t *found = json_array();

    for (size_t i = 0; i < json_array_size(d->urls); i++) {
        json_t *url = json_array_get(d->urls, i);
        if (!diagnosis_has(&d->d, SPAN("world-unreachable"), span_str(json_string_value(url))))
            (void)json_array_append(found, url);
    }
    return found;
}

static bool look_at_processes(struct doctor *d)
{
    json_t *peers;
    size_t count;
    json_t *urls = reached(d);
    bool good = ask_processes(d, urls, false);

    json_decref(urls);
    peers = peers_of(d);
    good = good && ask_processes(d, peers, true);
    json_decref(peers);
    count = json_array_size(d->processes);
    if (good && count > 0)
        diagnosis_well(&d->d, "process", "%zu process%s tell%s of %s", count,
                       count == 1 ? "" : "es", count == 1 ? "s" : "",
                       count == 1 ? "itself" : "themselves");
    return good;
}

bool doctor_look_at_way(struct doctor *d)
{
    diagnosis_group(&d->d, "The way from here");
    if (!look_at_urls(d))
        return false;
    if (d->base == NULL)
        return true;
    return look_at_token(d) && (d->may == DOCTOR_NOTHING || look_at_processes(d));
}
