#include "watch/watch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/io.h"
#include "campaign/track.h"
#include "observe/popular.h"
#include "role/fetch.h"
#include "role/pool.h"
#include "store/setting.h"
#include "watch/watch-priv.h"

#define SLACK_MS ((int64_t)10 * 60 * 1000)

int64_t qn_watch_now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t qn_watch_monotonic(void)
{
        return (int64_t)(qn_io_nanos() / 1000000);
}

void qn_watch_note(struct qn_watch *w, const char *fmt, ...)
{
        char text[1024];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        w->config.note(w->config.user, text);
}

const char *qn_watch_span_name(enum qn_watch_span s)
{
        static const char *const names[] = { "published_seen", "seen_verdict",
                                             "published_verdict" };

        return names[s];
}

/* --- begin and end --- */

/* Shortly before watching began, for clocks differ: what was published before is not new. */
static int load_horizon(struct qn_watch *w)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 12);
        struct qn_str text = { 0 };
        char now[24];
        int r = qn_setting_get(&w->db, "begun", &a, &text);

        if (r < 0 && r != -ENOENT)
                return r;
        if (r == -ENOENT) {
                snprintf(now, sizeof now, "%lld", (long long)qn_watch_now());
                text = qn_str_c(now);
                r = qn_setting_put(&w->db, "begun", text);
        }
        w->horizon = w->config.horizon ? w->config.horizon : qn_replica_number(text) - SLACK_MS;
        return r;
}

static int open_store(struct qn_watch *w, struct qn_err *reterr)
{
        int r = qn_db_open(&qn_db_watch, w->config.store, true, &w->db, reterr);

        if (r == 0)
                r = load_horizon(w);
        if (r == 0)
                r = qn_pending_untake(&w->db);
        if (r == 0)
                r = qn_track_load(w->track, &w->db);
        return r < 0 && !reterr->msg[0]
                       ? qn_fail(reterr, r, 0, "the store: %s", strerrordesc_np(-r))
                       : r;
}

int qn_watch_new(const struct qn_watch_config *config, struct qn_watch **ret, struct qn_err *reterr)
{
        _cleanup_(qn_watch_freep) struct qn_watch *w = calloc(1, sizeof *w);
        const struct qn_check_config check = { .data_dir = config->data_dir,
                                               .cache_dir = config->cache_dir,
                                               .workers = config->workers,
                                               .no_sandbox = config->no_sandbox,
                                               .no_cache = true,
                                               .imprint = true,
                                               .intel = config->intel,
                                               .result = qn_record_result,
                                               .user = w };
        int r;

        if (!w)
                return -ENOMEM;
        w->config = *config;
        w->mem = QN_ARENA_INIT((size_t)64 << 20);
        w->epoch = 1;
        LIST_INIT(&w->names);
        r = qn_check_new(&check, &w->check, reterr);
        if (r == 0)
                r = qn_popular_load(config->data_dir, &w->mem, &w->popular, reterr);
        if (r == 0)
                r = qn_track_new(config->data_dir, &w->track, reterr);
        if (r == 0)
                r = open_store(w, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

struct qn_watch *qn_watch_free(struct qn_watch *w)
{
        if (!w)
                return NULL;
        qn_fetch_free(w->feed.fetch);
        qn_rejudge_free(w->scan);
        qn_track_free(w->track);
        qn_check_free(w->check);
        while (!LIST_EMPTY(&w->names))
                qn_name_free(LIST_FIRST(&w->names));
        if (w->db.driver)
                qn_db_close(&w->db);
        qn_arena_done(&w->mem);
        free(w);
        return NULL;
}

void qn_watch_freep(struct qn_watch **w)
{
        qn_watch_free(*w);
}

struct qn_pool *qn_watch_pool(const struct qn_watch *w)
{
        return qn_check_pool(w->check);
}

/* A scan that is under way goes on by what holds now, from its begin. */
int qn_watch_judge_by(struct qn_watch *w, const struct qn_rules *rules,
                      const struct qn_revision *by)
{
        qn_check_judge_by(w->check, rules);
        w->judge_by = rules;
        w->by = *by;
        return w->scan ? qn_back_scan_begin(w) : 0;
}

int qn_watch_judge_anew(struct qn_watch *w, const struct qn_rules *rules,
                        const struct qn_revision *by)
{
        int r = qn_watch_judge_by(w, rules, by);

        return r == 0 && !w->scan ? qn_back_scan_begin(w) : r;
}

void qn_watch_know(struct qn_watch *w, struct qn_check_intel *intel)
{
        w->config.intel = intel;
        qn_check_know(w->check, intel);
}

int qn_watch_connect(struct qn_watch *w, const struct qn_npmconf *npm)
{
        w->npm = npm;
        return qn_check_connect(w->check, npm);
}

/* --- work --- */

/* Nothing is under way, and nothing waits that could be done now; what is to be tried later stays in the queue. */
static bool is_idle(struct qn_watch *w)
{
        struct qn_pending_stats st;

        if (w->n_names || w->scan || w->input_open || w->in_transaction || w->feed.asked ||
            qn_watch_monotonic() < w->rest_until)
                return false;
        return qn_pending_stats(&w->db, qn_watch_now(), &st) == 0 && st.n == st.waiting;
}

int qn_watch_turn(struct qn_watch *w, int timeout_ms, struct qn_err *reterr)
{
        int r = w->begun ? 0 : qn_feed_begin(w, reterr);

        if (r == 0 && !w->begun && w->config.scan)
                r = qn_back_scan_resume(w);
        if (r < 0)
                return r;
        w->begun = true;
        qn_feed_step(w);
        qn_name_take(w);
        if (w->scan && qn_watch_monotonic() >= w->scan_at)
                timeout_ms = 0;
        else if (w->feed.asked || w->in_transaction)
                timeout_ms = QN_MIN(timeout_ms, QN_WATCH_TURN_MS);
        r = qn_check_turn(w->check, timeout_ms, reterr);
        if (r < 0)
                return r;
        qn_record_end(w, !w->n_names);
        qn_back_scan_step(w);
        if (w->input_error < 0)
                return qn_fail(reterr, w->input_error, 0, "nothing of it was taken in");
        return !w->config.once || (w->config.feed && !w->fed) || !is_idle(w);
}

int qn_watch_settle(struct qn_watch *w)
{
        uint64_t failed = w->counts.failed;

        qn_record_end(w, true);
        return failed == w->counts.failed ? 0 : -EIO;
}

bool qn_watch_is_settled(const struct qn_watch *w)
{
        return !w->in_transaction;
}

const struct qn_watch_counts *qn_watch_counts(const struct qn_watch *w)
{
        return &w->counts;
}

struct qn_db *qn_watch_db(struct qn_watch *w)
{
        return &w->db;
}

void qn_watch_under_way(const struct qn_watch *w, size_t *ret_names, size_t *ret_versions)
{
        *ret_names = w->n_names;
        *ret_versions = qn_check_under_way(w->check);
}
