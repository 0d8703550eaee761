#include "cli/intel-update.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/term.h"
#include "cli/intel-changes.h"
#include "cli/intel-fetch.h"
#include "cli/intel-own.h"
#include "cli/intel-print.h"
#include "intel/sources.h"
#include "parse/packument.h"

#define EVER         "2010-01-01T00:00:00Z" /* before there were packages */
#define PAGES_STEP   20u /* pages, and 50 times as many records, that are taken over at a time */
#define RECORDS_STEP 1000u

/* One source under way. */
struct updater {
        const struct qn_intel_update *u;
        const struct qn_source_conf *conf;
        struct qn_intel_imported done;
        struct qn_intel_take *t;
        struct qn_intel_fetch *fetch;
        struct qn_arena a;
        struct qn_str token;
        bool unchanged;
        bool stuck;        /* a record could not be read: the position stays before it */
        int64_t listed_ms; /* how new the list of changes says that the newest is, or QN_TIME_NONE */
        char problem[512];
};

static int complain(struct updater *x, int r)
{
        const char *why = x->problem[0]        ? x->problem
                          : x->done.problem[0] ? x->done.problem
                                               : strerror(-r);

        return log_err(r, "%.*s: not updated: %s", QN_STR_ARG(x->conf->name), why);
}

/* Never past the present: what a source dates later would keep everything else from coming. */
static int set_position(struct updater *x, int64_t ms)
{
        char text[QN_TIME_TEXT];
        struct qn_str s;

        if (ms == QN_TIME_NONE || !ms || x->stuck)
                return 0;
        ms = QN_MIN(ms, (int64_t)time(NULL) * 1000);
        s = qn_arena_dup(&x->a, qn_time_format(ms, text));
        if (!s.p)
                return -ENOBUFS;
        qn_intel_take_source(x->t)->position = s;
        return 0;
}

static int64_t position(const struct updater *x)
{
        struct qn_str s = qn_intel_take_source(x->t)->position;

        return s.n ? qn_time_parse(s) : QN_TIME_NONE;
}

/* --- fetching --- */

static int fetch(struct updater *x, const char *what, struct qn_str url, struct qn_str etag,
                 struct qn_intel_got *ret)
{
        char name[QN_INTEL_SOURCE_NAME_MAX + 16];
        struct qn_intel_get get = { .name = name, .url = url, .etag = etag, .token = x->token };
        int r;

        snprintf(name, sizeof name, "%s%s", x->done.buffer, what);
        r = qn_intel_fetch_file(x->fetch, &get, ret);
        if (r < 0)
                snprintf(x->problem, sizeof x->problem, "%s", ret->problem);
        return r;
}

static void forget(struct updater *x, const char *what)
{
        char name[QN_INTEL_SOURCE_NAME_MAX + 16];

        snprintf(name, sizeof name, "%s%s", x->done.buffer, what);
        qn_intel_fetch_forget(x->fetch, name);
}

static int keep_etag(struct updater *x, struct qn_str etag, struct qn_str *to)
{
        *to = qn_arena_dup(&x->a, etag);
        return to->p ? 0 : -ENOBUFS;
}

/* --- one download that is everything --- */

static int take_whole(struct updater *x, struct qn_str url)
{
        struct qn_intel_source *s = qn_intel_take_source(x->t);
        struct qn_intel_got got;
        int r = fetch(x, "", url, x->u->how.whole ? QN_STR("") : s->etag, &got);

        x->unchanged = r == 0 && got.unchanged;
        if (r < 0 || got.unchanged)
                return r;
        r = keep_etag(x, got.etag, &s->etag);
        if (r == 0)
                r = qn_intel_take_start(x->t, true);
        if (r == 0)
                r = qn_intel_take_file(x->t, x->conf->name.p, TAKE_FD(got.fd), got.size);
        if (got.fd >= 0)
                close(got.fd);
        /* The list of changes came first, and may know more than the archive that was made before it. */
        if (r == 0 && x->listed_ms != QN_TIME_NONE)
                r = set_position(x, QN_MIN(x->listed_ms, x->done.feed.latest_ms));
        if (r == 0)
                r = qn_intel_take_commit(x->t);
        forget(x, ""); /* also when it could not be read: the next one begins anew */
        return r;
}

/* --- what changed in OSV's export --- */

/* OSV's list of changes, asked only when it is another one than last time. */
static int fetch_changes(struct updater *x, int64_t since, struct qn_changes *ret)
{
        struct qn_intel_source *s = qn_intel_take_source(x->t);
        bool first = since == QN_TIME_NONE;
        struct qn_intel_got got;
        int r = fetch(x, ".changes", x->conf->changes, first ? QN_STR("") : s->changes_etag, &got);

        x->unchanged = r == 0 && got.unchanged;
        if (r < 0 || got.unchanged)
                return r;
        r = keep_etag(x, got.etag, &s->changes_etag);
        if (r == 0)
                r = qn_intel_read_changes(qn_intel_take_pool(x->t), got.fd,
                                          first ? INT64_MAX : since, &x->a, ret, x->problem,
                                          sizeof x->problem);
        else
                close(got.fd);
        forget(x, ".changes");
        return r;
}

