/* Rows of verbs. */
#include "world/ctl/verbs.h"

#include "world/ctl/verb_completion.h"
#include "world/ctl/verb_config.h"
#include "world/ctl/verb_events.h"
#include "world/ctl/verb_join.h"
#include "world/ctl/verb_lists.h"
#include "world/ctl/verb_log_level.h"
#include "world/ctl/verb_token.h"
#include "world/ctl/verb_top.h"

const struct verb verbs[] = {
    {"rooms list", "", "lists the rooms", NULL, NULL, verb_rooms_list},
    {"top", "", "the world at a glance, live, on the whole terminal", NULL,
     "? lists its keys. It drains and undrains what the cursor is on, after a question.", verb_top},
    {"events", "", "tells what happens in the world", events_flags,
     "With -f a world that is lost is waited for, and nothing that it kept is missed; a gap is "
     "said.",
     verb_events},
    {"watch", "", "follows the admin feed: the registry, then what changes", watch_flags,
     "With -o json each line is a frame as the world sent it.", verb_watch},
    {"join", "ROOM", "comes into a room as a client", join_flags,
     "Lines of stdin are messages: JSON as it is, /NAME VALUE as "
     "{\"action\":NAME,\"value\":VALUE}, "
     "other text as a JSON string. It leaves at the end of stdin, or with --count after so many "
     "messages; a client that is told to come again does.",
     verb_join},
    {"log-level", "LEVEL", "changes what a process logs: error, warn, info or debug",
     log_level_flags, NULL, verb_log_level},
    {"token mint", "", "makes a token", token_mint_flags,
     "It needs the secret or a private key, and asks nobody.", verb_token_mint},
    {"token check", "TOKEN", "tells what is wrong with a token", token_check_flags,
     "TOKEN - is read from stdin. It ends with 3 when the world would refuse it.",
     verb_token_check},
    {"secret", "", "makes secrets for AUTH_JWT_SECRET and SHARD_SECRET", secret_flags, NULL,
     verb_secret},
    {"config check", "PROCESS [FILE] [FLAGS...]", "says whether settings are valid", NULL,
     "PROCESS is world or shard; FILE is its JSON file, FLAGS behind -- are its own. The program "
     "beside worldctl, or in PATH, answers.",
     verb_config_check},
    {"config print", "PROCESS [FILE] [FLAGS...]", "prints settings, and where each is from", NULL,
     "The same as config check.", verb_config_print},
    {"completion", "SHELL", "prints what completes words in a shell: bash", NULL,
     "eval \"$(worldctl completion bash)\" in ~/.bashrc. Names of rooms, shards, nodes and room "
     "servers are asked of the world.",
     verb_completion},
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
