#include "cli/learned.h"

#include <errno.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "cli/args.h"
#include "event/event.h"

#define KEEP ((size_t)256 << 10) /* memory that stays between two results */

int qn_learner_open(const struct qn_args *a, const struct qn_report_opts *o, struct qn_learner *ret)
{
        char features[4096], model[4096];
        struct qn_err err = { 0 };
        int r;

        *ret = (struct qn_learner){ .arena = QN_ARENA_INIT(QN_PKG_ARENA_MAX) };
        if (o->format != QN_REPORT_JSON && !(o->format == QN_REPORT_TEXT && o->explain))
                return 0;
        if (snprintf(features, sizeof features, "%s/score/features.yaml", a->data) >=
                    (int)sizeof features ||
            snprintf(model, sizeof model, "%s/score/model.yaml", a->data) >= (int)sizeof model)
                return log_err(-ENAMETOOLONG, "%s: the path is too long", a->data);
        if (access(model, F_OK) < 0 && errno == ENOENT)
                return 0;
        r = qn_score_load(features, model, &ret->model, &err);
        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}

void qn_learner_done(struct qn_learner *l)
{
        l->model = qn_score_free(l->model);
        qn_arena_done(&l->arena);
}

void qn_learner_add(struct qn_learner *l, struct qn_result *res)
{
        if (!l->model || !res->set || !res->set->sealed)
                return;
        /* a low number for what could not be looked at would read like a clean bill */
        if (res->verdict->kind == QN_UNKNOWN)
                return;
        qn_arena_reset(&l->arena, KEEP);
        if (qn_score_learned(l->model, res->set, &l->arena, &l->last) == 0)
                res->learned = &l->last; /* else: too many events for its memory, and no score */
}
