#include "store/holdings.h"

#include <errno.h>

#define COLUMNS                                                                                \
        "p.name, p.version, h.integrity, a.kind, a.name, a.owner, a.environment, a.commit_id," \
        " s.path, s.kind, h.since, coalesce(h.until, 9223372036854775807), h.flags,"           \
        " (SELECT max(time) FROM observation o WHERE o.source = s.id)"

static void read_row(struct qn_stmt *s, struct qn_holding *h)
{
        struct qn_str *const texts[] = {
                &h->name,       &h->version,     &h->integrity,         &h->asset.kind,
                &h->asset.name, &h->asset.owner, &h->asset.environment, &h->asset.commit,
                &h->path,       &h->kind
        };
        int at = 0;

        for (; at < (int)QN_ARRAY_SIZE(texts); at++)
                *texts[at] = qn_db_text(s, at);
        h->since = qn_db_int(s, at);
        h->until = qn_db_int(s, at + 1);
        h->flags = (unsigned)qn_db_int(s, at + 2);
        h->seen = qn_db_int(s, at + 3);
}

static int each(struct qn_stmt *s, qn_holding_fn *fn, void *ctx)
{
        int r, answer = 0;

        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                struct qn_holding h = { 0 };

                read_row(s, &h);
                answer = fn(ctx, &h);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_holdings_of(struct qn_db *db, struct qn_str name, int64_t from, int64_t to,
                   qn_holding_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT " COLUMNS " FROM package p JOIN holding h ON h.package = p.id"
                    " JOIN source s ON s.id = h.source JOIN asset a ON a.id = s.asset"
                    " WHERE p.name = ?1 AND h.since <= ?3 AND (h.until IS NULL OR h.until > ?2)"
                    " ORDER BY a.name, a.kind, s.path, p.version, h.since");

        qn_db_bind_text(s, 1, name);
        qn_db_bind_int(s, 2, from);
        qn_db_bind_int(s, 3, to);
        return each(s, fn, ctx);
}

static int has_asset(struct qn_db *db, struct qn_str name)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT 1 FROM asset WHERE name = ?1");
        int r;

        qn_db_bind_text(s, 1, name);
        r = qn_db_step(s);
        qn_db_reset(s);
        return r == 0 ? -ENOENT : r < 0 ? r : 0;
}

int qn_holdings_at(struct qn_db *db, struct qn_str asset, int64_t time, qn_holding_fn *fn,
                   void *ctx)
{
        struct qn_stmt *s;
        int r = has_asset(db, asset);

        if (r < 0)
                return r;
        s = qn_db_prepare(
                db,
                "SELECT " COLUMNS
                " FROM asset a JOIN source s ON s.asset = a.id JOIN holding h ON h.source = s.id"
                " JOIN package p ON p.id = h.package"
                " WHERE a.name = ?1 AND h.since <= ?2 AND (h.until IS NULL OR h.until > ?2)"
                " ORDER BY p.name, p.version, s.path");
        qn_db_bind_text(s, 1, asset);
        qn_db_bind_int(s, 2, time);
        return each(s, fn, ctx);
}

int qn_holdings_graphs(struct qn_db *db, struct qn_str name, qn_graph_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT a.kind, a.name, s.path, s.kind, s.graph FROM source s"
                    " JOIN asset a ON a.id = s.asset WHERE s.graph IS NOT NULL AND s.id IN"
                    " (SELECT h.source FROM holding h JOIN package p ON p.id = h.package"
                    "  WHERE p.name = ?1 AND h.until IS NULL) ORDER BY a.name, a.kind, s.path");
        int r, answer = 0;

        qn_db_bind_text(s, 1, name);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                struct qn_holding h = { .asset = { .kind = qn_db_text(s, 0),
                                                   .name = qn_db_text(s, 1) },
                                        .path = qn_db_text(s, 2),
                                        .kind = qn_db_text(s, 3) };
                const struct qn_str graph = qn_db_blob(s, 4);

                answer = fn(ctx, &h, qn_cur_mem(graph.p, graph.n));
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_holdings_stale(struct qn_db *db, int64_t before, qn_holding_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT NULL, NULL, NULL, a.kind, a.name, a.owner, a.environment, a.commit_id,"
                    " s.path, s.kind, min(o.time), 9223372036854775807, 0, max(o.time)"
                    " FROM source s JOIN asset a ON a.id = s.asset"
                    " JOIN observation o ON o.source = s.id"
                    " GROUP BY s.id, a.id HAVING max(o.time) < ?1 ORDER BY a.name, a.kind, s.path");

        qn_db_bind_int(s, 1, before);
        return each(s, fn, ctx);
}

int qn_holdings_stats(struct qn_db *db, struct qn_holdings_stats *ret)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT (SELECT count(*) FROM asset), (SELECT count(*) FROM source),"
                    " (SELECT count(*) FROM package), (SELECT count(*) FROM holding),"
                    " (SELECT count(*) FROM observation)");
        int r = qn_db_step(s);

        if (r > 0)
                *ret = (struct qn_holdings_stats){ qn_db_int(s, 0), qn_db_int(s, 1),
                                                   qn_db_int(s, 2), qn_db_int(s, 3),
                                                   qn_db_int(s, 4) };
        qn_db_reset(s);
        return r == 0 ? -EIO : r < 0 ? r : 0;
}
