#include "watch/member.h"

#include <errno.h>

#include "base/limits.h"
#include "campaign/tell.h"
#include "event/event.h"

static bool is_of_campaign(const struct qn_event *e)
{
        return e->kind == QN_EVENT_META && qn_str_is(qn_event_get(e, QN_ATTR_WHAT), "campaign");
}

/* Its events, with what is to be said of its campaign now instead of what was said before. */
static int with_campaign(struct qn_db *db, int64_t id, struct qn_arena *a, struct qn_buf *out)
{
        struct qn_event_set old, now;
        struct qn_cur bytes;
        size_t n = 0;
        int r = qn_versions_events_of(db, id, a, &bytes);

        if (r == 0)
                r = qn_event_set_read(&bytes, a, &old, NULL);
        if (r < 0)
                return r;
        for (size_t i = 0; i < old.n; i++)
                if (!is_of_campaign(&old.events[i]))
                        old.events[n++] = old.events[i];
        old.n = n;
        qn_event_set_init(&now, a);
        now.name = old.name;
        now.version = old.version;
        now.integrity = old.integrity;
        qn_event_set_add_all(&now, &old);
        r = qn_campaign_tell(db, id, &now);
        if (r >= 0)
                r = qn_event_set_seal(&now);
        return r < 0 ? r : qn_event_set_write(&now, out);
}

static int put_judged(struct qn_db *db, const struct qn_rejudge_conf *conf,
                      const struct qn_rejudged *to, struct qn_arena *a, struct qn_member *m)
{
        struct qn_seen_finding *findings;
        char by[QN_REVISION_TEXT];
        int64_t id;
        int r = qn_rejudge_findings(&to->verdict, a, &findings);

        if (r == 0)
                r = qn_versions_findings_list(db, m->was.id, a, &m->before, &m->n_before);
        if (r < 0)
                return r;
        m->is.n_findings = to->verdict.n;
        m->is.findings = findings;
        m->is.v.judged = conf->now;
        m->is.v.verdict = qn_str_c(qn_verdict_name(to->verdict.kind));
        m->is.v.score = to->verdict.score;
        m->is.v.reason = to->verdict.reason;
        m->is.v.rules = qn_arena_dup(a, qn_revision_text(&conf->by, to->relies, by));
        r = m->is.v.rules.p ? qn_versions_put(db, &m->is, &id) : -ENOBUFS;
        return r <= 0 ? r : !qn_str_eq(m->was.verdict, m->is.v.verdict);
}

int qn_member_judge(struct qn_db *db, const struct qn_rejudge_conf *conf, int64_t id,
                    struct qn_arena *a, struct qn_buf *events, struct qn_member *ret)
{
        struct qn_rejudged to;
        int r = qn_versions_by_id(db, id, a, &ret->was);

        if (r == 0)
                r = with_campaign(db, id, a, events);
        if (r == -ENOENT)
                return 0; /* retention has taken its events */
        if (r == 0)
                r = qn_rejudge_version(conf, &ret->was, qn_cur_mem(events->p, events->n), a, &to);
        if (r < 0)
                return r;
        ret->is = (struct qn_seen_put){ .v = ret->was, .events = qn_buf_view(events) };
        return put_judged(db, conf, &to, a, ret);
}
