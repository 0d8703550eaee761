/* inspect.c - the bytes of an artifact: analysed by a role beside the registry's document and the version before, judged, put on
 * record and on disk. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "gate/flight.h"
#include "intel/tell.h"
#include "role/analyse.h"
#include "role/documents.h"
#include "role/pool.h"
#include "rule/rule.h"

static void unknown(struct qn_flight *fl, const char *why)
{
        fl->facts.judged = true;
        fl->facts.verdict = QN_UNKNOWN;
        fl->facts.reason = qn_arena_dup(&fl->mem, qn_str_c(why));
        fl->g->counts.by_verdict[QN_UNKNOWN]++;
        qn_flight_land(fl);
}

/* --- after the analysis --- */

static void count(struct qn_flight *fl)
{
        struct qn_gate_counts *c = &fl->g->counts;
        int64_t ms = qn_gate_monotonic() - fl->begun;
        unsigned at = 0;

        while (at < QN_ARRAY_SIZE(c->analysis_ms) - 1 && ms > (int64_t)1 << at)
                at++;
        c->analysis_ms[at]++;
        c->analysis_sum_ms += (uint64_t)QN_MAX(ms, (int64_t)0);
        c->analysed++;
        c->by_verdict[fl->facts.verdict]++;
}

/* On disk under the integrity that the registry promised, which the analysis found true. */
static void put_on_shelf(struct qn_flight *fl)
{
        const struct qn_ledger_cached row = { .kind = QN_CACHED_TARBALL,
                                              .key = fl->integrity,
                                              .size = fl->size,
                                              .time = qn_gate_now() };
        int fd = -1, r = qn_shelf_put(fl->g, &row, fl->body, &fd);

        if (r < 0) {
                qn_gate_note(fl->g, "%.*s@%.*s: its tarball is not kept: %s", QN_STR_ARG(fl->name),
                             QN_STR_ARG(fl->version), strerrordesc_np(-r));
                qn_shelf_drop(fl->g, QN_CACHED_TARBALL, fl->integrity);
                return;
        }
        qn_closep(&fl->body);
        fl->body = fd;
}

struct conviction {
        struct qn_gate *g;
        enum qn_verdict_kind before;
        struct qn_str reason;
};

/* It went out under other rules, and is convicted by those of today. */
static int on_served(void *ctx, const struct qn_ledger_artifact *a)
{
        const struct conviction *c = ctx;

        return qn_turned_alarm(c->g, a, c->before, c->reason);
}

/* The verdict and its alarms, or none of them: what was bad when it went out is no news. */
static int write_down(struct qn_flight *fl, const struct qn_ledger_verdict *row,
                      struct conviction *c)
{
        /* Known by its name, too, it is judged anew with what was served, when the rules are others. */
        const struct qn_ledger_artifact a = { .name = fl->name,
                                              .version = fl->version,
                                              .integrity = fl->integrity };
        struct qn_db *db = &fl->g->db;
        int r = qn_db_begin(db);

        if (r < 0)
                return r;
        r = qn_ledger_judged(db, fl->integrity, row);
        if (r == 0 && fl->facts.verdict >= QN_SUSPICIOUS)
                r = qn_ledger_artifact(db, &a, &fl->artifact);
        if (r == 0 && fl->facts.verdict == QN_MALICIOUS && c->before != QN_MALICIOUS)
                r = qn_ledger_copies(db, fl->integrity, on_served, c);
        if (r == 0)
                r = qn_db_commit(db);
        if (r < 0)
                qn_db_rollback(db);
        return r;
}

static void record(struct qn_flight *fl, const struct qn_verdict *v)
{
        char by[QN_REVISION_TEXT];
        const struct qn_ledger_verdict row = { .verdict = qn_str_c(qn_verdict_name(v->kind)),
                                               .score = v->score,
                                               .reason = v->reason,
                                               .rules = qn_revision(fl->g, fl->relies, by),
                                               .time = qn_gate_now() };
        struct conviction c = { fl->g, qn_turned_verdict(fl->g, fl->integrity), v->reason };
        int r = 0;

        /* What could not be had today, attestations or all that the registry says, may be there tomorrow: that is no verdict
         * for ever. */
        if ((!fl->unreachable && fl->p) || v->kind == QN_MALICIOUS)
                r = write_down(fl, &row, &c);
        if (r < 0) {
                qn_gate_note(fl->g, "%.*s@%.*s: its verdict is not kept: %s", QN_STR_ARG(fl->name),
                             QN_STR_ARG(fl->version), strerrordesc_np(-r));
                fl->g->again_missed |= fl->again;
        }
        if (v->kind > c.before && v->kind >= QN_SUSPICIOUS)
                fl->g->epoch++;
        /* What is found to be bad must leave the lists that were made without it; what is not any more comes back. */
        if (v->kind != QN_CLEAN || c.before >= QN_SUSPICIOUS) {
                qn_decide_again(fl->g, fl->p);
                qn_face_forget(fl->g, fl->name);
        }
}

static int add_known(struct qn_flight *fl)
{
        const struct qn_told told = { .name = fl->name,
                                      .version = fl->version,
                                      .integrity = fl->integrity };
        struct qn_event_set known, merged;
        int r;

        if (fl->g->blind)
                return -EIO;
        if (!fl->g->tell)
                return 0;
        qn_tell_at(fl->g->tell, qn_gate_now());
        r = qn_tell_events(fl->g->tell, &told, &fl->set, &fl->mem, &known);
        if (r < 0 || !known.n)
                return r;
        fl->relies = true;
        r = qn_event_set_merge(&fl->set, &known, &fl->mem, &merged);
        if (r == 0)
                fl->set = merged;
        return r;
}

