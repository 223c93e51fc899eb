/* libwebsockets as a client of tests/rfc6455: one connection at a time, told what to do by lines on
 * stdin, and telling what it hears on stdout (tests/rfc6455/clients.mjs has the lines). */
#include <libwebsockets.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/proto/ascii.h"

enum { FIELDS_MAX = 4, HOST_MAX = 256, SENDS_MAX = 1024 };

/* What waits for its turn to be written. */
struct send {
    enum lws_write_protocol how;
    struct buf data; /* LWS_PRE bytes, then the payload */
};

static struct {
    struct lws_context *lws;
    struct lws *wsi;  /* NULL: none */
    struct buf line;  /* what came of a line */
    struct buf heard; /* what came of a message */
    struct send sends[SENDS_MAX];
    size_t head, count;
    bool in_message; /* the last one written was a fragment */
    bool closing, done;
    bool has_code;
    uint16_t code;     /* the peer's */
    struct buf reason; /* ours, then the peer's */
    int close_code;    /* ours; 0: none */
    char protocol[HOST_MAX], extensions[HOST_MAX];
} client;

/* ---- lines */

static void add_hex(struct buf *out, const char *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    if (len == 0)
        buf_add_char(out, '-');
    char *at = buf_reserve(out, 2 * len);
    for (size_t i = 0; i < len; i++) {
        at[2 * i] = digits[(uint8_t)data[i] >> 4];
        at[2 * i + 1] = digits[(uint8_t)data[i] & 0xf];
    }
    out->len += 2 * len;
}

/* "WORD HEX\n" */
static void tell(const char *word, const char *data, size_t len)
{
    struct buf out = {.len = 0};
    buf_addf(&out, "%s ", word);
    add_hex(&out, data, len);
    buf_add_char(&out, '\n');
    (void)fwrite(out.data, 1, out.len, stdout);
    (void)fflush(stdout);
    buf_clear(&out);
}

static void read_hex(struct buf *out, const char *field)
{
    if (field[0] == '-')
        return;
    for (; field[0] != '\0' && field[1] != '\0'; field += 2)
        buf_add_char(out, (char)(ascii_hex(field[0]) * 16 + ascii_hex(field[1])));
}

/* As a text that ends in NUL. */
static void read_text(struct buf *out, const char *field)
{
    buf_reset(out);
    read_hex(out, field);
    buf_add_char(out, '\0');
}

/* ---- what it is told to do */

/* ws://HOST:PORT/PATH, of tests alone. */
static void do_open(char *const *fields)
{
    struct buf url = {.len = 0}, protocols = {.len = 0};
    char host[HOST_MAX];
    int port = 0, path_at = 0;
    read_text(&url, fields[0]);
    read_text(&protocols, fields[1]);
    if (sscanf(url.data, "ws://%255[^:]:%d%n", host, &port, &path_at) != 2)
        abort();
    struct lws_client_connect_info info = {.context = client.lws,
                                           .address = host,
                                           .port = port,
                                           .path = url.data + path_at,
                                           .host = host,
                                           .origin = host,
                                           .local_protocol_name = "client"};
    if (protocols.len > 1)
        info.protocol = protocols.data;
    client.closing = client.done = client.has_code = client.in_message = false;
    client.head = client.count = 0;
    client.protocol[0] = client.extensions[0] = '\0';
    buf_reset(&client.heard);
    if (lws_client_connect_via_info(&info) == NULL && !client.done)
        tell("failed", "", 0);
    buf_clear(&url);
    buf_clear(&protocols);
}

static void do_send(enum lws_write_protocol how, const char *field)
{
    if (client.count == SENDS_MAX)
        abort();
    struct send *s = &client.sends[(client.head + client.count++) % SENDS_MAX];
    s->how = how;
    buf_reset(&s->data);
    char *room = buf_reserve(&s->data, LWS_PRE);
    memset(room, 0, LWS_PRE);
    s->data.len = LWS_PRE;
    read_hex(&s->data, field);
    if (client.wsi != NULL)
        lws_callback_on_writable(client.wsi);
}

static void do_part(const char *field, bool last)
{
    int how = client.in_message ? LWS_WRITE_CONTINUATION : LWS_WRITE_TEXT;
    client.in_message = !last;
    do_send((enum lws_write_protocol)(last ? how : how | LWS_WRITE_NO_FIN), field);
}

static void do_close(char *const *fields)
{
    client.close_code = (int)strtol(fields[0], NULL, 10);
    buf_reset(&client.reason);
    read_hex(&client.reason, fields[1]);
    client.closing = true;
    if (client.wsi != NULL)
        lws_callback_on_writable(client.wsi);
}

