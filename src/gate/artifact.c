/* artifact.c - a tarball is decided about when it is asked for: fetched once, looked at once, whoever waits for it. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/io.h"
#include "gate/flight.h"
#include "parse/sri.h"
#include "role/fetch.h"

/* --- answering those that wait --- */

static void count(struct qn_gate *g, const struct qn_policy_decision *d)
{
        if (d->action == QN_POLICY_ALLOW)
                return;
        if (d->mode == QN_POLICY_WARN)
                g->counts.warned++;
        else if (d->action == QN_POLICY_BLOCK)
                g->counts.blocked++;
        else
                g->counts.quarantined++;
}

static void answer_all(struct qn_flight *fl, void (*one)(struct qn_flight *fl, struct qn_asked *a))
{
        struct qn_asked *a;

        while ((a = TAILQ_FIRST(&fl->waiting))) {
                TAILQ_REMOVE(&fl->waiting, a, link);
                one(fl, a);
        }
}

static void answer_failure(struct qn_flight *fl, struct qn_asked *a)
{
        qn_answer_failure(fl->g, a, &fl->failure);
}

static void answer_refused(struct qn_flight *fl, struct qn_asked *a)
{
        qn_answer_blocked(fl->g, a, fl->name, fl->decision.reason, fl->decision.until_ms);
}

/* 0 would be for ever. */
static uint32_t keep_ms(const struct qn_flight *fl)
{
        int64_t left = fl->decision.until_ms - qn_gate_now();

        return (uint32_t)QN_MAX(QN_MIN(left, (int64_t)QN_GATE_KEPT_MS), (int64_t)1);
}

static void answer_body(struct qn_flight *fl, struct qn_asked *a)
{
        char etag[256];
        int fd = fcntl(fl->body, F_DUPFD_CLOEXEC, 0);
        struct qn_front_answer h = {
                .status = 200,
                .keep = true,
                .keep_ms = keep_ms(fl),
                .artifact = qn_book_ticket(fl->g, fl->artifact),
                .package = fl->name,
                .content_type = QN_STR("application/octet-stream"),
                .cache_control = QN_STR("private, max-age=300"),
                .verdict = fl->facts.judged ? qn_str_c(qn_verdict_name(fl->facts.verdict))
                                            : QN_STR("unknown"),
        };

        if (fd < 0) {
                qn_failure_set(&fl->failure, 503, "too many files are open");
                answer_failure(fl, a);
                return;
        }
        snprintf(etag, sizeof etag, "\"%.*s\"", QN_STR_ARG(fl->integrity));
        h.etag = qn_str_c(etag);
        if (fl->decision.action != QN_POLICY_ALLOW && fl->decision.mode == QN_POLICY_WARN)
                h.notice = qn_str_c(fl->decision.reason);
        qn_answer(fl->g, a, &h, fd);
}

/* Whether what is decided lets it through. */
static bool lets_through(const struct qn_policy_decision *d)
{
        return d->action == QN_POLICY_ALLOW || d->mode != QN_POLICY_ENFORCE;
}

static void free_flight(struct qn_flight *fl)
{
        TAILQ_REMOVE(&fl->g->flights, fl, link);
        fl->g->n_again -= fl->again;
        qn_closep(&fl->body);
        qn_closep(&fl->previous);
        for (unsigned i = 0; i < QN_DOC_MAX; i++)
                qn_closep(&fl->docs[i]);
        if (fl->p)
                qn_package_unref(fl->g, fl->p);
        qn_arena_done(&fl->mem);
        free(fl);
}

/* Its verdict stays what it is. */
static void note_lost(struct qn_flight *fl)
{
        fl->g->counts.again_lost++;
        fl->g->again_missed = fl->g->again_missed || fl->failure.status >= 500;
        qn_gate_note(fl->g, "%.*s@%.*s was judged by other rules, and cannot be judged again: %s",
                     QN_STR_ARG(fl->name), QN_STR_ARG(fl->version),
                     fl->failure.status ? fl->failure.reason : "its bytes are gone");
}

