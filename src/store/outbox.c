#include "store/outbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"

const char *const qn_outbox_states[] = { "waiting", "sending", "done", "dead", NULL };

#define COLUMNS                                                                                  \
        "id, uid, channel, recipient, topic, subject, state, parts, created, due, tries, error," \
        " coalesce(ended, 0)"

static struct qn_str state_name(enum qn_outbox_state s)
{
        return qn_str_c(qn_outbox_states[s]);
}

static int read_row(struct qn_stmt *s, struct qn_outbox_message *m)
{
        struct qn_str state = qn_db_text(s, 6);

        *m = (struct qn_outbox_message){ .id = qn_db_int(s, 0),
                                         .uid = qn_db_text(s, 1),
                                         .channel = qn_db_text(s, 2),
                                         .recipient = qn_db_text(s, 3),
                                         .topic = qn_db_text(s, 4),
                                         .subject = qn_db_text(s, 5),
                                         .parts = qn_db_int(s, 7),
                                         .created = qn_db_int(s, 8),
                                         .due = qn_db_int(s, 9),
                                         .tries = (unsigned)qn_db_int(s, 10),
                                         .error = qn_db_text(s, 11),
                                         .ended = qn_db_int(s, 12) };
        if (qn_db_is_null(s, 11))
                m->error = (struct qn_str){ 0 };
        for (unsigned i = 0; qn_outbox_states[i]; i++)
                if (qn_str_is(state, qn_outbox_states[i])) {
                        m->state = (enum qn_outbox_state)i;
                        return 0;
                }
        return -EBADMSG;
}

/* --- adding --- */

/* What is told to whom, as one key: texts may hold anything, so their lengths are in it. */
static int fact_key(const struct qn_outbox_add *a, struct qn_buf *out)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        const struct qn_str texts[] = { a->channel, a->recipient, a->fact };
        struct qn_digest_run run;
        int r;

        qn_digest_begin(&run, QN_SHA256);
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++)
                qn_digest_add_text(&run, texts[i]);
        r = qn_digest_end(&run, digest);
        if (r < 0)
                return r;
        qn_hex_encode(out, digest, 32);
        return qn_buf_error(out);
}

static int is_told(struct qn_db *db, struct qn_str fact)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT message FROM outbox_part WHERE fact = ?1");
        int64_t id;

        qn_db_bind_text(s, 1, fact);
        return qn_db_first(s, &id);
}

/* 1: there is a message of the topic that may still grow. */
static int find_open(struct qn_db *db, const struct qn_outbox_add *a, struct qn_str topic,
                     int64_t *ret_id)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT id FROM outbox WHERE channel = ?1 AND recipient = ?2 AND topic = ?3"
                    " AND joinable = 1 AND state = 'waiting' ORDER BY id LIMIT 1");

        qn_db_bind_text(s, 1, a->channel);
        qn_db_bind_text(s, 2, a->recipient);
        qn_db_bind_text(s, 3, topic);
        return qn_db_first(s, ret_id);
}

static int is_over(struct qn_db *db, const struct qn_outbox_add *a)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT count(*) FROM outbox WHERE channel = ?1 AND recipient = ?2"
                    " AND created > ?3 AND topic <> ?4");
        int64_t n = 0;
        int r;

        if (!a->limit)
                return 0;
        qn_db_bind_text(s, 1, a->channel);
        qn_db_bind_text(s, 2, a->recipient);
        qn_db_bind_int(s, 3, a->now - a->per);
        qn_db_bind_text(s, 4, QN_STR(QN_OUTBOX_DIGEST));
        r = qn_db_first(s, &n);
        return r < 0 ? r : n >= a->limit;
}

