#include "intel/index-priv.h"

#include <errno.h>

#include "intel/record.h"

static int forget_oldest(struct qn_intel *x)
{
        MDB_cursor *c;
        MDB_stat st;
        MDB_val k, v;
        int r = qn_ix_code(mdb_stat(x->txn, x->dbi[HISTORY], &st));

        if (r < 0 || st.ms_entries <= QN_INTEL_HISTORY)
                return r;
        r = qn_ix_code(mdb_cursor_open(x->txn, x->dbi[HISTORY], &c));
        if (r < 0)
                return r;
        r = qn_ix_code(mdb_cursor_get(c, &k, &v, MDB_FIRST));
        if (r == 0)
                r = qn_ix_code(mdb_cursor_del(c, 0));
        mdb_cursor_close(c);
        return r;
}

int qn_ix_put_change(struct qn_intel *x, const struct qn_intel_source *s)
{
        const struct qn_intel_counts *n = &x->im.counts;
        uint32_t key = (uint32_t)x->im.generation;
        int r;

        qn_buf_reset(&x->value);
        qn_intel_put_num(&x->value, s->updated_s);
        qn_intel_put_text(&x->value, s->name);
        qn_intel_put_num(&x->value, n->added);
        qn_intel_put_num(&x->value, n->changed);
        qn_intel_put_num(&x->value, n->same);
        qn_intel_put_num(&x->value, n->removed);
        qn_intel_put_num(&x->value, x->im.n_gone);
        qn_buf_str(&x->value, qn_buf_view(&x->im.gone));
        r = qn_buf_error(&x->value);
        if (r == 0)
                r = qn_ix_put(x, HISTORY, qn_ix_val(&key, sizeof key),
                              qn_ix_val(x->value.p, x->value.n), 0);
        return r == 0 ? forget_oldest(x) : r;
}

static int get_change(struct qn_cur c, struct qn_arena *a, struct qn_intel_change *ret)
{
        uint64_t *const counts[] = { &ret->counts.added, &ret->counts.changed, &ret->counts.same,
                                     &ret->counts.removed };
        uint64_t n;

        if (qn_intel_get_num(&c, &ret->at_s) < 0 || qn_intel_get_text(&c, &ret->source) < 0)
                return -EBADMSG;
        for (size_t i = 0; i < QN_ARRAY_SIZE(counts); i++)
                if (qn_intel_get_num(&c, counts[i]) < 0)
                        return -EBADMSG;
        if (qn_intel_get_num(&c, &n) < 0 || n > QN_INTEL_GONE_MAX)
                return -EBADMSG;
        ret->gone = qn_arena_calloc(a, n + 1, sizeof *ret->gone);
        if (!ret->gone)
                return -ENOBUFS;
        for (ret->n_gone = 0; ret->n_gone < n; ret->n_gone++)
                if (qn_intel_get_text(&c, &ret->gone[ret->n_gone]) < 0)
                        return -EBADMSG;
        return 0;
}

int qn_intel_history(struct qn_intel *x, uint64_t after, struct qn_arena *a,
                     struct qn_intel_change **ret, size_t *ret_n)
{
        struct qn_intel_change *list = NULL;
        size_t n = 0, cap = 0;
        uint32_t first = (uint32_t)after + 1;
        MDB_val k = qn_ix_val(&first, sizeof first), v;
        MDB_cursor *c;
        int r = qn_ix_code(mdb_cursor_open(x->txn, x->dbi[HISTORY], &c));

        if (r < 0)
                return r;
        for (r = qn_ix_code(mdb_cursor_get(c, &k, &v, MDB_SET_RANGE)); r == 0;
             r = qn_ix_code(mdb_cursor_get(c, &k, &v, MDB_NEXT))) {
                uint32_t generation;

                if (k.mv_size != sizeof generation || QN_ARENA_ROOM(a, list, n, cap) < 0) {
                        r = -ENOBUFS;
                        break;
                }
                memcpy(&generation, k.mv_data, sizeof generation);
                list[n] = (struct qn_intel_change){ .generation = generation };
                r = get_change(qn_ix_cur(v), a, &list[n]);
                if (r < 0)
                        break;
                n++;
        }
        mdb_cursor_close(c);
        *ret = list;
        *ret_n = n;
        return r == -ENOENT ? 0 : r;
}
