#include "watch/deliver-priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/show.h"
#include "role/fetch.h"

#define TURN_MS 1000

void qn_deliver_tell(qn_delivered_fn *done, void *user, bool sent, struct qn_str what)
{
        struct qn_buf b = QN_BUF_INIT(sizeof((struct qn_delivered *)0)->what - 1);
        struct qn_delivered d = { .sent = sent };

        qn_notice_safe(&b, what, 120);
        if (b.n)
                snprintf(d.what, sizeof d.what, "%s", b.p);
        qn_buf_done(&b);
        done(&d, user);
}

/* --- life --- */

int qn_courier_new(const struct qn_notify_conf *conf, const struct qn_http_opts *http,
                   bool no_sandbox, struct qn_courier **ret)
{
        struct qn_courier *c = calloc(1, sizeof *c);
        struct epoll_event event = { .events = EPOLLIN };
        struct qn_http_opts o = *http;
        int r;

        if (!c)
                return -ENOMEM;
        c->conf = conf;
        LIST_INIT(&c->errands);
        o.tries = 1; /* the outbox tries again */
        if (conf->ca.p)
                o.extra_ca = conf->ca;
        c->epoll = epoll_create1(EPOLL_CLOEXEC);
        r = c->epoll < 0 ? -errno : qn_fetch_new(&o, no_sandbox, &c->fetch);
        if (r == 0) {
                event.data.fd = qn_fetch_fd(c->fetch);
                r = epoll_ctl(c->epoll, EPOLL_CTL_ADD, event.data.fd, &event) < 0 ? -errno : 0;
        }
        if (r < 0)
                qn_courier_free(c);
        else
                *ret = c;
        return r;
}

struct qn_courier *qn_courier_free(struct qn_courier *c)
{
        if (!c)
                return NULL;
        qn_errands_end(c);
        qn_fetch_free(c->fetch);
        qn_closep(&c->epoll);
        free(c);
        return NULL;
}

int qn_courier_fd(const struct qn_courier *c)
{
        return c->epoll;
}

int qn_courier_send(struct qn_courier *c, const struct qn_delivery *d)
{
        static int (*const ways[])(struct qn_courier * c, const struct qn_delivery *d) = {
                [QN_CHANNEL_WEBHOOK] = qn_deliver_webhook,
                [QN_CHANNEL_MAIL] = qn_deliver_mail,
                [QN_CHANNEL_COMMAND] = qn_deliver_command,
                [QN_CHANNEL_ISSUE] = qn_deliver_issue,
        };

        return ways[d->channel->kind](c, d);
}

/* --- the loop --- */

static int under_way(const struct qn_courier *c)
{
        const struct qn_errand *e;
        size_t n = c->open;

        LIST_FOREACH(e, &c->errands, link)
        n++;
        return (int)QN_MIN(n, (size_t)INT32_MAX);
}

static int look(struct qn_courier *c, struct qn_err *reterr)
{
        int r = c->open ? qn_fetch_poll(c->fetch, 0, reterr) : 0;

        qn_errands_look(c);
        return r < 0 ? r : 0;
}

/* Until the first command has to end, or the fetch role wants to be looked after. */
static int patience(const struct qn_courier *c, uint64_t end)
{
        uint64_t now = qn_io_nanos(), until = QN_MIN(end, now + TURN_MS * UINT64_C(1000000));
        const struct qn_errand *e;

        LIST_FOREACH(e, &c->errands, link)
        until = QN_MIN(until, e->deadline);
        return until <= now ? 0 : (int)((until - now + 999999) / 1000000);
}

int qn_courier_poll(struct qn_courier *c, int timeout_ms, struct qn_err *reterr)
{
        uint64_t end =
                timeout_ms < 0 ? UINT64_MAX : qn_io_nanos() + (uint64_t)timeout_ms * 1000000u;
        uint64_t before = c->finished;
        struct pollfd fd = { .fd = c->epoll, .events = POLLIN };
        int r = look(c, reterr);

        while (r == 0 && under_way(c) && c->finished == before && qn_io_nanos() < end) {
                if (poll(&fd, 1, patience(c, end)) < 0 && errno != EINTR)
                        return -errno;
                r = look(c, reterr);
        }
        return r < 0 ? r : under_way(c);
}