struct batch {
        struct updater *x;
        const struct qn_change *changes;
        size_t came; /* records that the server had */
};

static int on_record(void *ctx, size_t i, struct qn_str body, bool missing)
{
        struct batch *b = ctx;
        struct qn_buf path = QN_BUF_INIT(QN_OSV_ID_MAX + 8);
        int r = 0;

        qn_buf_printf(&path, "%.*s.json", QN_STR_ARG(b->changes[i].id));
        b->came += !missing;
        if (!missing) /* it was deleted since */
                r = qn_intel_take_text(b->x->t, qn_buf_view(&path), body);
        qn_buf_done(&path);
        return r;
}

static struct qn_str address_of(struct updater *x, struct qn_str id)
{
        const char *at = strstr(x->conf->record.p, "{id}");
        struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);
        struct qn_str s;

        qn_buf_printf(&b, "%.*s%.*s%s", (int)(at - x->conf->record.p), x->conf->record.p,
                      QN_STR_ARG(id), at + 4);
        s = qn_arena_dup(&x->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return s;
}

/* So many records, oldest first: when they are taken over, the position is that of the last. */
static int take_batch(struct updater *x, const struct qn_change *changes, size_t n)
{
        const struct qn_feed_counts *read = &x->done.feed;
        struct batch b = { x, changes, 0 };
        uint64_t before = read->records + read->foreign;
        struct qn_str *urls = qn_arena_calloc(&x->a, n, sizeof *urls);
        int r = urls ? 0 : -ENOBUFS;

        for (size_t i = 0; r == 0 && i < n; i++) {
                urls[i] = address_of(x, changes[i].id);
                r = urls[i].p ? 0 : -ENOBUFS;
        }
        if (r == 0)
                r = qn_intel_take_start(x->t, false);
        if (r == 0)
                r = qn_intel_fetch_many(x->fetch, urls, n, x->token, on_record, &b, x->problem,
                                        sizeof x->problem);
        if (r == 0)
                r = qn_intel_take_flush(x->t);
        if (r == 0 && read->records + read->foreign - before < b.came)
                x->stuck = true;
        if (r == 0)
                r = set_position(x, changes[n - 1].time_ms);
        if (x->stuck)
                qn_intel_take_source(x->t)->changes_etag = QN_STR("");
        return r == 0 ? qn_intel_take_commit(x->t) : r;
}

static int take_changes(struct updater *x, const struct qn_changes *c)
{
        struct qn_intel_source *s = qn_intel_take_source(x->t);
        struct qn_str etag = s->changes_etag;
        struct qn_progress progress;
        int r = 0;

        s->changes_etag = QN_STR(""); /* until all of them are there */
        qn_progress_begin(&progress, "fetching", x->u->how.quiet);
        for (size_t i = 0; r == 0 && i < c->n; i += RECORDS_STEP) {
                size_t n = QN_MIN(c->n - i, (size_t)RECORDS_STEP);

                if (i + n == c->n)
                        s->changes_etag = etag;
                qn_progress_step(&progress, i, c->n, c->v[i].id);
                r = take_batch(x, c->v + i, n);
        }
        qn_progress_clear(&progress);
        if (x->stuck)
                log_note("%.*s: not all records could be read (%s): they are asked for again next "
                         "time",
                         QN_STR_ARG(x->conf->name), x->done.problem);
        return r;
}

static int update_osv(struct updater *x)
{
        int64_t since = x->u->how.whole ? QN_TIME_NONE : position(x);
        struct qn_changes c = { .newest_ms = QN_TIME_NONE };
        int r;

        if (!x->conf->changes.n)
                return take_whole(x, x->conf->url);
        r = fetch_changes(x, since, &c);
        if (r == -EFBIG) { /* so much that the whole is quicker */
                since = QN_TIME_NONE;
                x->problem[0] = '\0';
                r = fetch_changes(x, since, &c);
        }
        if (r < 0 || x->unchanged)
                return r;
        if (since != QN_TIME_NONE)
                return take_changes(x, &c);
        x->listed_ms = c.newest_ms;
        return take_whole(x, x->conf->url);
}

/* --- pages --- */

static struct qn_str first_page(struct updater *x)
{
        const char *at = strstr(x->conf->url.p, "{since}");
        struct qn_str since = qn_intel_take_source(x->t)->position;
        struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);
        struct qn_str s;

        if (!at)
                return x->conf->url;
        if (!since.n || x->u->how.whole)
                since = QN_STR(EVER);
        qn_buf_printf(&b, "%.*s%.*s%s", (int)(at - x->conf->url.p), x->conf->url.p,
                      QN_STR_ARG(since), at + 7);
        s = qn_arena_dup(&x->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return s;
}

static int take_page(struct updater *x, struct qn_str *url)
{
        struct qn_intel_got got;
        int r = fetch(x, ".page", *url, QN_STR(""), &got);

        *url = (struct qn_str){ 0 };
        if (r < 0)
                return r;
        if (got.next.n)
                *url = qn_arena_dup(&x->a, got.next);
        r = qn_intel_take_file(x->t, "page.json", got.fd, got.size);
        forget(x, ".page");
        return r;
}

