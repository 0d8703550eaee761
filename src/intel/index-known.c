#include "intel/index-priv.h"

#include <errno.h>

#include "observe/known.h"

#define KNOWN_MAX ((size_t)256 << 20)

static const char meta_key[] = "known";

struct keys {
        struct qn_arena *a;
        uint64_t *v;
        size_t n, cap;
        bool files;
};

/* A value that is so long that its key is cut short is not asked for in packages. */
static int add(void *ctx, MDB_val k, MDB_val v QN_UNUSED)
{
        struct qn_str key = { k.mv_data, k.mv_size };
        struct keys *keys = ctx;
        enum qn_indicator_kind kind;

        if (key.n < 2 || key.n > QN_IX_KEY_MAX)
                return 0;
        kind = (enum qn_indicator_kind)(key.p[0] - 'A');
        if (kind == QN_IOC_FILE || kind >= QN_IOC_MAX)
                return 0;
        if (QN_ARENA_ROOM(keys->a, keys->v, keys->n, keys->cap) < 0)
                return -ENOMEM;
        keys->v[keys->n++] = qn_known_key(kind, qn_str_skip(key, 1));
        keys->files |= kind == QN_IOC_SHA256;
        return 0;
}

int qn_ix_put_known(struct qn_intel *x)
{
        struct qn_buf table = QN_BUF_INIT(KNOWN_MAX);
        struct keys keys = { .a = &x->mem };
        int r = qn_ix_walk(x, IOCS, MDB_NEXT_NODUP, add, &keys);

        if (r == 0) {
                qn_known_write(keys.v, keys.n, keys.files, &table);
                r = qn_buf_error(&table);
        }
        if (r == 0)
                r = qn_ix_put(x, META, qn_ix_val(meta_key, sizeof meta_key - 1),
                              qn_ix_val(table.p, table.n), 0);
        qn_buf_done(&table);
        return r;
}

int qn_intel_known(struct qn_intel *x, struct qn_cur *ret)
{
        MDB_val v;
        int r = qn_ix_get(x, META, qn_ix_val(meta_key, sizeof meta_key - 1), &v);

        *ret = r == 0 ? qn_ix_cur(v) : (struct qn_cur){ 0 };
        return r == -ENOENT ? 0 : r;
}
