#include "store/versions.h"

#include <errno.h>

#include "parse/packument.h"

#define COLUMNS                                                                             \
        "v.id, v.name, v.version, v.integrity, v.publisher, v.published, v.seen, v.judged," \
        " v.verdict, v.score, v.reason, v.rules"
#define OBSERVED ", (SELECT count(*) FROM events o WHERE o.version = v.id)"
#define EVENTS   ", e.bytes"
#define AT_LAST  12 /* the column behind those */

static struct qn_seen seen_of(struct qn_stmt *s)
{
        return (struct qn_seen){ .id = qn_db_int(s, 0),
                                 .name = qn_db_text(s, 1),
                                 .version = qn_db_text(s, 2),
                                 .integrity = qn_db_text(s, 3),
                                 .publisher = qn_db_text(s, 4),
                                 .published = qn_db_is_null(s, 5) ? QN_TIME_NONE : qn_db_int(s, 5),
                                 .seen = qn_db_int(s, 6),
                                 .judged = qn_db_int(s, 7),
                                 .verdict = qn_db_text(s, 8),
                                 .score = (unsigned)qn_db_int(s, 9),
                                 .reason = qn_db_text(s, 10),
                                 .rules = qn_db_text(s, 11) };
}

/* Of COLUMNS OBSERVED. */
static struct qn_seen observed_of(struct qn_stmt *s)
{
        struct qn_seen v = seen_of(s);

        v.observed = qn_db_int(s, AT_LAST) > 0;
        return v;
}

/* Of COLUMNS EVENTS. */
static struct qn_seen with_events_of(struct qn_stmt *s, struct qn_cur *ret)
{
        struct qn_seen v = seen_of(s);
        const struct qn_str bytes = qn_db_blob(s, AT_LAST);

        v.observed = !qn_db_is_null(s, AT_LAST);
        *ret = qn_cur_mem(bytes.p, bytes.n);
        return v;
}

/* --- writing --- */

struct on_file {
        int64_t id;
        bool other_bytes; /* than those that are written now */
        bool same;        /* so that it is not worth a judgement of its own */
};

static struct on_file on_file_of(struct qn_stmt *s, const struct qn_seen *v)
{
        struct on_file f = { .id = qn_db_int(s, 0),
                             .other_bytes = !qn_str_eq(qn_db_text(s, 4), v->integrity) };

        f.same = !f.other_bytes && qn_str_eq(qn_db_text(s, 1), v->verdict) &&
                 qn_db_int(s, 2) == v->score && qn_str_eq(qn_db_text(s, 3), v->reason);
        return f;
}

static int look_up(struct qn_db *db, const struct qn_seen *v, struct on_file *ret)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT id, verdict, score, reason, integrity FROM version"
                                  " WHERE name = ?1 AND version = ?2");
        int r;

        qn_db_bind_text(s, 1, v->name);
        qn_db_bind_text(s, 2, v->version);
        r = qn_db_step(s);
        if (r > 0)
                *ret = on_file_of(s, v);
        qn_db_reset(s);
        return r;
}

static int write_version(struct qn_db *db, const struct qn_seen *v, int64_t *ret_id)
{
        struct qn_stmt *s = qn_db_prepare(
                db,
                "INSERT INTO version(name, version, integrity, publisher, published, seen, judged,"
                " verdict, score, reason, rules)"
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
                " ON CONFLICT(name, version) DO UPDATE SET integrity = excluded.integrity,"
                " publisher = coalesce(excluded.publisher, version.publisher),"
                " published = coalesce(excluded.published, version.published),"
                " judged = excluded.judged, verdict = excluded.verdict, score = excluded.score,"
                " reason = excluded.reason, rules = excluded.rules RETURNING id");
        const struct qn_str texts[] = { v->name, v->version, v->integrity, v->publisher };
        int r;

        for (int i = 0; i < (int)QN_ARRAY_SIZE(texts); i++)
                qn_db_bind_text(s, i + 1, texts[i]);
        if (v->published != QN_TIME_NONE)
                qn_db_bind_int(s, 5, v->published);
        qn_db_bind_int(s, 6, v->seen);
        qn_db_bind_int(s, 7, v->judged);
        qn_db_bind_text(s, 8, v->verdict);
        qn_db_bind_int(s, 9, v->score);
        qn_db_bind_text(s, 10, v->reason);
        qn_db_bind_text(s, 11, v->rules);
        r = qn_db_first(s, ret_id);
        return r == 0 ? -EIO : r < 0 ? r : 0;
}

static int write_events(struct qn_db *db, int64_t id, struct qn_str bytes)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "INSERT INTO events(version, bytes) VALUES(?1, ?2)"
                                  " ON CONFLICT(version) DO UPDATE SET bytes = excluded.bytes");

        qn_db_bind_int(s, 1, id);
        qn_db_bind_blob(s, 2, bytes);
        return qn_db_run(s);
}

