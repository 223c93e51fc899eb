/* WebSocket load:
 *     bench-wsload echo PORT TARGET CONNECTIONS BYTES SECONDS   one message in flight per
 * connection bench-wsload hold PORT TARGET CONNECTIONS PID             memory of PID per held
 * connection bench-wsload talk PORT TARGET CONNECTIONS RATE            each says something RATE
 * times a second; for each line on stdin, how long the answers since the last one took. TARGET may
 * hold one %u, the connection's number. Every answer is compared, byte for byte, with what was
 * sent. Prints one JSON object. BENCH_TLS=1: it speaks TLS. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/bench/peer.h"

enum { DIAL_BATCH = 100, WAIT_MS = 10000, LATENCIES = 1 << 22 };

struct client {
    struct peer *peer;
    uint64_t sent; /* messages */
    int64_t at_us;
    char *text;
    size_t len;
    bool waits; /* for its answer */
};

static struct peers peers;
static struct client *clients;
static uint32_t opened, count;
static size_t bytes;
static uint64_t answered;
static uint32_t *latencies;
static size_t latency_count;
static bool measuring, looping;

static void client_send(struct client *c)
{
    int n = snprintf(c->text, bytes + 64,
                     "{\"action\":\"echo\",\"value\":{\"i\":%" PRIu64 ",\"pad\":\"",
                     (uint64_t)c->peer->id * 1000000 + c->sent++ % 1000000);
    size_t at = (size_t)n;
    while (at + 3 < bytes)
        c->text[at++] = 'x';
    memcpy(c->text + at, "\"}}", 3);
    c->len = at + 3;
    c->at_us = clock_mono_us();
    c->waits = true;
    peer_send(&peers, c->peer, span_of(c->text, c->len));
}

static void on_opened(struct peer *p, const struct http_head *head)
{
    (void)head;
    clients[p->id].peer = p;
    opened++;
}

static void on_message(struct peer *p, struct span payload, bool binary)
{
    struct client *c = &clients[p->id];
    if (binary || !span_eq(payload, span_of(c->text, c->len))) {
        (void)fprintf(stderr, "connection %u expected %.*s, got %.*s\n", p->id, (int)c->len,
                      c->text, SPAN_ARG(payload));
        exit(1);
    }
    answered++;
    c->waits = false;
    if (measuring && latency_count < LATENCIES)
        latencies[latency_count++] = (uint32_t)(clock_mono_us() - c->at_us);
    if (looping)
        client_send(c);
}

static void on_closed(struct peer *p)
{
    (void)fprintf(stderr, "connection %u was closed by the server\n", p->id);
    exit(1);
}

static void turn_until(const char *what, const uint64_t *have64, const uint32_t *have32,
                       uint64_t want)
{
    int64_t end = clock_mono_ms() + WAIT_MS;
    while ((have64 != NULL ? *have64 : *have32) < want) {
        peers_turn(&peers, -1, 10);
        if (clock_mono_ms() > end) {
            (void)fprintf(stderr, "timed out: %s\n", what);
            exit(1);
        }
    }
}

