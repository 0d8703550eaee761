#include "intel/index-priv.h"

#include <errno.h>

#include "intel/record.h"

void qn_ix_put_source(struct qn_buf *b, const struct qn_intel_source *s)
{
        qn_intel_put_num(b, s->number);
        qn_intel_put_num(b, s->records);
        qn_intel_put_num(b, s->updated_s);
        qn_intel_put_num(b, s->generation);
        qn_intel_put_text(b, s->etag);
        qn_intel_put_text(b, s->changes_etag);
        qn_intel_put_text(b, s->from);
        qn_intel_put_text(b, s->position);
}

static int get_source(struct qn_cur c, struct qn_arena *a, struct qn_intel_source *ret)
{
        struct qn_str *texts[] = { &ret->etag, &ret->changes_etag, &ret->from, &ret->position };
        uint64_t number;

        if (qn_intel_get_num(&c, &number) < 0 || number >= QN_INTEL_SOURCES_MAX ||
            qn_intel_get_num(&c, &ret->records) < 0 || qn_intel_get_num(&c, &ret->updated_s) < 0 ||
            qn_intel_get_num(&c, &ret->generation) < 0)
                return -EBADMSG;
        ret->number = (unsigned)number;
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++) {
                struct qn_str s;

                if (qn_intel_get_text(&c, &s) < 0)
                        return -EBADMSG;
                *texts[i] = qn_arena_dup(a, s);
                if (!texts[i]->p)
                        return -ENOBUFS;
        }
        return 0;
}

struct sources {
        struct qn_arena *a;
        struct qn_intel_source *v;
        size_t n;
};

static int on_source(void *ctx, MDB_val key, MDB_val value)
{
        struct qn_intel_source s = { 0 };
        struct sources *all = ctx;
        int r = get_source(qn_ix_cur(value), all->a, &s);

        if (r < 0)
                return r;
        s.name = qn_arena_dup(all->a, (struct qn_str){ key.mv_data, key.mv_size });
        all->n = QN_MAX(all->n, (size_t)s.number + 1);
        all->v[s.number] = s;
        return s.name.p ? 0 : -ENOBUFS;
}

int qn_intel_sources(struct qn_intel *x, struct qn_arena *a, struct qn_intel_source **ret,
                     size_t *ret_n)
{
        struct sources all = { .a = a };
        int r;

        all.v = qn_arena_calloc(a, QN_INTEL_SOURCES_MAX, sizeof *all.v);
        r = all.v ? qn_ix_walk(x, SOURCES, MDB_NEXT, on_source, &all) : -ENOBUFS;
        *ret = all.v;
        *ret_n = all.n;
        return r;
}

int qn_intel_source(struct qn_intel *x, struct qn_str name, struct qn_arena *a,
                    struct qn_intel_source *ret)
{
        struct qn_intel_source *list, s = { 0 };
        MDB_val v;
        size_t n;
        int r;

        if (!name.n || name.n > QN_INTEL_SOURCE_NAME_MAX)
                return -EINVAL;
        r = qn_ix_get(x, SOURCES, qn_ix_val(name.p, name.n), &v);
        if (r == 0)
                r = get_source(qn_ix_cur(v), a, &s);
        else if (r == -ENOENT && x->writer && (r = qn_intel_sources(x, a, &list, &n)) == 0) {
                for (s.number = 0; s.number < n && list[s.number].name.n;)
                        s.number++;
                if (s.number >= QN_INTEL_SOURCES_MAX)
                        return -ENOSPC;
        }
        if (r < 0)
                return r;
        s.name = qn_arena_dup(a, name);
        *ret = s;
        return s.name.p ? 0 : -ENOBUFS;
}
