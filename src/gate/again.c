/* again.c - what was served is judged again when rules or intelligence are others, though nobody asks for it: one after the
 * other, while the analyse roles have nothing else to do. */
#include <errno.h>

#include "gate/gate-priv.h"
#include "role/pool.h"

void qn_again_begin(struct qn_gate *g)
{
        g->again = true;
        g->again_missed = false;
        g->again_after = g->again_at = 0;
}

/* Clients come first. */
bool qn_again_may_go_on(const struct qn_gate *g)
{
        return g->again && g->n_again < QN_GATE_AGAIN_MAX &&
               qn_pool_pending(g->pool) <= g->n_again && !g->face.draining &&
               g->again_at <= qn_gate_monotonic();
}

/* A registry that is down now may be there later. */
static void end(struct qn_gate *g)
{
        bool missed = g->again_missed;

        if (missed)
                qn_again_begin(g);
        g->again = missed;
        g->again_at = qn_gate_monotonic() + QN_GATE_AGAIN_MS;
}

static void take_next(struct qn_gate *g)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 16);
        char by[2][QN_REVISION_TEXT];
        const struct qn_str rules[2] = { qn_revision(g, false, by[0]),
                                         qn_revision(g, true, by[1]) };
        struct qn_ledger_artifact next;
        int r = qn_ledger_outdated(&g->db, g->again_after, rules, &a, &next);

        if (r == -ENOENT) {
                if (!g->n_again)
                        end(g);
                return;
        }
        if (r < 0) { /* another process may hold it */
                g->again_at = qn_gate_monotonic() + QN_GATE_RETRY_MS;
                qn_gate_note(g, "what was served cannot be looked through now: %s",
                             strerrordesc_np(-r));
                return;
        }
        g->again_after = next.id;
        qn_artifact_again(g, &next);
}

void qn_again_step(struct qn_gate *g)
{
        for (unsigned n = 0; n < QN_GATE_AGAIN_TURN && qn_again_may_go_on(g); n++)
                take_next(g);
}
