/* Gathers what core, io and the loop count into one struct, and describes it. */
#include "shard/io/metrics.h"

#include "common/net/doors.h"
#include "shard/core/survey.h"
#include "shard/io/metrics_findings.h"
#include "shard/io/metrics_reasons.h"

struct numbers {
    struct node_stats node;
    struct io_stats io;
    struct loop_stats loop;
    struct survey links;
    struct room_reach_count rooms;
    uint64_t http_connections;
    uint64_t refused_descriptors;
    uint64_t world_failures;
    uint64_t questions, questions_unanswered;
    uint64_t client_addresses, clients_max;
    struct histogram beat, question;
};

#define P        "terrane_shard_"
#define NODE(f)  offsetof(struct numbers, node.f)
#define IO(f)    offsetof(struct numbers, io.f)
#define LINKS(f) offsetof(struct numbers, links.f)
#define SLOW(c)  (offsetof(struct numbers, io.buffers.slow) + (c) * sizeof(uint64_t))
#define CLOSE(i) (offsetof(struct numbers, io.closes) + (i) * sizeof(uint64_t))
#define ANSWER(t, c)                                                                               \
    (offsetof(struct numbers, io.forwards) + (t) * sizeof(struct forward_stats) +                  \
     offsetof(struct forward_stats, answers) + (c) * sizeof(uint64_t))
#define TIME(t)                                                                                    \
    (offsetof(struct numbers, io.forwards) + (t) * sizeof(struct forward_stats) +                  \
     offsetof(struct forward_stats, time))

