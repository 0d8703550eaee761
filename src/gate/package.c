/* package.c - the registry's documents: fetched, kept, read by a role, asked for again when they are old. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "gate/gate-priv.h"
#include "role/analyse.h"
#include "role/fetch.h"
#include "role/pool.h"

static void fetch(struct qn_gate *g, struct qn_package *p);

struct shelf_name {
        char text[QN_ROUTE_PATH_MAX + 24];
};

struct job {
        struct qn_gate *g;
        struct qn_package *p;
};

/* --- the table --- */

static struct qn_package *find(struct qn_gate *g, struct qn_str name)
{
        struct qn_package *p;

        TAILQ_FOREACH_REVERSE (p, &g->packages, qn_packages, used)
                if (qn_str_is(name, p->name))
                        return p;
        return NULL;
}

static void close_views(struct qn_package *p)
{
        for (unsigned i = 0; i < QN_FORM_MAX; i++)
                qn_closep(&p->views[i]);
}

static void drop(struct qn_gate *g, struct qn_package *p)
{
        TAILQ_REMOVE(&g->packages, p, used);
        g->n_packages--;
        close_views(p);
        qn_closep(&p->fd);
        qn_closep(&p->fresh_fd);
        qn_arena_done(&p->mem);
        qn_arena_done(&p->next_mem);
        qn_arena_done(&p->decided_mem);
        free(p);
}

/* Forgets those that were not used for longest and that nobody works with. */
static void make_room(struct qn_gate *g)
{
        struct qn_package *p = TAILQ_FIRST(&g->packages), *next;

        for (; p && g->n_packages > QN_GATE_PACKAGES_MAX; p = next) {
                next = TAILQ_NEXT(p, used);
                if (!p->refs && p->state == QN_PACKAGE_IDLE)
                        drop(g, p);
        }
}

static struct qn_package *add(struct qn_gate *g, struct qn_str name)
{
        struct qn_package *p = calloc(1, sizeof *p);

        if (!p || name.n >= sizeof p->name) {
                free(p);
                return NULL;
        }
        make_room(g);
        memcpy(p->name, name.p, name.n);
        p->fd = p->fresh_fd = -1;
        for (unsigned i = 0; i < QN_FORM_MAX; i++)
                p->views[i] = -1;
        p->mem = p->next_mem = p->decided_mem = QN_ARENA_INIT(QN_GATE_FACTS_MAX);
        TAILQ_INIT(&p->waiting);
        TAILQ_INSERT_TAIL(&g->packages, p, used);
        g->n_packages++;
        return p;
}

void qn_package_ref(struct qn_package *p)
{
        p->refs++;
}

void qn_package_unref(struct qn_gate *g, struct qn_package *p)
{
        p->refs--;
        if (g->n_packages > QN_GATE_PACKAGES_MAX)
                make_room(g);
}

void qn_packages_free(struct qn_gate *g)
{
        struct qn_package *p;
        struct qn_package_wait *w;

        while ((p = TAILQ_FIRST(&g->packages))) {
                while ((w = TAILQ_FIRST(&p->waiting))) {
                        TAILQ_REMOVE(&p->waiting, w, link);
                        free(w);
                }
                drop(g, p);
        }
}

const struct qn_packument_fact *qn_package_find(const struct qn_package *p, struct qn_str version)
{
        for (size_t i = 0; i < p->facts.n; i++)
                if (qn_str_eq(p->facts.versions[i].version, version))
                        return &p->facts.versions[i];
        return NULL;
}

/* What came from another registry than this package is from today counts for nothing. */
static void leave_place(struct qn_gate *g, struct qn_package *p)
{
        if (!p->has_facts || p->place == qn_upstream_place(g, qn_str_c(p->name)))
                return;
        p->has_facts = false;
        p->etag[0] = 0;
        qn_decide_again(g, p);
        qn_face_forget(g, qn_str_c(p->name));
}

