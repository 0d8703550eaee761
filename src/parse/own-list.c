#include "parse/own-list.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/advisory-range.h"
#include "parse/packument.h"
#include "parse/semver.h"
#include "parse/yaml.h"

#define ORIGIN "own"

enum action { BLOCK, ALLOW, EXPIRE, ACTIONS };

static const char *const actions[ACTIONS] = { "block", "allow", "expire" };

struct list {
        struct qn_arena *a;
        struct qn_osv **v;
        size_t n, cap;
        struct qn_err *err;
};

bool qn_own_list_is(struct qn_str text)
{
        while (text.p) {
                struct qn_str line = qn_str_trim(qn_str_cut(&text, '\n'));

                if (!line.n || line.p[0] == '#' || qn_str_is(line, "---"))
                        continue;
                if (!qn_str_starts(line, "- "))
                        return false;
                line = qn_str_trim(qn_str_skip(line, 2));
                for (unsigned i = 0; i < ACTIONS; i++)
                        if (qn_str_starts(line, actions[i]) &&
                            qn_str_starts(qn_str_skip(line, strlen(actions[i])), ":"))
                                return true;
                return false;
        }
        return false;
}

static int wrong(struct list *l, const struct qn_node *at, const char *what)
{
        return qn_fail(l->err, -EINVAL, at->off, "line %u: %s", at->line, what);
}

/* A text, or a number that a text without quotes became. */
static struct qn_str text_of(const struct qn_node *n)
{
        return qn_node_is(n, QN_NODE_NUMBER) ? n->text : qn_node_text(n);
}

static int take_time(struct list *l, const struct qn_node *entry, const char *key, int64_t *ret)
{
        const struct qn_node *n = qn_node_get(entry, key);

        *ret = n ? qn_time_parse(text_of(n)) : QN_TIME_NONE;
        return n && *ret == QN_TIME_NONE ? wrong(l, n, "this is no date such as 2026-11-29") : 0;
}

static int take_version(struct list *l, const struct qn_node *at, struct qn_str version,
                        struct qn_osv_affected *block)
{
        struct qn_semver v;

        if (qn_semver_parse(version, QN_SEMVER_LOOSE, &v) < 0)
                return wrong(l, at, "this is no version");
        block->versions[block->n_versions++] = version;
        return 0;
}

/* "name@1.2.3", "@scope/name". */
static struct qn_str cut_version(struct qn_str *name)
{
        ptrdiff_t at = qn_str_rchr(*name, '@');
        struct qn_str version = { 0 };

        if (at > 0) {
                version = qn_str_skip(*name, (size_t)at + 1);
                *name = qn_str_take(*name, (size_t)at);
        }
        return version;
}

static int take_versions(struct list *l, const struct qn_node *entry, const struct qn_node *name,
                         struct qn_osv_affected *block)
{
        const struct qn_node *list = qn_node_get(entry, "versions"),
                             *range = qn_node_get(entry, "range");
        size_t n = qn_node_is(list, QN_NODE_ARRAY) ? list->n : 0;
        struct qn_str version;
        int r = 0;

        block->name = qn_node_text(name);
        version = cut_version(&block->name);
        if (version.p && !version.n)
                return wrong(l, name, "a version is missing behind the @");
        if (!block->name.n)
                return wrong(l, name, "an entry without the name of a package");
        if ((version.n > 0) + (list != NULL) + (range != NULL) > 1)
                return wrong(l, name, "name the versions once: with @, versions or range");
        block->versions = qn_arena_calloc(l->a, n + 2, sizeof *block->versions);
        if (!block->versions)
                return -ENOBUFS;
        if (list && !n)
                return wrong(l, list, "versions is a list of versions");
        if (version.n)
                r = take_version(l, name, version, block);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = take_version(l, list->items[i], text_of(list->items[i]), block);
        if (r == 0 && (range || !block->n_versions)) {
                r = qn_advisory_range(range ? text_of(range) : QN_STR(">= 0"), l->a, block);
                if (r == -EINVAL)
                        return wrong(l, range, "this is no range such as \">= 1.0.0, < 1.2.0\"");
        }
        return r;
}

