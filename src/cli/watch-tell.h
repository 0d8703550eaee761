/* watch-tell.h - what `qanat watch` does about what it finds: a line for people who look on, notices for those who are to know.  Private
 * to watch-*.c. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/term.h"
#include "watch/notify.h"
#include "watch/policy.h"
#include "watch/watch.h"

struct qn_args;

struct qn_watch_teller {
        const struct qn_args *args;
        struct qn_progress *progress; /* cleared before anything is printed */
        struct qn_arena mem;
        struct qn_watch_policy policy;
        struct qn_notify_conf conf;
        bool notifies; /* conf was loaded */
        struct qn_db inventory, gate;
        bool has_inventory, has_gate;
        struct qn_notify *pump;
        struct qn_buf lines; /* to be printed once they are true */
        bool mute;           /* they cannot be printed: that was said */
};

/* Policy, and who is told what (--watch-policy, --notify).  Logs what is wrong. */
QN_MUST int qn_watch_teller_open(const struct qn_args *a, struct qn_progress *progress,
                                 struct qn_watch_teller *ret);
/* Sends from then on what waits in the outbox. */
QN_MUST int qn_watch_teller_send(struct qn_watch_teller *t, struct qn_db *db,
                                 const struct qn_http_opts *http);
void qn_watch_teller_close(struct qn_watch_teller *t);

QN_MUST int qn_watch_tell_judged(struct qn_watch_teller *t, struct qn_db *db,
                                 const struct qn_watch_judged *j);
QN_MUST int qn_watch_tell_campaign(struct qn_watch_teller *t, struct qn_db *db,
                                   const struct qn_watch_campaign *c);
/* What was told is on record, and is printed; or it was undone. */
void qn_watch_tell_written(struct qn_watch_teller *t, bool done);
/* Works a little at what is to be sent; not within a transaction. */
void qn_watch_tell_step(struct qn_watch_teller *t);
