/* notify.h - telling people: what is to be told goes into the outbox beside what caused it (qn_notify_queue), and from there to
 * its receivers, at least once, whatever happens to this process (qn_notify_pump).
 * Not here: who is told what (notify-conf.h), what a message says (notice.h), how it travels (deliver.h). */
#pragma once

#include "net/http.h"
#include "store/outbox.h"
#include "watch/notice.h"
#include "watch/notify-conf.h"

struct qn_notify_queued {
        unsigned messages, joined, digested, known; /* by what became of it for each recipient */
};

/* Within the caller's transaction on the watch store.  Each route gets all of it; each owner that the configuration names gets
 * their own places alone, and nothing when there are none.  ret (may be NULL) is counted up. */
QN_MUST int qn_notify_queue(const struct qn_notify_conf *c, struct qn_db *db,
                            const struct qn_notice *n, int64_t now, struct qn_notify_queued *ret);

struct qn_notify;

struct qn_notify_opts {
        const struct qn_notify_conf *conf; /* like db it outlives the object */
        struct qn_db *db;                  /* the watch store */
        struct qn_http_opts http;          /* proxies, authorities, user agent; copied */
        bool no_sandbox;
        /* Told of each try of a message, NULL: nobody. */
        void (*tried)(void *ctx, const struct qn_outbox_message *m, bool sent, const char *what);
        void *ctx;
};

QN_MUST int qn_notify_new(const struct qn_notify_opts *o, struct qn_notify **ret);
/* What is under way stays claimed until its claim ends, and is sent again then. */
struct qn_notify *qn_notify_free(struct qn_notify *n);
void qn_notify_freep(struct qn_notify **n);

/* Takes what is due, works for at most timeout_ms, and writes down what came of it; not within a transaction.  Returns how many
 * messages are under way, or -errno: of the store, or when nothing can be sent at all. */
QN_MUST int qn_notify_pump(struct qn_notify *n, int64_t now, int timeout_ms, struct qn_err *reterr);
/* When it has something to do next: 1 and the time, 0: there is nothing. */
QN_MUST int qn_notify_next(struct qn_notify *n, int64_t *ret_due);
/* Readable when qn_notify_pump() has something to do; it wants to be asked once a second as well. */
int qn_notify_fd(const struct qn_notify *n);
