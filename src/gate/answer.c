/* answer.c - what goes back to a client; every way of it ends the question. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/jsonw.h"
#include "base/show.h"
#include "gate/gate-priv.h"

#define KEEP_BLOCKED_MS ((int64_t)60000) /* at most, so that an exception is seen soon */

void qn_failure_set(struct qn_failure *f, uint16_t status, const char *fmt, ...)
{
        va_list ap;

        f->status = status;
        va_start(ap, fmt);
        vsnprintf(f->reason, sizeof f->reason, fmt, ap);
        va_end(ap);
}

struct qn_asked *qn_asked_free(struct qn_asked *a)
{
        if (!a)
                return NULL;
        qn_arena_done(&a->mem);
        free(a);
        return NULL;
}

/* A header is ASCII: what else stands in a sentence for people would cost them the answer. */
static void put_plain(struct qn_buf *out, struct qn_str s)
{
        while (s.n) {
                unsigned char c = (unsigned char)s.p[0];

                if (qn_str_starts(s, "…")) {
                        qn_buf_puts(out, "...");
                        s = qn_str_skip(s, strlen("…"));
                        continue;
                }
                if (c >= 0x20 && c < 0x7f)
                        qn_buf_byte(out, (char)c);
                else if ((c & 0xc0) != 0x80) /* once for each character */
                        qn_buf_byte(out, '?');
                s = qn_str_skip(s, 1);
        }
}

static void send_answer(struct qn_gate *g, struct qn_asked *a, const struct qn_front_answer *head,
                        struct qn_cur bytes, int fd)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(QN_ROLE_PARAMS_MAX),
                                             notice = QN_BUF_INIT(QN_ROLE_PARAMS_MAX);
        struct qn_front_answer h = *head;

        put_plain(&notice, head->notice);
        h.notice = qn_buf_view(&notice);
        qn_front_write_answer(&params, &h);
        qn_face_send(g, QN_FRONT_ANSWER, a->seq, qn_buf_view(&params), bytes, fd);
        qn_asked_free(a);
}

void qn_answer(struct qn_gate *g, struct qn_asked *a, const struct qn_front_answer *head, int body)
{
        send_answer(g, a, head, (struct qn_cur){ 0 }, body);
}

void qn_answer_bytes(struct qn_gate *g, struct qn_asked *a, const struct qn_front_answer *head,
                     struct qn_cur body)
{
        send_answer(g, a, head, body, -1);
}

static void write_error(struct qn_buf *out, const char *code, const char *reason)
{
        _cleanup_(qn_buf_done) struct qn_buf shown = QN_BUF_INIT(QN_SHOW_MAX);
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_show(&shown, qn_str_c(reason), 1000, 0);
        qn_jsonw_object(&w, NULL);
        qn_jsonw_str(&w, "error", qn_buf_view(&shown));
        if (code)
                qn_jsonw_cstr(&w, "code", code);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

static struct qn_cur view(const struct qn_buf *b)
{
        return qn_cur_mem(b->p ? b->p : "", b->n);
}

void qn_answer_failure(struct qn_gate *g, struct qn_asked *a, const struct qn_failure *f)
{
        _cleanup_(qn_buf_done) struct qn_buf body = QN_BUF_INIT(8192);
        const struct qn_front_answer head = { .status = f->status,
                                              .content_type = QN_STR("application/json"),
                                              .cache_control = QN_STR("no-store") };

        write_error(&body, NULL, f->reason);
        qn_answer_bytes(g, a, &head, view(&body));
}

void qn_answer_blocked(struct qn_gate *g, struct qn_asked *a, struct qn_str package,
                       const char *reason, int64_t until)
{
        _cleanup_(qn_buf_done) struct qn_buf body = QN_BUF_INIT(8192),
                                             shown = QN_BUF_INIT(QN_SHOW_MAX);
        int64_t left = QN_MAX(QN_MIN(until - qn_gate_now(), KEEP_BLOCKED_MS), (int64_t)1);
        struct qn_front_answer head = { .status = 403,
                                        .keep = true,
                                        .keep_ms = (uint32_t)left,
                                        .package = package,
                                        .content_type = QN_STR("application/json"),
                                        .cache_control = QN_STR("no-store") };

        qn_show(&shown, qn_str_c(reason), 400, 0);
        head.notice = qn_buf_view(&shown);
        write_error(&body, "E403", reason);
        qn_answer_bytes(g, a, &head, view(&body));
}

void qn_answer_json(struct qn_gate *g, struct qn_asked *a, struct qn_str json)
{
        const struct qn_front_answer head = { .status = 200,
                                              .content_type = QN_STR("application/json"),
                                              .cache_control = QN_STR("no-store") };

        qn_answer_bytes(g, a, &head, qn_cur_mem(json.p, json.n));
}
