/* Patterns are never compiled: they are short, and walked as they are written. */
#include "common/proto/route_pattern.h"

#include "common/proto/ascii.h"
#include "common/proto/url.h"

bool route_segment_is_star(struct span segment)
{
    return span_eq(segment, SPAN("*"));
}

struct span route_segment_name(struct span segment)
{
    bool is_name =
        segment.len > 2 && span_starts(segment, SPAN("{")) && span_ends(segment, SPAN("}"));
    return is_name ? span_slice(segment, 1, segment.len - 1) : (struct span){.ptr = NULL};
}

/* How often the pattern has that name. */
static size_t count_of(struct span pattern, struct span name)
{
    struct span at;
    size_t count = 0;
    while (url_next_segment(&pattern, &at))
        count += span_eq(route_segment_name(at), name) ? 1 : 0;
    return count;
}

static bool name_is_good(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum_or(name.ptr[i], "_-"))
            return false;
    return true;
}

static bool literal_is_good(struct span segment)
{
    for (size_t i = 0; i < segment.len; i++) {
        unsigned char c = (unsigned char)segment.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '{' || c == '}' || c == '*' || c == '%' || c == '?' ||
            c == '#' || c == '\\')
            return false;
    }
    return !span_eq(segment, SPAN(".")) && !span_eq(segment, SPAN(".."));
}

/* What the node serves itself. */
static bool is_taken(struct span pattern)
{
    static const char *const own[] = {"livez", "readyz", "metrics", "version", "terrane"};
    struct span first = {.len = 0}, second = {.len = 0};
    (void)url_next_segment(&pattern, &first);
    (void)url_next_segment(&pattern, &second);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (span_eq(first, span_str(own[i])))
            return true;
    return span_eq(first, SPAN("parties")) && span_eq(second, SPAN("world"));
}

static const char *segment_problem(struct span pattern, struct span segment, bool last)
{
    if (route_segment_is_star(segment))
        return last ? NULL : "has a * that is not the last segment";
    if (segment.len == 0)
        return last ? NULL : "has an empty segment";
    struct span name = route_segment_name(segment);
    if (name.len == 0)
        return literal_is_good(segment) ? NULL : "has a segment that no path can have";
    if (!name_is_good(name))
        return "has a name with other characters than letters, digits, - and _";
    return count_of(pattern, name) == 1 ? NULL : "has a name twice";
}

const char *route_pattern_problem(struct span pattern)
{
    struct span rest = pattern, segment;
    if (!span_starts(pattern, SPAN("/")))
        return "does not start with a slash";
    if (!span_is_utf8(pattern))
        return "is not UTF-8";
    while (url_next_segment(&rest, &segment)) {
        const char *problem = segment_problem(pattern, segment, rest.len == 0);
        if (problem != NULL)
            return problem;
    }
    return is_taken(pattern) ? "belongs to the node itself" : NULL;
}

bool route_pattern_has(struct span pattern, struct span name)
{
    return count_of(pattern, name) > 0;
}

bool route_pattern_covers(struct span wide, struct span narrow)
{
    struct span a, b;
    while (url_next_segment(&wide, &a)) {
        if (route_segment_is_star(a))
            return true;
        if (!url_next_segment(&narrow, &b) || route_segment_is_star(b))
            return false;
        if (route_segment_name(a).len > 0 ? b.len == 0 : !span_eq(a, b))
            return false;
    }
    return narrow.len == 0;
}