void qn_flight_fail(struct qn_flight *fl)
{
        if (fl->again && TAILQ_EMPTY(&fl->waiting))
                note_lost(fl);
        answer_all(fl, answer_failure);
        free_flight(fl);
}

static void note_decision(struct qn_flight *fl)
{
        const struct qn_policy_decision *d = &fl->decision;

        count(fl->g, d);
        if (d->action != QN_POLICY_ALLOW || d->overridden)
                qn_gate_note(fl->g, "%.*s@%.*s: %s (%s, %s): %s", QN_STR_ARG(fl->name),
                             QN_STR_ARG(fl->version), qn_policy_action_name(d->action), d->rule,
                             qn_policy_mode_name(d->mode), d->reason);
}

/* Each of them gets the bytes, once the ledger knows the artifact. */
static void serve_all(struct qn_flight *fl)
{
        const struct qn_ledger_artifact a = { .name = fl->name,
                                              .version = fl->version,
                                              .integrity = fl->integrity };
        int r = qn_ledger_artifact(&fl->g->db, &a, &fl->artifact);

        if (r < 0)
                qn_failure_set(&fl->failure, 503, "the ledger cannot be written: %s",
                               strerrordesc_np(-r));
        answer_all(fl, r < 0 ? answer_failure : answer_body);
}

/* While it was under way somebody may have blocked it: an answer that is sent behind the word to forget would be kept. */
void qn_flight_land(struct qn_flight *fl)
{
        if (TAILQ_EMPTY(&fl->waiting)) { /* what was found out is on record */
                free_flight(fl);
                return;
        }
        if (fl->place != qn_upstream_place(fl->g, fl->name)) {
                qn_failure_set(&fl->failure, 503,
                               "%.*s comes from another registry since this began: try again",
                               QN_STR_ARG(fl->name));
                qn_flight_fail(fl);
                return;
        }
        qn_decide_known(fl->g, fl->integrity, &fl->mem, &fl->facts);
        qn_policy_decide(fl->g->policy, &fl->facts, qn_gate_now(), &fl->decision);
        note_decision(fl);
        if (lets_through(&fl->decision))
                serve_all(fl);
        else
                answer_all(fl, answer_refused);
        free_flight(fl);
}

/* --- time --- */

/* Nobody can say when the registry behind will answer: that is no decision about the package. */
static void give_up_waiting(struct qn_flight *fl)
{
        struct qn_failure before = fl->failure;

        qn_failure_set(&fl->failure, 504,
                       "the registry behind this one takes too long to send %.*s@%.*s: try again",
                       QN_STR_ARG(fl->name), QN_STR_ARG(fl->version));
        answer_all(fl, answer_failure);
        fl->failure = before;
}

/* Whether the bytes are those that the registry promised: otherwise only the analysis says so. */
static bool is_promised(const struct qn_flight *fl)
{
        struct qn_sri sri;
        void *p = fl->size ? mmap(NULL, fl->size, PROT_READ, MAP_SHARED, fl->body, 0) : MAP_FAILED;
        bool right = p != MAP_FAILED && qn_sri_parse(fl->integrity, &sri) == 0 &&
                     qn_sri_check(&sri, qn_cur_mem(p, fl->size)) == 0;

        if (p != MAP_FAILED)
                munmap(p, fl->size);
        return right;
}

/* Policy decides about what is not analysed in time; what it lets through is asked for again as soon as somebody wants it. */
static void land_late(struct qn_flight *fl)
{
        struct qn_policy_facts facts = fl->facts;
        int64_t soon = qn_gate_now() + 1000;

        fl->late = true;
        fl->g->counts.late++;
        if (fl->body < 0 || fl->place != qn_upstream_place(fl->g, fl->name)) {
                give_up_waiting(fl);
                return;
        }
        qn_decide_known(fl->g, fl->integrity, &fl->mem, &fl->facts);
        fl->facts.judged = fl->facts.late = true;
        fl->facts.verdict = QN_UNKNOWN;
        fl->facts.reason = QN_STR("its analysis takes longer than this registry waits");
        qn_policy_decide(fl->g->policy, &fl->facts, qn_gate_now(), &fl->decision);
        note_decision(fl);
        fl->decision.until_ms = QN_MIN(fl->decision.until_ms, soon);
        if (!lets_through(&fl->decision))
                answer_all(fl, answer_refused);
        else if (is_promised(fl))
                serve_all(fl);
        else
                give_up_waiting(fl);
        fl->facts = facts;
}

