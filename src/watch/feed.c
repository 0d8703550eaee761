/* feed.c - pages of the replication feed into the queue of names, with the place where it goes on. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "net/http-conf.h"
#include "observe/popular.h"
#include "role/analyse.h"
#include "role/fetch.h"
#include "role/pool.h"
#include "store/setting.h"
#include "watch/watch-priv.h"

#define LINES            QN_STR("l") /* parameter of QN_JOB_REPLICA: line by line */
#define RETRY_MS         1000
#define RETRY_MAX_MS     60000
#define BACK             1000 /* sequences before the end of a feed that began anew: they are looked at again */
#define PRIORITY_POPULAR 10u
#define PRIORITY_SUSPECT 20u /* a version of it was not clean */

/* --- one page into the queue --- */

static int on_version(void *ctx, const struct qn_seen *v)
{
        bool *suspect = ctx;

        *suspect = *suspect || qn_str_is(v->verdict, "malicious") ||
                   qn_str_is(v->verdict, "suspicious");
        return 0;
}

static int priority_of(struct qn_watch *w, struct qn_str name, unsigned *ret)
{
        bool suspect = false;
        int r = qn_versions_of(&w->db, name, on_version, &suspect);

        *ret = suspect ? PRIORITY_SUSPECT : 0;
        if (qn_popular_rank(w->popular, name) != SIZE_MAX)
                *ret += PRIORITY_POPULAR;
        return r;
}

static int queue(struct qn_watch *w, const struct qn_replica_change *c)
{
        struct qn_pending p = { .name = c->name, .seq = c->seq };
        int r = priority_of(w, c->name, &p.priority);

        p.seen = p.due = qn_watch_now();
        return r < 0 ? r : qn_pending_add(&w->db, &p);
}

static int queue_all(struct qn_watch *w, const struct qn_replica *page)
{
        int r = qn_record_begin(w);

        for (size_t i = 0; r == 0 && i < page->n; i++) {
                w->counts.changes++;
                if (page->v[i].deleted)
                        w->counts.deleted++; /* there is nothing to look at any more */
                else
                        r = queue(w, &page->v[i]);
        }
        w->counts.skipped += page->skipped;
        w->idle_until = 0;
        return r;
}

/* --- the place --- */

/* A feed whose end lies before our place began anew, as after a restore: what it had before is looked at again. */
static void keep_place(struct qn_watch *w, struct qn_str last)
{
        int64_t here = qn_replica_number(qn_str_c(w->feed.seq)), there = qn_replica_number(last);

        if (here > 0 && there >= 0 && there < here) {
                qn_watch_note(
                        w,
                        "the feed ends at %.*s, before our place %s: it began anew, and is followed from there",
                        QN_STR_ARG(qn_str_take(last, 40)), w->feed.seq);
                w->counts.backwards++;
                snprintf(w->feed.seq, sizeof w->feed.seq, "%lld",
                         (long long)QN_MAX(there - BACK, (int64_t)0));
                return;
        }
        snprintf(w->feed.seq, sizeof w->feed.seq, "%.*s", QN_STR_ARG(last));
}

/* Changes from before our place were there already: they cost a look at documents, and nothing else. */
static void count_repeats(struct qn_watch *w, const struct qn_replica *page)
{
        int64_t here = qn_replica_number(qn_str_c(w->feed.seq));

        if (here > 0 && page->n && qn_replica_number(page->v[0].seq) <= here)
                w->counts.repeated++;
}

static int take_page(struct qn_watch *w, const struct qn_replica *page)
{
        char before[sizeof w->feed.seq];
        int r;

        memcpy(before, w->feed.seq, sizeof before);
        count_repeats(w, page);
        r = queue_all(w, page);
        if (r == 0) {
                keep_place(w, page->last);
                r = qn_setting_put(&w->db, "feed.seq", qn_str_c(w->feed.seq));
        }
        if (r < 0)
                qn_record_failed(w, r);
        qn_record_end(w, true);
        if (r < 0 || w->rest_until > qn_watch_monotonic()) { /* not written down: asked for again */
                memcpy(w->feed.seq, before, sizeof before);
                return r < 0 ? r : -EIO;
        }
        w->counts.pages++;
        return 0;
}

