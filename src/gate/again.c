/* again.c - what was served is judged again when rules or intelligence are others, though nobody asks for it: one after the
 * other, while the analyse roles have nothing else to do. */
#include <errno.h>

#include "gate/gate-priv.h"
#include "role/pool.h"

void qn_again_begin(struct qn_gate *g)
{
        g->again = true;
        g->again_after = 0;
}

/* Clients come first. */
bool qn_again_may_go_on(const struct qn_gate *g)
{
        return g->again && g->n_again < QN_GATE_AGAIN_MAX &&
               qn_pool_pending(g->pool) <= g->n_again && !g->face.draining;
}

/* false: all was looked at. */
static bool take_next(struct qn_gate *g)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 16);
        char by[2][QN_REVISION_TEXT];
        const struct qn_str rules[2] = { qn_decide_revision(g, false, by[0]),
                                         qn_decide_revision(g, true, by[1]) };
        struct qn_ledger_artifact next;
        int r = qn_ledger_outdated(&g->db, g->again_after, rules, &a, &next);

        if (r < 0) {
                if (r != -ENOENT)
                        qn_gate_note(g, "what was served cannot be looked through: %s",
                                     strerrordesc_np(-r));
                return false;
        }
        g->again_after = next.id;
        qn_artifact_again(g, &next);
        return true;
}

void qn_again_step(struct qn_gate *g)
{
        for (unsigned n = 0; n < QN_GATE_AGAIN_TURN && qn_again_may_go_on(g); n++)
                g->again = take_next(g);
}
