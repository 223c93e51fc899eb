/* Gathers what core, io and the loop count into one struct, and describes it. */
#include "shard/io/metrics.h"

#include "common/net/listener.h"

struct numbers {
    struct node_stats node;
    struct io_stats io;
    struct loop_stats loop;
    uint64_t http_connections;
    uint64_t refused_descriptors;
    uint64_t world_failures;
    uint64_t questions, questions_unanswered;
};

#define P         "terrane_shard_"
#define NODE(f)   offsetof(struct numbers, node.f)
#define IO(f)     offsetof(struct numbers, io.f)
#define REASON(r) (offsetof(struct numbers, node.reasons) + (r) * sizeof(uint64_t))
#define REFUSE(r) (offsetof(struct numbers, io.refusals) + (r) * sizeof(uint64_t))
#define CLOSE(i)  (offsetof(struct numbers, io.closes) + (i) * sizeof(uint64_t))
#define ANSWER(t, c)                                                                               \
    (offsetof(struct numbers, io.forwards) + (t) * sizeof(struct forward_stats) +                  \
     offsetof(struct forward_stats, answers) + (c) * sizeof(uint64_t))
#define TIME(t)                                                                                    \
    (offsetof(struct numbers, io.forwards) + (t) * sizeof(struct forward_stats) +                  \
     offsetof(struct forward_stats, time))

