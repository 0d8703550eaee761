/* deliver.h - one message over one channel, once: whether it arrived, and what was said.  Many at once; whoever wants it tried
 * again keeps it (store/outbox.h).  Network goes through the fetch role; a command gets a clean environment, no shell, a time. */
#pragma once

#include "base/err.h"
#include "net/http.h"
#include "watch/notice.h"
#include "watch/notify-conf.h"

struct qn_courier;

struct qn_delivered {
        bool sent;
        char what[256];   /* one line, fit to print, without addresses and secrets */
        int64_t after_ms; /* not before so long, as the receiver says; 0: it says nothing */
};

/* Called once, from qn_courier_send() or qn_courier_poll(). */
typedef void qn_delivered_fn(const struct qn_delivered *d, void *user);

QN_MUST int qn_courier_new(const struct qn_notify_conf *conf, const struct qn_http_opts *http,
                           bool no_sandbox, struct qn_courier **ret);
/* What is under way is not called back; commands are ended. */
struct qn_courier *qn_courier_free(struct qn_courier *c);

struct qn_delivery {
        const struct qn_channel *channel;
        const struct qn_notice_message *message;
        int64_t now; /* milliseconds since 1970 */
        qn_delivered_fn *done;
        void *user;
};
/* Takes a copy of what it needs.  0, or -errno: done is not called then. */
QN_MUST int qn_courier_send(struct qn_courier *c, const struct qn_delivery *d);
/* Works until something was finished, nothing is left, or timeout_ms passed.  How many are under way, or -errno. */
QN_MUST int qn_courier_poll(struct qn_courier *c, int timeout_ms, struct qn_err *reterr);
int qn_courier_fd(const struct qn_courier *c);
