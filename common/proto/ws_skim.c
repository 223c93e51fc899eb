/* Frame heads, and the length of what follows them. What a frame means is ws.c's. */
#include "common/proto/ws_skim.h"

enum { LEN_16 = 126, LEN_64 = 127, MASK_LEN = 4, FIN = 0x80, MASKED = 0x80 };

static size_t length_bytes(uint8_t second)
{
    uint8_t len = second & 0x7f;
    return len == LEN_64 ? 8 : len == LEN_16 ? 2 : 0;
}

/* The length of the head under way, as far as its first two bytes tell. */
static size_t head_need(const struct ws_skim *s)
{
    if (s->head_len < 2)
        return 2;
    return 2 + length_bytes(s->head[1]) + ((s->head[1] & MASKED) != 0 ? MASK_LEN : 0);
}

/* Opcodes of section 11.8; control frames are whole and short (section 5.5). */
static bool start_is_good(const struct ws_skim *s)
{
    uint8_t opcode = s->head[0] & 0x0f;
    if (opcode > WS_PONG || (opcode > WS_BINARY && opcode < WS_CLOSE))
        return false;
    return opcode < WS_CLOSE || ((s->head[0] & FIN) != 0 && (s->head[1] & 0x7f) <= WS_CONTROL_MAX);
}

static uint64_t payload_length(const struct ws_skim *s)
{
    size_t bytes = length_bytes(s->head[1]);
    uint64_t len = 0;
    if (bytes == 0)
        return s->head[1] & 0x7f;
    for (size_t i = 0; i < bytes; i++)
        len = len << 8 | s->head[2 + i];
    return len;
}

/* Lengths are written in the fewest bytes, without the top bit. */
static bool length_is_good(const struct ws_skim *s, uint64_t len)
{
    size_t bytes = length_bytes(s->head[1]);
    if (bytes == 2)
        return len >= LEN_16;
    return bytes == 0 || (len > UINT16_MAX && len <= INT64_MAX);
}

/* Takes bytes for the head; answers how many. */
static size_t take_head(struct ws_skim *s, struct span data)
{
    size_t used = 0;
    while (used < data.len && s->head_len < head_need(s)) {
        s->head[s->head_len++] = (uint8_t)data.ptr[used++];
        if (s->head_len == 2 && !start_is_good(s)) {
            s->lost = true;
            return used;
        }
    }
    if (s->head_len < head_need(s))
        return used;
    s->left = payload_length(s);
    s->lost = !length_is_good(s, s->left);
    s->closed |= (s->head[0] & 0x0f) == WS_CLOSE;
    s->in_frame = s->left > 0;
    s->head_len = 0;
    return used;
}

size_t ws_skim_frame(struct ws_skim *s, struct span data)
{
    size_t used = 0;
    if (!s->lost && !s->in_frame)
        used = take_head(s, data);
    if (s->lost)
        return data.len;
    if (!s->in_frame)
        return used;
    size_t rest = data.len - used;
    size_t part = rest < s->left ? rest : (size_t)s->left;
    s->left -= part;
    s->in_frame = s->left > 0;
    return used + part;
}

void ws_skim(struct ws_skim *s, struct span data)
{
    while (data.len > 0)
        data = span_slice(data, ws_skim_frame(s, data), data.len);
}

bool ws_skim_at_boundary(const struct ws_skim *s)
{
    return !s->lost && !s->in_frame && s->head_len == 0;
}
