#include "check/crowd.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/hashset.h"
#include "base/limits.h"
#include "campaign/marks.h"
#include "parse/packument.h"

#define MINUTE      INT64_C(60000)
#define BURST       (10 * MINUTE)
#define BURST_MIN   5u
#define CLUSTER_MIN 40u
#define COUNTED_MAX 100000u /* more are told as so many */

/* Something that an item may share with others. */
struct fact {
        const char *what;    /* of the event */
        struct qn_str group; /* who published it, its scope; n 0: anybody */
        struct qn_str how, flags;
        uint64_t mark; /* of what is the same; 0: only the time is */
        size_t at_least;
};

typedef int fact_fn(void *ctx, const struct qn_item *it, const struct fact *f);

static uint64_t key_of(const struct fact *f)
{
        const uint64_t parts[] = { qn_hash64(f->what, strlen(f->what)),
                                   qn_hash64(f->group.p, f->group.n), qn_hash64(f->how.p, f->how.n),
                                   f->mark };

        return qn_hash64(parts, sizeof parts);
}

static uint64_t hash_of(struct qn_str s)
{
        return qn_hash64(s.p, s.n);
}

/* --- what an item may share --- */

struct facts {
        const struct qn_item *it;
        struct qn_str group; /* whose packages count; n 0: a template is anybody's */
        fact_fn *fn;
        void *ctx;
};

static int of_mark(void *ctx, const struct qn_mark *m)
{
        const struct facts *k = ctx;
        struct fact f = {
                .what = "packages-burst", .group = k->group, .mark = m->key, .at_least = BURST_MIN
        };

        if (m->kind == QN_MARK_DEPENDENCY || (m->kind == QN_MARK_TEMPLATE) == (k->group.n > 0))
                return 0;
        if (m->kind == QN_MARK_TEMPLATE)
                f = (struct fact){ .what = "template-cluster",
                                   .how = m->text,
                                   .flags = m->flags,
                                   .mark = m->key,
                                   .at_least = CLUSTER_MIN };
        else
                f.how = m->kind == QN_MARK_HOOK ? QN_STR("hook") : QN_STR("file");
        return k->fn(k->ctx, k->it, &f);
}

static int of_group(const struct qn_item *it, struct qn_str group, fact_fn *fn, void *ctx)
{
        struct facts k = { it, group, fn, ctx };
        struct fact f = { .what = "packages-burst", .group = group, .at_least = BURST_MIN };
        int r = group.n ? fn(ctx, it, &f) : 0;

        return r == 0 && group.n ? qn_marks_of(&it->set, of_mark, &k) : r;
}

static int of_templates(const struct qn_item *it, fact_fn *fn, void *ctx)
{
        struct facts k = { .it = it, .fn = fn, .ctx = ctx };

        return qn_marks_of(&it->set, of_mark, &k);
}

static int each_fact(const struct qn_item *it, fact_fn *fn, void *ctx)
{
        int r = of_templates(it, fn, ctx);

        if (r == 0 && it->published != QN_TIME_NONE)
                r = of_group(it, it->publisher, fn, ctx);
        if (r == 0 && it->published != QN_TIME_NONE)
                r = of_group(it, qn_mark_scope(it->name), fn, ctx);
        return r;
}

/* --- noting --- */

void qn_crowd_init(struct qn_crowd *c)
{
        *c = (struct qn_crowd){ .mem = QN_ARENA_INIT((size_t)512 << 20) };
}

void qn_crowd_done(struct qn_crowd *c)
{
        qn_arena_done(&c->mem);
}

static bool has_time(const struct fact *f)
{
        return f->at_least == BURST_MIN;
}

static int note(void *ctx, const struct qn_item *it, const struct fact *f)
{
        struct qn_crowd *c = ctx;

        if (QN_ARENA_ROOM(&c->mem, c->list, c->n, c->cap) < 0)
                return -ENOBUFS;
        c->list[c->n++] = (struct qn_crowd_mark){ .key = key_of(f),
                                                  .name = hash_of(it->name),
                                                  .time = has_time(f) ? it->published : 0 };
        c->sorted = false;
        return 0;
}

/* A time alone matters to what does something that it did not do before. */
static int matters(void *ctx QN_UNUSED, const struct qn_item *it, const struct fact *f)
{
        if (f->mark)
                return 1;
        for (size_t i = 0; i < it->set.n; i++)
                if (it->set.events[i].fresh >= QN_NOVELTY_BEHAVIOUR)
                        return 1;
        return 0;
}

int qn_crowd_note(struct qn_crowd *c, const struct qn_item *it)
{
        int r = each_fact(it, note, c);

        return r < 0 ? r : each_fact(it, matters, NULL);
}

/* --- telling --- */

static int cmp_mark(const void *a, const void *b)
{
        const struct qn_crowd_mark *x = a, *y = b;

        if (x->key != y->key)
                return x->key < y->key ? -1 : 1;
        if (x->time != y->time)
                return x->time < y->time ? -1 : 1;
        return x->name < y->name ? -1 : x->name > y->name;
}

static void sort(struct qn_crowd *c)
{
        if (!c->sorted && c->n)
                qsort(c->list, c->n, sizeof *c->list, cmp_mark);
        c->sorted = true;
}

/* The first mark that is not before one. */
static size_t lower_bound(const struct qn_crowd *c, const struct qn_crowd_mark *m)
{
        size_t lo = 0, hi = c->n;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (cmp_mark(&c->list[mid], m) < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}

/* How many packages share it, and at which times the first and the last of them were published. */
static size_t count(const struct qn_crowd *c, const struct qn_item *it, const struct fact *f,
                    int64_t *ret_span)
{
        int64_t at = has_time(f) ? it->published : 0, around = has_time(f) ? BURST : 0;
        const struct qn_crowd_mark from = { .key = key_of(f), .time = at - around };
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_hashset names = { 0 };
        size_t first = lower_bound(c, &from), i = first;

        while (i < c->n && c->list[i].key == from.key && c->list[i].time <= at + around &&
               names.n < COUNTED_MAX) {
                if (qn_hashset_add(&names, &a, c->list[i].name) < 0)
                        break;
                i++;
        }
        *ret_span = i > first ? c->list[i - 1].time - c->list[first].time : 0;
        return names.n;
}

struct telling {
        struct qn_crowd *crowd;
        struct qn_event_set *more;
};

static int tell(void *ctx, const struct qn_item *it, const struct fact *f)
{
        struct telling *t = ctx;
        struct qn_event e = qn_event_make(QN_EVENT_META, QN_LAYER_METADATA, QN_FILE_NONE);
        int64_t span;
        size_t n = count(t->crowd, it, f, &span);
        char value[64];

        if (n < f->at_least)
                return 0;
        if (has_time(f))
                snprintf(value, sizeof value, "%zu packages in %lld minutes", n,
                         (long long)(span / MINUTE + 1));
        else
                snprintf(value, sizeof value, "%zu packages", n);
        e.phase = QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(f->what));
        qn_event_attr(&e, QN_ATTR_NAME, f->group);
        qn_event_attr(&e, QN_ATTR_HOW, f->how);
        qn_event_attr(&e, QN_ATTR_FLAGS, f->flags);
        qn_event_attr(&e, QN_ATTR_VALUE, qn_str_c(value));
        (void)qn_event_add(t->more, &e);
        return 0;
}

void qn_crowd_tell(struct qn_crowd *c, struct qn_item *it)
{
        struct telling t = { c, qn_item_more(it) };

        sort(c);
        (void)each_fact(it, tell, &t);
}
