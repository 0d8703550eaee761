/* face.c - the gate's end of the socket to its HTTP face (front.h). */
#include <errno.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "gate/front.h"
#include "gate/gate-priv.h"
#include "gate/listen.h"
#include "role/input.h"

#define ASKED_MAX ((size_t)1 << 20) /* what a question takes beside its body */

/* --- sending --- */

static void out_free(struct qn_out *o)
{
        qn_buf_done(&o->params);
        qn_buf_done(&o->input);
        qn_closep(&o->fd);
        free(o);
}

static int try_send(struct qn_gate *g, struct qn_msg_job *job, int fd)
{
        return qn_msg_send_job(g->face.sock, job, fd);
}

static void put_off(struct qn_gate *g, const struct qn_msg_job *job, struct qn_str params,
                    struct qn_cur input, int fd)
{
        struct qn_out *o = calloc(1, sizeof *o);

        if (!o) {
                qn_closep(&fd);
                return;
        }
        o->params = o->input = QN_BUF_INIT(QN_ROLE_MESSAGE_MAX);
        qn_buf_str(&o->params, params);
        qn_buf_add(&o->input, input.p, qn_cur_left(&input));
        o->job = *job;
        o->job.params = qn_cur_mem(o->params.p, o->params.n);
        o->job.input = qn_cur_mem(o->input.p, o->input.n);
        o->fd = fd;
        STAILQ_INSERT_TAIL(&g->face.out, o, link);
}

void qn_face_send(struct qn_gate *g, unsigned kind, uint64_t seq, struct qn_str params,
                  struct qn_cur input, int fd)
{
        struct qn_msg_job job = { .seq = seq,
                                  .kind = (uint8_t)kind,
                                  .params = qn_cur_mem(params.p, params.n),
                                  .input = input };
        int r = 0;

        if (g->face.sock < 0) {
                qn_closep(&fd);
                return;
        }
        if (qn_cur_left(&input) > QN_ROLE_INLINE_MAX) {
                r = qn_input_sealed(input, &fd);
                job.input = input = (struct qn_cur){ 0 };
        }
        if (r == 0)
                r = STAILQ_EMPTY(&g->face.out) ? try_send(g, &job, fd) : -EAGAIN;
        if (r == -EAGAIN) {
                put_off(g, &job, params, input, fd);
                return;
        }
        qn_closep(&fd);
        if (r < 0 && r != -EPIPE)
                qn_gate_note(g, "an answer could not be sent: %s", strerrordesc_np(-r));
}

int qn_face_flush(struct qn_gate *g)
{
        struct qn_out *o;

        while ((o = STAILQ_FIRST(&g->face.out))) {
                int r = try_send(g, &o->job, o->fd);

                if (r == -EAGAIN)
                        return 0;
                STAILQ_REMOVE_HEAD(&g->face.out, link);
                out_free(o);
                if (r == -EPIPE)
                        return r;
        }
        return 0;
}

void qn_face_forget(struct qn_gate *g, struct qn_str package)
{
        qn_face_send(g, QN_FRONT_FORGET, 1, package, (struct qn_cur){ 0 }, -1);
}

/* --- starting --- */

static int read_pem(struct qn_gate *g, struct qn_str path, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        char name[4096];
        int r;

        if (!path.p)
                return 0;
        snprintf(name, sizeof name, "%.*s", QN_STR_ARG(path));
        r = qn_io_read(name, &b);
        if (r < 0) {
                qn_gate_note(g, "%s: %s", name, strerrordesc_np(-r));
                return r;
        }
        *ret = qn_arena_dup(&g->service_mem, qn_buf_view(&b));
        return ret->p ? 0 : -ENOMEM;
}