static int write_message(struct qn_db *db, const struct qn_outbox_add *a, bool over,
                         struct qn_str fact, int64_t *ret_id)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO outbox(uid, channel, recipient, topic, subject, state, joinable,"
                    " parts, created, due, tries) VALUES(?1, ?2, ?3, ?4, ?5, 'waiting', 1, 0,"
                    " ?6, ?7, 0) RETURNING id");
        struct qn_str topic = over ? QN_STR(QN_OUTBOX_DIGEST) : a->topic;
        char uid[48];
        int r;

        /* A fact is told to one recipient once until it is forgotten: with the time nobody else has this. */
        snprintf(uid, sizeof uid, "%.*s-%" PRIx64, 24, fact.p, (uint64_t)a->now);
        qn_db_bind_text(s, 1, qn_str_c(uid));
        qn_db_bind_text(s, 2, a->channel);
        qn_db_bind_text(s, 3, a->recipient);
        qn_db_bind_text(s, 4, topic);
        qn_db_bind_text(s, 5, a->subject);
        qn_db_bind_int(s, 6, a->now);
        qn_db_bind_int(s, 7, a->now + (over ? a->per : a->wait));
        r = qn_db_first(s, ret_id);
        return r == 0 ? -EIO : r < 0 ? r : 0;
}

static int count_part(struct qn_db *db, int64_t id, int64_t *ret_n)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "UPDATE outbox SET parts = parts + 1 WHERE id = ?1 RETURNING parts");
        int r;

        qn_db_bind_int(s, 1, id);
        r = qn_db_first(s, ret_n);
        return r == 0 ? -EIO : r < 0 ? r : 0;
}

static int write_part(struct qn_db *db, int64_t id, struct qn_str fact, struct qn_str body)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO outbox_part(fact, message, body) VALUES(?1, ?2, ?3)");
        int64_t n = 0;
        int r = count_part(db, id, &n);

        if (r < 0)
                return r;
        qn_db_bind_text(s, 1, fact);
        qn_db_bind_int(s, 2, id);
        qn_db_bind_text(s, 3, n > QN_NOTIFY_PARTS_MAX ? QN_STR("") : body);
        return qn_db_run(s);
}

int qn_outbox_add(struct qn_db *db, const struct qn_outbox_add *a, enum qn_outbox_added *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf key = QN_BUF_INIT(128);
        enum qn_outbox_added how = QN_OUTBOX_JOINED;
        struct qn_str fact;
        int64_t id = 0;
        int r = fact_key(a, &key);

        fact = qn_buf_view(&key);
        if (r == 0)
                r = is_told(db, fact);
        if (r != 0) {
                if (r > 0)
                        *ret = QN_OUTBOX_KNOWN;
                return r < 0 ? r : 0;
        }
        r = find_open(db, a, a->topic, &id);
        if (r == 0) {
                r = is_over(db, a);
                how = r ? QN_OUTBOX_OVER : QN_OUTBOX_NEW;
                if (r > 0)
                        r = find_open(db, a, QN_STR(QN_OUTBOX_DIGEST), &id);
                if (r == 0)
                        r = write_message(db, a, how == QN_OUTBOX_OVER, fact, &id);
        }
        if (r >= 0)
                r = write_part(db, id, fact, a->body);
        if (r == 0)
                *ret = how;
        return r;
}

/* --- sending --- */

static int keep_texts(struct qn_arena *a, struct qn_outbox_message *m)
{
        struct qn_str *const texts[] = { &m->uid,   &m->channel, &m->recipient,
                                         &m->topic, &m->subject, &m->error };

        return qn_arena_keep(a, texts, QN_ARRAY_SIZE(texts));
}

int qn_outbox_claim(struct qn_db *db, struct qn_str channel, int64_t now, int64_t lease,
                    struct qn_arena *a, struct qn_outbox_message *ret)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "UPDATE outbox SET state = 'sending', joinable = 0, tries = tries + 1, due = ?3"
                    " WHERE id = (SELECT id FROM outbox WHERE channel = ?1"
                    " AND state IN ('waiting', 'sending') AND due <= ?2 ORDER BY due, id LIMIT 1)"
                    " RETURNING " COLUMNS);
        struct qn_outbox_message m;
        int r;

        qn_db_bind_text(s, 1, channel);
        qn_db_bind_int(s, 2, now);
        qn_db_bind_int(s, 3, now + lease);
        r = qn_db_row(s);
        if (r == 0) {
                r = read_row(s, &m);
                if (r == 0)
                        r = keep_texts(a, &m);
                if (r == 0)
                        *ret = m;
        }
        qn_db_reset(s);
        return r;
}