/* --- asking --- */

static void wait_for(struct qn_watch *w, int64_t ms)
{
        w->feed.at = qn_watch_monotonic() + ms;
}

QN_PRINTF(2, 3) static void missed(struct qn_watch *w, const char *fmt, ...)
{
        char text[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        if (!w->feed.failures)
                qn_watch_note(w, "the feed cannot be followed: %s; it is tried again", text);
        wait_for(w,
                 QN_MIN((int64_t)RETRY_MS << QN_MIN(w->feed.failures, 8u), (int64_t)RETRY_MAX_MS));
        w->feed.failures++;
}

static void on_page(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_FEED_REPLY_MAX);
        struct qn_watch *w = res->user;
        struct qn_replica page = { 0 };
        int r = res->status == QN_POOL_OK ? qn_analyse_read_replica(res->reply, &a, &page)
                                          : -EBADMSG;

        w->feed.asked = false;
        if (r == 0 && !page.last.n)
                r = -EBADMSG;
        if (r < 0) {
                missed(w, "its page cannot be read: %s",
                       res->why[0] ? res->why : strerrordesc_np(-r));
                return;
        }
        if (take_page(w, &page) < 0) {
                wait_for(w, RETRY_MS);
                return;
        }
        if (w->feed.failures)
                qn_watch_note(w, "the feed is followed again");
        w->feed.failures = 0;
        w->fed = !page.n && !page.skipped;
        if (page.n + page.skipped < QN_WATCH_PAGE)
                wait_for(w, w->fed ? w->config.poll_ms : 0);
}

static int hand_over(struct qn_watch *w, int *fd, struct qn_str params)
{
        struct qn_pool_job job = { .kind = QN_JOB_REPLICA,
                                   .params = params,
                                   .input_fd = *fd,
                                   .done = on_page,
                                   .user = w };
        int r = qn_pool_submit(qn_check_pool(w->check), &job);

        if (r == 0)
                *fd = -1;
        return r;
}

static void on_answer(struct qn_http_result *res, void *user)
{
        struct qn_watch *w = user;
        int r = 0;

        w->feed.asked = false;
        if (res->code != QN_HTTP_OK || res->fd < 0) {
                missed(w, "%s", res->message[0] ? res->message : "it answers with nothing");
                return;
        }
        r = hand_over(w, &res->fd, QN_STR(""));
        if (r < 0)
                missed(w, "%s", strerrordesc_np(-r));
        else
                w->feed.asked = true;
}

static void put_escaped(struct qn_buf *b, struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++) {
                if (isalnum((unsigned char)s.p[i]) || strchr("-_.~", s.p[i]))
                        qn_buf_byte(b, (uint8_t)s.p[i]);
                else
                        qn_buf_printf(b, "%%%02X", (unsigned char)s.p[i]);
        }
}

static int ask(struct qn_watch *w)
{
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(QN_URL_MAX);
        struct qn_http_request q = { .accept = QN_STR("application/json"),
                                     .max = QN_WATCH_PAGE_BYTES,
                                     .compressed = true,
                                     .signature_name = QN_STR("npm-replication-opt-in"),
                                     .signature = QN_STR("true") };
        int r;

        qn_buf_printf(&url, "%s%csince=", w->config.feed, strchr(w->config.feed, '?') ? '&' : '?');
        put_escaped(&url, w->feed.seq[0] ? qn_str_c(w->feed.seq) : QN_STR("now"));
        qn_buf_printf(&url, "&limit=%u", QN_WATCH_PAGE);
        q.url = qn_buf_view(&url);
        r = qn_buf_error(&url);
        if (r == 0)
                r = qn_fetch_get(w->feed.fetch, &q, on_answer, w);
        if (r == 0)
                w->feed.asked = true;
        return r;
}

/* --- what is read once --- */