static int delete_events(struct qn_db *db, int64_t id)
{
        struct qn_stmt *s = qn_db_prepare(db, "DELETE FROM events WHERE version = ?1");

        qn_db_bind_int(s, 1, id);
        return qn_db_run(s);
}

static int write_judgement(struct qn_db *db, int64_t id, const struct qn_seen *v)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO judgement(version, time, verdict, score, reason, rules)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)");

        qn_db_bind_int(s, 1, id);
        qn_db_bind_int(s, 2, v->judged);
        qn_db_bind_text(s, 3, v->verdict);
        qn_db_bind_int(s, 4, v->score);
        qn_db_bind_text(s, 5, v->reason);
        qn_db_bind_text(s, 6, v->rules);
        return qn_db_run(s);
}

static int write_finding(struct qn_db *db, int64_t id, const struct qn_seen_finding *f)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO finding(version, rule, severity, verdict, title)"
                    " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(version, rule) DO NOTHING");

        qn_db_bind_int(s, 1, id);
        qn_db_bind_text(s, 2, f->rule);
        qn_db_bind_text(s, 3, f->severity);
        qn_db_bind_text(s, 4, f->verdict);
        qn_db_bind_text(s, 5, f->title);
        return qn_db_run(s);
}

static int write_findings(struct qn_db *db, int64_t id, const struct qn_seen_put *p)
{
        struct qn_stmt *s = qn_db_prepare(db, "DELETE FROM finding WHERE version = ?1");
        int r;

        qn_db_bind_int(s, 1, id);
        r = qn_db_run(s);
        for (size_t i = 0; r == 0 && i < p->n_findings; i++)
                r = write_finding(db, id, &p->findings[i]);
        return r;
}

int qn_versions_put(struct qn_db *db, const struct qn_seen_put *p, int64_t *ret_id)
{
        struct on_file was = { 0 };
        int64_t id = 0;
        int r = look_up(db, &p->v, &was);

        if (r >= 0)
                r = write_version(db, &p->v, &id);
        if (r == 0 && p->events.p)
                r = write_events(db, id, p->events);
        else if (r == 0 && was.other_bytes)
                r = delete_events(db, id);
        if (r == 0)
                r = write_findings(db, id, p);
        if (r == 0 && !was.same)
                r = write_judgement(db, id, &p->v);
        if (r < 0)
                return r;
        *ret_id = id;
        return !was.same;
}

int qn_versions_rejudged(struct qn_db *db, const struct qn_seen *was, const struct qn_seen_put *p)
{
        const struct qn_seen *is = &p->v;
        bool same = qn_str_eq(was->verdict, is->verdict) && was->score == is->score &&
                    qn_str_eq(was->reason, is->reason);
        struct qn_stmt *s = qn_db_prepare(
                db, "UPDATE version SET verdict = ?1, score = ?2, reason = ?3, rules = ?4,"
                    " judged = ?5 WHERE id = ?6 AND integrity = ?7 AND verdict = ?8"
                    " AND score = ?9 AND judged = ?10");
        int r;

        qn_db_bind_text(s, 1, is->verdict);
        qn_db_bind_int(s, 2, is->score);
        qn_db_bind_text(s, 3, is->reason);
        qn_db_bind_text(s, 4, is->rules);
        qn_db_bind_int(s, 5, same ? was->judged : is->judged);
        qn_db_bind_int(s, 6, was->id);
        qn_db_bind_text(s, 7, was->integrity);
        qn_db_bind_text(s, 8, was->verdict);
        qn_db_bind_int(s, 9, was->score);
        qn_db_bind_int(s, 10, was->judged);
        r = qn_db_run(s);
        if (r < 0 || qn_db_changes(db) == 0)
                return r;
        r = write_findings(db, was->id, p);
        if (r == 0 && !same)
                r = write_judgement(db, was->id, is);
        return r < 0 ? r : 1;
}

/* --- reading --- */

static int keep(struct qn_arena *a, const struct qn_seen *v, struct qn_seen *ret)
{
        struct qn_seen k = *v;
        struct qn_str *const texts[] = { &k.name,    &k.version, &k.integrity, &k.publisher,
                                         &k.verdict, &k.reason,  &k.rules };
        int r;

        r = qn_arena_keep(a, texts, QN_ARRAY_SIZE(texts));
        if (r == 0)
                *ret = k;
        return r;
}

static int one(struct qn_stmt *s, struct qn_arena *a, struct qn_seen *ret)
{
        int r = qn_db_row(s);

        if (r == 0) {
                const struct qn_seen v = observed_of(s);

                r = keep(a, &v, ret);
        }
        qn_db_reset(s);
        return r;
}

