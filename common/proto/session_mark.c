/* The marks of sessions. Owns the key of a process that has no secret. */
#include "common/proto/session_mark.h"

#include "common/base/log.h"
#include "common/base/rng.h"
#include "common/proto/mac.h"

static const struct secrets *secrets_in_use;

static struct span own_key(void)
{
    static char key[2 * SESSION_MARK_LEN];
    static bool made;
    if (!made) {
        struct rng rng;
        rng_init(&rng);
        rng_alnum(&rng, key, sizeof key);
        made = true;
    }
    return span_of(key, sizeof key);
}

void session_mark(struct span id, char out[SESSION_MARK_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    struct span secret = {0};
    uint8_t sum[MAC_LEN];
    if (secrets_in_use != NULL)
        secret = secrets_first(secrets_in_use);
    struct mac *mac =
        mac_begin(secret.len > 0 ? secret : own_key(), SPAN("terrane log session v1"));

    mac_add(mac, id);
    mac_end(mac, sum);
    for (size_t i = 0; i < SESSION_MARK_LEN; i++)
        out[i] = digits[(sum[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 15];
    out[SESSION_MARK_LEN] = '\0';
}

static void add_mark(struct buf *out, struct span id)
{
    char mark[SESSION_MARK_LEN + 1];
    session_mark(id, mark);
    buf_add(out, mark, SESSION_MARK_LEN);
}

void session_mark_use(const struct secrets *secrets)
{
    secrets_in_use = secrets;
    log_mark_sessions(add_mark);
}
