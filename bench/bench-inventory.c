/* bench-inventory.c - the store with a million holdings: how long it takes to fill it, and to ask it.
 *
 *   bench-inventory DIR      the store is made in DIR and stays there
 */
#include <stdlib.h>

#include "base/io.h"
#include "store/holdings.h"

#define ASSETS   400u
#define PACKAGES 2500u
#define NAMES    20000u /* of which each asset has some */
#define NOW      1700000000

static int fail(int r, const char *what)
{
        fprintf(stderr, "bench-inventory: %s: %s\n", what, strerror(-r));
        exit(2);
}

/* Asset i has a run of names, so that some packages are everywhere and others are rare. */
static const struct qn_bom *make_bom(unsigned asset, struct qn_arena *a)
{
        struct qn_bom *b = QN_ARENA_NEW(a, struct qn_bom);

        b->kind = QN_BOM_PACKAGE_LOCK;
        b->items = qn_arena_calloc(a, PACKAGES, sizeof *b->items);
        for (unsigned i = 0; i < PACKAGES; i++) {
                unsigned n = i < PACKAGES / 2 ? i : (asset * 37 + i) % NAMES;
                char name[32], version[32];

                snprintf(name, sizeof name, "package-%u", n);
                snprintf(version, sizeof version, "%u.%u.0", n % 7, asset % 5);
                b->items[i] = (struct qn_bom_item){
                        .name = qn_arena_dup(a, qn_str_c(name)),
                        .version = qn_arena_dup(a, qn_str_c(version)),
                        .integrity = QN_STR("sha512-0000000000000000000000000000000000000000000000"
                                            "0000000000000000000000000000000000000000=="),
                };
                b->n++;
        }
        return b;
}

static void fill(struct qn_db *db)
{
        uint64_t began = qn_io_nanos();
        size_t holdings = 0;
        double seconds;

        for (unsigned i = 0; i < ASSETS; i++) {
                struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
                char name[32];
                struct qn_observation o = { .asset.kind = QN_STR("host"),
                                            .path = QN_STR("package-lock.json"),
                                            .time = NOW + i };
                struct qn_observed seen;
                int r;

                snprintf(name, sizeof name, "host-%u", i);
                o.asset.name = qn_str_c(name);
                o.bom = make_bom(i, &a);
                r = qn_db_begin(db);
                if (r == 0)
                        r = qn_assets_observe(db, &o, &a, &seen);
                if (r == 0)
                        r = qn_db_commit(db);
                if (r < 0)
                        fail(r, name);
                holdings += seen.added;
                qn_arena_done(&a);
        }
        seconds = (double)(qn_io_nanos() - began) / 1e9;
        printf("%-34s %zu holdings of %u assets in %.1f s, %.0f a second\n",
               "observations taken in", holdings, ASSETS, seconds, (double)holdings / seconds);
}

static int count(void *ctx, const struct qn_holding *h QN_UNUSED)
{
        ++*(size_t *)ctx;
        return 0;
}

static void ask(struct qn_db *db, const char *what, const char *name, int64_t from, int64_t to)
{
        uint64_t began = qn_io_nanos();
        size_t n = 0;
        int r = qn_holdings_of(db, qn_str_c(name), from, to, count, &n);

        if (r < 0)
                fail(r, name);
        printf("%-34s %.2f ms, %zu holdings\n", what, (double)(qn_io_nanos() - began) / 1e6, n);
}

static void ask_others(struct qn_db *db)
{
        uint64_t began = qn_io_nanos();
        size_t n = 0;
        int r = qn_holdings_at(db, QN_STR("host-7"), NOW + 1000, count, &n);

        if (r == 0)
                r = qn_holdings_at(db, QN_STR("host-300"), NOW + 1000, count, &n);
        if (r < 0)
                fail(r, "diff");
        printf("%-34s %.2f ms\n", "diff of two assets", (double)(qn_io_nanos() - began) / 1e6);
        began = qn_io_nanos();
        n = 0;
        r = qn_holdings_stale(db, NOW + 100, count, &n);
        if (r < 0)
                fail(r, "stale");
        printf("%-34s %.2f ms, %zu sources\n", "stale", (double)(qn_io_nanos() - began) / 1e6, n);
}

int main(int argc, char **argv)
{
        struct qn_db db;
        struct qn_err err = { 0 };

        if (argc != 2)
                return fprintf(stderr, "usage: bench-inventory DIR\n"), 2;
        if (qn_db_open(&qn_db_inventory, argv[1], true, &db, &err) < 0)
                return fprintf(stderr, "bench-inventory: %s\n", err.msg), 2;
        fill(&db);
        qn_db_close(&db);
        if (qn_db_open(&qn_db_inventory, argv[1], false, &db, &err) < 0)
                return fprintf(stderr, "bench-inventory: %s\n", err.msg), 2;
        ask(&db, "who-has, everywhere", "package-3", NOW + 1000, QN_TIME_OPEN);
        ask(&db, "who-has, somewhere", "package-9999", NOW + 1000, QN_TIME_OPEN);
        ask(&db, "who-has, nowhere", "nothing", NOW + 1000, QN_TIME_OPEN);
        ask(&db, "who-has --between", "package-5", NOW + 10, NOW + 90);
        ask_others(&db);
        qn_db_close(&db);
        return 0;
}
