/* What is hidden is looked for at each place of a value. Values are short and lines few. */
#include "common/base/log_redact.h"

#include <stdlib.h>

#include "common/base/mem.h"

enum { TOKEN_PART_MIN = 8 };

static struct {
    char *entries[LOG_SECRETS_MAX];
    size_t next;
} hidden;

static void wipe(char **entry)
{
    if (*entry != NULL)
        explicit_bzero(*entry, strlen(*entry));
    free(*entry);
    *entry = NULL;
}

static void hide_one(struct span secret)
{
    if (secret.len == 0)
        return;
    for (size_t i = 0; i < LOG_SECRETS_MAX; i++) {
        if (hidden.entries[i] != NULL && span_eq(span_str(hidden.entries[i]), secret))
            return;
    }
    char **entry = &hidden.entries[hidden.next++ % LOG_SECRETS_MAX];
    wipe(entry);
    *entry = xspandup(secret);
}

/* Of what stands behind scheme:// */
static void hide_password(struct span rest)
{
    struct span user = span_slice(rest, 0, span_index(rest, '/'));
    if (span_index(user, '@') == user.len)
        return;
    user = span_slice(user, 0, span_rindex(user, '@'));
    hide_one(span_slice(user, span_index(user, ':') + 1, user.len));
}

void log_hide(struct span secrets)
{
    struct span entry;
    const char *url = memmem(secrets.ptr, secrets.len, "://", 3);
    if (url != NULL &&
        span_starts(secrets, SPAN("redis"))) { /* other secrets may have it in them */
        hide_password(span_slice(secrets, (size_t)(url - secrets.ptr) + 3, secrets.len));
        return;
    }
    while (span_split(&secrets, ',', &entry))
        hide_one(span_trim(entry));
}

void log_hide_none(void)
{
    for (size_t i = 0; i < LOG_SECRETS_MAX; i++)
        wipe(&hidden.entries[i]);
    hidden.next = 0;
}

/* The length of the longest secret that `s` starts with; 0: none. */
static size_t secret_at(struct span s, bool whole)
{
    size_t found = 0;
    for (size_t i = 0; i < LOG_SECRETS_MAX && hidden.entries[i] != NULL; i++) {
        struct span secret = span_str(hidden.entries[i]);
        if (!span_starts(s, secret) || secret.len <= found)
            continue;
        if (secret.len >= LOG_SECRET_MIN || (whole && secret.len == s.len))
            found = secret.len;
    }
    return found;
}

static bool is_base64url(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static size_t part_len(struct span s)
{
    size_t len = 0;
    while (len < s.len && is_base64url(s.ptr[len]))
        len++;
    return len;
}

/* The length of the token that `s` starts with: a JWT (its header is an object, so it starts with
 * eyJ) or a ticket (t1.), with or without its end; 0: none. */
static size_t token_at(struct span s)
{
    size_t len = span_starts(s, SPAN("t1.")) ? 2 : part_len(s);
    if (len > 2 && !span_starts(s, SPAN("eyJ")))
        return 0;
    if (len < 2 || len >= s.len || s.ptr[len] != '.')
        return 0;
    size_t payload = part_len(span_slice(s, len + 1, s.len));
    if (payload < TOKEN_PART_MIN)
        return 0;
    len += 1 + payload;
    if (len < s.len && s.ptr[len] == '.')
        len += 1 + part_len(span_slice(s, len + 1, s.len));
    return len;
}

/* The length of user@ behind a "://"; 0: there is none. */
static size_t user_at(struct span s)
{
    size_t end = 0;
    while (end < s.len && s.ptr[end] != '/' && s.ptr[end] != '?' && s.ptr[end] > ' ')
        end++;
    struct span authority = span_slice(s, 0, end);
    size_t at = span_rindex(authority, '@');
    return at == authority.len ? 0 : at + 1;
}

/* The length of the query that begins at a '?', up to the next blank. */
static size_t query_at(struct span s)
{
    size_t end = 0;
    while (end < s.len && s.ptr[end] > ' ')
        end++;
    return end;
}

/* How much of `value` from `at` on is hidden. */
static size_t hidden_at(struct span value, size_t at, bool url)
{
    struct span rest = span_slice(value, at, value.len);
    size_t len = secret_at(rest, at == 0);
    if (len > 0)
        return len;
    if (url && rest.ptr[0] == '?')
        return query_at(rest);
    if (at > 2 && memcmp(rest.ptr - 3, "://", 3) == 0 && (len = user_at(rest)) > 0)
        return len;
    return at > 0 && is_base64url(rest.ptr[-1]) ? 0 : token_at(rest);
}

void log_redact(struct buf *out, struct span value)
{
    bool url = span_starts(value, SPAN("/"));
    for (size_t i = 0; i < value.len;) {
        url = url || span_starts(span_slice(value, i, value.len), SPAN("://"));
        size_t len = hidden_at(value, i, url);
        if (len == 0) {
            buf_add_char(out, value.ptr[i++]);
            continue;
        }
        BUF_ADD_LIT(out, "[hidden]");
        if (value.ptr[i + len - 1] == '@' && i > 0 && value.ptr[i - 1] == '/')
            buf_add_char(out, '@');
        i += len;
    }
}
