#include "check/crowd.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/hashset.h"
#include "base/limits.h"
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

static bool says(const struct qn_event *e, enum qn_event_kind kind, const char *what)
{
        return e->kind == kind && qn_str_is(qn_event_get(e, QN_ATTR_WHAT), what);
}

static bool is_first(const struct qn_item *it)
{
        for (size_t i = 0; i < it->set.n; i++)
                if (says(&it->set.events[i], QN_EVENT_META, "first-version"))
                        return true;
        return false;
}

/* A hook or a program that the version before did not have; how.n 0: neither. */
static struct fact mark_of(const struct qn_event *e, bool first)
{
        struct fact f = { .what = "packages-burst", .at_least = BURST_MIN };

        if (e->kind == QN_EVENT_INSTALL_HOOK && (first || e->fresh >= QN_NOVELTY_BEHAVIOUR)) {
                f.how = QN_STR("hook");
                f.mark = hash_of(qn_event_get(e, QN_ATTR_COMMAND));
        } else if (says(e, QN_EVENT_VERSION_DIFF, "program")) {
                f.how = QN_STR("file");
                f.mark = hash_of(qn_event_get(e, QN_ATTR_VALUE));
        }
        return f;
}

static struct qn_str scope_of(struct qn_str name)
{
        ptrdiff_t slash = qn_str_chr(name, '/');

        return qn_str_starts(name, "@") && slash > 0 ? qn_str_take(name, (size_t)slash)
                                                     : (struct qn_str){ NULL, 0 };
}

static int of_group(const struct qn_item *it, struct qn_str group, fact_fn *fn, void *ctx)
{
        bool first = is_first(it);
        struct fact f = { .what = "packages-burst", .group = group, .at_least = BURST_MIN };
        int r = group.n ? fn(ctx, it, &f) : 0;

        for (size_t i = 0; r == 0 && group.n && i < it->set.n; i++) {
                f = mark_of(&it->set.events[i], first);
                f.group = group;
                if (f.how.n)
                        r = fn(ctx, it, &f);
        }
        return r;
}

static int of_templates(const struct qn_item *it, fact_fn *fn, void *ctx)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < it->set.n; i++) {
                const struct qn_event *e = &it->set.events[i];
                const struct fact f = { .what = "template-cluster",
                                        .how = qn_event_get(e, QN_ATTR_HOW),
                                        .flags = qn_event_get(e, QN_ATTR_FLAGS),
                                        .mark = hash_of(qn_event_get(e, QN_ATTR_VALUE)),
                                        .at_least = CLUSTER_MIN };

                if (says(e, QN_EVENT_META, "template"))
                        r = fn(ctx, it, &f);
        }
        return r;
}

static int each_fact(const struct qn_item *it, fact_fn *fn, void *ctx)
{
        int r = of_templates(it, fn, ctx);

        if (r == 0 && it->published != QN_TIME_NONE)
                r = of_group(it, it->publisher, fn, ctx);
        if (r == 0 && it->published != QN_TIME_NONE)
                r = of_group(it, scope_of(it->name), fn, ctx);
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