/* Oldest first, so that what was taken over need not be asked for again. */
static int update_advisories(struct updater *x)
{
        struct qn_str url = first_page(x);
        unsigned pages = 0;
        int r = url.p ? 0 : -ENOBUFS;

        while (r == 0 && url.n && pages < QN_FEED_PAGES_MAX) {
                r = qn_intel_take_start(x->t, false);
                do
                        if (r == 0)
                                r = take_page(x, &url);
                while (r == 0 && url.n && ++pages % PAGES_STEP);
                if (r == 0)
                        r = set_position(x, x->done.feed.latest_ms);
                if (r == 0)
                        r = qn_intel_take_commit(x->t);
        }
        return r;
}

/* --- a source --- */

static int update_path(struct updater *x, const char *path)
{
        int r = qn_intel_take_start(x->t, true);

        qn_intel_take_forget(x->t);
        if (r == 0)
                r = qn_intel_take_path(x->t, path);
        return r == 0 ? qn_intel_take_commit(x->t) : r;
}

static int update_whole(struct updater *x)
{
        return take_whole(x, x->conf->url);
}

static int open_network(struct updater *x)
{
        const struct qn_intel_fetch_config config = { .data_dir = x->u->how.data_dir,
                                                      .cache_dir = x->u->how.cache_dir,
                                                      .pool = qn_intel_take_pool(x->t),
                                                      .no_sandbox = x->u->how.no_sandbox,
                                                      .quiet = x->u->how.quiet };
        const char *token = x->conf->token.n ? getenv(x->conf->token.p) : NULL;

        x->token = qn_str_c(token ? token : "");
        return qn_intel_fetch_new(&config, &x->fetch);
}

static int run(struct updater *x)
{
        static int (*const kinds[])(struct updater * x) = {
                [QN_SOURCE_OSV] = update_osv,
                [QN_SOURCE_RECORDS] = update_whole,
                [QN_SOURCE_LIST] = update_whole,
                [QN_SOURCE_ADVISORIES] = update_advisories,
        };
        const char *from = x->u->from ? x->u->from : x->conf->url.p;
        int r;

        qn_intel_take_source(x->t)->from = qn_str_c(from);
        if (!qn_source_is_remote(qn_str_c(from)))
                return update_path(x, from);
        r = open_network(x);
        return r == 0 ? kinds[x->conf->kind](x) : r;
}

static int update(const struct qn_intel_update *u, const struct qn_source_conf *conf,
                  struct qn_buf *out)
{
        struct updater x = { .u = u,
                             .conf = conf,
                             .listed_ms = QN_TIME_NONE,
                             .a = QN_ARENA_INIT((size_t)128 << 20) };
        struct qn_intel_import how = u->how;
        int r;

        how.source = conf->name;
        r = qn_intel_take_begin(&how, &x.done, &x.t);
        if (r == 0) {
                r = run(&x);
                if (r < 0)
                        (void)complain(&x, r);
        }
        qn_intel_take_end(x.t);
        qn_intel_fetch_free(x.fetch);
        qn_arena_done(&x.a);
        if (r == 0)
                qn_intel_print_imported(out, u->from ? u->from : conf->name.p, &x.done, x.unchanged,
                                        u->json);
        return r;
}

/* --- all --- */

static bool is_wanted(const struct qn_intel_update *u, const struct qn_source_conf *conf)
{
        for (size_t i = 0; i < u->n; i++)
                if (qn_str_is(conf->name, u->names[i]))
                        return true;
        return !u->n && conf->enabled;
}

static int check_names(const struct qn_intel_update *u, const struct qn_source_conf *list, size_t n)
{
        for (size_t i = 0; i < u->n; i++) {
                size_t k = 0;

                while (k < n && !qn_str_is(list[k].name, u->names[i]))
                        k++;
                if (k == n)
                        return log_err(-EINVAL,
                                       "no source is named \"%s\": the file of sources has none "
                                       "(--sources)",
                                       u->names[i]);
        }
        if (u->from && u->n != 1)
                return log_err(-EINVAL, "--from FILE wants the one source that it is from");
        return 0;
}

int qn_intel_update(const struct qn_intel_update *u, struct qn_buf *out)
{
        struct qn_arena a = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_source_conf *list;
        struct qn_err err = { 0 };
        size_t n;
        int r = qn_sources_load(u->how.data_dir, u->sources, &a, &list, &n, &err), failed = 0;

        if (r < 0)
                log_err(r, "%s", err.msg);
        if (r == 0)
                r = check_names(u, list, n);
        for (size_t i = 0; r == 0 && i < n; i++)
                if (is_wanted(u, &list[i])) {
                        int e = update(u, &list[i], out);

                        failed = e < 0 ? e : failed;
                }
        if (r == 0 && !u->n)
                r = qn_intel_own_take(&u->how);
        qn_arena_done(&a);
        return r < 0 ? r : failed;
}
