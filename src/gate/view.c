/* view.c - a registry's document as this registry serves it: full, abbreviated, of one version, or its tags alone. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/io.h"
#include "gate/gate-priv.h"
#include "role/analyse.h"
#include "role/pool.h"

#define SQUEEZE_MIN 1024 /* bytes of a body that is worth it */

struct view {
        struct qn_gate *g;
        struct qn_asked *a;
        struct qn_package *p;
        struct qn_packument_rewrite w;
        enum qn_form form;
        uint64_t decision; /* for which it is made */
        bool partial;      /* not one of the forms that are kept */
        struct qn_front_answer head;
        char etag[64];
        int body; /* identity */
};

static void squeeze(struct view *v);

static void end(struct view *v)
{
        qn_package_unref(v->g, v->p);
        qn_closep(&v->body);
        free(v);
}

static void fail(struct view *v, uint16_t status, const char *why)
{
        struct qn_failure f;

        qn_failure_set(&f, status, "%s: %s", v->p->name, why);
        qn_answer_failure(v->g, v->a, &f);
        end(v);
}

/* What it was made for holds no longer, and what it was made from may be gone: it begins again.  Whether it did. */
static bool is_outdated(struct view *v)
{
        struct qn_asked *a = v->a;
        struct qn_gate *g = v->g;

        if (v->decision == v->p->decision)
                return false;
        if (++a->anew > QN_GATE_ANEW_MAX) {
                fail(v, 503, "what is decided about it changes all the time: try again");
                return true;
        }
        end(v);
        qn_view_ask(g, a);
        return true;
}

/* --- the answer --- */

/* How long the face may go on answering with it. */
static uint32_t keep_ms(const struct view *v)
{
        int64_t now = qn_gate_now();
        int64_t left =
                QN_MIN(v->p->time + (int64_t)v->g->service.fresh_s * 1000, v->p->until) - now;

        return (uint32_t)QN_MAX(QN_MIN(left, (int64_t)1 << 30), (int64_t)1);
}

static void send(struct view *v, int fd, enum qn_front_encoding encoding)
{
        struct qn_front_answer *h = &v->head;
        bool only_short = v->form == QN_FORM_SHORT && !v->partial;

        if (is_outdated(v)) {
                qn_closep(&fd);
                return;
        }
        *h = (struct qn_front_answer){
                .status = 200,
                .keep = true,
                .keep_ms = keep_ms(v),
                .encoding = encoding,
                .package = qn_str_c(v->p->name),
                .content_type = only_short ? QN_STR("application/vnd.npm.install-v1+json")
                                           : QN_STR("application/json"),
                .etag = qn_str_c(v->etag),
                .cache_control = QN_STR("private, max-age=60"),
                .notice = v->p->notice,
        };
        if (v->p->stale)
                h->warning = QN_STR("110 qanat \"Response is Stale\"");
        v->g->counts.packuments++;
        qn_answer(v->g, v->a, h, fd);
        end(v);
}

/* Of what is served and of the policy that made it. */
static int make_etag(struct view *v, int fd)
{
        struct stat st;
        uint64_t hash = 0;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size) {
                void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

                if (p == MAP_FAILED)
                        return -errno;
                hash = qn_hash64(p, (size_t)st.st_size);
                munmap(p, (size_t)st.st_size);
        }
        snprintf(v->etag, sizeof v->etag, "W/\"%016llx-%s\"", (unsigned long long)hash,
                 qn_policy_revision(v->g->policy));
        return 0;
}

static int copy_fd(int fd)
{
        return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static void serve(struct view *v)
{
        struct stat st;
        int r = make_etag(v, v->body);

        if (r < 0)
                fail(v, 503, strerrordesc_np(-r));
        else if (v->a->q.encoding == QN_ENCODING_IDENTITY || fstat(v->body, &st) < 0 ||
                 st.st_size < SQUEEZE_MIN)
                send(v, TAKE_FD(v->body), QN_ENCODING_IDENTITY);
        else
                squeeze(v);
}

static void on_squeezed(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        struct view *v = res->user;

        if (res->status == QN_POOL_OK && *res->output_fd >= 0)
                send(v, TAKE_FD(*res->output_fd), v->a->q.encoding);
        else
                send(v, TAKE_FD(v->body), QN_ENCODING_IDENTITY);
}

static void squeeze(struct view *v)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(64);
        struct qn_pool_job job = {
                .kind = QN_JOB_SQUEEZE, .user = v, .done = on_squeezed, .input_fd = copy_fd(v->body)
        };

        qn_analyse_write_squeeze(&params, v->a->q.encoding == QN_ENCODING_ZSTD ? QN_COMPRESS_ZSTD
                                                                               : QN_COMPRESS_GZIP);
        job.params = qn_buf_view(&params);
        if (job.input_fd >= 0 && qn_pool_submit(v->g->pool, &job) == 0)
                return;
        qn_closep(&job.input_fd);
        send(v, TAKE_FD(v->body), QN_ENCODING_IDENTITY);
}

