/* notify-pump.c - from the outbox to the receivers. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/limits.h"
#include "watch/deliver.h"
#include "watch/notify.h"

#define FORGET_MS INT64_C(3600000) /* between two looks for what may be forgotten */
#define GRACE_MS  2000             /* a claim lasts so much longer than twice its channel's time */

struct qn_notify {
        struct qn_notify_opts o;
        struct qn_courier *courier;
        unsigned *under_way; /* by channel */
        size_t n_open;
        int64_t now, forgot; /* as the caller says */
        uint64_t at;         /* monotonic nanoseconds of that */
        int error;           /* of the store, while something was written down */
};

/* A message that was claimed. */
struct task {
        struct qn_notify *n;
        size_t channel;
        struct qn_arena a;
        struct qn_outbox_message m;
        struct qn_str *bodies;
        size_t n_bodies, cap;
};

int qn_notify_new(const struct qn_notify_opts *o, struct qn_notify **ret)
{
        struct qn_notify *n = calloc(1, sizeof *n);
        int r = -ENOMEM;

        if (n)
                n->under_way = calloc(o->conf->n_channels + 1, sizeof *n->under_way);
        if (n && n->under_way) {
                n->o = *o;
                r = qn_courier_new(o->conf, &o->http, o->no_sandbox, &n->courier);
        }
        if (r < 0)
                qn_notify_free(n);
        else
                *ret = n;
        return r;
}

struct qn_notify *qn_notify_free(struct qn_notify *n)
{
        if (!n)
                return NULL;
        qn_courier_free(n->courier);
        free(n->under_way);
        free(n);
        return NULL;
}

void qn_notify_freep(struct qn_notify **n)
{
        *n = qn_notify_free(*n);
}

int qn_notify_fd(const struct qn_notify *n)
{
        return qn_courier_fd(n->courier);
}

static int64_t present(const struct qn_notify *n)
{
        return n->now + (int64_t)((qn_io_nanos() - n->at) / 1000000);
}

static void task_free(struct task *t)
{
        qn_arena_done(&t->a);
        free(t);
}

/* --- what came of it --- */

static int write_down(struct task *t, const struct qn_delivered *d)
{
        const struct qn_notify_conf *conf = t->n->o.conf;
        struct qn_db *db = t->n->o.db;
        int64_t now = present(t->n);
        const struct qn_outbox_failure f = { .id = t->m.id,
                                             .tries = t->m.tries,
                                             .error = qn_str_c(d->what),
                                             .now = now,
                                             .not_before = d->after_ms ? now + d->after_ms : 0,
                                             .first_wait = conf->retry_ms,
                                             .tries_max = conf->tries };
        int r = qn_db_begin(db);

        if (r < 0)
                return r;
        r = d->sent ? qn_outbox_done(db, t->m.id, now) : qn_outbox_failed(db, &f);
        if (r == 0)
                r = qn_db_commit(db);
        if (r < 0)
                qn_db_rollback(db);
        return r;
}

static void on_delivered(const struct qn_delivered *d, void *user)
{
        struct task *t = user;
        struct qn_notify *n = t->n;
        int r = write_down(t, d); /* when that fails it is sent once more after its claim */

        if (r < 0)
                n->error = r;
        n->under_way[t->channel]--;
        n->n_open--;
        if (n->o.tried)
                n->o.tried(n->o.ctx, &t->m, d->sent, d->what);
        task_free(t);
}

/* --- taking --- */

static int on_part(void *ctx, struct qn_str body)
{
        struct task *t = ctx;

        if (!body.n)
                return 0;
        if (QN_ARENA_ROOM(&t->a, t->bodies, t->n_bodies, t->cap) < 0)
                return 1; /* the rest is counted */
        body = qn_arena_dup(&t->a, body);
        if (!body.p)
                return 1;
        t->bodies[t->n_bodies++] = body;
        return 0;
}

