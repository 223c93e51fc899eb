/* What the common settings mean for the HTTP server and for WebSockets. */
#include "common/net/process_settings.h"

const char *const process_log_levels[] = {"debug", "info", "warn", "error", NULL};
const char *const process_private_rooms[] = {"ignore", "enforce", NULL};
const char *const process_log_formats[] = {"auto", "json", "text", NULL};

static bool check_networks(const char *text, const char *name, const char *process, FILE *err)
{
    struct addr_set set = {0};
    struct span bad;
    if (addr_set_parse(&set, span_str(text), &bad) != ERR_OK) {
        (void)fprintf(err, "%s: %s: \"%.*s\" is not a network\n", process, name, SPAN_ARG(bad));
        return false;
    }
    addr_set_clear(&set);
    return true;
}

bool process_settings_check(const struct process_settings *s, const char *process, FILE *err)
{
    return check_networks(s->trusted_proxies, "TRUSTED_PROXIES", process, err) &&
           check_networks(s->proxy_protocol, "PROXY_PROTOCOL", process, err);
}

size_t process_max_connections(int64_t setting, uint64_t descriptors)
{
    if (setting > 0)
        return (size_t)setting;
    uint64_t quarter = descriptors / 4;
    return (size_t)(descriptors - (quarter < 1024 ? quarter : 1024));
}

struct http_limits process_http_limits(const struct process_settings *s)
{
    return (struct http_limits){
        .header_ms = s->header_ms, .body_ms = s->body_ms, .idle_ms = s->idle_ms};
}

struct ws_settings process_ws_settings(const struct process_settings *s)
{
    return (struct ws_settings){
        .max_message = (size_t)s->message_max, .ping_ms = s->ping_ms, .pong_ms = s->pong_ms};
}