/* Documents lie on the shelf by the registry that they came from. */
static struct qn_str shelf_key(const struct qn_package *p, struct shelf_name *key)
{
        snprintf(key->text, sizeof key->text, "%016llx %s", (unsigned long long)p->fresh_place,
                 p->name);
        return qn_str_c(key->text);
}

/* --- the end of waiting --- */

static void answer(struct qn_gate *g, struct qn_package *p, const struct qn_failure *f)
{
        struct qn_package_wait *w;

        p->state = QN_PACKAGE_IDLE;
        qn_package_ref(p);
        while ((w = TAILQ_FIRST(&p->waiting))) {
                TAILQ_REMOVE(&p->waiting, w, link);
                w->done(g, f ? NULL : p, f, w->user);
                free(w);
        }
        qn_package_unref(g, p);
}

/* The registry has it no more: nor has anybody here. */
static void forget(struct qn_gate *g, struct qn_package *p)
{
        if (p->has_facts) {
                qn_decide_again(g, p);
                qn_face_forget(g, qn_str_c(p->name));
        }
        p->has_facts = false;
        qn_shelf_drop(g, QN_CACHED_PACKUMENT, shelf_key(p, &(struct shelf_name){ 0 }));
}

/* The registry cannot be asked: what is known from before serves, marked. */
static void fall_back(struct qn_gate *g, struct qn_package *p, const struct qn_failure *f)
{
        qn_closep(&p->fresh_fd);
        g->counts.failed++;
        if (!p->has_facts || f->status == 404) {
                if (f->status == 404)
                        forget(g, p);
                answer(g, p, f);
                return;
        }
        if (!p->stale)
                qn_gate_note(g, "%s: serving what is known from before: %s", p->name, f->reason);
        p->stale = true;
        p->time = qn_gate_now() - (int64_t)g->service.fresh_s * 1000 + QN_GATE_RETRY_MS;
        answer(g, p, NULL);
}

/* --- reading --- */

static void take_facts(struct qn_package *p, const struct qn_packument_facts *facts)
{
        struct qn_arena old = p->mem;

        p->mem = p->next_mem;
        p->next_mem = old;
        qn_arena_reset(&p->next_mem, 0);
        p->facts = *facts;
        p->has_facts = true;
        p->place = p->fresh_place;
        p->stale = false;
        qn_closep(&p->fd);
        p->fd = TAKE_FD(p->fresh_fd);
        memcpy(p->etag, p->fresh_etag, sizeof p->etag);
        memcpy(p->last_modified, p->fresh_modified, sizeof p->last_modified);
}

static bool is_fresh(struct qn_gate *g, const struct qn_package *p)
{
        return p->has_facts && qn_gate_now() - p->time < (int64_t)g->service.fresh_s * 1000;
}

/* The reply goes when its callback returns, and the facts point into it. */
int qn_package_facts(struct qn_cur reply, struct qn_arena *a, struct qn_packument_facts *ret)
{
        struct qn_str all = qn_arena_dup(a, qn_cur_rest(&reply));

        return all.p ? qn_analyse_read_facts(qn_cur_str(all), a, ret) : -ENOBUFS;
}

/* The document as a file of the shelf, so that it takes no memory; as it came, when the disk refuses.  What cannot be used
 * never replaces what could. */
static void put_on_shelf(struct qn_gate *g, struct qn_package *p)
{
        struct shelf_name key;
        const struct qn_ledger_cached row = { .kind = QN_CACHED_PACKUMENT,
                                              .key = shelf_key(p, &key),
                                              .size = p->fresh_size,
                                              .time = p->time,
                                              .etag = qn_str_c(p->fresh_etag),
                                              .last_modified = qn_str_c(p->fresh_modified) };
        int fd = -1, r = qn_shelf_put(g, &row, p->fresh_fd, &fd);

        if (r < 0) {
                qn_gate_note(g, "%s: its document is not kept: %s", p->name, strerrordesc_np(-r));
                qn_shelf_drop(g, QN_CACHED_PACKUMENT, row.key);
                return;
        }
        qn_closep(&p->fresh_fd);
        p->fresh_fd = fd;
}