static const struct metric_row rows[] = {
    {P "clients", NULL, METRIC_GAUGE, "Clients connected.", NODE(clients)},
    {P "sessions", NULL, METRIC_GAUGE, "Sessions with at least one client.", NODE(sessions)},
    {P "shards", NULL, METRIC_GAUGE, "Shards held.", NODE(shards)},
    {P "links", "state=\"up\"", METRIC_GAUGE, "Links to room servers.", NODE(links_up)},
    {P "links", "state=\"dialling\"", METRIC_GAUGE, NULL, IO(links_dialling)},
    {P "links", "state=\"closing\"", METRIC_GAUGE, NULL, IO(links_closing)},
    {P "clients_accepted_total", NULL, METRIC_COUNTER, "Clients let in.", NODE(accepted)},
    {P "client_ends_total", "reason=\"peer_closed\"", METRIC_COUNTER,
     "Clients that left, by reason.", REASON(NODE_PEER_CLOSED)},
    {P "client_ends_total", "reason=\"peer_gone\"", METRIC_COUNTER, NULL, REASON(NODE_PEER_GONE)},
    {P "client_ends_total", "reason=\"peer_silent\"", METRIC_COUNTER, NULL,
     REASON(NODE_PEER_SILENT)},
    {P "client_ends_total", "reason=\"peer_slow\"", METRIC_COUNTER, NULL, REASON(NODE_PEER_SLOW)},
    {P "client_ends_total", "reason=\"peer_invalid\"", METRIC_COUNTER, NULL,
     REASON(NODE_PEER_INVALID)},
    {P "client_ends_total", "reason=\"room_closed\"", METRIC_COUNTER, NULL,
     REASON(NODE_ROOM_CLOSED)},
    {P "client_ends_total", "reason=\"link_unreachable\"", METRIC_COUNTER, NULL,
     REASON(NODE_LINK_UNREACHABLE)},
    {P "client_ends_total", "reason=\"link_lost\"", METRIC_COUNTER, NULL, REASON(NODE_LINK_LOST)},
    {P "client_ends_total", "reason=\"link_overflow\"", METRIC_COUNTER, NULL,
     REASON(NODE_LINK_OVERFLOW)},
    {P "client_ends_total", "reason=\"shutdown\"", METRIC_COUNTER, NULL, REASON(NODE_SHUTDOWN)},
    {P "client_ends_total", "reason=\"drained\"", METRIC_COUNTER, NULL, REASON(NODE_DRAINED)},
    {P "client_ends_total", "reason=\"kicked\"", METRIC_COUNTER, NULL, REASON(NODE_KICKED)},
    {P "client_closes_total", "code=\"1000\"", METRIC_COUNTER,
     "Client sockets that ended, by code.", CLOSE(0)},
    {P "client_closes_total", "code=\"1001\"", METRIC_COUNTER, NULL, CLOSE(1)},
    {P "client_closes_total", "code=\"1002\"", METRIC_COUNTER, NULL, CLOSE(2)},
    {P "client_closes_total", "code=\"1005\"", METRIC_COUNTER, NULL, CLOSE(3)},
    {P "client_closes_total", "code=\"1006\"", METRIC_COUNTER, NULL, CLOSE(4)},
    {P "client_closes_total", "code=\"1007\"", METRIC_COUNTER, NULL, CLOSE(5)},
    {P "client_closes_total", "code=\"1008\"", METRIC_COUNTER, NULL, CLOSE(6)},
    {P "client_closes_total", "code=\"1009\"", METRIC_COUNTER, NULL, CLOSE(7)},
    {P "client_closes_total", "code=\"1011\"", METRIC_COUNTER, NULL, CLOSE(8)},
    {P "client_closes_total", "code=\"1012\"", METRIC_COUNTER, NULL, CLOSE(9)},
    {P "client_closes_total", "code=\"1013\"", METRIC_COUNTER, NULL, CLOSE(10)},
    {P "client_closes_total", "code=\"4002\"", METRIC_COUNTER, NULL, CLOSE(11)},
    {P "client_closes_total", "code=\"4200\"", METRIC_COUNTER, NULL, CLOSE(12)},
    {P "client_closes_total", "code=\"other\"", METRIC_COUNTER, NULL, CLOSE(13)},
    {P "refusals_total", "reason=\"full\"", METRIC_COUNTER, "Requests refused, by reason.",
     REASON(NODE_REFUSED_FULL)},
    {P "refusals_total", "reason=\"no_owner\"", METRIC_COUNTER, NULL,
     REASON(NODE_REFUSED_NO_OWNER)},
    {P "refusals_total", "reason=\"unknown_shard\"", METRIC_COUNTER, NULL,
     REASON(NODE_REFUSED_UNKNOWN)},
    {P "refusals_total", "reason=\"no_seat\"", METRIC_COUNTER, NULL, REASON(NODE_REFUSED_NO_SEAT)},
    {P "refusals_total", "reason=\"banned\"", METRIC_COUNTER, NULL, REASON(NODE_REFUSED_BANNED)},
    {P "refusals_total", "reason=\"bad_id\"", METRIC_COUNTER, NULL, REASON(NODE_REFUSED_BAD_ID)},
    {P "refusals_total", "reason=\"not_found\"", METRIC_COUNTER, NULL, REFUSE(REFUSED_NOT_FOUND)},
    {P "refusals_total", "reason=\"bad_path\"", METRIC_COUNTER, NULL, REFUSE(REFUSED_PATH)},
    {P "refusals_total", "reason=\"bad_method\"", METRIC_COUNTER, NULL, REFUSE(REFUSED_METHOD)},
    {P "refusals_total", "reason=\"handshake\"", METRIC_COUNTER, NULL, REFUSE(REFUSED_HANDSHAKE)},
    {P "refusals_total", "reason=\"bad_request\"", METRIC_COUNTER, NULL, REFUSE(REFUSED_FRAMING)},
    {P "refusals_total", "reason=\"timeout\"", METRIC_COUNTER, NULL, REFUSE(REFUSED_TIMEOUT)},
    {P "refusals_total", "reason=\"head_too_big\"", METRIC_COUNTER, NULL, REFUSE(REFUSED_BIG_HEAD)},
    {P "refusals_total", "reason=\"busy\"", METRIC_COUNTER, NULL, REFUSE(REFUSED_BUSY)},
    {P "refusals_total", "reason=\"no_room_server\"", METRIC_COUNTER, NULL,
     REFUSE(REFUSED_NO_ROOM)},
    {P "refusals_total", "reason=\"bad_signature\"", METRIC_COUNTER, NULL,
     REFUSE(REFUSED_SIGNATURE)},
    {P "refusals_total", "reason=\"origin\"", METRIC_COUNTER, NULL, REFUSE(REFUSED_ORIGIN)},
    {P "messages_total", "direction=\"up\"", METRIC_COUNTER,
     "Messages from clients and deliveries to clients.", NODE(messages_up)},
    {P "messages_total", "direction=\"down\"", METRIC_COUNTER, NULL, NODE(messages_down)},
    {P "message_bytes_total", "direction=\"up\"", METRIC_COUNTER,
     "Payload of messages from clients and of deliveries to clients.", NODE(bytes_up)},
    {P "message_bytes_total", "direction=\"down\"", METRIC_COUNTER, NULL, NODE(bytes_down)},
    {P "dropped_messages_total", "reason=\"not_json\"", METRIC_COUNTER,
     "Messages that went nowhere, by reason.", NODE(dropped_not_json)},
    {P "dropped_messages_total", "reason=\"too_deep\"", METRIC_COUNTER, NULL,
     NODE(dropped_too_deep)},
    {P "dropped_messages_total", "reason=\"from_room\"", METRIC_COUNTER, NULL,
     NODE(dropped_from_room)},
    {P "dropped_messages_total", "reason=\"unknown_target\"", METRIC_COUNTER, NULL,
     NODE(unknown_target)},
    {P "link_dials_total", NULL, METRIC_COUNTER, "Dials of room servers.", NODE(link_dials)},
    {P "link_failures_total", NULL, METRIC_COUNTER, "Dials that failed.", NODE(link_failures)},
    {P "link_losses_total", NULL, METRIC_COUNTER, "Links that stood and fell.", NODE(link_losses)},
    {P "link_replays_total", NULL, METRIC_COUNTER, "Links that came back.", NODE(link_replays)},
    {P "link_lost_bytes_total", NULL, METRIC_COUNTER,
     "Bytes that fallen links had sent and room servers had not acknowledged.",
     NODE(link_lost_bytes)},
    {P "link_bad_frames_total", NULL, METRIC_COUNTER,
     "Links closed for a frame that was too big or against the protocol.", IO(link_bad_frames)},
    {P "link_pauses_total", NULL, METRIC_COUNTER, "Clients paused because a link was full.",
     NODE(link_pauses)},
    {P "reports_total", NULL, METRIC_COUNTER, "Reports to worlds.", NODE(reports)},
    {P "report_failures_total", NULL, METRIC_COUNTER, "Reports that no world confirmed.",
     NODE(report_failures)},
    {P "beats_total", NULL, METRIC_COUNTER, "Heartbeats to worlds.", NODE(beats)},
    {P "beat_failures_total", NULL, METRIC_COUNTER, "Heartbeats that were not confirmed.",
     NODE(beat_failures)},
    {P "beat_conflicts_total", NULL, METRIC_COUNTER,
     "Heartbeats refused because of another with this node's id.", NODE(beat_conflicts)},
    {P "stale_orders_total", NULL, METRIC_COUNTER,
     "Orders ignored because a later owner of the world had been heard.", NODE(stale_orders)},
    {P "stale_answers_total", NULL, METRIC_COUNTER,
     "Answers about arrivals ignored for the same reason.", NODE(stale_answers)},
    {P "refused_orders_total", NULL, METRIC_COUNTER,
     "Shards that orders named and that could not be started here.", NODE(refused_orders)},
    {P "worlds", "mode=\"unheard\"", METRIC_GAUGE, "Worlds by how they are reported to.",
     NODE(worlds_unheard)},
    {P "worlds", "mode=\"beats\"", METRIC_GAUGE, NULL, NODE(worlds_beats)},
    {P "worlds", "mode=\"reference\"", METRIC_GAUGE, NULL, NODE(worlds_reference)},
    {P "shards_owned", NULL, METRIC_GAUGE, "Shards held by order of a world.", NODE(shards_owned)},
    {P "guests", NULL, METRIC_GAUGE, "Clients of shards that a world has given to another node.",
     NODE(guests)},
    {P "world_failures_total", NULL, METRIC_COUNTER, "Worlds that could not be reached when asked.",
     offsetof(struct numbers, world_failures)},
    {P "forwards", NULL, METRIC_GAUGE, "HTTP requests being forwarded.", IO(forwards_now)},
    {P "forwards_total", "target=\"room\",status=\"2xx\"", METRIC_COUNTER,
     "HTTP requests forwarded, by target and answer; none: no whole answer came.",
     ANSWER(FORWARD_ROOM, 2)},
    {P "forwards_total", "target=\"room\",status=\"3xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_ROOM, 3)},
    {P "forwards_total", "target=\"room\",status=\"4xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_ROOM, 4)},
    {P "forwards_total", "target=\"room\",status=\"5xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_ROOM, 5)},
    {P "forwards_total", "target=\"room\",status=\"none\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_ROOM, 0)},
    {P "forwards_total", "target=\"world\",status=\"2xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_WORLD, 2)},
    {P "forwards_total", "target=\"world\",status=\"3xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_WORLD, 3)},
    {P "forwards_total", "target=\"world\",status=\"4xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_WORLD, 4)},
    {P "forwards_total", "target=\"world\",status=\"5xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_WORLD, 5)},
    {P "forwards_total", "target=\"world\",status=\"none\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_WORLD, 0)},
    {P "forwards_total", "target=\"node\",status=\"2xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_NODE, 2)},
    {P "forwards_total", "target=\"node\",status=\"3xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_NODE, 3)},
    {P "forwards_total", "target=\"node\",status=\"4xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_NODE, 4)},
    {P "forwards_total", "target=\"node\",status=\"5xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_NODE, 5)},
    {P "forwards_total", "target=\"node\",status=\"none\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_NODE, 0)},
    {P "forward_seconds", "target=\"room\"", METRIC_HISTOGRAM,
     "Time of forwarded requests, bodies included.", TIME(FORWARD_ROOM)},
    {P "forward_seconds", "target=\"world\"", METRIC_HISTOGRAM, NULL, TIME(FORWARD_WORLD)},
    {P "forward_seconds", "target=\"node\"", METRIC_HISTOGRAM, NULL, TIME(FORWARD_NODE)},
    {P "tunnels", "target=\"world\"", METRIC_GAUGE, "Tunnels, open or on their way.",
     IO(tunnels.now)},
    {P "tunnels", "target=\"node\"", METRIC_GAUGE, NULL, IO(peer_tunnels.now)},
    {P "tunnels_total", "target=\"world\"", METRIC_COUNTER, "Tunnels opened.", IO(tunnels.opened)},
    {P "tunnels_total", "target=\"node\"", METRIC_COUNTER, NULL, IO(peer_tunnels.opened)},
    {P "tunnel_failures_total", NULL, METRIC_COUNTER, "Tunnels refused: no world was reached.",
     IO(tunnels.failures)},
    {P "tunnel_bytes_total", "target=\"world\"", METRIC_COUNTER, "Bytes through tunnels.",
     IO(tunnels.bytes)},
    {P "tunnel_bytes_total", "target=\"node\"", METRIC_COUNTER, NULL, IO(peer_tunnels.bytes)},
    {P "arrivals_held", NULL, METRIC_GAUGE,
     "Clients and requests that wait for an answer, or are served by their owner.",
     IO(arrivals.held_now)},
    {P "arrival_held_seconds", NULL, METRIC_HISTOGRAM,
     "Until it was clear where those that waited are served.", IO(arrivals.held)},
    {P "arrivals_elsewhere_total", NULL, METRIC_COUNTER,
     "Passed on to this node and not for it: answered 421.", IO(arrivals.elsewhere)},
    {P "owner_failures_total", "reason=\"unreachable\"", METRIC_COUNTER,
     "Owners that were tried in vain.", IO(arrivals.unreachable)},
    {P "owner_failures_total", "reason=\"misdirected\"", METRIC_COUNTER, NULL,
     IO(arrivals.misdirected)},
    {P "questions_total", NULL, METRIC_COUNTER, "Worlds asked where a shard is.",
     offsetof(struct numbers, questions)},
    {P "questions_unanswered_total", NULL, METRIC_COUNTER, "Of them without an answer in time.",
     offsetof(struct numbers, questions_unanswered)},
    {P "adopted_shards_total", NULL, METRIC_COUNTER, "Shards served that nobody created.",
     NODE(adopted)},
    {P "http_connections", NULL, METRIC_GAUGE, "HTTP connections, upgraded ones not counted.",
     offsetof(struct numbers, http_connections)},
    {P "refused_descriptors_total", NULL, METRIC_COUNTER,
     "Connections refused for want of descriptors.", offsetof(struct numbers, refused_descriptors)},
    {P "loop_lag_seconds", NULL, METRIC_HISTOGRAM, "How late a 100 ms timer fired.",
     offsetof(struct numbers, loop.lag)},
    {P "loop_turn_seconds", NULL, METRIC_HISTOGRAM, "Time spent in a turn of the loop.",
     offsetof(struct numbers, loop.turn)},
    {P "loop_turns_total", NULL, METRIC_COUNTER, "Turns of the loop.",
     offsetof(struct numbers, loop.turns)},
};

void metrics_add(struct buf *out, const struct metrics *m, bool openmetrics)
{
    const struct numbers numbers = {
        .node = *node_stats(m->node),
        .io = *m->io,
        .loop = *loop_stats(m->loop),
        .http_connections = http_server_connections(*m->server),
        .refused_descriptors = *m->listener == NULL ? 0 : listener_refused(*m->listener),
        .world_failures = m->worlds->failures,
        .questions = m->questions->sent,
        .questions_unanswered = m->questions->unanswered,
    };
    metrics_render(out, rows, sizeof rows / sizeof rows[0], &numbers, openmetrics);
    metrics_render_process(out, openmetrics);
    metrics_render_end(out, openmetrics);
}

bool metrics_are_wanted_open(struct span accept)
{
    struct span part;
    while (span_split(&accept, ',', &part))
        if (span_starts(span_trim(part), SPAN("application/openmetrics-text")))
            return true;
    return false;
}
