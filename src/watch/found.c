/* found.c - a version that is on record is held against all others; what a campaign does to verdicts of its versions is written down
 * in the same transaction. */
#include "base/limits.h"
#include "campaign/track.h"
#include "event/event.h"
#include "parse/packument.h"
#include "rule/result.h"
#include "watch/member.h"
#include "watch/watch-priv.h"

/* --- a version of a campaign, judged with that --- */

static int raise_verdict(struct qn_watch *w, int64_t id, const char *campaign)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf events = QN_BUF_INIT(QN_EVENTS_REPLY_MAX);
        const struct qn_rejudge_conf conf = qn_back_scan_conf(w);
        struct qn_member m;
        struct qn_watch_judged j = { .cause = QN_WATCH_CAMPAIGN, .campaign = campaign };
        int r = qn_member_judge(&w->db, &conf, id, &a, &events, &m);

        if (r <= 0 || !w->config.judged)
                return r < 0 ? r : 0;
        j.v = &m.is.v;
        j.before = m.was.verdict;
        j.findings = m.is.findings;
        j.n_findings = m.is.n_findings;
        j.findings_before = m.before;
        j.n_findings_before = m.n_before;
        return w->config.judged(w->config.user, &w->db, &j);
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