static void judge(struct qn_flight *fl)
{
        struct qn_verdict v;
        int r = add_known(fl);

        if (r == 0)
                r = qn_judge(fl->g->rules, &fl->set, &fl->mem, &v);
        if (r < 0) {
                unknown(fl, r == -EIO ? "what is known about it cannot be read"
                                      : "its events do not fit into memory");
                return;
        }
        fl->facts.judged = true;
        fl->facts.verdict = v.kind;
        fl->facts.reason = v.reason;
        count(fl);
        if (!fl->from_shelf)
                put_on_shelf(fl);
        record(fl, &v);
        qn_flight_land(fl);
}

/* --- what the registry says about it --- */

static void on_provenance(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        struct qn_flight *fl = res->user;
        struct qn_event_set seen, merged;
        struct qn_cur reply = res->reply;
        int r = res->status == QN_POOL_OK ? qn_event_set_read(&reply, &fl->mem, &seen, NULL)
                                          : -EBADMSG;

        if (r == 0)
                r = qn_event_set_merge(&fl->set, &seen, &fl->mem, &merged);
        if (r < 0) {
                unknown(fl, "what the registry says about it could not be analysed");
                return;
        }
        fl->set = merged;
        judge(fl);
}

static void look_at_documents(struct qn_flight *fl)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(1 << 16);
        struct qn_pool_job job = {
                .kind = QN_JOB_PROVENANCE, .user = fl, .done = on_provenance, .input_fd = -1
        };
        int docs[QN_DOC_MAX];
        int r;

        memcpy(docs, fl->docs, sizeof docs);
        docs[QN_DOC_PACKUMENT] = fl->p->fd;
        r = qn_documents_seal(docs, &job.input_fd, NULL);
        qn_analyse_write_attested(&params, fl->name, fl->version, fl->integrity, fl->unreachable);
        job.params = qn_buf_view(&params);
        if (r == 0)
                r = qn_pool_submit(fl->g->pool, &job);
        if (r == 0)
                return;
        qn_closep(&job.input_fd);
        unknown(fl, "what the registry says about it could not be analysed");
}

/* --- the analysis --- */

static void on_events(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        struct qn_flight *fl = res->user;
        struct qn_cur reply = res->reply;
        int r = res->status == QN_POOL_OK ? qn_event_set_read(&reply, &fl->mem, &fl->set, NULL)
                                          : -EBADMSG;

        if (r < 0) {
                /* Bytes that nothing vouches for are never served, whatever policy makes of `unknown`. */
                qn_failure_set(&fl->failure, 502, "%.*s@%.*s could not be looked at: %s",
                               QN_STR_ARG(fl->name), QN_STR_ARG(fl->version),
                               res->why[0] ? res->why : "its events are not sound");
                qn_flight_fail(fl);
                return;
        }
        if (qn_event_set_says(&fl->set, QN_EVENT_UNANALYSED, "integrity")) {
                qn_failure_set(
                        &fl->failure, 502,
                        "%.*s@%.*s: what came is not what the registry promises: its integrity "
                        "is another",
                        QN_STR_ARG(fl->name), QN_STR_ARG(fl->version));
                qn_gate_note(fl->g, "%s", fl->failure.reason);
                qn_flight_fail(fl);
                return;
        }
        if (!fl->integrity.n)
                fl->integrity = fl->set.integrity;
        if (fl->p)
                look_at_documents(fl);
        else
                judge(fl);
}

/* The version before, when its bytes are at hand: it is not worth a client's time to fetch them. */
static struct qn_str open_previous(struct qn_flight *fl)
{
        const struct qn_packument_fact *now = fl->p ? qn_package_find(fl->p, fl->version) : NULL;
        const struct qn_packument_fact *old = now && now > fl->p->facts.versions ? now - 1 : NULL;
        struct qn_ledger_cached row;

        if (!old || !old->integrity.n ||
            qn_shelf_open(fl->g, QN_CACHED_TARBALL, old->integrity, &fl->previous, &fl->mem, &row) <
                    0)
                return QN_STR("");
        return old->integrity;
}

void qn_flight_analyse(struct qn_flight *fl)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(1 << 16);
        struct qn_pool_job job = { .kind = QN_JOB_ANALYSE, .user = fl, .done = on_events };
        struct qn_str previous = open_previous(fl);
        int r = qn_msg_beside_put(&job.beside, QN_BESIDE_PACKUMENT, fl->p ? fl->p->fd : -1);

        fl->begun = qn_gate_monotonic();
        if (r == 0)
                r = qn_msg_beside_put(&job.beside, QN_BESIDE_PREVIOUS, fl->previous);
        if (r == 0)
                r = qn_msg_beside_put(&job.beside, QN_BESIDE_KNOWN, fl->g->known);
        qn_analyse_write_artifact(&params, fl->integrity, fl->p ? fl->version : QN_STR(""),
                                  previous);
        job.params = qn_buf_view(&params);
        job.input_fd = r < 0 ? -1 : fcntl(fl->body, F_DUPFD_CLOEXEC, 0);
        if (r == 0 && job.input_fd < 0)
                r = -errno;
        if (r == 0)
                r = qn_pool_submit(fl->g->pool, &job);
        if (r == 0)
                return;
        qn_closep(&job.input_fd);
        qn_msg_beside_close(&job.beside);
        qn_failure_set(&fl->failure, 503, "%.*s@%.*s cannot be looked at now: %s",
                       QN_STR_ARG(fl->name), QN_STR_ARG(fl->version), strerrordesc_np(-r));
        qn_flight_fail(fl);
}
