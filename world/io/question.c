/* Questions of this process to its own core. */
#include "world/io/question.h"

#include "common/proto/secret.h"
#include "world/io/moment_now.h"
#include "world/io/request.h"

static void tell(struct turn_end *t)
{
    struct server_question *q = CONTAINER_OF(t, struct server_question, told);

    q->answered(q, q->status, buf_span(&q->body));
}

void question_keep(struct request *r, int status, struct span body)
{
    struct server_question *q = r->question;
    struct loop *l = r->server->loop;

    q->status = status;
    q->request = (struct handle){.gen = 0};
    buf_reset(&q->body);
    buf_add_span(&q->body, body);
    request_free(r);
    q->told.fn = tell;
    loop_at_turn_end(l, &q->told);
}

void question_hand_to_core(struct request *r)
{
    struct server *s = r->server;
    struct api_request request = {
        .reply = r->self,
        .method = SPAN("POST"),
        .path = buf_span(&r->question->path),
        .credentials = {.access = secrets_first(s->settings->secrets), .access_count = 1},
        .body = buf_span(&r->body),
    };

    api_handle(s->core, &request, moment_now(s->loop));
}

void server_ask(struct server *s, struct server_question *q, struct span path, struct span body)
{
    struct request *r = request_new(s, NULL, NULL);

    r->question = q;
    q->request = r->self;
    buf_reset(&q->path);
    buf_add_span(&q->path, path);
    buf_add_span(&r->body, body);
    question_hand_to_core(r);
}

void server_question_drop(struct server *s, struct server_question *q)
{
    struct request *r = slots_get(&s->requests, q->request);

    if (r != NULL)
        request_free(r);
    q->request = (struct handle){.gen = 0};
    loop_not_at_turn_end(&q->told);
    buf_clear(&q->path);
    buf_clear(&q->body);
}
