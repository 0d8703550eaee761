#include "parse/audit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/gz.h"
#include "parse/json.h"
#include "parse/lock-kind.h"
#include "parse/semver.h"

#define SHRINK_AT 4096u /* pairs, before the first look for those that are there twice */

struct reader {
        struct qn_json json;
        struct qn_arena *arena;
        struct qn_err *err;
        struct qn_audit_pair *v;
        size_t n, cap, shrink_at;
};

static int no_memory(struct reader *d)
{
        return qn_fail(d->err, -ENOBUFS, 0, "the question for advisories needs too much memory");
}

static int next(struct reader *d, struct qn_json_event *e)
{
        return qn_json_next(&d->json, e, d->err);
}

/* --- the list --- */

int qn_audit_cmp(const struct qn_audit_pair *a, const struct qn_audit_pair *b)
{
        int r = qn_str_cmp(a->name, b->name);

        return r ? r : qn_str_cmp(a->version, b->version);
}

static int cmp_pairs(const void *a, const void *b)
{
        return qn_audit_cmp(a, b);
}

static void sort_unique(struct reader *d)
{
        size_t n = 0;

        if (d->n)
                qsort(d->v, d->n, sizeof *d->v, cmp_pairs);
        for (size_t i = 0; i < d->n; i++)
                if (n == 0 || qn_audit_cmp(&d->v[n - 1], &d->v[i]) != 0)
                        d->v[n++] = d->v[i];
        d->n = n;
}

/* "npm:real@1.0.0": what an alias stands for. */
static struct qn_audit_pair behind_alias(struct qn_audit_pair p)
{
        struct qn_str spec = qn_str_skip(p.version, 4);
        ptrdiff_t at = qn_str_rchr(spec, '@');

        if (!qn_str_starts(p.version, "npm:") || at <= 0)
                return p;
        return (struct qn_audit_pair){ qn_str_take(spec, (size_t)at),
                                       qn_str_skip(spec, (size_t)at + 1) };
}

static int add(struct reader *d, struct qn_str name, struct qn_str version)
{
        struct qn_audit_pair p = behind_alias((struct qn_audit_pair){ name, version });

        if (!p.name.n || p.name.n > QN_NAME_MAX || !qn_lock_name_ok(p.name) ||
            !qn_semver_is_plain(p.version))
                return 0;
        if (d->n == d->shrink_at) {
                sort_unique(d);
                d->shrink_at = QN_MAX(d->n * 2, (size_t)SHRINK_AT);
        }
        if (d->n >= QN_AUDIT_PAIRS_MAX * 2)
                return qn_fail(d->err, -EFBIG, 0,
                               "the question for advisories names more than %u packages",
                               QN_AUDIT_PAIRS_MAX);
        if (QN_ARENA_ROOM(d->arena, d->v, d->n, d->cap) < 0)
                return no_memory(d);
        d->v[d->n++] = p;
        return 0;
}

/* The text of a key or a string, when it may be a name or a version; p NULL otherwise. */
static int text_of(struct reader *d, const struct qn_json_event *e, struct qn_str *ret)
{
        *ret = (struct qn_str){ NULL, 0 };
        if ((e->kind != QN_JSON_STRING && e->kind != QN_JSON_KEY) || e->raw.n > QN_NAME_MAX * 2)
                return 0;
        return qn_json_unescape(e, d->arena, ret) < 0 ? no_memory(d) : 0;
}

/* --- {"name": ["1.0.0"]} --- */

static int read_list(struct reader *d, struct qn_str name)
{
        struct qn_json_event e;
        struct qn_str version;
        int r;

        while ((r = next(d, &e)) == 0 && e.kind != QN_JSON_ARRAY_END) {
                if ((r = text_of(d, &e, &version)) == 0)
                        r = add(d, name, version);
                if (r == 0)
                        r = qn_json_skip_rest(&d->json, &e, d->err);
                if (r < 0)
                        return r;
        }
        return r;
}

static int read_bulk(struct reader *d)
{
        struct qn_json_event e;
        struct qn_str name;
        int r;

        while ((r = next(d, &e)) == 0 && e.kind == QN_JSON_KEY) {
                if ((r = text_of(d, &e, &name)) < 0 || (r = next(d, &e)) < 0)
                        return r;
                if (e.kind == QN_JSON_ARRAY)
                        r = read_list(d, name);
                else
                        r = qn_json_skip_rest(&d->json, &e, d->err);
                if (r < 0)
                        return r;
        }
        return r;
}