static int claim(struct task *t)
{
        const struct qn_channel *ch = &t->n->o.conf->channels[t->channel];
        struct qn_db *db = t->n->o.db;
        int r = qn_db_begin(db);

        if (r < 0)
                return r;
        r = qn_outbox_claim(db, ch->name, t->n->now, 2 * (int64_t)ch->timeout_ms + GRACE_MS, &t->a,
                            &t->m);
        if (r == 0)
                r = qn_outbox_parts(db, t->m.id, on_part, t);
        if (r >= 0)
                r = qn_db_commit(db);
        if (r < 0)
                qn_db_rollback(db);
        return r;
}

static void send_off(struct task *t)
{
        const struct qn_notice_message m = { .uid = t->m.uid,
                                             .recipient = t->m.recipient,
                                             .topic = t->m.topic,
                                             .subject = t->m.subject,
                                             .created = t->m.created,
                                             .count = (uint64_t)t->m.parts,
                                             .bodies = t->bodies,
                                             .n = t->n_bodies };
        const struct qn_delivery d = { .channel = &t->n->o.conf->channels[t->channel],
                                       .message = &m,
                                       .now = t->n->now,
                                       .done = on_delivered,
                                       .user = t };
        struct qn_delivered failed = { 0 };
        int r;

        t->n->under_way[t->channel]++;
        t->n->n_open++;
        r = qn_courier_send(t->n->courier, &d);
        if (r == 0)
                return;
        snprintf(failed.what, sizeof failed.what, "it cannot be sent: %s", strerrordesc_np(-r));
        on_delivered(&failed, t);
}

/* 1: a message of the channel is on its way; 0: there is none. */
static int take_one(struct qn_notify *n, size_t channel)
{
        struct task *t;
        int64_t due = 0;
        int r = qn_outbox_next(n->o.db, n->o.conf->channels[channel].name, &due);

        if (r <= 0 || due > n->now)
                return r < 0 ? r : 0;
        t = calloc(1, sizeof *t);
        if (!t)
                return -ENOMEM;
        t->n = n;
        t->channel = channel;
        t->a = QN_ARENA_INIT(QN_NOTIFY_ARENA_MAX);
        r = claim(t);
        if (r == 0) {
                send_off(t);
                return 1;
        }
        task_free(t);
        return r == -ENOENT ? 0 : r;
}

/* A channel that hangs holds up itself alone; one that is done at once does not hold up the caller. */
static int take_all(struct qn_notify *n)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n->o.conf->n_channels; i++) {
                unsigned room = QN_NOTIFY_INFLIGHT - n->under_way[i];

                for (r = 1; r > 0 && room; room--)
                        r = take_one(n, i);
        }
        return r < 0 ? r : 0;
}

static int forget(struct qn_notify *n)
{
        int64_t gone;
        int r;

        if (n->forgot && n->now - n->forgot < FORGET_MS)
                return 0;
        n->forgot = n->now;
        r = qn_db_begin(n->o.db);
        if (r < 0)
                return r;
        r = qn_outbox_forget(n->o.db, n->now - n->o.conf->keep_ms, &gone);
        if (r == 0)
                r = qn_db_commit(n->o.db);
        if (r < 0)
                qn_db_rollback(n->o.db);
        return r;
}

int qn_notify_pump(struct qn_notify *n, int64_t now, int timeout_ms, struct qn_err *reterr)
{
        int r;

        n->now = now;
        n->at = qn_io_nanos();
        n->error = 0;
        r = forget(n);
        if (r == 0)
                r = take_all(n);
        if (r < 0)
                return qn_fail(reterr, r, 0, "the outbox: %s", strerrordesc_np(-r));
        r = qn_courier_poll(n->courier, timeout_ms, reterr);
        if (r < 0)
                return r;
        if (n->error)
                return qn_fail(reterr, n->error, 0, "the outbox: %s", strerrordesc_np(-n->error));
        return (int)n->n_open;
}

int qn_notify_next(struct qn_notify *n, int64_t *ret_due)
{
        int64_t first = INT64_MAX, due = 0;

        for (size_t i = 0; i < n->o.conf->n_channels; i++) {
                int r = qn_outbox_next(n->o.db, n->o.conf->channels[i].name, &due);

                if (r < 0)
                        return r;
                if (r > 0)
                        first = QN_MIN(first, due);
        }
        if (first == INT64_MAX)
                return 0;
        *ret_due = first;
        return 1;
}
