/* record.c - verdicts, events and the ends of names go into the store in transactions of many.  One that fails is undone as a whole:
 * the names that had something in it stay in the queue, and are looked at again. */
#include <errno.h>

#include "base/buf.h"
#include "base/limits.h"
#include "campaign/track.h"
#include "event/event.h"
#include "parse/packument.h"
#include "rule/result.h"
#include "watch/watch-priv.h"

#define REST_MS 2000

/* What was undone is not there to belong to. */
static int reload_track(struct qn_watch *w)
{
        int r = w->track_lost ? qn_track_load(w->track, &w->db) : 0;

        w->track_lost = r < 0;
        return r;
}

int qn_record_begin(struct qn_watch *w)
{
        int r;

        if (w->in_transaction)
                return w->broken ? -ECANCELED : 0;
        r = reload_track(w);
        if (r == 0)
                r = qn_db_begin(&w->db);
        if (r < 0)
                return r;
        w->in_transaction = true;
        w->counts_before = w->counts;
        w->n_written = 0;
        w->began = qn_watch_monotonic();
        return 0;
}

void qn_record_failed(struct qn_watch *w, int r)
{
        if (r != -ECANCELED)
                qn_watch_note(
                        w, "the store cannot be written to: %s; what it missed is looked at again",
                        strerrordesc_np(-r));
        w->broken = w->in_transaction;
        w->rest_until = qn_watch_monotonic() + REST_MS;
}

/* Of what was undone nothing was counted. */
static void take_back_counts(struct qn_watch *w)
{
        struct qn_watch_counts *c = &w->counts, *before = &w->counts_before;

        c->versions = before->versions;
        c->campaigns = before->campaigns;
        c->late = before->late;
        memcpy(c->by_verdict, before->by_verdict, sizeof c->by_verdict);
        memcpy(c->span, before->span, sizeof c->span);
        memcpy(c->span_ms, before->span_ms, sizeof c->span_ms);
}

static void undo(struct qn_watch *w)
{
        qn_db_rollback(&w->db);
        take_back_counts(w);
        w->epoch++;
        w->untake = true; /* names whose end was undone */
        w->track_lost = true;
        w->counts.failed++;
}

void qn_record_end(struct qn_watch *w, bool now)
{
        int r;

        if (!w->in_transaction)
                return;
        if (!now && !w->broken && w->n_written < QN_WATCH_COMMIT_MAX &&
            qn_watch_monotonic() - w->began < QN_WATCH_COMMIT_MS)
                return;
        r = w->broken ? -ECANCELED : qn_db_commit(&w->db);
        if (r < 0) {
                qn_record_failed(w, r);
                undo(w);
        }
        w->in_transaction = w->broken = false;
        if (w->config.written)
                w->config.written(w->config.user, r == 0);
}

/* --- one version --- */

/* What could not be had is tried again; so is, some times, what a role died of, in case that was the machine's fault. */
static bool is_temporary(const struct qn_watch_name *n, const struct qn_result *res)
{
        if (res->verdict->kind != QN_UNKNOWN)
                return false;
        return res->unfetched || (!res->set->n && n->p.tries < QN_WATCH_ROLE_TRIES);
}

static int is_known_event(const struct qn_event *e)
{
        return e->layer == QN_LAYER_INTEL;
}

/* What nobody could look at would be clean when it is judged again: that it could not is an event, too. */
static int put_incomplete(const struct qn_result *res, struct qn_arena *a, struct qn_event_set *set)
{
        struct qn_event e = qn_event_make(QN_EVENT_UNANALYSED, QN_LAYER_METADATA, QN_FILE_NONE);
        struct qn_event_set whole;
        int r;

        if (res->verdict->kind != QN_UNKNOWN || res->verdict->n_unanalysed)
                return 0;
        qn_event_set_init(&whole, a);
        whole.name = set->name;
        whole.version = set->version;
        whole.integrity = set->integrity;
        qn_event_set_add_all(&whole, set);
        e.phase = QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("incomplete"));
        r = qn_event_add(&whole, &e);
        if (r == 0)
                r = qn_event_set_seal(&whole);
        if (r == 0)
                *set = whole;
        return r;
}

/* Without what intelligence knew of it: that is asked again whenever it is judged again. */
static int write_events(const struct qn_result *res, struct qn_arena *a, struct qn_buf *out)
{
        struct qn_event_set observed = *res->set;
        int r;

        observed.events = qn_arena_alloc(a, (res->set->n + 1) * sizeof *observed.events);
        if (!observed.events)
                return -ENOBUFS;
        observed.n = 0;
        for (size_t i = 0; i < res->set->n; i++)
                if (!is_known_event(&res->set->events[i]))
                        observed.events[observed.n++] = res->set->events[i];
        r = put_incomplete(res, a, &observed);
        return r < 0 ? r : qn_event_set_write(&observed, out);
}

