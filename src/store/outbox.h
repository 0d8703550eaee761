/* outbox.h - what people are to be told, until they were: messages of several facts each, for one recipient of one channel.
 * A message is claimed before it is sent, for a time: who claimed it and died loses it to the next one then, so that it is sent
 * at least once.  Its uid is the same each time, for receivers to drop what they have.  Writers open a transaction (db.h); times
 * are milliseconds since 1970. */
#pragma once

#include "base/arena.h"
#include "store/watch-db.h"

enum qn_outbox_state { QN_OUTBOX_WAITING, QN_OUTBOX_SENDING, QN_OUTBOX_DONE, QN_OUTBOX_DEAD };
extern const char *const qn_outbox_states[]; /* by state, then NULL */

#define QN_OUTBOX_DIGEST "digest" /* the topic of what went over the limit */

struct qn_outbox_message {
        int64_t id; /* from 1 on */
        struct qn_str uid, channel, recipient, topic, subject;
        enum qn_outbox_state state;
        int64_t parts, created, due, ended; /* ended: 0 while it is under way */
        unsigned tries;
        struct qn_str error; /* of the last try; p NULL: none */
};

struct qn_outbox_add {
        struct qn_str channel, recipient, topic, subject;
        struct qn_str fact; /* what is told: told once to the same recipient of a channel */
        struct qn_str body;
        int64_t now, wait; /* how long it waits for others of its topic */
        int64_t limit,
                per; /* at most so many messages to the recipient in so long; limit 0: any number */
};

enum qn_outbox_added {
        QN_OUTBOX_KNOWN, /* the fact was told, or is about to be */
        QN_OUTBOX_NEW,
        QN_OUTBOX_JOINED, /* a message of its topic that nobody has begun to send */
        QN_OUTBOX_OVER,   /* over the limit: it is in the digest */
};

QN_MUST int qn_outbox_add(struct qn_db *db, const struct qn_outbox_add *a,
                          enum qn_outbox_added *ret);

/* The first message of a channel that is due, which is the caller's for `lease`: 0, or -ENOENT; texts in the arena. */
QN_MUST int qn_outbox_claim(struct qn_db *db, struct qn_str channel, int64_t now, int64_t lease,
                            struct qn_arena *a, struct qn_outbox_message *ret);
/* Its parts in the order in which they came; body empty: too many, it is only counted.  Goes on while fn returns 0. */
QN_MUST int qn_outbox_parts(struct qn_db *db, int64_t id, int (*fn)(void *ctx, struct qn_str body),
                            void *ctx);
QN_MUST int qn_outbox_done(struct qn_db *db, int64_t id, int64_t now);

struct qn_outbox_failure {
        int64_t id;
        unsigned
                tries; /* of the message as it was claimed: whoever claimed it since is left alone */
        struct qn_str error;
        int64_t now, not_before; /* not_before: what the receiver asks for; 0: nothing */
        int64_t first_wait;      /* after the first try; then four times as long each */
        unsigned tries_max;      /* then it is dead */
};
/* It waits for its next try, or is dead. */
QN_MUST int qn_outbox_failed(struct qn_db *db, const struct qn_outbox_failure *f);
/* How long a message waits after so many tries: grows by four up to QN_NOTIFY_WAIT_MAX_MS, and up to a quarter more, by its id, so
 * that not all come back at once. */
int64_t qn_outbox_backoff(int64_t id, unsigned tries, int64_t first_wait);

/* What is dead is due again: one message, or all of them (id 0).  How many. */
QN_MUST int qn_outbox_revive(struct qn_db *db, int64_t id, int64_t now, int64_t *ret_n);
/* All messages, or those of a state, oldest first; texts live during the call. */
typedef int qn_outbox_fn(void *ctx, const struct qn_outbox_message *m);
QN_MUST int qn_outbox_each(struct qn_db *db, const enum qn_outbox_state *state, qn_outbox_fn *fn,
                           void *ctx);
/* When the next message of a channel is due, claims that end included: 1, or 0 when there is none. */
QN_MUST int qn_outbox_next(struct qn_db *db, struct qn_str channel, int64_t *ret_due);
/* Forgets what was sent before a time, and that it was told. */
QN_MUST int qn_outbox_forget(struct qn_db *db, int64_t before, int64_t *ret_n);