static bool fits(struct qn_str cert, struct qn_str key)
{
        BIO *c = BIO_new_mem_buf(cert.p, (int)cert.n), *k = BIO_new_mem_buf(key.p, (int)key.n);
        X509 *x = c ? PEM_read_bio_X509(c, NULL, NULL, NULL) : NULL;
        EVP_PKEY *p = k ? PEM_read_bio_PrivateKey(k, NULL, NULL, NULL) : NULL;
        bool r = x && p && X509_check_private_key(x, p) == 1;

        EVP_PKEY_free(p);
        X509_free(x);
        BIO_free(k);
        BIO_free(c);
        return r;
}

int qn_face_check(struct qn_gate *g, struct qn_err *reterr)
{
        const struct qn_service *s = &g->service;
        struct qn_str cert = { 0 }, key = { 0 };
        int r = read_pem(g, s->cert, &cert);

        if (r == 0)
                r = read_pem(g, s->key, &key);
        if (r == 0 && cert.p && !(key.p && fits(cert, key)))
                r = -EINVAL;
        return r < 0 && s->cert.p
                       ? qn_fail(reterr, r, 0, "%.*s: no certificate that fits the key can be read",
                                 QN_STR_ARG(s->cert))
                       : r;
}

/* The path of the gate's own address. */
static struct qn_str prefix_of(struct qn_str url)
{
        ptrdiff_t at = qn_str_find(url, QN_STR("://"));

        (void)qn_str_cut(&url, ':');
        if (at < 0 || !qn_str_starts(url, "//"))
                return QN_STR("");
        url = qn_str_skip(url, 2);
        at = qn_str_chr(url, '/');
        return at < 0 ? QN_STR("") : qn_str_skip(url, (size_t)at);
}

int qn_face_configure(struct qn_gate *g)
{
        const struct qn_service *s = &g->service;
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)16 << 20);
        struct qn_front_token *tokens =
                qn_arena_calloc(&g->service_mem, s->n_tokens + 1, sizeof *tokens);
        struct qn_front_config c = { .prefix = prefix_of(s->url),
                                     .tokens = tokens,
                                     .n_tokens = s->n_tokens,
                                     .closed = s->closed,
                                     .rate = s->rate,
                                     .burst = s->burst,
                                     .body_max = s->body_max,
                                     .keep_max = QN_GATE_KEEP_MAX,
                                     .proxies = s->proxies };
        int r = tokens ? read_pem(g, s->cert, &c.cert) : -ENOMEM;

        if (r == 0)
                r = read_pem(g, s->key, &c.key);
        for (size_t i = 0; r == 0 && i < s->n_tokens; i++) {
                tokens[i].name = s->tokens[i].name;
                tokens[i].admin = s->tokens[i].admin;
                memcpy(tokens[i].sha256, s->tokens[i].sha256, sizeof tokens[i].sha256);
        }
        if (r < 0)
                return r;
        qn_front_write_config(&b, &c);
        r = qn_buf_error(&b);
        if (r == 0)
                qn_face_send(g, QN_FRONT_CONFIG, 1, QN_STR(""), qn_cur_mem(b.p, b.n), -1);
        return r;
}

int qn_face_start(struct qn_gate *g, struct qn_err *reterr)
{
        const struct qn_role_start start = { .role = QN_ROLE_SERVE,
                                             .no_sandbox = g->config->no_sandbox };

        STAILQ_INIT(&g->face.out);
        g->face.reply.joined = QN_BUF_INIT(QN_ROLE_REPLY_MAX);
        return qn_role_spawn(&start, &g->face.pid, &g->face.sock, reterr);
}

void qn_face_end(struct qn_gate *g)
{
        struct qn_out *o;

        if (g->face.sock < 0)
                return;
        while ((o = STAILQ_FIRST(&g->face.out))) {
                STAILQ_REMOVE_HEAD(&g->face.out, link);
                out_free(o);
        }
        close(g->face.sock);
        g->face.sock = -1;
        (void)qn_role_end(g->face.pid, g->face.draining);
        qn_msg_reply_done(&g->face.reply);
}

/* --- receiving --- */

