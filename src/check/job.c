#include "check/job.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "check/check.h"
#include "check/dependency.h"
#include "check/intel.h"
#include "check/item.h"
#include "check/lock.h"
#include "role/analyse.h"
#include "role/digests-wire.h"
#include "role/documents.h"
#include "role/pool.h"

static int copy_fd(int fd, int *ret)
{
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

        if (copy < 0)
                return -errno;
        *ret = copy;
        return 0;
}

/* The documents about an item as one input; those that were given on the command line are about all, or about the one that
 * was given with them. */
static int seal_documents(const struct qn_check_config *c, struct qn_item *it, struct qn_err *err)
{
        int fds[QN_DOC_MAX];

        for (unsigned i = 0; i < QN_DOC_MAX; i++) {
                bool given = c->docs && (i == QN_DOC_KEYS || i == QN_DOC_TRUST || it->path.p);

                fds[i] = it->docs[i] >= 0 || !given ? it->docs[i] : c->docs[i];
        }
        fds[QN_DOC_PACKUMENT] = it->packument;
        return qn_documents_seal(fds, &it->fd, err);
}

/* The artifact, and what is known about it beside it. */
static int make_analysis(const struct qn_check_config *c, const struct qn_item *it,
                         struct qn_buf *params, struct qn_pool_job *job)
{
        int r = qn_msg_beside_put(&job->beside, QN_BESIDE_PACKUMENT, it->packument);

        if (r == 0)
                r = qn_msg_beside_put(&job->beside, QN_BESIDE_PREVIOUS, it->previous);
        if (r == 0 && c->intel)
                r = qn_msg_beside_put(&job->beside, QN_BESIDE_KNOWN,
                                      qn_check_intel_known(c->intel));
        qn_analyse_write_artifact(params, it->integrity,
                                  it->packument >= 0 ? it->version : QN_STR(""),
                                  it->before.integrity);
        if (c->imprint)
                qn_analyse_ask_imprint(params);
        return r;
}

/* The files in which evidence lies. */
static int ask_digests(struct qn_item *it, struct qn_buf *params)
{
        const struct qn_verdict *v = &it->verdict;
        size_t n = 0, most = 0;
        struct qn_str *paths;

        for (size_t i = 0; i < v->n; i++)
                most += v->findings[i].n_evidence;
        paths = qn_arena_calloc(&it->mem, most + 1, sizeof *paths);
        if (!paths)
                return -ENOBUFS;
        for (size_t i = 0; i < v->n; i++)
                for (size_t k = 0; k < v->findings[i].n_evidence; k++) {
                        const struct qn_event *e = v->findings[i].evidence[k];

                        if (e->file < it->set.n_files && it->set.files[e->file].n)
                                paths[n++] = it->set.files[e->file];
                }
        qn_digests_wire_ask(params, paths, n);
        return 0;
}

int qn_check_job(const struct qn_check_config *c, struct qn_item *it, struct qn_buf *params,
                 struct qn_pool_job *job, struct qn_err *err)
{
        int r = 0;

        switch (it->state) {
        case QN_ITEM_LOCK:
                job->kind = qn_check_lock_job(it->path, params);
                break;
        case QN_ITEM_PICK:
                job->kind = QN_JOB_PICK;
                r = copy_fd(it->fd, &it->packument);
                qn_analyse_write_pick(params, it->name, it->range);
                break;
        case QN_ITEM_DEPENDED:
                job->kind = QN_JOB_DEPENDENCY;
                r = qn_msg_beside_put(&job->beside, QN_BESIDE_PACKUMENT, it->packument);
                qn_check_dependency_params(it, params);
                break;
        case QN_ITEM_PROVENANCE:
                job->kind = QN_JOB_PROVENANCE;
                r = seal_documents(c, it, err);
                qn_analyse_write_attested(params, it->name, it->version, it->integrity,
                                          it->unreachable);
                break;
        case QN_ITEM_DIGESTS:
                job->kind = QN_JOB_DIGESTS;
                r = ask_digests(it, params);
                break;
        default:
                job->kind = QN_JOB_ANALYSE;
                r = make_analysis(c, it, params, job);
                break;
        }
        job->input_fd = it->fd;
        job->params = qn_buf_view(params);
        return r < 0 ? r : qn_buf_error(params);
}
