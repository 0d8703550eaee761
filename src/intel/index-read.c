#include "intel/index-priv.h"

#include <errno.h>

#include "base/limits.h"
#include "intel/record.h"

int qn_ix_read_record(MDB_val v, uint32_t number, struct front *ret_front,
                      struct qn_intel_record *ret)
{
        struct qn_cur c = qn_ix_cur(v), head;

        if (qn_cur_copy(&c, sizeof *ret_front, ret_front) < 0 ||
            qn_cur_take(&c, ret_front->head_n, &head) < 0)
                return -EBADMSG;
        *ret = (struct qn_intel_record){ .number = number,
                                         .sources = ret_front->sources,
                                         .generation = ret_front->generation,
                                         .born = ret_front->born,
                                         .head = head,
                                         .cold = c };
        return 0;
}

int qn_ix_get_record(struct qn_intel *x, uint32_t number, struct front *ret_front,
                     struct qn_intel_record *ret)
{
        MDB_val v;
        int r = qn_ix_get(x, RECORDS, qn_ix_val(&number, sizeof number), &v);

        return r == 0 ? qn_ix_read_record(v, number, ret_front, ret) : r;
}

int qn_intel_complete(struct qn_intel *x, const struct qn_intel_record *rec, struct qn_arena *a,
                      struct qn_osv *osv)
{
        struct qn_cur c = rec->cold, cold;
        struct qn_squeeze *s;
        uint8_t number;
        int r = qn_cur_u8(&c, &number);

        if (r == 0)
                r = qn_ix_squeeze(x, number, &s);
        if (r == 0)
                r = qn_squeeze_unpack(s, c, QN_OSV_MAX * 2, a, &cold);
        return r == 0 ? qn_intel_unpack_cold(cold, a, osv) : r;
}

static int each(struct qn_intel *x, enum table t, MDB_val key, qn_intel_fn *fn, void *ctx)
{
        MDB_cursor *c;
        MDB_val v;
        int r = qn_ix_code(mdb_cursor_open(x->txn, x->dbi[t], &c)), e;

        if (r < 0)
                return r;
        for (e = mdb_cursor_get(c, &key, &v, MDB_SET_KEY); e == 0 && r == 0;
             e = mdb_cursor_get(c, &key, &v, MDB_NEXT_DUP)) {
                struct qn_intel_record rec;
                struct front f;
                uint32_t n;

                memcpy(&n, v.mv_data, sizeof n);
                r = qn_ix_get_record(x, n, &f, &rec);
                if (r == 0)
                        r = fn(ctx, &rec);
        }
        mdb_cursor_close(c);
        return r;
}

int qn_intel_by_name(struct qn_intel *x, struct qn_str name, qn_intel_fn *fn, void *ctx)
{
        struct key k;

        return each(x, NAMES, qn_ix_key(&k, 0, name), fn, ctx);
}

int qn_intel_by_id(struct qn_intel *x, struct qn_str id, qn_intel_fn *fn, void *ctx)
{
        struct key k;

        return each(x, IDS, qn_ix_key(&k, 0, id), fn, ctx);
}

int qn_intel_by_indicator(struct qn_intel *x, enum qn_indicator_kind kind, struct qn_str value,
                          qn_intel_fn *fn, void *ctx)
{
        struct key k;

        return each(x, IOCS, qn_ix_key(&k, qn_ix_ioc_prefix(kind), qn_indicator_key(kind, value)),
                    fn, ctx);
}

struct walked {
        qn_intel_fn *each;
        int (*name)(void *ctx, struct qn_str name);
        void *ctx;
};

static int on_record(void *ctx, MDB_val key, MDB_val value)
{
        const struct walked *w = ctx;
        struct qn_intel_record rec;
        struct front f;
        uint32_t n;
        int r;

        if (key.mv_size != sizeof n)
                return -EBADMSG;
        memcpy(&n, key.mv_data, sizeof n);
        r = qn_ix_read_record(value, n, &f, &rec);
        return r == 0 ? w->each(w->ctx, &rec) : r;
}

int qn_intel_all(struct qn_intel *x, qn_intel_fn *fn, void *ctx)
{
        return qn_ix_walk(x, RECORDS, MDB_NEXT, on_record,
                          &(struct walked){ .each = fn, .ctx = ctx });
}

/* No package has a name so long that its key is cut short. */
static int on_name(void *ctx, MDB_val key, MDB_val value QN_UNUSED)
{
        const struct walked *w = ctx;

        return key.mv_size > QN_IX_KEY_MAX
                       ? 0
                       : w->name(w->ctx, (struct qn_str){ key.mv_data, key.mv_size });
}

int qn_intel_names(struct qn_intel *x, int (*fn)(void *ctx, struct qn_str name), void *ctx)
{
        return qn_ix_walk(x, NAMES, MDB_NEXT_NODUP, on_name,
                          &(struct walked){ .name = fn, .ctx = ctx });
}