/* --- {"dependencies": {…}} --- */

/* The objects that are open: packages, and in each its dependencies. */
struct level {
        bool package;
        struct qn_str name, version; /* of a package */
};

struct tree {
        struct level levels[QN_JSON_DEPTH_MAX + 1];
        size_t n;
};

static int open_level(struct reader *d, struct tree *t, bool package, struct qn_str name)
{
        if (t->n == QN_ARRAY_SIZE(t->levels))
                return qn_fail(d->err, -EFBIG, 0, "nested too deeply");
        t->levels[t->n++] = (struct level){ .package = package, .name = name };
        return 0;
}

/* The member `key` of the innermost object, whose value e began. */
static int read_member(struct reader *d, struct tree *t, struct qn_str key,
                       const struct qn_json_event *e)
{
        struct level *top = &t->levels[t->n - 1];
        bool object = e->kind == QN_JSON_OBJECT;

        if (!top->package && object)
                return open_level(d, t, true, key);
        if (top->package && object && qn_str_is(key, "dependencies"))
                return open_level(d, t, false, key);
        if (top->package && qn_str_is(key, "version"))
                return text_of(d, e, &top->version) < 0 ? -ENOBUFS
                                                        : qn_json_skip_rest(&d->json, e, d->err);
        return qn_json_skip_rest(&d->json, e, d->err);
}

static int close_level(struct reader *d, struct tree *t)
{
        struct level *top = &t->levels[--t->n];

        /* the outermost one is the project itself */
        return top->package && t->n ? add(d, top->name, top->version) : 0;
}

static int read_tree(struct reader *d)
{
        struct tree t = { .n = 1, .levels = { { .package = true } } };
        struct qn_json_event e;
        struct qn_str key;
        int r = 0;

        while (t.n && r == 0 && (r = next(d, &e)) == 0) {
                if (e.kind == QN_JSON_OBJECT_END)
                        r = close_level(d, &t);
                else if ((r = text_of(d, &e, &key)) == 0 && (r = next(d, &e)) == 0)
                        r = read_member(d, &t, key, &e);
        }
        return r;
}

/* --- the whole --- */

static int read_body(struct reader *d, struct qn_cur in, enum qn_audit_kind kind)
{
        struct qn_json_event e;
        int r;

        if (qn_cur_left(&in) > QN_AUDIT_MAX)
                return qn_fail(d->err, -EFBIG, 0,
                               "the question for advisories is larger than %zu MB",
                               QN_AUDIT_MAX >> 20);
        r = qn_json_init(&d->json, in, d->err);
        if (r < 0 || (r = next(d, &e)) < 0)
                return r;
        if (e.kind != QN_JSON_OBJECT)
                return qn_fail(d->err, -EINVAL, e.off,
                               "no question for advisories: it does not hold an object");
        r = kind == QN_AUDIT_BULK ? read_bulk(d) : read_tree(d);
        if (r == 0)
                r = next(d, &e); /* nothing may follow */
        sort_unique(d);
        if (r == 0 && d->n > QN_AUDIT_PAIRS_MAX)
                r = qn_fail(d->err, -EFBIG, 0,
                            "the question for advisories names more than %u packages",
                            QN_AUDIT_PAIRS_MAX);
        return r;
}

/* Into the arena, where the texts are going to stay. */
static int inflate(struct reader *d, struct qn_cur in, struct qn_cur *ret)
{
        _cleanup_(qn_gz_freep) struct qn_gz *gz = qn_gz_new();
        struct qn_str copy;
        int r;

        if (!gz)
                return -ENOMEM;
        r = qn_gz_inflate(gz, in, QN_AUDIT_MAX, ret, d->err);
        if (r < 0)
                return r;
        copy = qn_arena_dup(d->arena, qn_cur_rest(ret));
        *ret = qn_cur_str(copy);
        return copy.p ? 0 : no_memory(d);
}

int qn_audit_read(struct qn_cur in, enum qn_audit_kind kind, struct qn_arena *a,
                  struct qn_audit *ret, struct qn_err *reterr)
{
        struct reader d = { .arena = a, .err = reterr, .shrink_at = SHRINK_AT };
        int r = qn_gz_is(in) ? inflate(&d, in, &in) : 0;

        if (r == 0)
                r = read_body(&d, in, kind);
        if (r == 0)
                *ret = (struct qn_audit){ d.v, d.n };
        return r;
}