static void obey(char *line)
{
    char *fields[FIELDS_MAX];
    for (size_t i = 0; i < FIELDS_MAX; i++)
        fields[i] = strsep(&line, " ");
    const char *word = fields[0];
    if (word == NULL || fields[1] == NULL)
        abort();
    if (strcmp(word, "open") == 0)
        do_open(fields + 1);
    else if (strcmp(word, "text") == 0)
        do_send(LWS_WRITE_TEXT, fields[1]);
    else if (strcmp(word, "binary") == 0)
        do_send(LWS_WRITE_BINARY, fields[1]);
    else if (strcmp(word, "ping") == 0)
        do_send(LWS_WRITE_PING, fields[1]);
    else if (strcmp(word, "part") == 0 || strcmp(word, "last") == 0)
        do_part(fields[1], word[0] == 'l');
    else if (strcmp(word, "close") == 0)
        do_close(fields + 1);
    else
        abort();
}

static void take_input(void)
{
    char data[65536];
    ssize_t n = read(STDIN_FILENO, data, sizeof data);
    if (n <= 0) {
        lws_cancel_service(client.lws);
        exit(0);
    }
    buf_add(&client.line, data, (size_t)n);
    char *end;
    while (client.line.len > 0 && (end = memchr(client.line.data, '\n', client.line.len)) != NULL) {
        *end = '\0';
        obey(client.line.data);
        size_t used = (size_t)(end + 1 - client.line.data);
        memmove(client.line.data, end + 1, client.line.len - used);
        client.line.len -= used;
    }
}

/* ---- the connection */

static int write_next(struct lws *wsi)
{
    if (client.count == 0) {
        if (!client.closing)
            return 0;
        lws_close_reason(wsi,
                         client.close_code == 0 ? LWS_CLOSE_STATUS_NO_STATUS
                                                : (enum lws_close_status)client.close_code,
                         (unsigned char *)client.reason.data, client.reason.len);
        return -1;
    }
    struct send *s = &client.sends[client.head];
    client.head = (client.head + 1) % SENDS_MAX;
    client.count--;
    size_t len = s->data.len - LWS_PRE;
    if (lws_write(wsi, (unsigned char *)s->data.data + LWS_PRE, len, s->how) < 0)
        return -1;
    lws_callback_on_writable(wsi);
    return 0;
}

static void hear(struct lws *wsi, const char *data, size_t len)
{
    buf_add(&client.heard, data, len);
    if (!lws_is_final_fragment(wsi))
        return;
    tell(lws_frame_is_binary(wsi) ? "binary" : "text", client.heard.data, client.heard.len);
    buf_reset(&client.heard);
}

/* The last moment at which the answer's headers are there. */
static void note_answer(struct lws *wsi)
{
    (void)lws_hdr_copy(wsi, client.protocol, HOST_MAX, WSI_TOKEN_PROTOCOL);
    (void)lws_hdr_copy(wsi, client.extensions, HOST_MAX, WSI_TOKEN_EXTENSIONS);
    client.extensions[strcspn(client.extensions, ";")] = '\0';
}

static void opened(struct lws *wsi)
{
    struct buf out = {.len = 0};
    client.wsi = wsi;
    BUF_ADD_LIT(&out, "opened ");
    add_hex(&out, client.protocol, strlen(client.protocol));
    buf_add_char(&out, '\0');
    tell(out.data, client.extensions, strlen(client.extensions));
    buf_clear(&out);
}

static void closed(void)
{
    char word[HOST_MAX];
    client.wsi = NULL;
    client.done = true;
    (void)snprintf(word, sizeof word, "closed %d", client.has_code ? client.code : 0);
    tell(word, client.reason.data, client.has_code ? client.reason.len : 0);
}

static void peer_closes(const char *data, size_t len)
{
    client.has_code = true;
    client.code = len < 2 ? LWS_CLOSE_STATUS_NO_STATUS
                          : (uint16_t)(((uint32_t)(uint8_t)data[0] << 8) + (uint8_t)data[1]);
    buf_reset(&client.reason);
    if (len > 2)
        buf_add(&client.reason, data + 2, len - 2);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in,
                    size_t len)
{
    (void)user;
    switch ((int)why) {
    case LWS_CALLBACK_RAW_RX_FILE:
        take_input();
        return 0;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        note_answer(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        opened(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        client.done = true;
        tell("failed 0", in, in == NULL ? 0 : len);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        hear(wsi, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        tell("pong", in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return write_next(wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        peer_closes(in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        closed();
        return 0;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "client", .callback = on_event, .rx_buffer_size = 65536}, {.name = NULL}};
static const struct lws_extension extensions[] = {
    {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"},
    {NULL, NULL, NULL}};

/* usage: lws_client [deflate] */
int main(int argc, char **argv)
{
    (void)argv;
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
                                             .protocols = protocols,
                                             .extensions = argc > 1 ? extensions : NULL,
                                             .pt_serv_buf_size = 65536};
    client.lws = lws_create_context(&info);
    if (client.lws == NULL)
        return 1;
    struct lws_vhost *host = lws_get_vhost_by_name(client.lws, "default");
    lws_sock_file_fd_type in = {.filefd = STDIN_FILENO};
    if (lws_adopt_descriptor_vhost(host, LWS_ADOPT_RAW_FILE_DESC, in, "client", NULL) == NULL)
        return 1;
    while (lws_service(client.lws, 0) >= 0)
        continue;
    return 0;
}