static void on_input(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_FEED_REPLY_MAX);
        struct qn_watch *w = res->user;
        struct qn_replica page = { 0 };
        int r = res->status == QN_POOL_OK ? qn_analyse_read_replica(res->reply, &a, &page)
                                          : -EBADMSG;

        w->input_open = false;
        if (r == 0)
                r = queue_all(w, &page);
        if (r == 0 && qn_watch_settle(w) < 0)
                r = -EIO;
        if (r < 0) {
                w->input_error = r;
                qn_watch_note(w, "%s: %s", w->config.input,
                              res->why[0] ? res->why : strerrordesc_np(-r));
                return;
        }
        w->counts.pages++;
        if (page.skipped)
                qn_watch_note(w, "%s: %zu lines are no names of packages", w->config.input,
                              page.skipped);
}

static int read_input(struct qn_watch *w, struct qn_err *reterr)
{
        struct qn_pool_job job = {
                .kind = QN_JOB_REPLICA, .params = LINES, .done = on_input, .user = w
        };
        int r;

        job.input_fd = open(w->config.input, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        r = job.input_fd < 0 ? -errno : qn_pool_submit(qn_check_pool(w->check), &job);
        if (r < 0) {
                qn_closep(&job.input_fd);
                return qn_fail(reterr, r, 0, "%.200s: %s", w->config.input, strerrordesc_np(-r));
        }
        w->input_open = true;
        return 0;
}

static int put_place(struct qn_watch *w)
{
        int r = qn_db_begin(&w->db);

        if (r == 0)
                r = qn_setting_put(&w->db, "feed.url", qn_str_c(w->config.feed));
        if (r == 0)
                r = qn_setting_put(&w->db, "feed.seq", qn_str_c(w->feed.seq));
        if (r == 0)
                r = qn_db_commit(&w->db);
        if (r < 0)
                qn_db_rollback(&w->db);
        return r;
}

/* Where the store says that it was left; another feed is followed from its own begin. */
static int load_place(struct qn_watch *w)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 16);
        struct qn_str url = { 0 }, seq = { 0 };
        int r = qn_setting_get(&w->db, "feed.url", &a, &url);

        if (r == 0 && qn_str_is(url, w->config.feed))
                r = qn_setting_get(&w->db, "feed.seq", &a, &seq);
        if (r < 0 && r != -ENOENT)
                return r;
        if (!seq.n && w->config.since)
                seq = qn_str_c(w->config.since);
        snprintf(w->feed.seq, sizeof w->feed.seq, "%.*s", QN_STR_ARG(seq));
        return put_place(w);
}

int qn_feed_begin(struct qn_watch *w, struct qn_err *reterr)
{
        const struct qn_http_opts http = qn_http_opts_of(w->npm);
        int r = w->config.input ? read_input(w, reterr) : 0;

        if (r < 0 || !w->config.feed)
                return r;
        r = load_place(w);
        return r == 0 ? qn_fetch_new(&http, w->config.no_sandbox, &w->feed.fetch) : r;
}

/* A full queue makes the feed wait: what it has is not lost, and the queue stays small. */
static int has_room(struct qn_watch *w)
{
        struct qn_pending_stats st;
        int r = qn_pending_stats(&w->db, qn_watch_now(), &st);

        return r < 0 ? r : st.n - st.waiting < QN_WATCH_QUEUE_MAX;
}

void qn_feed_step(struct qn_watch *w)
{
        struct qn_err err = { 0 };
        int r;

        if (!w->feed.fetch)
                return;
        if (!w->feed.asked && qn_watch_monotonic() >= w->feed.at &&
            qn_watch_monotonic() >= w->rest_until) {
                r = has_room(w);
                if (r > 0)
                        r = ask(w);
                if (r < 0)
                        missed(w, "%s", strerrordesc_np(-r));
                else if (!w->feed.asked)
                        wait_for(w, RETRY_MS);
        }
        r = qn_fetch_poll(w->feed.fetch, 0, &err);
        if (r < 0)
                missed(w, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r));
}
