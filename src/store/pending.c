#include "store/pending.h"

#include <errno.h>

int qn_pending_add(struct qn_db *db, const struct qn_pending *p)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO pending(name, seq, priority, seen, due, tries, taken)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, 0, 0) ON CONFLICT(name) DO UPDATE SET"
                    " seq = excluded.seq, due = excluded.due, tries = 0, priority = CASE WHEN"
                    " pending.priority > excluded.priority THEN pending.priority"
                    " ELSE excluded.priority END");

        qn_db_bind_text(s, 1, p->name);
        qn_db_bind_text(s, 2, p->seq);
        qn_db_bind_int(s, 3, p->priority);
        qn_db_bind_int(s, 4, p->seen);
        qn_db_bind_int(s, 5, p->due);
        return qn_db_run(s);
}

static int read_row(struct qn_stmt *s, struct qn_arena *a, struct qn_pending *ret)
{
        *ret = (struct qn_pending){ .name = qn_arena_dup(a, qn_db_text(s, 0)),
                                    .seq = qn_arena_dup(a, qn_db_text(s, 1)),
                                    .priority = (unsigned)qn_db_int(s, 2),
                                    .seen = qn_db_int(s, 3),
                                    .due = qn_db_int(s, 4),
                                    .tries = (unsigned)qn_db_int(s, 5) };
        return ret->name.p && ret->seq.p ? 0 : -ENOBUFS;
}

static int mark_taken(struct qn_db *db, struct qn_str name)
{
        struct qn_stmt *s = qn_db_prepare(db, "UPDATE pending SET taken = 1 WHERE name = ?1");

        qn_db_bind_text(s, 1, name);
        return qn_db_run(s);
}

int qn_pending_take(struct qn_db *db, int64_t now, size_t max, struct qn_arena *a,
                    struct qn_pending *ret)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT name, seq, priority, seen, due, tries FROM pending"
                    " WHERE taken = 0 AND due <= ?1 ORDER BY priority DESC, due, name LIMIT ?2");
        size_t n = 0;
        int r;

        qn_db_bind_int(s, 1, now);
        qn_db_bind_int(s, 2, (int64_t)max);
        while ((r = qn_db_step(s)) > 0 && n < max) {
                r = read_row(s, a, &ret[n]);
                if (r < 0)
                        break;
                n++;
        }
        qn_db_reset(s);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = mark_taken(db, ret[i].name);
        return r < 0 ? r : (int)n;
}

int qn_pending_done(struct qn_db *db, struct qn_str name, struct qn_str seq)
{
        struct qn_stmt *s = qn_db_prepare(db, "DELETE FROM pending WHERE name = ?1 AND seq = ?2");
        int r;

        qn_db_bind_text(s, 1, name);
        qn_db_bind_text(s, 2, seq);
        r = qn_db_run(s);
        if (r < 0 || qn_db_changes(db))
                return r;
        s = qn_db_prepare(db, "UPDATE pending SET taken = 0 WHERE name = ?1");
        qn_db_bind_text(s, 1, name);
        return qn_db_run(s);
}

int qn_pending_later(struct qn_db *db, const struct qn_pending *taken, int64_t due,
                     struct qn_str why)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "UPDATE pending SET taken = 0, tries = CASE WHEN seq = ?4 THEN tries + 1"
                    " ELSE tries END, due = CASE WHEN seq = ?4 THEN ?2 ELSE due END, why = ?3"
                    " WHERE name = ?1");

        qn_db_bind_text(s, 1, taken->name);
        qn_db_bind_int(s, 2, due);
        qn_db_bind_text(s, 3, why);
        qn_db_bind_text(s, 4, taken->seq);
        return qn_db_run(s);
}

int qn_pending_untake(struct qn_db *db)
{
        return qn_db_run(qn_db_prepare(db, "UPDATE pending SET taken = 0 WHERE taken <> 0"));
}

int qn_pending_stats(struct qn_db *db, int64_t now, struct qn_pending_stats *ret)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT count(*), CAST(coalesce(sum(taken), 0) AS INTEGER), CAST(coalesce("
                    " sum(CASE WHEN taken = 0 AND due > ?1 THEN 1 ELSE 0 END), 0) AS INTEGER),"
                    " coalesce(min(seen), 0) FROM pending");
        int r;

        qn_db_bind_int(s, 1, now);
        r = qn_db_step(s);
        if (r > 0)
                *ret = (struct qn_pending_stats){ qn_db_int(s, 0), qn_db_int(s, 1), qn_db_int(s, 2),
                                                  qn_db_int(s, 3) };
        qn_db_reset(s);
        return r < 0 ? r : r == 0 ? -EIO : 0;
}

int qn_pending_next(struct qn_db *db, int64_t *ret_due)
{
        int64_t due = 0;
        int r = qn_db_first(qn_db_prepare(db, "SELECT due FROM pending WHERE taken = 0"
                                              " ORDER BY due LIMIT 1"),
                            &due);

        if (r > 0)
                *ret_due = due;
        return r < 0 ? r : r == 0 ? -ENOENT : 0;
}
