/* turned.c - what was served and turns bad later: intelligence has news, or a verdict changed.  Everybody who has it is named at
 * once: in the log, in the ledger's alarms, and to the webhook. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "gate/alarm.h"
#include "gate/gate-priv.h"
#include "intel/tell.h"
#include "role/fetch.h"
#include "role/input.h"
#include "role/webhook.h"

/* --- telling --- */

struct told {
        struct qn_gate *g;
        int64_t artifact;
};

static void on_told(struct qn_http_result *res, void *user)
{
        struct told *t = user;

        t->g->telling--;
        if (res->code == QN_HTTP_OK && qn_ledger_told(&t->g->db, t->artifact) == 0) {
                free(t);
                return;
        }
        qn_gate_note(t->g, "the webhook was not told: %s", res->message);
        free(t);
}

/* The latest of those that fetched it; oldest first while they are collected. */
struct fetchers {
        struct qn_arena *a;
        struct qn_alarm_fetch *v;
        size_t n, cap;
        uint64_t total;
};

static struct qn_str keep(struct qn_arena *a, struct qn_str s)
{
        return s.p ? qn_arena_dup(a, s) : s;
}

static int on_fetcher(void *ctx, const struct qn_ledger_fetch *f)
{
        struct fetchers *all = ctx;
        struct qn_alarm_fetch *w;

        all->total++;
        if (all->n == QN_ALARM_FETCHES_MAX) { /* the oldest one goes */
                memmove(all->v, all->v + 1, (all->n - 1) * sizeof *all->v);
                all->n--;
        }
        if (QN_ARENA_ROOM(all->a, all->v, all->n, all->cap) < 0)
                return -ENOBUFS;
        w = &all->v[all->n++];
        *w = (struct qn_alarm_fetch){ .time_ms = f->time,
                                      .client = { .token = keep(all->a, f->token),
                                                  .address = keep(all->a, f->address),
                                                  .user_agent = keep(all->a, f->user_agent),
                                                  .session = keep(all->a, f->session),
                                                  .command = keep(all->a, f->command),
                                                  .ci = keep(all->a, f->ci) } };
        return 0;
}

static void newest_first(struct fetchers *all)
{
        for (size_t i = 0; i < all->n / 2; i++) {
                struct qn_alarm_fetch f = all->v[i];

                all->v[i] = all->v[all->n - 1 - i];
                all->v[all->n - 1 - i] = f;
        }
}

static int post(struct qn_gate *g, const struct qn_alarm_event *e, int64_t artifact)
{
        _cleanup_(qn_buf_done) struct qn_buf body = QN_BUF_INIT((size_t)16 << 20);
        char id[32];
        struct qn_webhook w = { .url = g->service.webhook,
                                .secret = g->service.webhook_secret,
                                .time_ms = qn_gate_now(),
                                .total_ms = QN_GATE_WEBHOOK_MS };
        struct told *t;
        int r = qn_alarm_write(e, &body);

        if (r < 0)
                return r;
        snprintf(id, sizeof id, "%" PRIu64, e->id);
        w.id = qn_str_c(id);
        w.body = qn_buf_view(&body);
        t = calloc(1, sizeof *t);
        if (!t)
                return -ENOMEM;
        *t = (struct told){ g, artifact };
        r = qn_webhook_post(g->fetch, &w, on_told, t);
        if (r < 0)
                free(t);
        else
                g->telling++;
        return r;
}

static int on_untold(void *ctx, const struct qn_ledger_alarm *l)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_gate *g = ctx;
        struct fetchers all = { .a = &a };
        const struct qn_ledger_filter of = { .artifact = l->artifact.id };
        struct qn_alarm_event e = { .id = (uint64_t)l->artifact.id,
                                    .time_ms = l->time,
                                    .gate = g->service.url,
                                    .name = l->artifact.name,
                                    .version = l->artifact.version,
                                    .integrity = l->artifact.integrity,
                                    .reason = l->reason };
        int r = qn_verdict_from_name(l->verdict, &e.verdict);

        if (r == 0)
                r = qn_verdict_from_name(l->before, &e.before);
        if (r == 0)
                r = qn_ledger_each(&g->db, &of, on_fetcher, &all);
        newest_first(&all);
        e.fetches = all.v;
        e.n_fetches = all.n;
        e.total = all.total;
        if (r == 0)
                r = post(g, &e, l->artifact.id);
        if (r < 0)
                qn_gate_note(g, "the webhook was not told of %.*s@%.*s: %s",
                             QN_STR_ARG(l->artifact.name), QN_STR_ARG(l->artifact.version),
                             strerrordesc_np(-r));
        return 0;
}

static void tell(struct qn_gate *g)
{
        if (g->service.webhook.p && !g->telling && qn_ledger_alarms(&g->db, true, on_untold, g) < 0)
                qn_gate_note(g, "the ledger's alarms cannot be read");
}

/* --- finding --- */

static int on_count(void *ctx, const struct qn_ledger_fetch *f QN_UNUSED)
{
        ++*(size_t *)ctx;
        return 0;
}

