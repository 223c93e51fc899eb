/* The clock on the wall, for lines that come as things happen. */
#include "world/ctl/clock_text.h"

#include <time.h>

void clock_text_add(struct buf *out)
{
    char text[16] = "";
    time_t now = time(NULL);
    struct tm tm;
    if (localtime_r(&now, &tm) != NULL)
        (void)strftime(text, sizeof text, "%H:%M:%S ", &tm);
    buf_add_span(out, span_str(text));
}
