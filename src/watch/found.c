/* found.c - a version that is on record is held against all others; what a campaign does to verdicts of its versions is written down
 * in the same transaction. */
#include <errno.h>

#include "base/buf.h"
#include "base/limits.h"
#include "campaign/tell.h"
#include "campaign/track.h"
#include "check/intel.h"
#include "event/event.h"
#include "parse/packument.h"
#include "rule/result.h"
#include "watch/rejudge.h"
#include "watch/watch-priv.h"

/* --- a version of a campaign, judged with that --- */

static bool is_of_campaign(const struct qn_event *e)
{
        return e->kind == QN_EVENT_META && qn_str_is(qn_event_get(e, QN_ATTR_WHAT), "campaign");
}

/* Its events, with what is to be said of its campaign now instead of what was said before. */
static int with_campaign(struct qn_watch *w, int64_t id, struct qn_arena *a, struct qn_buf *out)
{
        struct qn_event_set old, now;
        struct qn_cur bytes;
        size_t n = 0;
        int r = qn_versions_events_of(&w->db, id, a, &bytes);

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
        r = qn_campaign_tell(&w->db, id, &now);
        if (r >= 0)
                r = qn_event_set_seal(&now);
        return r < 0 ? r : qn_event_set_write(&now, out);
}

static int put_judged(struct qn_watch *w, const struct qn_seen *was, const struct qn_rejudged *to,
                      struct qn_str events, const char *campaign)
{
        struct qn_seen_put put = { .v = *was, .events = events, .n_findings = to->verdict.n };
        struct qn_watch_judged j = { .cause = QN_WATCH_CAMPAIGN,
                                     .v = &put.v,
                                     .before = was->verdict,
                                     .n_findings = to->verdict.n,
                                     .campaign = campaign };
        char by[QN_REVISION_TEXT];
        struct qn_seen_finding *findings, *before;
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        int64_t id;
        int r = qn_rejudge_findings(&to->verdict, &a, &findings);

        if (r == 0)
                r = qn_versions_findings_list(&w->db, was->id, &a, &before, &j.n_findings_before);
        if (r < 0)
                return r;
        put.findings = j.findings = findings;
        j.findings_before = before;
        put.v.judged = qn_watch_now();
        put.v.verdict = qn_str_c(qn_verdict_name(to->verdict.kind));
        put.v.score = to->verdict.score;
        put.v.reason = to->verdict.reason;
        put.v.rules = qn_revision_text(&w->by, to->relies, by);
        r = qn_versions_put(&w->db, &put, &id);
        if (r <= 0 || qn_str_eq(was->verdict, put.v.verdict) || !w->config.judged)
                return r < 0 ? r : 0;
        return w->config.judged(w->config.user, &w->db, &j);
}

static int raise_verdict(struct qn_watch *w, int64_t id, const char *campaign)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf events = QN_BUF_INIT(QN_EVENTS_REPLY_MAX);
        const struct qn_rejudge_conf conf = qn_back_scan_conf(w);
        struct qn_rejudged to;
        struct qn_seen was;
        int r = qn_versions_by_id(&w->db, id, &a, &was);

        if (r == 0)
                r = with_campaign(w, id, &a, &events);
        if (r == -ENOENT)
                return 0; /* retention has taken its events */
        if (r == 0)
                r = qn_rejudge_version(&conf, &was, qn_cur_mem(events.p, events.n), &a, &to);
        return r < 0 ? r : put_judged(w, &was, &to, qn_buf_view(&events), campaign);
}

/* --- each version --- */

static int tell_campaign(struct qn_watch *w, const struct qn_track_news *news)
{
        const struct qn_watch_campaign c = { .id = news->id,
                                             .verdict = qn_str_c(qn_verdict_name(news->verdict)),
                                             .title = news->title,
                                             .packages = news->packages,
                                             .founded = news->founded,
                                             .worsened = news->worsened };

        w->counts.campaigns += news->founded;
        if (!w->config.campaign || !(news->founded || news->worsened || news->grew))
                return 0;
        return w->config.campaign(w->config.user, &w->db, &c);
}

int qn_found(struct qn_watch *w, int64_t id, const struct qn_seen *v, const struct qn_result *res)
{
        const struct qn_track_version t = { .id = id,
                                            .name = v->name,
                                            .version = v->version,
                                            .publisher = v->publisher,
                                            .published = v->published == QN_TIME_NONE
                                                                 ? v->seen
                                                                 : v->published,
                                            .imprint = res->imprint,
                                            .set = res->set && res->set->n ? res->set : NULL,
                                            .verdict = res->verdict->kind };
        struct qn_track_news news;
        char campaign[QN_CAMPAIGN_ID_BYTES];
        int r = qn_track_add(w->track, &w->db, &t, &news);

        if (r <= 0)
                return r;
        memcpy(campaign, news.id, sizeof campaign);
        r = tell_campaign(w, &news);
        for (size_t i = 0; r == 0 && i < news.n_raise; i++)
                r = raise_verdict(w, news.raise[i], campaign);
        return r;
}