int qn_artifacts_late(struct qn_gate *g)
{
        int64_t now = qn_gate_monotonic(), next = INT64_MAX;
        struct qn_flight *fl;

        TAILQ_FOREACH (fl, &g->flights, link) {
                if (fl->late || TAILQ_EMPTY(&fl->waiting))
                        continue;
                if (fl->deadline <= now)
                        land_late(fl);
                else
                        next = QN_MIN(next, fl->deadline);
        }
        return next == INT64_MAX ? -1 : (int)QN_MIN(next - now, (int64_t)60000);
}

/* --- bytes --- */

static void got_part(struct qn_flight *fl)
{
        if (--fl->parts)
                return;
        if (fl->failure.status)
                qn_flight_fail(fl);
        else
                qn_flight_analyse(fl);
}

static void on_tarball(struct qn_http_result *res, void *user)
{
        struct qn_flight *fl = user;

        if (res->code != QN_HTTP_OK || res->fd < 0) {
                qn_upstream_failure(&fl->failure, res);
                if (res->code == QN_HTTP_PRIVATE)
                        qn_gate_note(fl->g, "%.*s@%.*s: %s", QN_STR_ARG(fl->name),
                                     QN_STR_ARG(fl->version), res->message);
        } else {
                fl->body = TAKE_FD(res->fd);
                fl->size = res->size;
        }
        got_part(fl);
}

/* What cannot be fetched is told to the analysis, which makes an event of it; that there is none is an answer for good. */
static void on_attestations(struct qn_http_result *res, void *user)
{
        struct qn_flight *fl = user;

        if (res->code == QN_HTTP_OK && res->fd >= 0)
                fl->docs[QN_DOC_ATTESTATIONS] = TAKE_FD(res->fd);
        else
                fl->unreachable = res->code != QN_HTTP_NOT_FOUND;
        got_part(fl);
}

static int fetch_url(struct qn_flight *fl, struct qn_str url, size_t max, qn_http_done *done)
{
        struct qn_http_request q = {
                .url = url, .accept = QN_STR("*/*"), .max = max, .total_ms = QN_GATE_UPSTREAM_MS
        };
        int r = qn_upstream_reach(fl->g, fl->upstream, &q, &fl->mem, &fl->failure);

        if (r == 0)
                r = qn_fetch_get(fl->g->fetch, &q, done, fl);
        if (r == 0)
                fl->parts++;
        return r;
}

static int fetch_attestations(struct qn_flight *fl)
{
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(QN_URL_MAX);

        if (!fl->attested)
                return 0;
        qn_buf_str(&url, fl->upstream->url);
        qn_buf_puts(&url, "/-/npm/v1/attestations/");
        qn_buf_printf(&url, "%.*s@%.*s", QN_STR_ARG(fl->name), QN_STR_ARG(fl->version));
        return fetch_url(fl, qn_buf_view(&url), QN_ATTESTATIONS_MAX, on_attestations);
}

static void fetch(struct qn_flight *fl)
{
        _cleanup_(qn_buf_done) struct qn_buf made = QN_BUF_INIT(QN_URL_MAX);
        int r;

        if (!fl->tarball.n) {
                qn_upstream_package_url(fl->upstream, fl->name, &made);
                qn_buf_printf(&made, "/-/%.*s-%.*s.tgz", QN_STR_ARG(qn_str_base(fl->name)),
                              QN_STR_ARG(fl->version));
                fl->tarball = qn_arena_dup(&fl->mem, qn_buf_view(&made));
        }
        r = fl->from_shelf ? 0 : fetch_url(fl, fl->tarball, QN_TARBALL_MAX, on_tarball);
        if (r == 0)
                r = fetch_attestations(fl);
        if (r == 0 && !fl->parts) {
                qn_flight_analyse(fl);
                return;
        }
        if (r == 0)
                return;
        if (r != -EPERM)
                qn_failure_set(&fl->failure, 503, "%.*s@%.*s cannot be fetched now: %s",
                               QN_STR_ARG(fl->name), QN_STR_ARG(fl->version), strerrordesc_np(-r));
        if (!fl->parts)
                qn_flight_fail(fl);
}

