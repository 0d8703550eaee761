/* The inventory and what was learnt of packages, with each database behind them.  tests/cli/inventory-store.py asks more of it. */
#include <errno.h>

#include "base/buf.h"
#include "store/holdings.h"
#include "store/learnt.h"
#include "test.h"

#include "stores.h"

#define BUF(b) _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16)

static void observe(struct qn_db *db, int64_t time, const char *names, struct qn_str commit)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_bom_item items[8] = { 0 };
        struct qn_bom bom = { .kind = QN_BOM_PNPM, .items = items };
        struct qn_observation o = { .asset = { .kind = QN_STR("project"),
                                               .name = QN_STR("shop"),
                                               .owner = time == 100 ? QN_STR("web")
                                                                    : (struct qn_str){ 0 },
                                               .commit = commit },
                                    .path = QN_STR("lock"),
                                    .time = time,
                                    .bom = &bom,
                                    .graph = QN_STR("\0graph") };
        struct qn_observed counts;

        for (; names[bom.n]; bom.n++)
                items[bom.n] = (struct qn_bom_item){ .name = { names + bom.n, 1 },
                                                     .version = QN_STR("1.0.0"),
                                                     .dev = bom.n & 1 };
        ASSERT_EQ(qn_db_begin(db), 0);
        ASSERT_EQ(qn_assets_observe(db, &o, &a, &counts), 0);
        ASSERT_EQ(qn_db_commit(db), 0);
        ASSERT_EQ(counts.packages, strlen(names));
}

static int add_holding(void *ctx, const struct qn_holding *h)
{
        qn_buf_printf(ctx, "%.*s %lld-%lld %.*s %.*s %u;", QN_STR_ARG(h->name), (long long)h->since,
                      h->until == QN_TIME_OPEN ? -1 : (long long)h->until,
                      QN_STR_ARG(h->asset.owner), QN_STR_ARG(h->asset.commit), h->flags);
        return 0;
}

static int add_graph(void *ctx, const struct qn_holding *h, struct qn_cur graph)
{
        qn_buf_printf(ctx, "%.*s:%zu;", QN_STR_ARG(h->path), (size_t)(graph.end - graph.p));
        return 0;
}

TEST(observations_in_any_order)
{
        EACH_PLACE(p)
        {
                BUF(b);
                struct qn_holdings_stats stats = { 0 };

                ASSERT_EQ(qn_db_open(&qn_db_inventory, p.where, true, &p.db, NULL), 0);
                observe(&p.db, 100, "ab", QN_STR("c1"));
                observe(&p.db, 300, "a", QN_STR("c3"));
                observe(&p.db, 200, "aBc", (struct qn_str){ 0 });
                for (const char *n = "abBc"; *n; n++)
                        ASSERT_EQ(qn_holdings_of(&p.db, (struct qn_str){ n, 1 }, 0, 1000,
                                                 add_holding, &b),
                                  0);
                ASSERT_STR(qn_buf_view(&b), "a 100--1 web c3 0;b 100-200 web c3 1;"
                                            "B 200-300 web c3 1;c 200-300 web c3 0;");
                qn_buf_reset(&b);
                ASSERT_EQ(qn_holdings_at(&p.db, QN_STR("shop"), 250, add_holding, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "B 200-300 web c3 1;a 100--1 web c3 0;"
                                            "c 200-300 web c3 0;");
                ASSERT_EQ(qn_holdings_at(&p.db, QN_STR("Shop"), 250, add_holding, &b), -ENOENT);
                qn_buf_reset(&b);
                ASSERT_EQ(qn_holdings_graphs(&p.db, QN_STR("a"), add_graph, &b), 0);
                ASSERT_EQ(qn_holdings_stale(&p.db, 301, add_holding, &b), 0);
                ASSERT_EQ(qn_holdings_stale(&p.db, 300, add_holding, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "lock:6; 100--1 web c3 0;");
                ASSERT_EQ(qn_holdings_stats(&p.db, &stats), 0);
                ASSERT_TRUE(stats.assets == 1 && stats.sources == 1 && stats.packages == 4 &&
                            stats.holdings == 4 && stats.observations == 3);
        }
}

TEST(an_asset_that_lost_a_source)
{
        EACH_PLACE(p)
        {
                const struct qn_asset shop = { .kind = QN_STR("project"), .name = QN_STR("shop") };
                BUF(b);

                ASSERT_EQ(qn_db_open(&qn_db_inventory, p.where, true, &p.db, NULL), 0);
                observe(&p.db, 100, "ab", QN_STR("c1"));
                ASSERT_EQ(qn_assets_end(&p.db, &shop, 200, NULL, 0), 0);
                ASSERT_EQ(qn_holdings_of(&p.db, QN_STR("a"), 0, 1000, add_holding, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "a 100-200 web c1 0;");
        }
}

static int add_learnt(void *ctx, const struct qn_learnt *k)
{
        qn_buf_printf(ctx, "%.*s %.*s %u %llu;", QN_STR_ARG(k->name), QN_STR_ARG(k->path), k->files,
                      (unsigned long long)k->bytes);
        return 0;
}

TEST(what_was_learnt)
{
        struct qn_content_file files[] = { { QN_STR("z.js"), { { 0, 0xff }, 10 } },
                                           { QN_STR("a.js"), { { 0, 0xff }, 10 } },
                                           { QN_STR("a.js"), { { 0, 0xff }, 10 } },
                                           { QN_STR("b.js"), { { 1 }, 5 } } };
        const struct qn_contents loose = { QN_STR("n"), QN_STR("1"), { 0 }, files, 4 },
                                 packed = { QN_STR("n"), QN_STR("1"), QN_STR("i"), files, 2 };

        EACH_PLACE(p)
        {
                BUF(b);

                ASSERT_EQ(qn_db_open(&qn_db_learnt, p.where, true, &p.db, NULL), 0);
                ASSERT_EQ(qn_learnt_learn(&p.db, &loose), 1);
                ASSERT_EQ(qn_learnt_learn(&p.db, &loose), 0);
                ASSERT_EQ(qn_learnt_find(&p.db, &files[0].id, add_learnt, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "n a.js 4 35;n z.js 4 35;");
                ASSERT_EQ(qn_learnt_learn(&p.db, &packed), 1);
                ASSERT_EQ(qn_learnt_learn(&p.db, &loose), 0);
                qn_buf_reset(&b);
                ASSERT_EQ(qn_learnt_find(&p.db, &files[3].id, add_learnt, &b), 0);
                ASSERT_EQ(b.n, 0);
        }
}
