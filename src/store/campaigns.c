#include "store/campaigns.h"

#include <errno.h>

#include "parse/packument.h"

/* --- traces --- */

int qn_traces_put(struct qn_db *db, int64_t version, struct qn_str bytes)
{
        static const char *const sql[] = {
                "DELETE FROM trace WHERE version = ?1 AND bytes <> ?2",
                "INSERT INTO trace(version, bytes) VALUES(?1, ?2)"
                " ON CONFLICT(version) DO NOTHING RETURNING id",
        };
        struct qn_stmt *s = qn_db_prepare(db, sql[0]);
        int64_t id;
        int r;

        qn_db_bind_int(s, 1, version);
        qn_db_bind_blob(s, 2, bytes);
        r = qn_db_run(s);
        if (r < 0)
                return r;
        s = qn_db_prepare(db, sql[1]);
        qn_db_bind_int(s, 1, version);
        qn_db_bind_blob(s, 2, bytes);
        r = qn_db_first(s, &id);
        return r < 0 ? r : r == 0;
}

static int each_trace(struct qn_stmt *s, qn_traces_fn *fn, void *ctx)
{
        int r = 0, answer = 0;

        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                struct qn_str bytes = qn_db_blob(s, 3);

                answer = fn(ctx, qn_db_int(s, 0), qn_db_text(s, 1), qn_db_text(s, 2),
                            qn_cur_str(bytes));
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_traces_each(struct qn_db *db, size_t most, qn_traces_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT t.version, v.name, m.campaign, t.bytes FROM trace t"
                    " JOIN version v ON v.id = t.version"
                    " LEFT JOIN campaign_member m ON m.version = t.version"
                    " WHERE t.id > (SELECT coalesce(max(id), 0) FROM trace) - ?1 ORDER BY t.id");

        qn_db_bind_int(s, 1, (int64_t)most);
        return each_trace(s, fn, ctx);
}

int qn_campaigns_traces(struct qn_db *db, struct qn_str id, size_t most, qn_traces_fn *fn,
                        void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT t.version, v.name, m.campaign, t.bytes FROM campaign_member m"
                    " JOIN trace t ON t.version = m.version JOIN version v ON v.id = m.version"
                    " WHERE m.campaign = ?1 ORDER BY t.id LIMIT ?2");

        qn_db_bind_text(s, 1, id);
        qn_db_bind_int(s, 2, (int64_t)most);
        return each_trace(s, fn, ctx);
}

/* --- writing --- */

int qn_campaigns_put(struct qn_db *db, const struct qn_campaign *c)
{
        struct qn_stmt *s = qn_db_prepare(
                db,
                "INSERT INTO campaign(id, founded, verdict, rule, title, pattern, size)"
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(id) DO UPDATE SET"
                " verdict = excluded.verdict, rule = excluded.rule, title = excluded.title,"
                " size = excluded.size, pattern = coalesce(excluded.pattern, campaign.pattern)");

        qn_db_bind_text(s, 1, c->id);
        qn_db_bind_int(s, 2, c->founded);
        qn_db_bind_text(s, 3, c->verdict);
        qn_db_bind_text(s, 4, c->rule);
        qn_db_bind_text(s, 5, c->title);
        qn_db_bind_text(s, 6, c->pattern);
        qn_db_bind_int(s, 7, c->size);
        return qn_db_run(s);
}

int qn_campaigns_add_step(struct qn_db *db, struct qn_str id, const struct qn_campaign_step *p)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO campaign_step(campaign, time, verdict, rule, packages)"
                    " VALUES(?1, ?2, ?3, ?4, ?5)");

        qn_db_bind_text(s, 1, id);
        qn_db_bind_int(s, 2, p->time);
        qn_db_bind_text(s, 3, p->verdict);
        qn_db_bind_text(s, 4, p->rule);
        qn_db_bind_int(s, 5, p->packages);
        return qn_db_run(s);
}

static int run_two(struct qn_db *db, const char *sql, struct qn_str a, struct qn_str b)
{
        struct qn_stmt *s = qn_db_prepare(db, sql);

        qn_db_bind_text(s, 1, a);
        qn_db_bind_text(s, 2, b);
        return qn_db_run(s);
}

int qn_campaigns_join(struct qn_db *db, struct qn_str id, struct qn_str to)
{
        int r = run_two(db, "UPDATE campaign_member SET campaign = ?2 WHERE campaign = ?1", id, to);

        return r < 0 ? r
                     : run_two(db, "UPDATE campaign SET joined = ?2 WHERE id = ?1 OR joined = ?1",
                               id, to);
}

