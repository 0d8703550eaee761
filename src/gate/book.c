/* book.c - the ledger: notes of what is about to be served, written together, and only then acknowledged. */
#include <errno.h>

#include "gate/gate-priv.h"

#define EPOCH_AT \
        40u /* bits of an artifact's number; behind them the epoch in which it was handed out */

static struct qn_str keep(struct qn_arena *a, struct qn_str s)
{
        return s.n ? qn_arena_dup(a, s) : (struct qn_str){ 0 };
}

static void acknowledge(struct qn_gate *g, unsigned kind, uint64_t seq)
{
        qn_face_send(g, kind, seq, QN_STR(""), (struct qn_cur){ 0 }, -1);
}

uint64_t qn_book_ticket(const struct qn_gate *g, int64_t artifact)
{
        return (uint64_t)artifact | g->epoch << EPOCH_AT;
}

/* Its answer lay at the face while the artifact was convicted or blocked: it was not served yet, and is not now. */
static bool is_too_late(struct qn_gate *g, uint64_t ticket, int64_t artifact)
{
        return ticket != qn_book_ticket(g, artifact) && !qn_decide_still(g, artifact);
}

void qn_book_note(struct qn_gate *g, uint64_t seq, const struct qn_front_note *n)
{
        struct qn_ledger_fetch *f = &g->notes[g->n_notes];
        struct qn_arena *a = &g->notes_mem;
        int64_t artifact = (int64_t)(n->artifact & ((UINT64_C(1) << EPOCH_AT) - 1));

        if (is_too_late(g, n->artifact, artifact)) {
                acknowledge(g, QN_FRONT_REFUSED, seq);
                return;
        }
        *f = (struct qn_ledger_fetch){ .artifact.id = artifact,
                                       .time = qn_gate_now(),
                                       .token = keep(a, n->client.token),
                                       .address = keep(a, n->client.address),
                                       .user_agent = keep(a, n->client.user_agent),
                                       .session = keep(a, n->client.session),
                                       .command = keep(a, n->client.command),
                                       .ci = keep(a, n->client.ci) };
        g->note_seqs[g->n_notes++] = seq;
        if (g->n_notes == QN_GATE_TURN)
                qn_book_write(g);
}

void qn_book_write(struct qn_gate *g)
{
        int r = g->n_notes ? qn_db_begin(&g->db) : 0;
        struct qn_err err = { 0 };

        if (!g->n_notes)
                return;
        for (size_t i = 0; i < g->n_notes && r == 0; i++)
                r = qn_ledger_add(&g->db, &g->notes[i]);
        if (r == 0)
                r = qn_db_commit(&g->db);
        if (r < 0) {
                qn_db_fail(&g->db, r, &err);
                qn_db_rollback(&g->db);
                qn_gate_note(g, "the ledger cannot be written, nothing is served: %s", err.msg);
        }
        for (size_t i = 0; i < g->n_notes; i++)
                acknowledge(g, r < 0 ? QN_FRONT_REFUSED : QN_FRONT_NOTED, g->note_seqs[i]);
        g->counts.notes += r < 0 ? 0 : g->n_notes;
        g->counts.served += r < 0 ? 0 : g->n_notes;
        g->n_notes = 0;
        qn_arena_reset(&g->notes_mem, 1 << 20);
}
