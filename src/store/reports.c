#include "store/reports.h"

#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"

#define COLUMNS                                                                              \
        "id, name, version, place, branch, commit_id, path, campaign, state, time, changed," \
        " reason, who"

static const char *const states[] = { [QN_REPORT_WRITTEN] = "written",
                                      [QN_REPORT_SENT] = "sent",
                                      [QN_REPORT_WITHDRAWN] = "withdrawn" };

const char *qn_report_state_name(enum qn_report_state s)
{
        return states[s];
}

/* One that is not known here counts as written: it was reported, whatever came of it. */
static enum qn_report_state state_of(struct qn_str name)
{
        for (unsigned i = 0; i < QN_REPORT_STATES; i++)
                if (qn_str_is(name, states[i]))
                        return (enum qn_report_state)i;
        return QN_REPORT_WRITTEN;
}

static struct qn_reported reported_of(struct qn_stmt *s)
{
        return (struct qn_reported){ .id = qn_db_int(s, 0),
                                     .name = qn_db_text(s, 1),
                                     .version = qn_db_text(s, 2),
                                     .place = qn_db_text(s, 3),
                                     .branch = qn_db_text(s, 4),
                                     .commit = qn_db_text(s, 5),
                                     .path = qn_db_text(s, 6),
                                     .campaign = qn_db_text(s, 7),
                                     .state = state_of(qn_db_text(s, 8)),
                                     .time = qn_db_int(s, 9),
                                     .changed = qn_db_int(s, 10),
                                     .reason = qn_db_text(s, 11),
                                     .by = qn_db_text(s, 12) };
}

int qn_reports_put(struct qn_db *db, const struct qn_reported *r)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO report(name, version, place, branch, commit_id, path, campaign,"
                    " state, time, changed, reason, who)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
                    " ON CONFLICT(name, version, place) DO UPDATE SET branch = excluded.branch,"
                    " commit_id = excluded.commit_id, path = excluded.path,"
                    " campaign = coalesce(excluded.campaign, report.campaign),"
                    " state = excluded.state, changed = excluded.changed,"
                    " reason = excluded.reason, who = excluded.who");
        const struct qn_str texts[] = { r->name,   r->version, r->place,   r->branch,
                                        r->commit, r->path,    r->campaign };

        for (int i = 0; i < (int)QN_ARRAY_SIZE(texts); i++)
                qn_db_bind_text(s, i + 1, texts[i]);
        qn_db_bind_text(s, 8, qn_str_c(states[r->state]));
        qn_db_bind_int(s, 9, r->time);
        qn_db_bind_int(s, 10, r->changed);
        qn_db_bind_text(s, 11, r->reason);
        qn_db_bind_text(s, 12, r->by);
        return qn_db_run(s);
}

static int keep(struct qn_arena *a, struct qn_reported *r)
{
        struct qn_str *const texts[] = { &r->name, &r->version,  &r->place,  &r->branch, &r->commit,
                                         &r->path, &r->campaign, &r->reason, &r->by };

        return qn_arena_keep(a, texts, QN_ARRAY_SIZE(texts));
}

int qn_reports_find(struct qn_db *db, struct qn_str name, struct qn_str version,
                    struct qn_str place, struct qn_arena *a, struct qn_reported *ret)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT " COLUMNS " FROM report WHERE name = ?1"
                                              " AND version = ?2 AND (?3 = '' OR place = ?3)"
                                              " ORDER BY changed DESC, id DESC LIMIT 1");
        int r;

        qn_db_bind_text(s, 1, name);
        qn_db_bind_text(s, 2, version);
        qn_db_bind_text(s, 3, place.p ? place : QN_STR(""));
        r = qn_db_row(s);
        if (r == 0) {
                struct qn_reported found = reported_of(s);

                r = keep(a, &found);
                if (r == 0)
                        *ret = found;
        }
        qn_db_reset(s);
        return r;
}

int qn_reports_each(struct qn_db *db, struct qn_str name, qn_reports_fn *fn, void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT " COLUMNS " FROM report WHERE (?1 = '' OR name = ?1)"
                                  " ORDER BY name, id");
        int r, answer = 0;

        qn_db_bind_text(s, 1, name.p ? name : QN_STR(""));
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_reported found = reported_of(s);

                answer = fn(ctx, &found);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

/* --- what is left --- */

static int64_t wait_of(bool known, int64_t tries)
{
        int64_t wait = QN_REPORT_WAIT_MS;

        if (known)
                return QN_REPORT_WAIT_KNOWN_MS;
        for (int64_t i = 1; i < tries && wait < QN_REPORT_WAIT_MAX_MS; i++)
                wait *= 4;
        return QN_MIN(wait, QN_REPORT_WAIT_MAX_MS);
}

static int tries_of(struct qn_db *db, const struct qn_put_off *p, int64_t *ret)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT tries FROM report_later WHERE name = ?1 AND version = ?2");

        *ret = 0;
        qn_db_bind_text(s, 1, p->name);
        qn_db_bind_text(s, 2, p->version);
        return qn_db_first(s, ret);
}

int qn_reports_put_off(struct qn_db *db, const struct qn_put_off *p)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO report_later(name, version, known, time, due, tries)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(name, version) DO UPDATE SET"
                    " known = excluded.known, time = excluded.time, due = excluded.due,"
                    " tries = excluded.tries");
        int64_t tries;
        int r = tries_of(db, p, &tries);

        if (r < 0)
                return r;
        qn_db_bind_text(s, 1, p->name);
        qn_db_bind_text(s, 2, p->version);
        qn_db_bind_int(s, 3, p->known);
        qn_db_bind_int(s, 4, p->now);
        qn_db_bind_int(s, 5, p->now + wait_of(p->known, tries + 1));
        qn_db_bind_int(s, 6, tries + 1);
        return qn_db_run(s);
}

int qn_reports_pending(struct qn_db *db, int64_t now, qn_unreported_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT v.name, v.version FROM version v WHERE (v.verdict = 'malicious'"
                    " OR v.id IN (SELECT c.version FROM review c WHERE c.action = 'confirm'))"
                    " AND NOT EXISTS (SELECT 1 FROM report r WHERE r.name = v.name"
                    " AND r.version = v.version) AND NOT EXISTS (SELECT 1 FROM report_later l"
                    " WHERE l.name = v.name AND l.version = v.version AND l.due > ?1"
                    " AND l.time >= v.judged) ORDER BY v.judged, v.id");
        int r, answer = 0;

        qn_db_bind_int(s, 1, now);
        while (answer == 0 && (r = qn_db_step(s)) > 0)
                answer = fn(ctx, qn_db_text(s, 0), qn_db_text(s, 1));
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_reports_stamp(struct qn_db *db, uint64_t *ret)
{
        static const char *const last[] = {
                "SELECT coalesce(max(judged), 0) FROM version WHERE verdict = 'malicious'",
                "SELECT coalesce(max(id), 0) FROM review",
        };
        int64_t values[QN_ARRAY_SIZE(last)] = { 0 };

        for (size_t i = 0; i < QN_ARRAY_SIZE(last); i++) {
                int r = qn_db_first(qn_db_prepare(db, last[i]), &values[i]);

                if (r < 0)
                        return r;
        }
        *ret = qn_hash64(values, sizeof values);
        return 0;
}
