/* A ring of gaps. */
#include "world/core/rooms/rhythm.h"

void rhythm_note(struct rhythm *r, int64_t gap_ms)
{
    if (r->reports > 0) {
        r->gaps_ms[r->at] = gap_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)(gap_ms < 0 ? 0 : gap_ms);
        r->at = (uint8_t)((r->at + 1) % RHYTHM_GAPS);
    }
    if (r->reports <= RHYTHM_GAPS)
        r->reports++;
}

int64_t rhythm_quiet_ms(const struct rhythm *r)
{
    int64_t longest = 0;

    if (r->reports <= RHYTHM_GAPS)
        return INT64_MAX;
    for (int i = 0; i < RHYTHM_GAPS; i++)
        longest = r->gaps_ms[i] > longest ? r->gaps_ms[i] : longest;
    return longest * 3 > RHYTHM_QUIET_MIN_MS ? longest * 3 : RHYTHM_QUIET_MIN_MS;
}
