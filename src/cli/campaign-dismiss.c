/* campaign-dismiss.c - a person ends a campaign: that is written down, and its versions are judged without it. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/campaign-verb.h"
#include "cli/load-rules.h"
#include "cli/review.h"
#include "intel/tell.h"
#include "rule/rule.h"
#include "watch/member.h"

#define BATCH     500u /* versions of one transaction: others write, too */
#define LISTS_MAX ((size_t)256 << 20)

struct dismissing {
        struct qn_db *db;
        struct qn_arena a;
        struct qn_campaign of;
        struct qn_rejudge_conf conf;
        int64_t *ids;
        size_t n, cap, changed;
};

static int on_member(void *ctx, const struct qn_campaign_member *m)
{
        struct dismissing *d = ctx;

        if (QN_ARENA_ROOM(&d->a, d->ids, d->n, d->cap) < 0)
                return -ENOBUFS;
        d->ids[d->n++] = m->version;
        return 0;
}

static int judge_one(struct dismissing *d, int64_t id)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf events = QN_BUF_INIT(QN_EVENTS_REPLY_MAX);
        struct qn_member m;
        int r = qn_member_judge(d->db, &d->conf, id, &a, &events, &m);

        d->changed += r > 0;
        return r < 0 ? r : 0;
}

/* said: NULL: it was written down before. */
static int judge_some(struct dismissing *d, const struct qn_campaign_dismissal *said, size_t from)
{
        int r = qn_db_begin(d->db);

        if (r == 0 && said)
                r = qn_campaigns_dismiss(d->db, d->of.id, said);
        for (size_t i = from; r == 0 && i < QN_MIN(d->n, from + BATCH); i++)
                r = judge_one(d, d->ids[i]);
        if (r == 0)
                r = qn_db_commit(d->db);
        if (r < 0)
                qn_db_rollback(d->db);
        return r;
}

static int dismiss(struct dismissing *d, const struct qn_campaign_dismissal *said)
{
        int r = qn_campaigns_members(d->db, d->of.id, on_member, d);

        if (d->of.dismissed) {
                log_note("%.*s is dismissed already: its versions are judged again",
                         QN_STR_ARG(d->of.id));
                said = NULL;
        }
        for (size_t i = 0; r == 0 && (i < d->n || i == 0); i += BATCH)
                r = judge_some(d, i ? NULL : said, i);
        return r < 0 ? log_err(r, "it is not all written down: %s", strerrordesc_np(-r)) : 0;
}

/* --- what they are judged by --- */

static int load(const struct qn_args *a, struct qn_rules **rules, struct qn_tell **tell,
                struct qn_rejudge_conf *ret)
{
        struct qn_err err = { 0 };
        int r = qn_load_rules(a, rules);

        if (r < 0)
                return r;
        r = qn_revision_tables(a->data, &ret->by.tables, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = qn_tell_open(a->state, a->data, tell, &err);
        if (r < 0 && r != -ENOENT)
                return log_err(r, "%s", err.msg);
        ret->rules = *rules;
        ret->tell = *tell;
        ret->now = (int64_t)time(NULL) * 1000;
        ret->by.rules = qn_rules_revision(*rules);
        ret->by.trust = qn_revision_trust(a->data);
        if (!*tell)
                return 0;
        qn_tell_at(*tell, ret->now);
        r = qn_revision_index(qn_tell_index(*tell), &ret->by);
        return r < 0 ? log_err(r, "what is known cannot be read: %s", strerrordesc_np(-r)) : 0;
}

int qn_campaign_dismiss(struct qn_campaign_answer *c, const char *id)
{
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        _cleanup_(qn_tell_freep) struct qn_tell *tell = NULL;
        struct dismissing d = { .db = c->db, .a = QN_ARENA_INIT(LISTS_MAX) };
        struct qn_campaign_dismissal said = { .time = (int64_t)time(NULL) * 1000 };
        int r = qn_review_reason(qn_args_get(c->args, "reason"), &said.reason);

        if (r == 0 && !said.reason.n)
                r = log_err(-EINVAL, "why? say it with --reason TEXT");
        if (r == 0)
                r = qn_review_who(c->args, &said.who);
        if (r == 0)
                r = load(c->args, &rules, &tell, &d.conf);
        if (r == 0) {
                r = qn_campaigns_find(c->db, qn_str_c(id), &d.a, &d.of);
                if (r == -ENOENT)
                        log_err(r, "there is no campaign %s: qanat campaign list", id);
        }
        said.verdict = d.of.verdict;
        if (r == 0)
                r = dismiss(&d, &said);
        if (r == 0)
                qn_buf_printf(
                        &c->out,
                        "%.*s is dismissed: %zu of its %zu versions have another verdict now\n",
                        QN_STR_ARG(d.of.id), d.changed, d.n);
        qn_arena_done(&d.a);
        return r;
}