int qn_outbox_parts(struct qn_db *db, int64_t id, int (*fn)(void *ctx, struct qn_str body),
                    void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT body FROM outbox_part WHERE message = ?1 ORDER BY id");
        int r, answer = 0;

        qn_db_bind_int(s, 1, id);
        while (answer == 0 && (r = qn_db_step(s)) > 0)
                answer = fn(ctx, qn_db_text(s, 0));
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_outbox_done(struct qn_db *db, int64_t id, int64_t now)
{
        struct qn_stmt *s = qn_db_prepare(db, "UPDATE outbox SET state = 'done', ended = ?2,"
                                              " error = NULL, joinable = 0 WHERE id = ?1");

        qn_db_bind_int(s, 1, id);
        qn_db_bind_int(s, 2, now);
        return qn_db_run(s);
}

int64_t qn_outbox_backoff(int64_t id, unsigned tries, int64_t first_wait)
{
        const uint64_t seed[2] = { (uint64_t)id, tries };
        int64_t wait = QN_MIN(first_wait, QN_NOTIFY_WAIT_MAX_MS);

        for (unsigned i = 1; i < tries && wait < QN_NOTIFY_WAIT_MAX_MS; i++)
                wait = QN_MIN(wait * 4, QN_NOTIFY_WAIT_MAX_MS);
        return wait + (int64_t)(qn_hash64(seed, sizeof seed) % (uint64_t)(wait / 4 + 1));
}

int qn_outbox_failed(struct qn_db *db, const struct qn_outbox_failure *f)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "UPDATE outbox SET state = ?3, due = ?4, error = ?5, ended = ?6"
                                  " WHERE id = ?1 AND state = 'sending' AND tries = ?2");
        bool dead = f->tries >= f->tries_max;
        int64_t due = f->now + qn_outbox_backoff(f->id, f->tries, f->first_wait);

        qn_db_bind_int(s, 1, f->id);
        qn_db_bind_int(s, 2, f->tries);
        qn_db_bind_text(s, 3, state_name(dead ? QN_OUTBOX_DEAD : QN_OUTBOX_WAITING));
        qn_db_bind_int(s, 4, QN_MAX(due, f->not_before));
        qn_db_bind_text(s, 5, f->error);
        if (dead)
                qn_db_bind_int(s, 6, f->now);
        return qn_db_run(s);
}

/* --- looking after it --- */

int qn_outbox_revive(struct qn_db *db, int64_t id, int64_t now, int64_t *ret_n)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "UPDATE outbox SET state = 'waiting', due = ?2, tries = 0,"
                                  " ended = NULL WHERE state = 'dead' AND (?1 = 0 OR id = ?1)");
        int r;

        qn_db_bind_int(s, 1, id);
        qn_db_bind_int(s, 2, now);
        r = qn_db_run(s);
        if (r == 0)
                *ret_n = qn_db_changes(db);
        return r;
}

int qn_outbox_each(struct qn_db *db, const enum qn_outbox_state *state, qn_outbox_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT " COLUMNS " FROM outbox WHERE ?1 = '' OR state = ?1 ORDER BY id");
        int r, answer = 0;

        qn_db_bind_text(s, 1, state ? state_name(*state) : QN_STR(""));
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                struct qn_outbox_message m;

                answer = read_row(s, &m);
                if (answer == 0)
                        answer = fn(ctx, &m);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_outbox_next(struct qn_db *db, struct qn_str channel, int64_t *ret_due)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT due FROM outbox WHERE channel = ?1"
                                  " AND state IN ('waiting', 'sending') ORDER BY due, id LIMIT 1");

        qn_db_bind_text(s, 1, channel);
        return qn_db_first(s, ret_due);
}

int qn_outbox_forget(struct qn_db *db, int64_t before, int64_t *ret_n)
{
        struct qn_stmt *parts =
                qn_db_prepare(db, "DELETE FROM outbox_part WHERE message IN"
                                  " (SELECT id FROM outbox WHERE state = 'done' AND ended < ?1)");
        struct qn_stmt *s =
                qn_db_prepare(db, "DELETE FROM outbox WHERE state = 'done' AND ended < ?1");
        int r;

        qn_db_bind_int(parts, 1, before);
        r = qn_db_run(parts);
        if (r < 0)
                return r;
        qn_db_bind_int(s, 1, before);
        r = qn_db_run(s);
        if (r == 0)
                *ret_n = qn_db_changes(db);
        return r;
}
