/* scrape.c - a listener that gives the same answer to everybody. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/prom.h"
#include "gate/listen.h"
#include "watch/metrics.h"
#include "watch/watch-priv.h"

#define CLIENTS_MAX 8u
#define PATIENCE_MS 5000
#define ANSWER_MAX  ((size_t)1 << 20)

struct client {
        int fd; /* -1: free */
        int64_t since;
        struct qn_buf
                answer; /* what is still to be sent from `sent` on; empty: it has asked nothing yet */
        size_t sent;
};

struct qn_scrape {
        int fd;
        struct client clients[CLIENTS_MAX];
};

int qn_scrape_open(struct qn_str address, struct qn_scrape **ret, struct qn_err *reterr)
{
        _cleanup_(qn_scrape_freep) struct qn_scrape *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return -ENOMEM;
        s->fd = -1;
        for (unsigned i = 0; i < CLIENTS_MAX; i++)
                s->clients[i] = (struct client){ .fd = -1, .answer = QN_BUF_INIT(ANSWER_MAX) };
        r = qn_listen_open(address, &s->fd, reterr);
        if (r < 0)
                return r;
        if (fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        *ret = TAKE_PTR(s);
        return 0;
}

static void hang_up(struct client *c)
{
        qn_closep(&c->fd);
        c->fd = -1;
        c->sent = 0;
        qn_buf_reset(&c->answer);
}

struct qn_scrape *qn_scrape_free(struct qn_scrape *s)
{
        if (!s)
                return NULL;
        for (unsigned i = 0; i < CLIENTS_MAX; i++) {
                hang_up(&s->clients[i]);
                qn_buf_done(&s->clients[i].answer);
        }
        qn_closep(&s->fd);
        free(s);
        return NULL;
}

void qn_scrape_freep(struct qn_scrape **s)
{
        qn_scrape_free(*s);
}

void qn_scrape_name(const struct qn_scrape *s, char name[64])
{
        qn_listen_name(s->fd, name);
}

static struct client *free_client(struct qn_scrape *s)
{
        for (unsigned i = 0; i < CLIENTS_MAX; i++)
                if (s->clients[i].fd < 0)
                        return &s->clients[i];
        return NULL;
}

static void accept_all(struct qn_scrape *s)
{
        struct client *c;

        while ((c = free_client(s))) {
                c->fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (c->fd < 0)
                        return;
                c->since = qn_watch_monotonic();
        }
}

static int make_answer(struct client *c, struct qn_watch *w)
{
        _cleanup_(qn_buf_done) struct qn_buf body = QN_BUF_INIT(ANSWER_MAX / 2);
        int r = qn_watch_metrics(w, &body);

        if (r < 0)
                return r;
        qn_buf_printf(&c->answer,
                      "HTTP/1.1 200 OK\r\nContent-Type: " QN_PROM_TYPE
                      "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                      body.n);
        qn_buf_str(&c->answer, qn_buf_view(&body));
        return qn_buf_error(&c->answer);
}

/* What the client sends is thrown away; whether it sent anything. */
static bool has_asked(struct client *c)
{
        char bytes[4096];
        ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                hang_up(c);
        return n > 0;
}

static void serve(struct client *c, struct qn_watch *w)
{
        ssize_t n;

        if (qn_watch_monotonic() - c->since > PATIENCE_MS) {
                hang_up(c);
                return;
        }
        if (!c->answer.n && (!has_asked(c) || make_answer(c, w) < 0))
                return;
        n = send(c->fd, c->answer.p + c->sent, c->answer.n - c->sent, MSG_NOSIGNAL);
        if (n > 0)
                c->sent += (size_t)n;
        if (c->sent == c->answer.n || (n < 0 && errno != EAGAIN && errno != EINTR))
                hang_up(c);
}

void qn_scrape_step(struct qn_scrape *s, struct qn_watch *w)
{
        accept_all(s);
        for (unsigned i = 0; i < CLIENTS_MAX; i++)
                if (s->clients[i].fd >= 0)
                        serve(&s->clients[i], w);
}
