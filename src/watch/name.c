/* name.c - a name that changed: its document is fetched and read by a role, and each version that is news is checked. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "observe/popular.h"
#include "parse/packument.h"
#include "role/analyse.h"
#include "role/pool.h"
#include "role/registry.h"
#include "watch/news.h"
#include "watch/watch-priv.h"

struct qn_watch_name *qn_name_free(struct qn_watch_name *n)
{
        LIST_REMOVE(n, link);
        n->w->n_names--;
        qn_arena_done(&n->mem);
        free(n);
        return NULL;
}

void qn_name_one_less(struct qn_watch_name *n)
{
        if (--n->open)
                return;
        qn_record_name(n->w, n);
        qn_name_free(n);
}

QN_PRINTF(2, 3) static void again(struct qn_watch_name *n, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(n->why, sizeof n->why, fmt, ap);
        va_end(ap);
}

/* --- its versions --- */

struct known {
        struct qn_arena *a;
        struct qn_news_known *list;
        size_t n, cap;
};

static int on_known(void *ctx, const struct qn_seen *v)
{
        struct known *k = ctx;
        struct qn_news_known one = { .redo = !v->observed && qn_str_is(v->verdict, "unknown") };

        one.version = qn_arena_dup(k->a, v->version);
        one.integrity = qn_arena_dup(k->a, v->integrity);
        if (!one.version.p || !one.integrity.p || QN_ARENA_ROOM(k->a, k->list, k->n, k->cap) < 0)
                return -ENOBUFS;
        k->list[k->n++] = one;
        return 0;
}

static int by_version(const void *x, const void *y)
{
        const struct qn_news_known *a = x, *b = y;

        return qn_str_cmp(a->version, b->version);
}

static int load_known(struct qn_watch_name *n, struct known *k)
{
        int r = qn_versions_of(&n->w->db, n->p.name, on_known, k);

        if (r == 0 && k->n)
                qsort(k->list, k->n, sizeof *k->list, by_version);
        return r;
}

static int check_version(struct qn_watch_name *n, const struct qn_packument_fact *f, int doc)
{
        int fd = fcntl(doc, F_DUPFD_CLOEXEC, 0);
        int r = fd < 0 ? -errno : qn_check_add_version(n->w->check, n->p.name, f->version, fd, n);

        if (r == 0)
                n->open++;
        return r;
}

static int check_news(struct qn_watch_name *n, const struct qn_packument_facts *facts, int doc)
{
        struct known k = { .a = &n->mem };
        size_t list[QN_WATCH_PER_NAME_MAX], n_list = 0, left = 0;
        int r = load_known(n, &k);

        if (r == 0) {
                const struct qn_news_in in = { facts, k.list, k.n, n->w->horizon };

                n_list = qn_news(&in, list, QN_ARRAY_SIZE(list), &left);
        }
        for (size_t i = 0; r == 0 && i < n_list; i++)
                r = check_version(n, &facts->versions[list[i]], doc);
        n->w->counts.left_out += left;
        if (r == 0 && !n_list) {
                n->nothing = true;
                n->w->counts.nothing_new++;
                if (!n->w->config.once)
                        again(n, "its document shows no new version");
        }
        return r;
}

struct read { /* of a document */
        struct qn_watch_name *name;
        int doc;
};

static void read_done(struct read *rd)
{
        qn_closep(&rd->doc);
        qn_name_one_less(rd->name);
        free(rd);
}

static void on_facts(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        struct read *rd = res->user;
        struct qn_watch_name *n = rd->name;
        struct qn_packument_facts facts = { 0 };
        int r = -EBADMSG;

        if (res->status == QN_POOL_OK)
                r = qn_analyse_read_facts(res->reply, &n->mem, &facts);
        if (r < 0)
                again(n, "its document cannot be read: %.100s",
                      res->why[0] ? res->why : strerrordesc_np(-r));
        else if ((r = check_news(n, &facts, rd->doc)) < 0)
                again(n, "its versions cannot be checked now: %s", strerrordesc_np(-r));
        read_done(rd);
}