static void dial_all(uint16_t port, const char *target)
{
    const char *mark = strstr(target, "%u");
    clients = xcalloc(count, sizeof *clients);
    for (uint32_t i = 0; i < count; i++) {
        char full[1024];
        if (mark != NULL)
            (void)snprintf(full, sizeof full, "%.*s%u%s", (int)(mark - target), target, i,
                           mark + 2);
        else
            (void)snprintf(full, sizeof full, "%s", target);
        clients[i].text = xmalloc(bytes + 128);
        (void)peer_dial(&peers, port, full, i);
        if (i % DIAL_BATCH == DIAL_BATCH - 1)
            turn_until("open", NULL, &opened, i + 1);
    }
    turn_until("open", NULL, &opened, count);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void sort_latencies(void)
{
    qsort(latencies, latency_count, sizeof *latencies, by_value);
}

/* Every connection has one answer: the link stands, the buffers are there. */
static void touch_all(void)
{
    for (uint32_t i = 0; i < count; i++)
        client_send(&clients[i]);
    turn_until("first answers", &answered, NULL, count);
}

static void run_echo(double seconds)
{
    latencies = xmalloc(sizeof *latencies * LATENCIES);
    touch_all();
    looping = true;
    for (uint32_t i = 0; i < count; i++)
        client_send(&clients[i]);
    int64_t warm = clock_mono_us() + 500000;
    while (clock_mono_us() < warm)
        peers_turn(&peers, -1, 10);
    uint64_t from = answered;
    int64_t start = clock_mono_us(), end = start + (int64_t)(seconds * 1e6);
    measuring = true;
    while (clock_mono_us() < end)
        peers_turn(&peers, -1, 10);
    double took = (double)(clock_mono_us() - start) / 1e6;
    sort_latencies();
    printf("{\"rate\":%.0f,\"messages\":%" PRIu64 ",\"p50_us\":%u,\"p99_us\":%u}\n",
           (double)(answered - from) / took, answered - from, latencies[latency_count / 2],
           latencies[latency_count * 99 / 100]);
}

static uint64_t skipped; /* turns to talk of clients that still waited */

/* Those whose turn it is say something: one after the other, evenly over the time. */
static uint64_t talk_on(uint64_t said, uint64_t due)
{
    for (; said < due; said++) {
        struct client *c = &clients[said % count];
        if (c->waits)
            skipped++;
        else
            client_send(c);
    }
    return said;
}

static void print_latencies(void)
{
    sort_latencies();
    size_t n = latency_count;
    printf("{\"answers\":%zu,\"skipped\":%" PRIu64 ",\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n",
           n, skipped, n == 0 ? 0 : latencies[n / 2], n == 0 ? 0 : latencies[n * 99 / 100],
           n == 0 ? 0 : latencies[n - 1]);
    (void)fflush(stdout);
    latency_count = skipped = 0;
}

/* A line came: true; the end of stdin: *ended. */
static bool is_asked(bool *ended)
{
    char line[64];
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&in, 1, 0) <= 0)
        return false;
    ssize_t n = read(STDIN_FILENO, line, sizeof line);
    *ended = n <= 0;
    return n > 0;
}

static void run_talk(double rate)
{
    bool ended = false;
    uint64_t said = 0;
    latencies = xmalloc(sizeof *latencies * LATENCIES);
    touch_all();
    measuring = true;
    printf("talking\n");
    (void)fflush(stdout);
    int64_t start = clock_mono_us();
    while (!ended) {
        said = talk_on(said, (uint64_t)((double)(clock_mono_us() - start) / 1e6 * rate * count));
        peers_turn(&peers, -1, 1);
        if (is_asked(&ended))
            print_latencies();
    }
}

/* The anonymous (user) memory of a process, in KiB. */
static long user_kib(const char *pid)
{
    char path[64], line[256];
    long kib = -1;
    (void)snprintf(path, sizeof path, "/proc/%s/status", pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    if (f != NULL)
        (void)fclose(f);
    return kib;
}

static void run_hold(const char *pid, long before)
{
    touch_all();
    long after = user_kib(pid);
    printf(
        "{\"connections\":%u,\"before_kib\":%ld,\"after_kib\":%ld,\"bytes_per_connection\":%.0f}\n",
        count, before, after, (double)(after - before) * 1024.0 / count);
}

int main(int argc, char **argv)
{
    bool echo = argc == 7 && strcmp(argv[1], "echo") == 0;
    bool hold = argc == 6 && strcmp(argv[1], "hold") == 0;
    bool talk = argc == 6 && strcmp(argv[1], "talk") == 0;
    if (!echo && !hold && !talk) {
        (void)fprintf(stderr,
                      "usage: %s echo PORT TARGET CONNECTIONS BYTES SECONDS\n"
                      "       %s hold PORT TARGET CONNECTIONS PID\n"
                      "       %s talk PORT TARGET CONNECTIONS RATE\n",
                      argv[0], argv[0], argv[0]);
        return 2;
    }
    count = (uint32_t)strtoul(argv[4], NULL, 10);
    bytes = echo ? strtoul(argv[5], NULL, 10) : 64;
    peers_init(&peers);
    if (getenv("BENCH_TLS") != NULL)
        peers_use_tls(&peers);
    peers.opened = on_opened;
    peers.message = on_message;
    peers.closed = on_closed;
    long before = hold ? user_kib(argv[5]) : 0;
    dial_all((uint16_t)strtoul(argv[2], NULL, 10), argv[3]);
    if (talk)
        run_talk(strtod(argv[5], NULL));
    else if (echo)
        run_echo(strtod(argv[6], NULL));
    else
        run_hold(argv[5], before);
    return 0;
}