static int name_entry(struct list *l, const struct qn_node *range, struct qn_osv *o)
{
        const struct qn_osv_affected *f = &o->affected[0];
        struct qn_buf b = QN_BUF_INIT(QN_OSV_ID_MAX);

        qn_buf_printf(&b, "OWN:%.*s", QN_STR_ARG(f->name));
        for (size_t i = 0; i < f->n_versions; i++)
                qn_buf_printf(&b, "%c%.*s", i ? ',' : '@', QN_STR_ARG(f->versions[i]));
        if (range)
                qn_buf_printf(&b, "@%.*s", QN_STR_ARG(text_of(range)));
        if (qn_buf_error(&b) < 0) {
                qn_buf_done(&b);
                return -EFBIG;
        }
        o->id = qn_arena_dup(l->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return o->id.p ? 0 : -ENOBUFS;
}

static int take_entry(struct list *l, const struct qn_node *entry, const struct qn_node *name,
                      enum action action, struct qn_osv **ret)
{
        struct qn_osv *o = QN_ARENA_NEW(l->a, struct qn_osv);
        int r;

        if (!o)
                return -ENOBUFS;
        o->affected = QN_ARENA_NEW(l->a, struct qn_osv_affected);
        o->origins = QN_ARENA_NEW(l->a, struct qn_osv_origin);
        if (!o->affected || !o->origins)
                return -ENOBUFS;
        o->n_affected = o->n_origins = 1;
        o->affected->ecosystem = QN_STR("npm");
        o->origins->source = QN_STR(ORIGIN);
        o->withdrawn_ms = QN_TIME_NONE;
        o->summary = qn_node_text(qn_node_get(entry, "reason"));
        o->owner = qn_node_text(qn_node_get(entry, "owner"));
        o->policy = action == ALLOW ? QN_OSV_ALLOW : QN_OSV_BLOCK;
        r = take_time(l, entry, "since", &o->published_ms);
        if (r == 0)
                r = take_time(l, entry, "expires", &o->expires_ms);
        o->modified_ms = o->published_ms;
        if (r == 0)
                r = take_versions(l, entry, name, o->affected);
        if (r == 0 && action != EXPIRE && !o->summary.n)
                r = wrong(l, name, "an entry without a reason");
        if (r == 0)
                r = name_entry(l, qn_node_get(entry, "range"), o);
        *ret = o;
        return r;
}

static bool is_everything(const struct qn_osv *o)
{
        return !qn_str_starts(qn_str_skip(o->id, strlen("OWN:") + o->affected->name.n), "@");
}

/* Ends the entries about the same; one about all of a package ends all about it. */
static int expire(struct list *l, const struct qn_node *at, const struct qn_osv *o)
{
        size_t to = 0;

        for (size_t i = 0; i < l->n; i++) {
                bool same =
                        qn_str_eq(l->v[i]->id, o->id) ||
                        (is_everything(o) && qn_str_eq(l->v[i]->affected->name, o->affected->name));

                if (!same)
                        l->v[to++] = l->v[i];
        }
        if (to == l->n)
                return wrong(l, at, "there is no entry before it that it could end");
        l->n = to;
        return 0;
}

static int enter(struct list *l, struct qn_osv *o)
{
        for (size_t i = 0; i < l->n; i++)
                if (qn_str_eq(l->v[i]->id, o->id)) {
                        l->v[i] = o;
                        return 0;
                }
        if (QN_ARENA_ROOM(l->a, l->v, l->n, l->cap) < 0)
                return -ENOBUFS;
        l->v[l->n++] = o;
        return 0;
}

static int take(struct list *l, const struct qn_node *entry)
{
        static const char *const known[] = { "block",  "allow", "expire", "versions", "range",
                                             "reason", "owner", "since",  "expires" };
        const struct qn_node *name = NULL;
        enum action action = ACTIONS;
        struct qn_osv *o;
        int r;

        for (size_t i = 0; qn_node_is(entry, QN_NODE_OBJECT) && i < entry->n; i++) {
                size_t k = 0;

                while (k < QN_ARRAY_SIZE(known) && !qn_str_is(entry->keys[i], known[k]))
                        k++;
                if (k == QN_ARRAY_SIZE(known))
                        return wrong(l, entry->items[i], "an entry has no such field");
                if (k >= ACTIONS)
                        continue;
                if (name)
                        return wrong(l, entry, "an entry says one of block, allow and expire");
                action = (enum action)k;
                name = entry->items[i];
        }
        if (!name)
                return wrong(l, entry, "an entry begins with block, allow or expire");
        r = take_entry(l, entry, name, action, &o);
        if (r < 0)
                return r;
        return action == EXPIRE ? expire(l, name, o) : enter(l, o);
}

int qn_own_list_parse(struct qn_cur in, struct qn_arena *a, struct qn_osv ***ret, size_t *ret_n,
                      struct qn_err *reterr)
{
        struct list l = { .a = a, .err = reterr };
        struct qn_node *doc;
        int r = qn_yaml_parse(in, a, &doc, reterr);

        if (r < 0)
                return r;
        if (!qn_node_is(doc, QN_NODE_ARRAY))
                return qn_fail(reterr, -EINVAL, 0, "an own list is a list of entries");
        if (doc->n > QN_OWN_ENTRIES_MAX)
                return qn_fail(reterr, -EFBIG, 0, "an own list has at most %u entries",
                               QN_OWN_ENTRIES_MAX);
        for (size_t i = 0; r == 0 && i < doc->n; i++)
                r = take(&l, doc->items[i]);
        if (r == -ENOBUFS)
                return qn_fail(reterr, r, 0, "the own list needs too much memory");
        if (r == -EFBIG)
                return qn_fail(reterr, r, 0, "an entry names too many versions: split it");
        *ret = l.v;
        *ret_n = l.n;
        return r;
}
