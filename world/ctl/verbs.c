/* Rows of verbs. */
#include "world/ctl/verbs.h"

#include "world/ctl/verb_completion.h"
#include "world/ctl/verb_config.h"
#include "world/ctl/verb_copy.h"
#include "world/ctl/verb_doctor.h"
#include "world/ctl/verb_drain.h"
#include "world/ctl/verb_events.h"
#include "world/ctl/verb_join.h"
#include "world/ctl/verb_lists.h"
#include "world/ctl/verb_log_level.h"
#include "world/ctl/verb_one.h"
#include "world/ctl/verb_rooms.h"
#include "world/ctl/verb_status.h"
#include "world/ctl/verb_token.h"
#include "world/ctl/verb_top.h"
#include "world/ctl/verb_why.h"

/* clang-format off */
const struct verb verbs[] = {
    {"status", "", "what is wrong, and how full it is", NULL,
     "Ends with 1 if a finding is an error.", verb_status},

    {"doctor", "", "looks at everything from here to the room servers, and says what to mend",
     doctor_flags,
     "--url may name several worlds, with commas between them. With SHARD_SECRET in the "
     "environment\nthat is compared, too. Ends with 1 if something is an error, with 0 if there "
     "are only warnings.\nA room named doctor is made for a moment; nobody else is touched.",
     verb_doctor},

    {"rooms list", "", "lists the rooms", verb_list_flags, NULL, verb_rooms_list},
    {"rooms show", "ROOM", "shows a room", NULL, NULL, verb_rooms_show},
    {"rooms create", "ROOM", "makes a room", verb_rooms_create_flags,
     "What is not said is as in a room that clients make.", verb_rooms_create},
    {"rooms set", "ROOM", "changes settings of a room", verb_rooms_create_flags,
     "What is not said stays. Shards that are there keep their capacity.", verb_rooms_set},
    {"rooms apply", "", "makes rooms and room servers what a file says", verb_rooms_apply_flags,
     "The file: {\"rooms\":{NAME:{settings}},\"servers\":{ORIGIN:{\"draining\":false}}}. Shows a "
     "diff, and\nasks on a terminal. A setting that is not in the file is as in a room that "
     "clients make.", verb_rooms_apply},
    {"rooms delete", "ROOM", "deletes a room", verb_delete_flags, NULL, verb_rooms_delete},

    {"shards list", "", "lists the shards", verb_shards_list_flags, NULL, verb_shards_list},
    {"shards show", "SHARD", "shows a shard", NULL, NULL, verb_shards_show},
    {"shards add", "ROOM", "gives a room more shards", verb_shards_add_flags, NULL,
     verb_shards_add},
    {"shards set", "SHARD", "changes how many clients a shard may have", verb_shards_set_flags,
     NULL, verb_shards_set},
    {"shards delete", "SHARD", "deletes a shard", verb_delete_flags, NULL, verb_shards_delete},

    {"nodes list", "", "lists the nodes", verb_list_flags, NULL, verb_nodes_list},
    {"nodes show", "NODE", "shows a node", NULL, NULL, verb_nodes_show},
    {"nodes delete", "NODE", "forgets a node that is dead", NULL, NULL, verb_nodes_delete},

    {"servers list", "", "lists the room servers", verb_list_flags, NULL, verb_servers_list},
    {"servers show", "ORIGIN", "shows a room server", NULL, NULL, verb_servers_show},
    {"servers add", "ORIGIN", "adds a room server", NULL, NULL, verb_servers_add},
    {"servers delete", "ORIGIN", "takes a room server away; its rooms go to others", NULL, NULL,
     verb_servers_delete},

    {"scale", "ROOM N", "gives a room N shards", verb_scale_flags, NULL, verb_scale},
    {"drain", "[SHARD]", "leads clients away from a shard, a node or a room server",
     verb_drain_flags,
     "Waits until it is done, and ends with 6 when that takes too long; the drain goes on then.",
     verb_drain},
    {"undrain", "[SHARD]", "takes a drain back", verb_undrain_flags, NULL, verb_undrain},
    {"move shard", "SHARD NODE", "puts a shard on another node", NULL, NULL, verb_move_shard},
    {"move room", "ROOM ORIGIN", "puts a room on another room server", verb_move_room_flags, NULL,
     verb_move_room},
    {"maintenance", "SHARD", "sends no new clients to a shard", verb_maintenance_flags, NULL,
     verb_maintenance},

    {"kick", "ROOM SESSION", "closes a session's sockets", NULL, NULL, verb_kick},
    {"ban", "ROOM SESSION", "keeps a session out of a room", verb_ban_flags, NULL, verb_ban},
    {"bans", "ROOM", "lists who is kept out of a room", verb_list_flags, NULL, verb_bans},
    {"unban", "ROOM SESSION", "lets a session in again", NULL, NULL, verb_unban},

    {"explain", "ROOM", "says where /connect would send a client, and why", verb_explain_flags,
     "Changes nothing.", verb_explain},
    {"connect", "ROOM", "takes a place in a room, and says which and why", verb_connect_flags,
     "The seat is kept for as long as for any client (SEAT_TTL).", verb_connect},

    {"export", "[FILE]", "writes all records of the world", NULL,
     "Without a FILE, or with -, to stdout.", verb_export},
    {"import", "FILE", "takes records in", verb_import_flags, "FILE - is stdin.", verb_import},

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
/* clang-format on */

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