/* On disk, as whole as it was put there. */
static bool take_from_shelf(struct qn_flight *fl)
{
        struct qn_ledger_cached row;

        if (!fl->integrity.n ||
            qn_shelf_open(fl->g, QN_CACHED_TARBALL, fl->integrity, &fl->body, &fl->mem, &row) < 0)
                return false;
        fl->size = row.size;
        fl->from_shelf = is_promised(fl);
        if (fl->from_shelf)
                return true;
        qn_gate_note(fl->g, "%.*s@%.*s: its file in the cache is damaged, and fetched again",
                     QN_STR_ARG(fl->name), QN_STR_ARG(fl->version));
        qn_closep(&fl->body);
        qn_shelf_drop(fl->g, QN_CACHED_TARBALL, fl->integrity);
        return false;
}

static int take_fact(struct qn_flight *fl, const struct qn_packument_fact *fact)
{
        size_t i = (size_t)(fact - fl->p->facts.versions);

        fl->attested = fact->attested;
        fl->integrity = qn_arena_dup(&fl->mem, fact->integrity.p ? fact->integrity : QN_STR(""));
        fl->tarball = qn_arena_dup(&fl->mem, fact->tarball.p ? fact->tarball : QN_STR(""));
        qn_decide_facts(fl->g, fl->p, i, &fl->mem, &fl->facts);
        fl->facts.version = fl->version;
        fl->facts.name = fl->name;
        return fl->integrity.p && fl->tarball.p ? 0 : -ENOBUFS;
}

/* What is known before there are bytes may be enough. */
static bool refused_beforehand(struct qn_flight *fl)
{
        qn_policy_decide(fl->g->policy, &fl->facts, qn_gate_now(), &fl->decision);
        if (lets_through(&fl->decision))
                return false;
        note_decision(fl);
        answer_all(fl, answer_refused);
        free_flight(fl);
        return true;
}

/* What is not judged by the rules of today is looked at; its bytes may be here already. */
static void start(struct qn_flight *fl)
{
        bool here = take_from_shelf(fl);

        fl->facts.judged = qn_decide_recorded(fl->g, fl->integrity, &fl->mem, &fl->facts);
        if (here && fl->facts.judged)
                qn_flight_land(fl);
        else if (fl->again || !refused_beforehand(fl))
                fetch(fl);
}

static void on_package(struct qn_gate *g, struct qn_package *p, const struct qn_failure *f,
                       void *user)
{
        struct qn_flight *fl = user;
        const struct qn_packument_fact *fact = p ? qn_package_find(p, fl->version) : NULL;

        if (!p) {
                fl->failure = *f;
                qn_flight_fail(fl);
                return;
        }
        fl->p = p;
        qn_package_ref(p);
        fl->upstream = qn_upstream_of(g, fl->name, NULL, &fl->failure);
        fl->place = qn_upstream_place(g, fl->name);
        if (!fl->upstream) {
                qn_flight_fail(fl);
                return;
        }
        if (!fact || fact->mismatch || take_fact(fl, fact) < 0) {
                qn_failure_set(&fl->failure, 404, "%s has no version %.*s in the registry", p->name,
                               QN_STR_ARG(fl->version));
                qn_flight_fail(fl);
                return;
        }
        start(fl);
}

/* --- one flight for all that ask for the same --- */

static struct qn_flight *find(struct qn_gate *g, struct qn_str name, struct qn_str version)
{
        struct qn_flight *fl;

