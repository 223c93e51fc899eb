/* Lines and reasons. */
#include "world/ctl/join_line.h"

#include "common/base/json.h"

enum {
    RETRY_MIN_MS = 1000,
    RETRY_MAX_MS = 5000,
    RETRY_LIMIT_MS = 60 * 1000,
    CLOSE_PROTOCOL = 1002,
    CLOSE_BROKE_OFF = 1006,
    CLOSE_RESTART = 1012,
    CLOSE_TRY_AGAIN = 1013,
};

static bool is_json(struct span text)
{
    json_t *value = json_decode(text);
    bool good = value != NULL;
    json_decref(value);
    return good;
}

static void add_value(struct buf *out, struct span text)
{
    if (text.len == 0)
        BUF_ADD_LIT(out, "null");
    else if (is_json(text))
        buf_add_span(out, text);
    else
        json_add_string(out, text);
}

static void add_action(struct buf *out, struct span line)
{
    size_t blank = span_index(line, ' ');
    BUF_ADD_LIT(out, "{\"action\":");
    json_add_string(out, span_slice(line, 0, blank));
    BUF_ADD_LIT(out, ",\"value\":");
    add_value(out, span_trim(span_slice(line, blank, line.len)));
    buf_add_char(out, '}');
}

bool join_line(struct buf *out, struct span line)
{
    line = span_trim(line);
    if (line.len == 0)
        return false;
    if (line.len > 1 && line.ptr[0] == '/' && line.ptr[1] != ' ')
        add_action(out, span_slice(line, 1, line.len));
    else
        add_value(out, line);
    return true;
}

static bool read_ms(struct span text, int64_t *out)
{
    uint64_t ms;
    if (span_to_u64(text, &ms) != ERR_OK || ms > RETRY_LIMIT_MS)
        return false;
    *out = (int64_t)ms;
    return true;
}

uint16_t join_code(uint16_t code, struct span reason)
{
    static const struct {
        struct span begin;
        uint16_t code;
    } reasons[] = {
        {SPAN_INIT("restart"), CLOSE_RESTART},
        {SPAN_INIT("Room connection "), CLOSE_TRY_AGAIN},
        {SPAN_INIT("buffers full"), CLOSE_TRY_AGAIN},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (code == CLOSE_PROTOCOL && span_starts(reason, reasons[i].begin))
            return reasons[i].code;
    return code;
}

bool join_comes_again(uint16_t code, struct span reason, int64_t *min_ms, int64_t *max_ms)
{
    struct span prefix = SPAN("restart;retry="), rest, min;
    *min_ms = RETRY_MIN_MS;
    *max_ms = RETRY_MAX_MS;
    if (span_starts(reason, prefix)) {
        int64_t low, high;
        rest = span_slice(reason, prefix.len, reason.len);
        if (span_split(&rest, '-', &min) && read_ms(min, &low) && read_ms(rest, &high) &&
            low <= high) {
            *min_ms = low;
            *max_ms = high;
        }
    }
    return code == CLOSE_RESTART || code == CLOSE_TRY_AGAIN || code == CLOSE_BROKE_OFF;
}
