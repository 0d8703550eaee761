/* watch-status.c - qanat watch status: what the store says of the watching. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "cli/watch-verb.h"
#include "store/pending.h"
#include "store/setting.h"
#include "store/versions.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

struct status {
        struct qn_str feed, seq; /* empty: none was followed */
        struct qn_pending_stats queue;
        struct qn_versions_stats versions;
        int64_t p50,
                p95; /* milliseconds from seen to judged, of the last day; -1: there were none */
        int64_t now;
};

static int read_text(struct qn_db *db, const char *key, struct qn_arena *a, struct qn_str *ret)
{
        int r = qn_setting_get(db, key, a, ret);

        return r == -ENOENT ? 0 : r;
}

static int read_latency(struct qn_db *db, int64_t since, unsigned percent, int64_t *ret)
{
        int r = qn_versions_latency(db, since, percent, ret);

        if (r == -ENOENT)
                *ret = -1;
        return r == -ENOENT ? 0 : r;
}

static int read_status(struct qn_db *db, struct qn_arena *a, struct status *st)
{
        int r = read_text(db, "feed.url", a, &st->feed);

        st->now = (int64_t)time(NULL) * 1000;
        if (r == 0)
                r = read_text(db, "feed.seq", a, &st->seq);
        if (r == 0)
                r = qn_pending_stats(db, st->now, &st->queue);
        if (r == 0)
                r = qn_versions_stats(db, &st->versions);
        if (r == 0)
                r = read_latency(db, st->now - DAY_MS, 50, &st->p50);
        return r == 0 ? read_latency(db, st->now - DAY_MS, 95, &st->p95) : r;
}

static void print_text(const struct status *st, struct qn_buf *out)
{
        const int64_t *v = st->versions.by_verdict;

        qn_buf_str(out, QN_STR("feed       "));
        qn_show(out, st->feed.n ? st->feed : QN_STR("none was followed"), 0, 0);
        if (st->seq.n) {
                qn_buf_str(out, QN_STR("\nplace      "));
                qn_show(out, st->seq, 0, 0);
        }
        qn_buf_printf(out, "\nqueue      %lld names, %lld of them to be tried again later",
                      (long long)st->queue.n, (long long)st->queue.waiting);
        if (st->queue.n)
                qn_buf_printf(out, "; the oldest waits for %lld s",
                              (long long)((st->now - st->queue.oldest) / 1000));
        qn_buf_printf(out,
                      "\nversions   %lld of %lld names: %lld malicious, %lld suspicious, %lld "
                      "unknown, %lld clean",
                      (long long)st->versions.n, (long long)st->versions.names, (long long)v[1],
                      (long long)v[2], (long long)v[3], (long long)v[0]);
        if (st->p50 >= 0)
                qn_buf_printf(
                        out, "\nlast day   from seen to verdict: half in %lld ms, 95 %% in %lld ms",
                        (long long)st->p50, (long long)st->p95);
        qn_buf_byte(out, '\n');
}

static void print_json(const struct status *st, struct qn_buf *out)
{
        const struct {
                const char *name;
                int64_t value;
        } numbers[] = {
                { "queued", st->queue.n },
                { "waiting", st->queue.waiting },
                { "versions", st->versions.n },
                { "names", st->versions.names },
                { "malicious", st->versions.by_verdict[1] },
                { "suspicious", st->versions.by_verdict[2] },
                { "unknown", st->versions.by_verdict[3] },
                { "clean", st->versions.by_verdict[0] },
        };
        struct qn_jsonw w = QN_JSONW_INIT(out, 2);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.watch/1");
        qn_jsonw_str(&w, "feed", st->feed.p ? st->feed : QN_STR(""));
        qn_jsonw_str(&w, "seq", st->seq.p ? st->seq : QN_STR(""));
        for (size_t i = 0; i < QN_ARRAY_SIZE(numbers); i++)
                qn_jsonw_u64(&w, numbers[i].name, (uint64_t)numbers[i].value);
        if (st->p50 >= 0) {
                qn_jsonw_u64(&w, "p50_ms", (uint64_t)st->p50);
                qn_jsonw_u64(&w, "p95_ms", (uint64_t)st->p95);
        }
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

int qn_watch_verb_status(const struct qn_args *a)
{
        _cleanup_(qn_arena_done) struct qn_arena mem = QN_ARENA_INIT(1 << 16);
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(1 << 20);
        struct status st = { 0 };
        struct qn_err err = { 0 };
        struct qn_db db;
        int r = qn_db_open(&qn_db_watch, a->store, false, &db, &err);

        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = read_status(&db, &mem, &st);
        qn_db_close(&db);
        if (r < 0)
                return log_err(r, "the store cannot be read: %s", strerrordesc_np(-r));
        if (qn_str_is(qn_str_c(qn_args_get(a, "format")), "json"))
                print_json(&st, &out);
        else
                print_text(&st, &out);
        r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        return r < 0 ? log_err(r, "cannot write: %s", strerrordesc_np(-r)) : 0;
}