/* What was kept cannot be read any more: it is fetched anew. */
static void drop_from_shelf(struct qn_gate *g, struct qn_package *p)
{
        qn_arena_reset(&p->next_mem, 0);
        qn_closep(&p->fresh_fd);
        qn_shelf_drop(g, QN_CACHED_PACKUMENT, shelf_key(p, &(struct shelf_name){ 0 }));
        fetch(g, p);
}

static void on_facts(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        struct job *job = res->user;
        struct qn_gate *g = job->g;
        struct qn_package *p = job->p;
        struct qn_packument_facts facts;
        struct qn_failure f;
        int r = res->status == QN_POOL_OK ? 0 : -EBADMSG;

        free(job);
        if (r == 0)
                r = qn_package_facts(res->reply, &p->next_mem, &facts);
        if (r < 0 && p->from_shelf) {
                drop_from_shelf(g, p);
                return;
        }
        if (r < 0) {
                qn_arena_reset(&p->next_mem, 0);
                qn_failure_set(&f, 502, "the registry's document of %s cannot be used: %s", p->name,
                               res->why[0] ? res->why : "its facts are not sound");
                fall_back(g, p, &f);
                return;
        }
        if (!p->from_shelf && p->fresh_place == qn_upstream_place(g, qn_str_c(p->name)))
                put_on_shelf(g, p);
        take_facts(p, &facts);
        leave_place(g, p);
        qn_decide_again(g, p);
        qn_face_forget(g, qn_str_c(p->name));
        if (!p->has_facts || p->expired || (p->from_shelf && !is_fresh(g, p)))
                fetch(g, p);
        else
                answer(g, p, NULL);
}

static void read_document(struct qn_gate *g, struct qn_package *p)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(4096);
        struct job *user = calloc(1, sizeof *user);
        struct qn_pool_job job = { .kind = QN_JOB_FACTS, .user = user, .done = on_facts };
        struct qn_failure f;
        int r = user ? 0 : -ENOMEM;

        p->state = QN_PACKAGE_READING;
        qn_analyse_write_name(&params, qn_str_c(p->name));
        job.params = qn_buf_view(&params);
        job.input_fd = r < 0 ? -1 : fcntl(p->fresh_fd, F_DUPFD_CLOEXEC, 0);
        if (r == 0 && job.input_fd < 0)
                r = -errno;
        if (r == 0) {
                *user = (struct job){ g, p };
                r = qn_pool_submit(g->pool, &job);
        }
        if (r == 0)
                return;
        qn_closep(&job.input_fd);
        free(user);
        qn_failure_set(&f, 503, "%s cannot be looked at now: %s", p->name, strerrordesc_np(-r));
        fall_back(g, p, &f);
}

/* --- fetching --- */

static void copy_header(char *to, size_t size, struct qn_str from)
{
        if (from.n >= size)
                from.n = 0;
        memcpy(to, from.p ? from.p : "", from.n);
        to[from.n] = 0;
}

static void confirmed(struct qn_gate *g, struct qn_package *p)
{
        p->time = qn_gate_now();
        p->stale = false;
        g->counts.confirmed++;
        if (p->expired)
                fetch(g, p);
        else
                answer(g, p, NULL);
}

static void on_document(struct qn_http_result *res, void *user)
{
        struct job *job = user;
        struct qn_gate *g = job->g;
        struct qn_package *p = job->p;
        struct qn_failure f;

        free(job);
        leave_place(g, p);
        if (p->fresh_place != qn_upstream_place(g, qn_str_c(p->name))) {
                fetch(g, p); /* it was asked elsewhere, meanwhile */
                return;
        }
        if (res->code == QN_HTTP_OK && res->status == 304 && p->has_facts) {
                confirmed(g, p);
                return;
        }
        if (res->code != QN_HTTP_OK || res->fd < 0) {
                qn_upstream_failure(&f, res);
                fall_back(g, p, &f);
                return;
        }
        g->counts.fetched++;
        p->time = qn_gate_now();
        p->fresh_fd = TAKE_FD(res->fd);
        copy_header(p->fresh_etag, sizeof p->fresh_etag, res->etag);
        copy_header(p->fresh_modified, sizeof p->fresh_modified, res->last_modified);
        p->fresh_size = res->size;
        read_document(g, p);
}