static int copy_text(struct qn_arena *a, struct qn_str *s)
{
        if (!s->p)
                return 0;
        *s = qn_arena_dup(a, *s);
        return s->p ? 0 : -ENOBUFS;
}

static int copy_question(struct qn_asked *a)
{
        struct qn_front_question *q = &a->q;
        struct qn_str *const texts[] = { &q->method,           &q->path,
                                         &q->authorization,    &q->content_type,
                                         &q->content_encoding, &q->otp,
                                         &q->auth_type,        &q->client.address,
                                         &q->client.token,     &q->client.user_agent,
                                         &q->client.session,   &q->client.command,
                                         &q->client.ci };
        size_t n = qn_cur_left(&q->body);
        void *body = n ? qn_arena_alloc(&a->mem, n) : NULL;
        int r = n && !body ? -ENOBUFS : 0;

        for (size_t i = 0; i < QN_ARRAY_SIZE(texts) && r == 0; i++)
                r = copy_text(&a->mem, texts[i]);
        if (r == 0 && n)
                q->body = qn_cur_mem(memcpy(body, q->body.p, n), n);
        return r;
}

static int take_question(struct qn_gate *g, uint64_t seq, struct qn_cur in)
{
        struct qn_asked *a = calloc(1, sizeof *a);
        int r = a ? 0 : -ENOMEM;

        if (r < 0)
                return r;
        a->seq = seq;
        a->mem = QN_ARENA_INIT(ASKED_MAX + qn_cur_left(&in));
        r = qn_front_read_question(in, &a->q);
        if (r == 0)
                r = copy_question(a);
        if (r < 0) {
                qn_asked_free(a);
                return r;
        }
        qn_route_parse(a->q.path, prefix_of(g->service.url), &a->route);
        qn_gate_asked(g, a);
        return 0;
}

static int take_counts(struct qn_gate *g, struct qn_cur in)
{
        return qn_front_read_counts(in, &g->face.counts);
}

static int take_note(struct qn_gate *g, uint64_t seq, struct qn_cur in)
{
        struct qn_front_note n;
        int r = qn_front_read_note(in, &n);

        if (r == 0)
                qn_book_note(g, seq, &n);
        return r;
}

static int take(struct qn_gate *g, uint64_t seq, struct qn_cur in)
{
        uint8_t kind;
        int r = qn_cur_u8(&in, &kind);

        if (r < 0)
                return -EBADMSG;
        switch (kind) {
        case QN_FRONT_ASKS:
                return take_question(g, seq, in);
        case QN_FRONT_SERVES:
                return take_note(g, seq, in);
        case QN_FRONT_COUNTS:
                return take_counts(g, in);
        default:
                return -EBADMSG;
        }
}

/* One packet: 1; -EAGAIN: there is none; -errno. */
static int take_packet(struct qn_gate *g)
{
        struct qn_face *f = &g->face;
        struct qn_cur packet;
        uint64_t seq;
        int r = qn_msg_recv(f->sock, f->packet, &packet);

        if (r <= 0)
                return r == 0 ? -EPIPE : r;
        r = qn_msg_reply_seq(packet, &seq);
        if (r < 0)
                return r;
        if (!f->joining)
                qn_msg_reply_begin(&f->reply, seq, QN_ROLE_REPLY_MAX);
        r = qn_msg_reply_add(&f->reply, packet);
        f->joining = r == 0;
        if (r <= 0)
                return r < 0 ? r : 1;
        if (f->reply.status < 0)
                return f->reply.status;
        if (!f->ready) {
                f->ready = true;
                qn_listen_notify("READY=1");
                return 1;
        }
        r = take(g, f->reply.seq, f->reply.bytes);
        return r < 0 ? r : 1;
}

int qn_face_read(struct qn_gate *g)
{
        int r = 1;

        for (unsigned i = 0; i < QN_GATE_TURN && r > 0; i++)
                r = take_packet(g);
        return r == -EAGAIN || r > 0 ? 0 : r;
}