int qn_campaigns_add_member(struct qn_db *db, struct qn_str id, const struct qn_campaign_member *m)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO campaign_member(version, campaign, other, kinds, percent, verdict)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(version) DO UPDATE SET"
                    " campaign = excluded.campaign, verdict = excluded.verdict"
                    " WHERE (campaign_member.campaign <> excluded.campaign"
                    " OR campaign_member.verdict <> excluded.verdict)"
                    " AND NOT (campaign_member.campaign <> excluded.campaign AND EXISTS(SELECT 1"
                    " FROM campaign_dismissal d WHERE d.campaign = campaign_member.campaign))"
                    " RETURNING version");
        int64_t version;

        qn_db_bind_int(s, 1, m->version);
        qn_db_bind_text(s, 2, id);
        qn_db_bind_int(s, 3, m->with);
        qn_db_bind_int(s, 4, m->kinds);
        qn_db_bind_int(s, 5, m->percent);
        qn_db_bind_text(s, 6, m->reach);
        return qn_db_first(s, &version);
}

/* --- reading --- */

#define OTHERS  "c.rule, c.title, c.pattern, c.joined, c.size"
#define COLUMNS "c.id, c.founded, c.verdict, " OTHERS
/* One that got worse since is another thing than what was dismissed. */
#define DISMISSED                                                           \
        "EXISTS(SELECT 1 FROM campaign_dismissal d WHERE d.campaign = c.id" \
        " AND (d.verdict = c.verdict OR d.verdict = 'malicious'))"
#define IS_DISMISSED "CASE WHEN " DISMISSED " THEN 1 ELSE 0 END"
#define COUNTS                                                                                  \
        ", " IS_DISMISSED ", count(v.id), count(DISTINCT v.name), count(DISTINCT v.publisher)," \
        " min(v.published), max(v.published) FROM campaign c"                                   \
        " LEFT JOIN campaign_member m ON m.campaign = c.id LEFT JOIN version v ON v.id = m.version"

static int64_t time_at(struct qn_stmt *s, int at)
{
        return qn_db_is_null(s, at) ? QN_TIME_NONE : qn_db_int(s, at);
}

static struct qn_campaign campaign_of(struct qn_stmt *s)
{
        return (struct qn_campaign){ .id = qn_db_text(s, 0),
                                     .founded = qn_db_int(s, 1),
                                     .verdict = qn_db_text(s, 2),
                                     .rule = qn_db_text(s, 3),
                                     .title = qn_db_text(s, 4),
                                     .pattern = qn_db_text(s, 5),
                                     .joined = qn_db_text(s, 6),
                                     .size = qn_db_int(s, 7),
                                     .dismissed = qn_db_int(s, 8),
                                     .versions = qn_db_int(s, 9),
                                     .packages = qn_db_int(s, 10),
                                     .publishers = qn_db_int(s, 11),
                                     .first = time_at(s, 12),
                                     .last = time_at(s, 13) };
}

int qn_campaigns_each(struct qn_db *db, qn_campaigns_fn *fn, void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT " COLUMNS COUNTS " WHERE c.joined IS NULL"
                                  " GROUP BY " COLUMNS " ORDER BY c.founded DESC, c.id");
        int r = 0, answer = 0;

        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_campaign c = campaign_of(s);

                answer = fn(ctx, &c);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

static int keep(struct qn_arena *a, struct qn_campaign *c)
{
        struct qn_str *const texts[] = { &c->id,    &c->verdict, &c->rule,
                                         &c->title, &c->pattern, &c->joined };

        return qn_arena_keep(a, texts, QN_ARRAY_SIZE(texts));
}

static int one(struct qn_stmt *s, struct qn_arena *a, struct qn_campaign *ret)
{
        int r = qn_db_row(s);

        if (r == 0) {
                struct qn_campaign c = campaign_of(s);

                r = keep(a, &c);
                if (r == 0)
                        *ret = c;
        }
        qn_db_reset(s);
        return r;
}

int qn_campaigns_find(struct qn_db *db, struct qn_str id, struct qn_arena *a,
                      struct qn_campaign *ret)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT " COLUMNS COUNTS " WHERE c.id ="
                    " (SELECT coalesce(joined, id) FROM campaign WHERE id = ?1) GROUP BY " COLUMNS);

        qn_db_bind_text(s, 1, id);
        return one(s, a, ret);
}

int qn_campaigns_of(struct qn_db *db, int64_t version, struct qn_arena *a, struct qn_campaign *ret)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT c.id, c.founded, m.verdict, " OTHERS
                                  ", 0, 0, 0, 0, NULL, NULL FROM campaign_member m"
                                  " JOIN campaign c ON c.id = m.campaign WHERE m.version = ?1"
                                  " AND NOT " DISMISSED);

        qn_db_bind_int(s, 1, version);
        return one(s, a, ret);
}

/* --- what people ended --- */