/* --- making it --- */

static void blocked(struct view *v)
{
        struct qn_str wanted = v->a->route.version;

        for (size_t i = 0; i < v->p->n_blocked; i++)
                if (qn_str_eq(v->p->blocked[i].version, wanted)) {
                        v->g->counts.blocked++;
                        qn_answer_blocked(v->g, v->a, qn_str_c(v->p->name),
                                          v->p->blocked[i].reason.p, v->p->until);
                        end(v);
                        return;
                }
        qn_answer_blocked(v->g, v->a, qn_str_c(v->p->name), v->p->message.p, v->p->until);
        end(v);
}

static void on_rewritten(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        struct view *v = res->user;

        if (is_outdated(v))
                return;
        if (res->status == QN_POOL_FAILED && res->code == -ENOENT) {
                fail(v, 404, "there is no such version or tag");
                return;
        }
        if (res->status == QN_POOL_FAILED && res->code == -EACCES) {
                blocked(v);
                return;
        }
        if (res->status != QN_POOL_OK || *res->output_fd < 0) {
                fail(v, 502, res->why[0] ? res->why : "its document cannot be served");
                return;
        }
        v->body = TAKE_FD(*res->output_fd);
        if (!v->partial && v->p->views[v->form] < 0)
                v->p->views[v->form] = copy_fd(v->body);
        serve(v);
}

static void make(struct view *v)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT((size_t)64 << 20);
        struct qn_pool_job job = { .user = v, .done = on_rewritten, .input_fd = -1 };
        int r;

        job.kind = QN_JOB_REWRITE;
        qn_analyse_write_rewrite(&params, &v->w);
        r = qn_buf_error(&params);
        if (r == 0)
                r = qn_analyse_put_params(&job, qn_buf_view(&params));
        if (r == 0) {
                job.input_fd = copy_fd(v->p->fd);
                r = job.input_fd < 0 ? -errno : qn_pool_submit(v->g->pool, &job);
        }
        if (r == 0)
                return;
        qn_closep(&job.input_fd);
        qn_msg_beside_close(&job.beside);
        fail(v, 503, strerrordesc_np(-r));
}

/* All of its versions are blocked: the package is, whatever is asked of it. */
static bool nothing_left(const struct qn_package *p)
{
        return p->facts.n && p->n_blocked == p->facts.n;
}

static void on_package(struct qn_gate *g, struct qn_package *p, const struct qn_failure *f,
                       void *user)
{
        struct qn_asked *a = user;
        struct view *v;
        struct qn_failure none;
        int r;

        if (!p) {
                qn_answer_failure(g, a, f);
                return;
        }
        r = qn_decide_package(g, p);
        v = r == 0 ? calloc(1, sizeof *v) : NULL;
        if (!v) {
                qn_failure_set(&none, 503, "%s: out of memory", p->name);
                qn_answer_failure(g, a, &none);
                return;
        }
        qn_package_ref(p);
        *v = (struct view){ .g = g, .a = a, .p = p, .body = -1, .decision = p->decision };
        v->partial = a->route.kind != QN_ROUTE_PACKUMENT;
        v->form = a->q.abbreviated ? QN_FORM_SHORT : QN_FORM_FULL;
        v->w = (struct qn_packument_rewrite){
                .name = qn_str_c(p->name),
                .base = g->service.url,
                .abbreviated = v->form == QN_FORM_SHORT && !v->partial,
                .only = a->route.kind == QN_ROUTE_VERSION ? a->route.version : QN_STR(""),
                .tags_only = a->route.kind == QN_ROUTE_TAGS,
                .blocked = p->blocked,
                .n_blocked = p->n_blocked,
                .message = p->message
        };
        if (nothing_left(p)) {
                g->counts.blocked++;
                blocked(v);
        } else if (!v->partial && p->views[v->form] >= 0) {
                v->body = copy_fd(p->views[v->form]);
                serve(v);
        } else {
                make(v);
        }
}

void qn_view_ask(struct qn_gate *g, struct qn_asked *a)
{
        qn_package_want(g, a->route.name, on_package, a);
}
