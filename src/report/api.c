/* api.c - the public API (include/qanat/qanat.h) on top of the layers. */
#include "qanat/qanat.h"

#include <errno.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/limits.h"
#include "event/event.h"
#include "observe/analyse.h"
#include "observe/scan.h"
#include "report/render.h"
#include "rule/rule.h"

_Static_assert((int)QANAT_MALICIOUS == (int)QN_MALICIOUS &&
                       (int)QANAT_SUSPICIOUS == (int)QN_SUSPICIOUS &&
                       (int)QANAT_UNKNOWN == (int)QN_UNKNOWN && (int)QANAT_CLEAN == (int)QN_CLEAN,
               "the public verdicts are the judge's");

struct qanat {
        struct qn_observers *observers;
        struct qn_analyser *analyser;
        struct qn_rules *rules;
        struct qn_arena arena; /* of the verdict */
};

struct qanat_result {
        enum qn_verdict_kind kind;
        unsigned score;
        struct qn_buf json;
};

static int load(struct qanat *q, const char *data_dir, struct qn_err *err)
{
        _cleanup_(qn_freep) char *rules = NULL;
        const char *paths[1];
        int r = qn_observers_load(data_dir, &q->observers, err);

        if (r < 0)
                return r;
        r = qn_analyser_new(q->observers, &q->analyser);
        if (r < 0)
                return r;
        if (asprintf(&rules, "%s/rules", data_dir) < 0) {
                rules = NULL;
                return -ENOMEM;
        }
        paths[0] = rules;
        return qn_rules_load(paths, 1, &q->rules, err);
}

static void freep(struct qanat **q)
{
        qanat_free(*q);
}

int qanat_new(const char *data_dir, struct qanat **ret, char *why, size_t why_size)
{
        _cleanup_(freep) struct qanat *q = calloc(1, sizeof *q);
        struct qn_err err = { 0 };
        int r;

        if (!q)
                return -ENOMEM;
        q->arena = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        r = load(q, data_dir, &err);
        if (r < 0) {
                if (why && why_size)
                        snprintf(why, why_size, "%s", *err.msg ? err.msg : strerror(-r));
                return r;
        }
        *ret = TAKE_PTR(q);
        return 0;
}

struct qanat *qanat_free(struct qanat *q)
{
        if (!q)
                return NULL;
        qn_rules_free(q->rules);
        qn_analyser_free(q->analyser);
        qn_observers_free(q->observers);
        qn_arena_done(&q->arena);
        free(q);
        return NULL;
}

/* A verdict that does not fit into its arena is no answer, but no error either: the package asked
 * for too much. */
static int judge(struct qanat *q, const struct qn_event_set *set, struct qn_verdict *ret)
{
        int r = qn_judge(q->rules, set, &q->arena, ret);

        if (r == -ENOBUFS) {
                *ret = qn_result_unknown(QN_STR("There was too much in it to be judged."));
                return 0;
        }
        return r;
}

int qanat_check(struct qanat *q, const void *tarball, size_t size, const char *integrity,
                struct qanat_result **ret)
{
        uint64_t begun = qn_io_nanos();
        const struct qn_event_set *set = NULL;
        struct qanat_result *res;
        struct qn_verdict v;
        const struct qn_analyse_in in = { .archive = qn_cur_mem(tarball, size),
                                          .integrity = qn_str_c(integrity) };
        int r = qn_analyse(q->analyser, &in, &set);

        if (r < 0)
                return r;
        qn_arena_reset(&q->arena, (size_t)1 << 20);
        r = judge(q, set, &v);
        if (r < 0)
                return r;
        res = calloc(1, sizeof *res);
        if (!res)
                return -ENOMEM;
        *res = (struct qanat_result){ .kind = v.kind,
                                      .score = v.score,
                                      .json = QN_BUF_INIT(QN_REPORT_ENTRY_MAX) };
        qn_json_result(&(struct qn_report_opts){ .format = QN_REPORT_JSON },
                       &(struct qn_result){ .name = set->name,
                                            .version = set->version,
                                            .integrity = set->integrity,
                                            .verdict = &v,
                                            .set = set,
                                            .elapsed_ns = qn_io_nanos() - begun },
                       &res->json);
        r = qn_buf_error(&res->json);
        if (r < 0) {
                qanat_result_free(res);
                return r;
        }
        *ret = res;
        return 0;
}

struct qanat_result *qanat_result_free(struct qanat_result *r)
{
        if (r)
                qn_buf_done(&r->json);
        free(r);
        return NULL;
}

enum qanat_verdict qanat_verdict(const struct qanat_result *r)
{
        return (enum qanat_verdict)r->kind;
}

const char *qanat_verdict_name(enum qanat_verdict v)
{
        return qn_verdict_name((enum qn_verdict_kind)v);
}

unsigned qanat_score(const struct qanat_result *r)
{
        return r->score;
}

const char *qanat_json(const struct qanat_result *r)
{
        return r->json.p;
}