int qn_campaigns_dismiss(struct qn_db *db, struct qn_str id, const struct qn_campaign_dismissal *d)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "INSERT INTO campaign_dismissal(campaign, time, who, verdict,"
                                  " reason) VALUES(?1, ?2, ?3, ?4, ?5)");

        qn_db_bind_text(s, 1, id);
        qn_db_bind_int(s, 2, d->time);
        qn_db_bind_text(s, 3, d->who);
        qn_db_bind_text(s, 4, d->verdict);
        qn_db_bind_text(s, 5, d->reason);
        return qn_db_run(s);
}

int qn_campaigns_dismissals(struct qn_db *db, struct qn_str id,
                            int (*fn)(void *ctx, const struct qn_campaign_dismissal *d), void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT time, who, reason, verdict FROM campaign_dismissal"
                                  " WHERE campaign = ?1 ORDER BY id");
        int r = 0, answer = 0;

        qn_db_bind_text(s, 1, id);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_campaign_dismissal d = { qn_db_int(s, 0), qn_db_text(s, 1),
                                                         qn_db_text(s, 2), qn_db_text(s, 3) };

                answer = fn(ctx, &d);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_campaigns_is_dismissed(struct qn_db *db, struct qn_str id)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT c.size FROM campaign c WHERE c.id = ?1 AND " DISMISSED);
        int64_t size;

        qn_db_bind_text(s, 1, id);
        return qn_db_first(s, &size);
}

int qn_campaigns_steps(struct qn_db *db, struct qn_str id,
                       int (*fn)(void *ctx, const struct qn_campaign_step *s), void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT time, verdict, rule, packages FROM campaign_step"
                                  " WHERE campaign = ?1 ORDER BY id");
        int r = 0, answer = 0;

        qn_db_bind_text(s, 1, id);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_campaign_step p = { qn_db_int(s, 0), qn_db_text(s, 1),
                                                    qn_db_text(s, 2), qn_db_int(s, 3) };

                answer = fn(ctx, &p);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_campaigns_members(struct qn_db *db, struct qn_str id,
                         int (*fn)(void *ctx, const struct qn_campaign_member *m), void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT m.version, m.other, m.kinds, m.percent, v.name, v.version, v.verdict,"
                    " v.publisher, v.reason, v.published, m.verdict FROM campaign_member m"
                    " JOIN version v ON v.id = m.version WHERE m.campaign = ?1"
                    " ORDER BY v.published, v.name, v.version");
        int r = 0, answer = 0;

        qn_db_bind_text(s, 1, id);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_campaign_member m = { .version = qn_db_int(s, 0),
                                                      .with = qn_db_int(s, 1),
                                                      .kinds = qn_db_int(s, 2),
                                                      .percent = qn_db_int(s, 3),
                                                      .name = qn_db_text(s, 4),
                                                      .number = qn_db_text(s, 5),
                                                      .verdict = qn_db_text(s, 6),
                                                      .publisher = qn_db_text(s, 7),
                                                      .reason = qn_db_text(s, 8),
                                                      .published = time_at(s, 9),
                                                      .reach = qn_db_text(s, 10) };

                answer = fn(ctx, &m);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_campaigns_findings(struct qn_db *db, struct qn_str id, size_t most,
                          int (*fn)(void *ctx, struct qn_str rule, struct qn_str title,
                                    int64_t versions),
                          void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT f.rule, min(f.title), count(*) FROM campaign_member m"
                                  " JOIN finding f ON f.version = m.version WHERE m.campaign = ?1"
                                  " GROUP BY f.rule ORDER BY 3 DESC, 1 LIMIT ?2");
        int r = 0, answer = 0;

        qn_db_bind_text(s, 1, id);
        qn_db_bind_int(s, 2, (int64_t)most);
        while (answer == 0 && (r = qn_db_step(s)) > 0)
                answer = fn(ctx, qn_db_text(s, 0), qn_db_text(s, 1), qn_db_int(s, 2));
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_campaigns_growth(struct qn_db *db, struct qn_str id, int64_t step,
                        int (*fn)(void *ctx, int64_t time, int64_t n), void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT v.published / ?2, count(*) FROM campaign_member m"
                                  " JOIN version v ON v.id = m.version WHERE m.campaign = ?1"
                                  " AND v.published IS NOT NULL GROUP BY 1 ORDER BY 1");
        int r = 0, answer = 0;

        qn_db_bind_text(s, 1, id);
        qn_db_bind_int(s, 2, step);
        while (answer == 0 && (r = qn_db_step(s)) > 0)
                answer = fn(ctx, qn_db_int(s, 0) * step, qn_db_int(s, 1));
        qn_db_reset(s);
        return answer ? answer : r;
}