static void fetch(struct qn_gate *g, struct qn_package *p)
{
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(QN_URL_MAX);
        struct qn_failure f;
        const struct qn_upstream *u = qn_upstream_of(g, qn_str_c(p->name), NULL, &f);
        struct qn_http_request q;
        struct job *job = u ? calloc(1, sizeof *job) : NULL;
        int r = job ? 0 : -ENOMEM;

        p->state = QN_PACKAGE_FETCHING;
        p->from_shelf = p->expired = false;
        p->fresh_place = qn_upstream_place(g, qn_str_c(p->name));
        if (!u) {
                fall_back(g, p, &f);
                return;
        }
        q = qn_upstream_document(u, qn_str_c(p->name), &url);
        if (p->has_facts && p->etag[0])
                q.etag = qn_str_c(p->etag);
        if (r == 0) {
                *job = (struct job){ g, p };
                r = qn_fetch_get(g->fetch, &q, on_document, job);
        }
        if (r == 0)
                return;
        free(job);
        qn_failure_set(&f, 503, "%s cannot be asked for now: %s", p->name, strerrordesc_np(-r));
        fall_back(g, p, &f);
}

/* What lies on the shelf from before, read first: it may be current, and serves when the registry cannot be asked. */
static bool from_shelf(struct qn_gate *g, struct qn_package *p)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 16);
        struct shelf_name key;
        struct qn_ledger_cached row;

        p->fresh_place = qn_upstream_place(g, qn_str_c(p->name));
        if (p->has_facts || !p->fresh_place ||
            qn_shelf_open(g, QN_CACHED_PACKUMENT, shelf_key(p, &key), &p->fresh_fd, &a, &row) < 0)
                return false;
        p->from_shelf = true;
        p->time = row.time;
        copy_header(p->fresh_etag, sizeof p->fresh_etag, row.etag);
        copy_header(p->fresh_modified, sizeof p->fresh_modified, row.last_modified);
        read_document(g, p);
        return true;
}

static int wait_for(struct qn_package *p, qn_package_done *done, void *user)
{
        struct qn_package_wait *w = malloc(sizeof *w);

        if (!w)
                return -ENOMEM;
        *w = (struct qn_package_wait){ .done = done, .user = user };
        TAILQ_INSERT_TAIL(&p->waiting, w, link);
        return 0;
}

void qn_package_want(struct qn_gate *g, struct qn_str name, qn_package_done *done, void *user)
{
        struct qn_package *p = find(g, name);
        struct qn_failure f;

        if (!p)
                p = add(g, name);
        if (p)
                leave_place(g, p);
        if (p && p->state == QN_PACKAGE_IDLE && is_fresh(g, p)) {
                TAILQ_REMOVE(&g->packages, p, used);
                TAILQ_INSERT_TAIL(&g->packages, p, used);
                qn_package_ref(p);
                done(g, p, NULL, user);
                qn_package_unref(g, p);
                return;
        }
        if (!p || wait_for(p, done, user) < 0) {
                qn_failure_set(&f, 503, "out of memory");
                done(g, NULL, &f, user);
                return;
        }
        if (p->state != QN_PACKAGE_IDLE)
                return;
        if (!from_shelf(g, p))
                fetch(g, p);
}

void qn_package_expire(struct qn_gate *g, struct qn_str name)
{
        struct qn_package *p = find(g, name);

        if (p) {
                p->time = 0;
                p->expired = p->state != QN_PACKAGE_IDLE;
        }
        qn_face_forget(g, name);
}
