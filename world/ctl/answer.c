/* Members of JSON objects, as people are shown them. json_decode makes all numbers reals. */
#include "world/ctl/answer.h"

#include <math.h>

/* Beyond that doubles leave whole numbers out. */
static const double WHOLE_MAX = 9007199254740992.0;

struct span answer_text(const json_t *object, const char *key)
{
    struct span text = {0};

    (void)json_get_span(object, key, &text);
    return text;
}

int64_t answer_number(const json_t *object, const char *key)
{
    double n = json_number_value(json_object_get(object, key));

    return (int64_t)fmin(fmax(n, -WHOLE_MAX), WHOLE_MAX);
}

bool answer_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}
