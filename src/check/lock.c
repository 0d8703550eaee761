#include "check/lock.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "check/target.h"
#include "parse/lock-kind.h"
#include "role/analyse.h"
#include "role/bom-wire.h"

uint8_t qn_check_lock_job(struct qn_str path, struct qn_buf *params)
{
        if (qn_target_is_npm_lock(path))
                return QN_JOB_LOCK;
        qn_buf_str(params, qn_str_base(path));
        return QN_JOB_BOM;
}

/* The lock files of other package managers: the same packages in another model. */
static int read_bom(struct qn_cur reply, struct qn_arena *a, struct qn_lock *ret,
                    struct qn_err *reterr)
{
        static const enum qn_lock_kind kinds[] = {
                [QN_BOM_FROM_REGISTRY] = QN_LOCK_REGISTRY,
                [QN_BOM_FROM_GIT] = QN_LOCK_GIT,
                [QN_BOM_FROM_URL] = QN_LOCK_URL,
                [QN_BOM_FROM_FILE] = QN_LOCK_FILE,
                [QN_BOM_FROM_LINK] = QN_LOCK_LINK,
                [QN_BOM_FROM_WORKSPACE] = QN_LOCK_WORKSPACE,
                [QN_BOM_FROM_PATCH] = QN_LOCK_REGISTRY, /* what is patched is checked as it was */
        };
        struct qn_bom *bom;
        int r = qn_bom_wire_read(reply, a, &bom, reterr);

        if (r < 0)
                return r;
        if (bom->broken)
                return qn_fail(reterr, -EBADMSG, 0,
                               "%zu parts of the lock file could not be read, the first: %.*s",
                               bom->broken, QN_STR_ARG(qn_str_take(bom->first_broken, 80)));
        ret->packages = qn_arena_calloc(a, bom->n + 1, sizeof *ret->packages);
        if (!ret->packages)
                return -ENOBUFS;
        for (; ret->n < bom->n; ret->n++) {
                const struct qn_bom_item *b = &bom->items[ret->n];

                ret->packages[ret->n] =
                        (struct qn_lock_package){ .name = b->name,
                                                  .version = b->version,
                                                  .resolved = b->resolved,
                                                  .integrity = b->integrity,
                                                  .kind = kinds[b->origin],
                                                  .optional = b->optional,
                                                  .bundled = b->bundled,
                                                  .bad_name = !qn_lock_name_ok(b->name) };
        }
        return 0;
}

int qn_check_read_lock(struct qn_str path, struct qn_cur reply, struct qn_arena *a,
                       struct qn_lock *ret, struct qn_err *reterr)
{
        return qn_target_is_npm_lock(path) ? qn_analyse_read_lock(reply, a, ret, reterr)
                                           : read_bom(reply, a, ret, reterr);
}

const char *qn_check_why_not_fetched(const struct qn_lock_package *p)
{
        switch (p->kind) {
        case QN_LOCK_GIT:
                return "it comes from a git repository, which is not fetched: check a tarball of "
                       "it";
        case QN_LOCK_FILE:
                return "it is a file outside the lock file's reach: check that file";
        default:
                return p->bad_name ? "npm would not accept its name" : NULL;
        }
}
