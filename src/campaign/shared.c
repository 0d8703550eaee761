#include "campaign/shared.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "campaign/trace.h"

#define ACCOUNTS_MAX 10u /* accounts that are told */

struct finding {
        struct qn_arena *a;
        struct qn_map map; /* kind and key → things */
        struct qn_shared_thing *things;
        size_t n, cap;
        struct qn_shared *ret;
        struct qn_map packages; /* keys of their names */
};

struct key {
        uint64_t kind, key;
};

static struct qn_str key_text(const struct key *k)
{
        return (struct qn_str){ (const char *)k, sizeof *k };
}

static int add_thing(struct finding *f, struct qn_feature feature, struct qn_str text)
{
        const struct key k = { feature.kind, feature.key };
        uint32_t at = qn_map_get(&f->map, key_text(&k));
        struct qn_str copy;

        if (at != QN_MAP_NONE) {
                f->things[at].versions++;
                return 0;
        }
        copy = qn_arena_dup(f->a, key_text(&k));
        if (!copy.p || QN_ARENA_ROOM(f->a, f->things, f->n, f->cap) < 0 ||
            qn_map_add(&f->map, f->a, copy, (uint32_t)f->n, NULL) < 0)
                return -ENOBUFS;
        f->things[f->n] = (struct qn_shared_thing){ .kind = feature.kind, .versions = 1 };
        if (text.n) {
                f->things[f->n].text = qn_arena_dup(f->a, text);
                if (!f->things[f->n].text.p)
                        return -ENOBUFS;
        }
        f->n++;
        return 0;
}

static int learn(void *ctx, int64_t version QN_UNUSED, struct qn_str name QN_UNUSED,
                 struct qn_str campaign QN_UNUSED, struct qn_cur bytes)
{
        struct finding *f = ctx;
        struct qn_trace t;
        int r = qn_trace_read(bytes, &t);
        struct qn_str package;

        if (r < 0)
                return r;
        package = qn_arena_dup(f->a, (struct qn_str){ (const char *)&t.package, sizeof t.package });
        if (!package.p || qn_map_add(&f->packages, f->a, package, 0, NULL) < 0)
                return -ENOBUFS;
        for (size_t i = 0; r == 0 && i < t.n; i++)
                r = add_thing(f, t.features[i], t.texts[i]);
        f->ret->looked_at++;
        return r;
}

/* Once more, now that it is known what several have. */
static int sum_up(void *ctx, int64_t version QN_UNUSED, struct qn_str name QN_UNUSED,
                  struct qn_str campaign QN_UNUSED, struct qn_cur bytes)
{
        struct finding *f = ctx;
        bool has[QN_FEATURE_KINDS] = { false }, each_other = false;
        struct qn_trace t;
        int r = qn_trace_read(bytes, &t);

        for (size_t i = 0; r == 0 && i < t.n; i++) {
                const struct key k = { t.features[i].kind, t.features[i].key };
                struct qn_str key = { (const char *)&k.key, sizeof k.key };
                uint32_t at = qn_map_get(&f->map, key_text(&k));

                has[k.kind] |= at != QN_MAP_NONE && f->things[at].versions > 1;
                each_other |= k.kind == QN_FEATURE_DEPENDENCY && k.key != t.package &&
                              qn_map_get(&f->packages, key) != QN_MAP_NONE;
        }
        for (unsigned i = 0; r == 0 && i < QN_FEATURE_KINDS; i++)
                f->ret->by[i] += has[i];
        f->ret->on_each_other += each_other;
        return r;
}

static int cmp_thing(const void *a, const void *b)
{
        const struct qn_shared_thing *x = a, *y = b;

        if (x->versions != y->versions)
                return x->versions > y->versions ? -1 : 1;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        return qn_str_cmp(x->text, y->text);
}

static bool is_left_out(const struct finding *f, const struct qn_shared_thing *t)
{
        const struct qn_shared *s = f->ret;

        if (!t->text.n || t->versions < 2)
                return true;
        if (t->kind == QN_FEATURE_PUBLISHER && t->versions < s->looked_at / ACCOUNTS_MAX)
                return true;              /* one of many */
        for (size_t i = 0; i < s->n; i++) /* the two halves of a time are one */
                if (s->things[i].kind == t->kind && qn_str_eq(s->things[i].text, t->text))
                        return true;
        return false;
}

int qn_shared_find(struct qn_db *db, struct qn_str id, struct qn_arena *a, struct qn_shared *ret)
{
        struct finding f = { .a = a, .ret = ret };
        int r;

        *ret = (struct qn_shared){ .n = 0 };
        r = qn_campaigns_traces(db, id, QN_SHARED_TRACES_MAX, learn, &f);
        if (r == 0)
                r = qn_campaigns_traces(db, id, QN_SHARED_TRACES_MAX, sum_up, &f);
        if (r < 0)
                return r;
        if (f.n)
                qsort(f.things, f.n, sizeof *f.things, cmp_thing);
        for (size_t i = 0; i < f.n && ret->n < QN_SHARED_MAX; i++)
                if (!is_left_out(&f, &f.things[i]))
                        ret->things[ret->n++] = f.things[i];
        return 0;
}