static const struct metric_row rows[] = {
    {P "clients", NULL, METRIC_GAUGE, "Clients connected.", NODE(clients)},
    {P "clients_max", NULL, METRIC_GAUGE, "Clients that there may be at once (MAX_CONNECTIONS).",
     offsetof(struct numbers, clients_max)},
    {P "greetings", NULL, METRIC_GAUGE, "Clients whose first frame is awaited.", IO(greetings_now)},
    {P "sessions", NULL, METRIC_GAUGE, "Sessions with at least one client.", NODE(sessions)},
    {P "shards", NULL, METRIC_GAUGE, "Shards held.", NODE(shards)},
    {P "links", "state=\"idle\"", METRIC_GAUGE,
     "Links to room servers, one for each shard: idle, nobody needs it; waiting, to be dialled "
     "again, or held by order; replaying, the room hears who is there; closing, also what is left "
     "of links that are given up.",
     LINKS(idle)},
    {P "links", "state=\"waiting\"", METRIC_GAUGE, NULL, LINKS(waiting)},
    {P "links", "state=\"dialling\"", METRIC_GAUGE, NULL, LINKS(dialling)},
    {P "links", "state=\"replaying\"", METRIC_GAUGE, NULL, LINKS(replaying)},
    {P "links", "state=\"up\"", METRIC_GAUGE, NULL, LINKS(up)},
    {P "links", "state=\"closing\"", METRIC_GAUGE, NULL, LINKS(closing)},
    {P "link_waiting_bytes", "where=\"backlog\"", METRIC_GAUGE,
     "What waits for links: messages for those that do not stand, and what those that stand have "
     "not sent.",
     LINKS(backlog_bytes)},
    {P "link_waiting_bytes", "where=\"queue\"", METRIC_GAUGE, NULL, LINKS(queued_bytes)},
    {P "link_oldest_wait_seconds", NULL, METRIC_GAUGE_MS,
     "For how long a message, or a client that no room has heard of, has waited for a link.",
     LINKS(oldest_wait_ms)},
    {P "link_paused_clients", NULL, METRIC_GAUGE, "Clients not read because their link is full.",
     NODE(paused)},
    {P "room_servers", "state=\"reachable\"", METRIC_GAUGE,
     "Room servers that links need, or did a minute ago, by how the last dial of each went.",
     offsetof(struct numbers, rooms.reachable)},
    {P "room_servers", "state=\"unreachable\"", METRIC_GAUGE, NULL,
     offsetof(struct numbers, rooms.unreachable)},
    {P "clients_accepted_total", NULL, METRIC_COUNTER, "Clients let in.", NODE(accepted)},
    {P "upgrade_seconds", NULL, METRIC_HISTOGRAM,
     "From a client's handshake to its 101, waits included.", IO(upgrade)},
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
    {P "client_closes_total", "code=\"4201\"", METRIC_COUNTER, NULL, CLOSE(13)},
    {P "client_closes_total", "code=\"4001\"", METRIC_COUNTER, NULL, CLOSE(14)},
    {P "client_closes_total", "code=\"4003\"", METRIC_COUNTER, NULL, CLOSE(15)},
    {P "client_closes_total", "code=\"4404\"", METRIC_COUNTER, NULL, CLOSE(16)},
    {P "client_closes_total", "code=\"other\"", METRIC_COUNTER, NULL, CLOSE(17)},
    {P "slow_clients_total", "cause=\"queue\"", METRIC_COUNTER,
     "Clients closed with 4200: too much waited for them, they took nothing for too long, or too "
     "much waited for all.",
     SLOW(WS_SLOW_QUEUE)},
    {P "slow_clients_total", "cause=\"stalled\"", METRIC_COUNTER, NULL, SLOW(WS_SLOW_STALLED)},
    {P "slow_clients_total", "cause=\"buffers\"", METRIC_COUNTER, NULL, SLOW(WS_SLOW_BUFFERS)},
    {P "client_buffer_bytes", "direction=\"down\"", METRIC_GAUGE,
     "What waits for clients, and unfinished messages from them.", IO(buffers.out)},
    {P "client_buffer_bytes", "direction=\"up\"", METRIC_GAUGE, NULL, IO(buffers.in)},
    {P "compressed_bytes_total", "stage=\"before\"", METRIC_COUNTER,
     "Frames to clients that were compressed, before and after; a broadcast counts once.",
     IO(packer.plain_bytes)},
    {P "compressed_bytes_total", "stage=\"after\"", METRIC_COUNTER, NULL, IO(packer.packed_bytes)},
    {P "admissions_held", NULL, METRIC_GAUGE, "Clients that wait until CONNECT_RATE lets them in.",
     IO(admission.held_now)},
    {P "admissions_total", "how=\"at_once\"", METRIC_COUNTER, "Clients that CONNECT_RATE let in.",
     IO(admission.at_once)},
    {P "admissions_total", "how=\"after_wait\"", METRIC_COUNTER, NULL, IO(admission.after_wait)},
    {P "admissions_total", "how=\"passed_on\"", METRIC_COUNTER, NULL, IO(admission.uninvited)},
    {P "admission_wait_seconds", NULL, METRIC_HISTOGRAM, "How long those let in had waited for it.",
     IO(admission.waited)},
    {P "client_addresses", NULL, METRIC_GAUGE, "Client addresses of which CLIENT_RATE keeps count.",
     offsetof(struct numbers, client_addresses)},
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
    {P "dropped_messages_total", "reason=\"slow_client\"", METRIC_COUNTER, NULL,
     IO(buffers.dropped)},
    {P "link_dials_total", NULL, METRIC_COUNTER, "Dials of room servers.", NODE(link_dials)},
    {P "link_failures_total", NULL, METRIC_COUNTER, "Dials that failed.", NODE(link_failures)},
    {P "link_dial_seconds", NULL, METRIC_HISTOGRAM,
     "From the warm-up of a link to its handshake, of those that came to stand.", IO(dial)},
    {P "link_losses_total", NULL, METRIC_COUNTER, "Links that stood and fell.", NODE(link_losses)},
    {P "link_replays_total", NULL, METRIC_COUNTER, "Links that came back.", NODE(link_replays)},
    {P "link_lost_bytes_total", NULL, METRIC_COUNTER,
     "Bytes of messages that fallen links had sent and room servers were not known to have read, "
     "and "
     "of those that waited too long for a link.",
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
    {P "beat_seconds", NULL, METRIC_HISTOGRAM, "From a heartbeat to what came of it.",
     offsetof(struct numbers, beat)},
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
    {P "forwards_total", "target=\"server\",status=\"2xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_SERVER, 2)},
    {P "forwards_total", "target=\"server\",status=\"3xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_SERVER, 3)},
    {P "forwards_total", "target=\"server\",status=\"4xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_SERVER, 4)},
    {P "forwards_total", "target=\"server\",status=\"5xx\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_SERVER, 5)},
    {P "forwards_total", "target=\"server\",status=\"none\"", METRIC_COUNTER, NULL,
     ANSWER(FORWARD_SERVER, 0)},
    {P "forward_seconds", "target=\"room\"", METRIC_HISTOGRAM,
     "Time of forwarded requests, bodies included.", TIME(FORWARD_ROOM)},
    {P "forward_seconds", "target=\"world\"", METRIC_HISTOGRAM, NULL, TIME(FORWARD_WORLD)},
    {P "forward_seconds", "target=\"node\"", METRIC_HISTOGRAM, NULL, TIME(FORWARD_NODE)},
    {P "forward_seconds", "target=\"server\"", METRIC_HISTOGRAM, NULL, TIME(FORWARD_SERVER)},
    {P "proxy_headers_total", "result=\"taken\"", METRIC_COUNTER,
     "Connections from PROXY_PROTOCOL, by what came of them.", IO(door.taken)},
    {P "proxy_headers_total", "result=\"bad\"", METRIC_COUNTER, NULL, IO(door.bad)},
    {P "proxy_headers_total", "result=\"slow\"", METRIC_COUNTER, NULL, IO(door.slow)},
    {P "proxy_headers_total", "result=\"ended\"", METRIC_COUNTER, NULL, IO(door.ended)},
    {P "proxy_headers_total", "result=\"full\"", METRIC_COUNTER, NULL, IO(door.full)},
    {P "proxy_headers_awaited", NULL, METRIC_GAUGE,
     "Connections that have not said whose they are.", IO(door.waiting)},
    {P "passing", "of=\"shards\"", METRIC_GAUGE,
     "Clients of mode pass, open or on their way, by whether they have a shard.",
     IO(passes.shards.now)},
    {P "passing", "of=\"none\"", METRIC_GAUGE, NULL, IO(passes.visitors.now)},
    {P "passing_total", "of=\"shards\"", METRIC_COUNTER, "Clients joined with a server.",
     IO(passes.shards.opened)},
    {P "passing_total", "of=\"none\"", METRIC_COUNTER, NULL, IO(passes.visitors.opened)},
    {P "passing_bytes_total", "of=\"shards\"", METRIC_COUNTER, "Bytes of mode pass, both ways.",
     IO(passes.shards.bytes)},
    {P "passing_bytes_total", "of=\"none\"", METRIC_COUNTER, NULL, IO(passes.visitors.bytes)},
    {P "servers_unreachable_total", NULL, METRIC_COUNTER,
     "Servers of mode pass that were tried in vain.", IO(passes.unreachable)},
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
    {P "question_seconds", NULL, METRIC_HISTOGRAM, "From such a question to what came of it.",
     offsetof(struct numbers, question)},
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
    struct numbers numbers = {
        .node = *node_stats(m->node),
        .io = *m->io,
        .rooms = room_reach_count(m->reach, loop_now(m->loop)),
        .loop = *loop_stats(m->loop),
        .http_connections = http_server_connections(*m->server),
        .refused_descriptors =
            m->doors->listener == NULL ? 0 : listener_refused(m->doors->listener),
        .world_failures = m->worlds->failures,
        .questions = m->questions->sent,
        .questions_unanswered = m->questions->unanswered,
        .client_addresses = address_rates_count(m->addresses),
        .clients_max = m->settings->max_connections,
        .beat = m->heart->time,
        .question = m->questions->time,
    };
    survey_take(m->node, loop_now(m->loop), &numbers.links);
    numbers.links.closing += m->io->links_closing;
    metrics_render(out, rows, sizeof rows / sizeof rows[0], &numbers, openmetrics);
    metrics_add_findings(out, node_findings(m->node), openmetrics);
    metrics_add_reasons(out, &numbers.node, &numbers.io, openmetrics);
    doors_add_metrics(out, m->doors, P, openmetrics);
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