static int read_facts(struct qn_watch_name *n, int *doc)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(1 << 16);
        struct qn_pool_job job = { .kind = QN_JOB_FACTS, .done = on_facts };
        struct read *rd = malloc(sizeof *rd);
        int r;

        if (!rd)
                return -ENOMEM;
        *rd = (struct read){ n, *doc };
        job.user = rd;
        job.input_fd = fcntl(*doc, F_DUPFD_CLOEXEC, 0);
        qn_analyse_write_name(&params, n->p.name);
        job.params = qn_buf_view(&params);
        r = job.input_fd < 0 ? -errno : qn_pool_submit(qn_check_pool(n->w->check), &job);
        if (r < 0) {
                qn_closep(&job.input_fd);
                free(rd);
                return r;
        }
        *doc = -1;
        n->open++;
        return 0;
}

static void on_document(struct qn_fetched *f, void *user)
{
        struct qn_watch_name *n = user;
        int r;

        n->w->counts.names++;
        if (f->code == QN_HTTP_OK) {
                r = read_facts(n, &f->fd);
                if (r < 0)
                        again(n, "its document cannot be read now: %s", strerrordesc_np(-r));
        } else {
                /* What is gone, or not there yet, is not asked for without an end. */
                n->nothing = f->status == 404;
                again(n, "%.150s", f->message);
        }
        qn_name_one_less(n);
}

/* --- taking names out of the queue --- */

static bool is_under_way(const struct qn_watch *w, struct qn_str name)
{
        const struct qn_watch_name *n;

        LIST_FOREACH(n, &w->names, link)
        if (qn_str_eq(n->p.name, name))
                return true;
        return false;
}

static int start(struct qn_watch *w, const struct qn_pending *p)
{
        struct qn_watch_name *n = calloc(1, sizeof *n);

        if (!n)
                return -ENOMEM;
        n->mem = QN_ARENA_INIT((size_t)64 << 20);
        n->w = w;
        n->p = *p;
        n->p.name = qn_arena_dup(&n->mem, p->name);
        n->p.seq = qn_arena_dup(&n->mem, p->seq);
        n->open = 1;
        LIST_INSERT_HEAD(&w->names, n, link);
        w->n_names++;
        if (!n->p.name.p || !n->p.seq.p ||
            qn_registry_packument(qn_check_registry(w->check), n->p.name, true, on_document, n) <
                    0) {
                again(n, "out of memory");
                qn_name_one_less(n);
        }
        return 0;
}

static int take(struct qn_watch *w, size_t max)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_pending list[QN_WATCH_NAMES_MAX];
        int n, r = qn_record_begin(w);

        if (r == 0 && w->untake) {
                r = qn_pending_untake(&w->db);
                w->untake = r < 0;
        }
        if (r < 0)
                return r;
        n = qn_pending_take(&w->db, qn_watch_now(), max, &a, list);
        for (int i = 0; r == 0 && i < n; i++)
                if (!is_under_way(w, list[i].name))
                        r = start(w, &list[i]);
        return n < 0 ? n : r < 0 ? r : n;
}

void qn_name_take(struct qn_watch *w)
{
        size_t versions = qn_check_under_way(w->check);
        int r;

        if (w->n_names >= QN_WATCH_NAMES_MAX || versions >= QN_WATCH_VERSIONS_MAX ||
            qn_watch_monotonic() < w->rest_until || w->idle_until > qn_watch_monotonic())
                return;
        r = take(w, QN_WATCH_NAMES_MAX - w->n_names);
        if (r < 0)
                qn_record_failed(w, r);
        else if (r == 0)
                w->idle_until = qn_watch_monotonic() + QN_WATCH_LOOK_MS;
}