static struct qn_seen seen_of(const struct qn_watch_name *n, const struct qn_result *res)
{
        return (struct qn_seen){ .name = n->p.name,
                                 .version = res->version,
                                 .integrity = res->integrity.p ? res->integrity : QN_STR(""),
                                 .publisher = res->publisher,
                                 .published = res->published,
                                 .seen = n->p.seen,
                                 .judged = qn_watch_now(),
                                 .verdict = qn_str_c(qn_verdict_name(res->verdict->kind)),
                                 .score = res->verdict->score,
                                 .reason = res->verdict->reason };
}

static void put_span(struct qn_watch *w, enum qn_watch_span s, int64_t from, int64_t to)
{
        uint64_t ms = from == QN_TIME_NONE || to < from ? 0 : (uint64_t)(to - from);
        unsigned at = 0;

        if (from == QN_TIME_NONE)
                return;
        while (at < QN_WATCH_BUCKETS && ms > (uint64_t)1 << at)
                at++;
        w->counts.span[s][at]++;
        w->counts.span_ms[s] += ms;
}

static void count(struct qn_watch *w, const struct qn_seen *v, enum qn_verdict_kind kind)
{
        w->counts.versions++;
        w->counts.by_verdict[kind]++;
        put_span(w, QN_SPAN_PUBLISHED_SEEN, v->published, v->seen);
        put_span(w, QN_SPAN_SEEN_VERDICT, v->seen, v->judged);
        put_span(w, QN_SPAN_PUBLISHED_VERDICT, v->published, v->judged);
}

static int tell(struct qn_watch *w, const struct qn_seen_put *put)
{
        const struct qn_watch_judged j = { .cause = QN_WATCH_NEW,
                                           .v = &put->v,
                                           .findings = put->findings,
                                           .n_findings = put->n_findings,
                                           .campaign = "" };

        return w->config.judged ? w->config.judged(w->config.user, &w->db, &j) : 0;
}

static bool relies_on_intel(const struct qn_result *res)
{
        for (size_t i = 0; res->set && i < res->set->n; i++)
                if (is_known_event(&res->set->events[i]))
                        return true;
        return false;
}

static int write_down(struct qn_watch *w, struct qn_watch_name *n, const struct qn_result *res)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf events = QN_BUF_INIT(QN_EVENTS_REPLY_MAX);
        struct qn_seen_put put = { .v = seen_of(n, res), .n_findings = res->verdict->n };
        struct qn_seen_finding *findings;
        char by[QN_REVISION_TEXT];
        int r = qn_rejudge_findings(res->verdict, &a, &findings);

        if (r == 0 && !is_temporary(n, res))
                r = write_events(res, &a, &events);
        if (r < 0)
                return r;
        put.findings = findings;
        put.v.rules = qn_revision_text(&w->by, relies_on_intel(res), by);
        if (events.n)
                put.events = qn_buf_view(&events);
        r = qn_versions_put(&w->db, &put, &put.v.id);
        if (r < 0)
                return r;
        count(w, &put.v, res->verdict->kind);
        w->n_written++;
        r = r > 0 ? tell(w, &put) : 0;
        /* What nobody has seen belongs to nothing yet. */
        return r < 0 || is_temporary(n, res) ? r : qn_found(w, put.v.id, &put.v, res);
}

int qn_record_result(void *user, const struct qn_result *res)
{
        struct qn_watch_name *n = res->tag;
        struct qn_watch *w = user;
        int r = res->version.n ? qn_record_begin(w) : -EINVAL;

        if (r == 0) {
                if (!n->epoch)
                        n->epoch = w->epoch;
                r = write_down(w, n, res);
                if (r < 0)
                        qn_record_failed(w, r);
        }
        if (r < 0 || is_temporary(n, res))
                snprintf(n->why, sizeof n->why, "%.*s: %.*s",
                         QN_STR_ARG(qn_str_take(res->version, 40)),
                         QN_STR_ARG(qn_str_take(res->verdict->reason, 100)));
        qn_name_one_less(n);
        return 0;
}

/* --- names --- */

static int64_t wait_ms(unsigned tries)
{
        return (int64_t)2000 << QN_MIN(tries, 12u);
}

/* The registry tells of a change before its documents show it; and what it had may be gone. */
static bool is_given_up(const struct qn_watch_name *n)
{
        return n->nothing && n->p.tries + 1 >= QN_WATCH_TRIES;
}

void qn_record_name(struct qn_watch *w, struct qn_watch_name *n)
{
        bool lost = n->epoch && n->epoch != w->epoch; /* a result of it was undone */
        int r = qn_record_begin(w);

        if (r == 0 && (lost || (n->why[0] && !is_given_up(n)))) {
                w->counts.late++;
                r = qn_pending_later(&w->db, &n->p, lost ? 0 : qn_watch_now() + wait_ms(n->p.tries),
                                     qn_str_c(lost ? "the store could not be written to" : n->why));
        } else if (r == 0) {
                r = qn_pending_done(&w->db, n->p.name, n->p.seq);
        }
        w->n_written++;
        if (r < 0)
                qn_record_failed(w, r);
}
