/* Rows of verbs. */
#include "world/ctl/verbs.h"

#include "world/ctl/verb_lists.h"

const struct verb verbs[] = {
    {"rooms list", "", "lists the rooms", NULL, NULL, verb_rooms_list},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static bool is(const struct verb *v, const char *first, const char *second)
{
    size_t len = strlen(first);

    if (second == NULL)
        return strcmp(v->name, first) == 0;
    return strncmp(v->name, first, len) == 0 && v->name[len] == ' ' &&
           strcmp(v->name + len + 1, second) == 0;
}

const struct verb *verbs_find(const char *first, const char *second)
{
    for (const struct verb *v = verbs; v->name != NULL; v++) {
        if (is(v, first, second))
            return v;
    }
    return NULL;
}

const char *verbs_group(const char *word)
{
    size_t len = strlen(word);

    for (const struct verb *v = verbs; v->name != NULL; v++) {
        if (strncmp(v->name, word, len) == 0 && v->name[len] == ' ')
            return word;
    }
    return NULL;
}