enum qn_verdict_kind qn_turned_verdict(struct qn_gate *g, struct qn_str integrity)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        enum qn_verdict_kind kind = QN_UNKNOWN;
        struct qn_ledger_verdict v;

        if (qn_ledger_verdict(&g->db, integrity, &a, &v) < 0 ||
            qn_verdict_from_name(v.verdict, &kind) < 0)
                return QN_UNKNOWN;
        return kind;
}

int qn_turned_alarm(struct qn_gate *g, const struct qn_ledger_artifact *a,
                    enum qn_verdict_kind before, struct qn_str reason)
{
        const char *verdict = qn_verdict_name(QN_MALICIOUS);
        const struct qn_ledger_alarm alarm = { .artifact = *a,
                                               .time = qn_gate_now(),
                                               .before = qn_str_c(qn_verdict_name(before)),
                                               .verdict = qn_str_c(verdict),
                                               .reason = reason };
        const struct qn_ledger_filter of = { .artifact = a->id };
        size_t n = 0;
        int r = qn_ledger_alarm(&g->db, &alarm);

        if (r == 0)
                return 0; /* it is known */
        if (r > 0)
                r = qn_ledger_each(&g->db, &of, on_count, &n);
        g->counts.alarms++;
        g->alarmed = true;
        qn_gate_note(g, "%.*s@%.*s, which was served %zu times, is %s: %.*s; see qanat gate ledger",
                     QN_STR_ARG(a->name), QN_STR_ARG(a->version), n, verdict, QN_STR_ARG(reason));
        if (r < 0)
                qn_gate_note(g, "the alarm is not in the ledger: %s", strerrordesc_np(-r));
        return r;
}

struct look {
        struct qn_gate *g;
        struct qn_arena a;
};

static int on_served(void *ctx, const struct qn_ledger_artifact *s)
{
        struct look *l = ctx;
        const struct qn_intel_question q = { .name = s->name,
                                             .version = s->version,
                                             .integrity = s->integrity,
                                             .now_ms = qn_gate_now() };
        struct qn_intel_answer ans;
        int r = qn_intel_match(qn_tell_index(l->g->tell), qn_tell_trust(l->g->tell), &q, &l->a,
                               &ans);

        if (r == 0 && strcmp(qn_intel_verdict(&ans), "malicious") == 0)
                r = qn_turned_alarm(l->g, s, qn_turned_verdict(l->g, s->integrity),
                                    ans.matches[0].why);
        qn_arena_reset(&l->a, 1 << 20);
        return r;
}

/* The newest state; what cannot be read is never nothing. */
static int open_newest(struct qn_gate *g, struct qn_err *reterr)
{
        int r = g->tell ? qn_tell_again(&g->tell, g->config->data_dir, reterr)
                        : qn_tell_open(g->config->state_dir, g->config->data_dir, &g->tell, reterr);

        g->blind = r < 0 && !g->tell && (r != -ENOENT || g->intel);
        return r;
}

int qn_turned_open(struct qn_gate *g, struct qn_err *reterr)
{
        _cleanup_(qn_closep) int known = -1;
        struct qn_intel_stats st = { 0 };
        struct qn_cur table = { 0 };
        int r = open_newest(g, reterr);

        if (r == 0)
                r = qn_intel_stats(qn_tell_index(g->tell), &st);
        if (r == 0)
                r = qn_intel_known(qn_tell_index(g->tell), &table);
        if (r == 0 && qn_cur_left(&table))
                r = qn_input_sealed(table, &known);
        if (r < 0)
                return r;
        qn_tell_at(g->tell, qn_gate_now());
        qn_closep(&g->known);
        g->known = TAKE_FD(known);
        g->indicators = qn_hash64(table.p, qn_cur_left(&table));
        g->trust = qn_revision_trust(g->config->data_dir);
        g->intel = qn_hash64((const uint64_t[]){ st.state, g->trust }, 2 * sizeof(uint64_t));
        return 0;
}

/* Whether something is known now that was not, or what was known cannot be read any more. */
static bool has_news(struct qn_gate *g)
{
        bool blind = g->blind;
        struct qn_err err = { 0 };
        int r = qn_turned_open(g, &err);

        if (r < 0 && r != -ENOENT && !g->unread)
                qn_gate_note(g, "what is known to be bad cannot be read anew, %s: %s",
                             g->blind ? "everything counts as bad" : "going on with what was known",
                             err.msg[0] ? err.msg : strerrordesc_np(-r));
        g->unread = r < 0 && r != -ENOENT;
        return g->intel != g->looked || g->blind != blind;
}

void qn_turned_look(struct qn_gate *g, bool now)
{
        struct look l = { .g = g, .a = QN_ARENA_INIT((size_t)64 << 20) };
        int64_t at = qn_gate_monotonic();

        if (g->alarmed && !g->telling) {
                g->alarmed = false;
                tell(g);
        }
        if (!now && at - g->checked_at < QN_GATE_WATCH_MS)
                return;
        g->checked_at = at;
        if (has_news(g)) {
                qn_decide_again(g, NULL);
                qn_face_forget(g, QN_STR(""));
                g->epoch++;
                if (g->tell && qn_ledger_served(&g->db, on_served, &l) < 0)
                        qn_gate_note(g, "what was served cannot be looked through now");
                else
                        g->looked = g->intel;
                qn_again_begin(g);
        }
        qn_arena_done(&l.a);
        tell(g);
}