int qn_versions_find(struct qn_db *db, struct qn_str name, struct qn_str version,
                     struct qn_arena *a, struct qn_seen *ret)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT " COLUMNS OBSERVED
                                  " FROM version v WHERE v.name = ?1 AND v.version = ?2");

        qn_db_bind_text(s, 1, name);
        qn_db_bind_text(s, 2, version);
        return one(s, a, ret);
}

int qn_versions_by_id(struct qn_db *db, int64_t id, struct qn_arena *a, struct qn_seen *ret)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT " COLUMNS OBSERVED " FROM version v WHERE v.id = ?1");

        qn_db_bind_int(s, 1, id);
        return one(s, a, ret);
}

static int each(struct qn_stmt *s, qn_versions_fn *fn, void *ctx)
{
        int r, answer = 0;

        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_seen v = observed_of(s);

                answer = fn(ctx, &v);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_versions_of(struct qn_db *db, struct qn_str name, qn_versions_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT " COLUMNS OBSERVED
                                              " FROM version v WHERE v.name = ?1 ORDER BY v.id");

        qn_db_bind_text(s, 1, name);
        return each(s, fn, ctx);
}

int qn_versions_judged(struct qn_db *db, struct qn_str verdict, int64_t since, qn_versions_fn *fn,
                       void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT " COLUMNS OBSERVED " FROM version v WHERE v.verdict = ?1"
                                  " AND v.judged >= ?2 ORDER BY v.judged, v.id");

        qn_db_bind_text(s, 1, verdict);
        qn_db_bind_int(s, 2, since);
        return each(s, fn, ctx);
}

int qn_versions_decided(struct qn_db *db, qn_versions_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT " COLUMNS OBSERVED " FROM version v WHERE v.id IN"
                    " (SELECT r.version FROM review r WHERE r.action <> 'note') ORDER BY v.id");

        return each(s, fn, ctx);
}

int qn_versions_events(struct qn_db *db, int64_t after, size_t limit, qn_versions_events_fn *fn,
                       void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT " COLUMNS EVENTS
                                              " FROM version v JOIN events e ON e.version = v.id"
                                              " WHERE v.id > ?1 ORDER BY v.id LIMIT ?2");
        int r, answer = 0;

        qn_db_bind_int(s, 1, after);
        qn_db_bind_int(s, 2, (int64_t)limit);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                struct qn_cur events;
                const struct qn_seen v = with_events_of(s, &events);

                answer = fn(ctx, &v, events);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_versions_range(struct qn_db *db, const struct qn_seen_range *range,
                      qn_versions_events_fn *fn, void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT " COLUMNS EVENTS
                                  " FROM version v LEFT JOIN events e ON e.version = v.id"
                                  " WHERE v.id > ?1 AND v.id <= ?2 AND v.seen >= ?3 ORDER BY v.id");
        int r, answer = 0;

        qn_db_bind_int(s, 1, range->after);
        qn_db_bind_int(s, 2, range->to);
        qn_db_bind_int(s, 3, range->since);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                struct qn_cur events;
                const struct qn_seen v = with_events_of(s, &events);

                if (!range->name.n || qn_str_glob(v.name, range->name))
                        answer = fn(ctx, &v, events);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_versions_findings_range(struct qn_db *db, const struct qn_seen_range *range,
                               int (*fn)(void *ctx, int64_t id, const struct qn_seen_finding *f),
                               void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT rule, severity, verdict, title, version FROM finding"
                                  " WHERE version > ?1 AND version <= ?2 ORDER BY version, rule");
        int r, answer = 0;

        qn_db_bind_int(s, 1, range->after);
        qn_db_bind_int(s, 2, range->to);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_seen_finding f = { qn_db_text(s, 0), qn_db_text(s, 1),
                                                   qn_db_text(s, 2), qn_db_text(s, 3) };

                answer = fn(ctx, qn_db_int(s, 4), &f);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_versions_last(struct qn_db *db, int64_t *ret)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT coalesce(max(id), 0) FROM version");
        int r = qn_db_first(s, ret);

        return r < 0 ? r : r == 0 ? -EIO : 0;
}

int qn_versions_events_of(struct qn_db *db, int64_t id, struct qn_arena *a, struct qn_cur *ret)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT bytes FROM events WHERE version = ?1");
        int r;

        qn_db_bind_int(s, 1, id);
        r = qn_db_row(s);
        if (r == 0) {
                const struct qn_str bytes = qn_arena_dup(a, qn_db_blob(s, 0));

                r = bytes.p ? 0 : -ENOBUFS;
                if (r == 0)
                        *ret = qn_cur_mem(bytes.p, bytes.n);
        }
        qn_db_reset(s);
        return r;
}