        TAILQ_FOREACH (fl, &g->flights, link)
                if (!fl->alone && qn_str_eq(fl->name, name) && qn_str_eq(fl->version, version))
                        return fl;
        return NULL;
}

static struct qn_flight *add(struct qn_gate *g, struct qn_str name, struct qn_str version)
{
        struct qn_flight *fl = calloc(1, sizeof *fl);

        if (!fl)
                return NULL;
        fl->g = g;
        fl->mem = QN_ARENA_INIT(QN_FLIGHT_ARENA_MAX);
        fl->name = qn_arena_dup(&fl->mem, name);
        fl->version = qn_arena_dup(&fl->mem, version);
        fl->body = fl->previous = -1;
        for (unsigned i = 0; i < QN_DOC_MAX; i++)
                fl->docs[i] = -1;
        fl->deadline = qn_gate_monotonic() + qn_policy_budget_ms(g->policy);
        TAILQ_INIT(&fl->waiting);
        TAILQ_INSERT_TAIL(&g->flights, fl, link);
        return fl;
}

void qn_artifact_ask(struct qn_gate *g, struct qn_asked *a)
{
        struct qn_flight *fl = a->route.version.n ? find(g, a->route.name, a->route.version) : NULL;
        struct qn_failure f;
        bool under_way = fl != NULL;

        if (!a->route.version.n) {
                qn_failure_set(&f, 404, "%.*s is no tarball of %.*s", QN_STR_ARG(a->route.file),
                               QN_STR_ARG(a->route.name));
                qn_answer_failure(g, a, &f);
                return;
        }
        if (!fl)
                fl = add(g, a->route.name, a->route.version);
        if (!fl) {
                qn_failure_set(&f, 503, "out of memory");
                qn_answer_failure(g, a, &f);
                return;
        }
        if (TAILQ_EMPTY(&fl->waiting)) { /* nobody's until now: this one has a budget of its own */
                fl->late = false;
                fl->deadline = qn_gate_monotonic() + qn_policy_budget_ms(g->policy);
        }
        TAILQ_INSERT_TAIL(&fl->waiting, a, link);
        if (!under_way)
                qn_package_want(g, fl->name, on_package, fl);
}

/* --- once more --- */

/* The registry does not have it any more, cannot be asked (f says why), or has something else under its name. */
static void look_alone(struct qn_flight *fl, const struct qn_failure *f)
{
        fl->alone = true;
        if (f) {
                fl->failure = *f;
                fl->g->again_missed = fl->g->again_missed || f->status >= 500;
        }
        if (take_from_shelf(fl)) {
                qn_flight_analyse(fl);
                return;
        }
        qn_flight_fail(fl);
}

static void on_package_again(struct qn_gate *g, struct qn_package *p, const struct qn_failure *f,
                             void *user)
{
        struct qn_flight *fl = user;
        const struct qn_packument_fact *fact = p ? qn_package_find(p, fl->version) : NULL;

        if (!TAILQ_EMPTY(&fl->waiting))
                on_package(g, p, f, fl);
        else if (fact && !fact->mismatch && fact->integrity.p &&
                 qn_str_eq(fact->integrity, fl->integrity))
                on_package(g, p, NULL, fl);
        else
                look_alone(fl, p ? NULL : f);
}

void qn_artifact_again(struct qn_gate *g, const struct qn_ledger_artifact *a)
{
        struct qn_flight *fl = find(g, a->name, a->version) ? NULL : add(g, a->name, a->version);

        if (!fl)
                return;
        fl->integrity = qn_arena_dup(&fl->mem, a->integrity);
        fl->again = true;
        g->n_again++;
        g->counts.again++;
        qn_package_want(g, fl->name, on_package_again, fl);
}

void qn_artifacts_free(struct qn_gate *g)
{
        struct qn_flight *fl;
        struct qn_asked *a;

        while ((fl = TAILQ_FIRST(&g->flights))) {
                while ((a = TAILQ_FIRST(&fl->waiting))) {
                        TAILQ_REMOVE(&fl->waiting, a, link);
                        qn_asked_free(a);
                }
                free_flight(fl);
        }
}
