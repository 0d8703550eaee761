#include "cli/inventory-vex.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "intel/affects.h"
#include "intel/index.h"
#include "intel/record.h"

struct finder {
        struct qn_arena *a;
        struct qn_intel *index;
        const struct qn_component *v; /* the component at hand */
        uint32_t at;
        struct qn_sbom_match *list;
        size_t n, cap;
};

static int on_record(void *ctx, const struct qn_intel_record *rec)
{
        struct finder *f = ctx;
        struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_affects_why why;
        struct qn_osv *osv;
        bool affected = false;
        int r = qn_intel_unpack(rec->head, &a, &osv);

        for (size_t i = 0; r == 0 && !osv->withdrawn.n && i < osv->n_affected; i++)
                affected |=
                        qn_str_eq(osv->affected[i].name, f->v->it.name) &&
                        qn_osv_affects(&osv->affected[i], f->v->it.version, &why) != QN_AFFECTS_NOT;
        if (affected) {
                struct qn_sbom_match m = { .id = qn_arena_dup(f->a, osv->id),
                                           .component = f->at,
                                           .malware = osv->malware };

                if (!m.id.p || QN_ARENA_ROOM(f->a, f->list, f->n, f->cap) < 0)
                        r = -ENOBUFS;
                else
                        f->list[f->n++] = m;
        }
        qn_arena_done(&a);
        return r;
}

static int compare(const void *x, const void *y)
{
        const struct qn_sbom_match *a = x, *b = y;
        int c = qn_str_cmp(a->id, b->id);

        return c ? c : (a->component > b->component) - (a->component < b->component);
}

int qn_inventory_vex(const char *state, const struct qn_components *c, struct qn_arena *a,
                     struct qn_sbom_match **ret, size_t *ret_n)
{
        struct finder f = { .a = a };
        struct qn_err err = { 0 };
        char dir[4096];
        int r;

        snprintf(dir, sizeof dir, "%.4000s/intel", state);
        r = qn_intel_open(dir, &f.index, &err);
        if (r == -ENOENT)
                return log_err(r, "%s", err.msg);
        for (uint32_t i = 0; r == 0 && i < c->n; i++) {
                f.v = &c->v[i];
                f.at = i;
                if (f.v->it.version.n)
                        r = qn_intel_by_name(f.index, f.v->it.name, on_record, &f);
        }
        qn_intel_close(f.index);
        if (r < 0)
                return log_err(r, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r));
        if (f.n)
                qsort(f.list, f.n, sizeof *f.list, compare);
        *ret = f.list;
        *ret_n = f.n;
        return 0;
}