int qn_versions_history(struct qn_db *db, int64_t id, qn_versions_fn *fn, void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT verdict, score, reason, rules, time FROM judgement"
                                  " WHERE version = ?1 ORDER BY id");
        int r, answer = 0;

        qn_db_bind_int(s, 1, id);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_seen v = { .id = id,
                                           .verdict = qn_db_text(s, 0),
                                           .score = (unsigned)qn_db_int(s, 1),
                                           .reason = qn_db_text(s, 2),
                                           .rules = qn_db_text(s, 3),
                                           .judged = qn_db_int(s, 4) };

                answer = fn(ctx, &v);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_versions_findings(struct qn_db *db, int64_t id,
                         int (*fn)(void *ctx, const struct qn_seen_finding *f), void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT rule, severity, verdict, title FROM finding"
                                              " WHERE version = ?1 ORDER BY rule");
        int r, answer = 0;

        qn_db_bind_int(s, 1, id);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_seen_finding f = { qn_db_text(s, 0), qn_db_text(s, 1),
                                                   qn_db_text(s, 2), qn_db_text(s, 3) };

                answer = fn(ctx, &f);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

struct gathering {
        struct qn_arena *a;
        struct qn_seen_finding *v;
        size_t n, cap;
};

static int gather(void *ctx, const struct qn_seen_finding *f)
{
        struct gathering *g = ctx;
        struct qn_seen_finding k = *f;
        struct qn_str *const texts[] = { &k.rule, &k.severity, &k.verdict, &k.title };
        int r = qn_arena_keep(g->a, texts, QN_ARRAY_SIZE(texts));

        if (r == 0)
                r = QN_ARENA_ROOM(g->a, g->v, g->n, g->cap);
        if (r == 0)
                g->v[g->n++] = k;
        return r;
}

int qn_versions_findings_list(struct qn_db *db, int64_t id, struct qn_arena *a,
                              struct qn_seen_finding **ret, size_t *ret_n)
{
        struct gathering g = { .a = a };
        int r = qn_versions_findings(db, id, gather, &g);

        if (r < 0)
                return r;
        *ret = g.v;
        *ret_n = g.n;
        return 0;
}

static int count_by_verdict(struct qn_db *db, struct qn_versions_stats *st)
{
        static const char *const verdicts[] = { "clean", "malicious", "suspicious", "unknown" };
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT verdict, count(*) FROM version GROUP BY verdict");
        int r;

        while ((r = qn_db_step(s)) > 0)
                for (size_t i = 0; i < QN_ARRAY_SIZE(verdicts); i++)
                        if (qn_str_is(qn_db_text(s, 0), verdicts[i]))
                                st->by_verdict[i] = qn_db_int(s, 1);
        qn_db_reset(s);
        return r;
}

int qn_versions_stats(struct qn_db *db, struct qn_versions_stats *ret)
{
        struct qn_versions_stats st = { 0 };
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT count(*), count(DISTINCT name), coalesce(max(judged), 0) FROM version");
        int r = qn_db_step(s);

        if (r > 0) {
                st.n = qn_db_int(s, 0);
                st.names = qn_db_int(s, 1);
                st.last = qn_db_int(s, 2);
        }
        qn_db_reset(s);
        if (r > 0)
                r = qn_db_first(qn_db_prepare(db, "SELECT count(*) FROM events"), &st.with_events);
        if (r > 0)
                r = count_by_verdict(db, &st);
        if (r == 0)
                *ret = st;
        return r;
}

int qn_versions_latency(struct qn_db *db, int64_t since, unsigned percent, int64_t *ret_ms)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT count(*) FROM version WHERE seen >= ?1");
        int64_t n = 0;
        int r;

        qn_db_bind_int(s, 1, since);
        r = qn_db_first(s, &n);
        if (r < 0 || n == 0)
                return r < 0 ? r : -ENOENT;
        s = qn_db_prepare(db, "SELECT judged - seen FROM version WHERE seen >= ?1"
                              " ORDER BY judged - seen LIMIT 1 OFFSET ?2");
        qn_db_bind_int(s, 1, since);
        qn_db_bind_int(s, 2, (n - 1) * percent / 100);
        r = qn_db_first(s, ret_ms);
        return r < 0 ? r : r == 0 ? -ENOENT : 0;
}

int qn_versions_forget(struct qn_db *db, int64_t before, int64_t *ret_n)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "DELETE FROM events WHERE version IN"
                    " (SELECT id FROM version WHERE verdict = 'clean' AND seen < ?1)");
        int r;

        qn_db_bind_int(s, 1, before);
        r = qn_db_run(s);
        if (r == 0)
                *ret_n = qn_db_changes(db);
        return r;
}
