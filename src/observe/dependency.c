#include "observe/dependency.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "event/event.h"
#include "parse/packument.h"

#define HOUR  INT64_C(3600000)
#define YOUNG (72 * HOUR)

struct look {
        const struct qn_dependency_in *in;
        struct qn_arena *arena;
        struct qn_event_set *set;
        const struct qn_packument_version *now; /* of the package */
        const struct qn_packument *package, *doc;
        const struct qn_packument_version *chosen; /* of the dependency; NULL: none fits any more */
};

/* --- times --- */

static bool is_version(struct qn_str key)
{
        return !qn_str_is(key, "created") && !qn_str_is(key, "modified") &&
               !qn_str_is(key, "unpublished");
}

/* When the first version came, of those that are gone too. */
static int64_t born(const struct qn_packument *doc)
{
        int64_t first = QN_TIME_NONE;

        for (size_t i = 0; i < doc->times.n; i++) {
                int64_t t = is_version(doc->times.v[i].name) ? qn_time_parse(doc->times.v[i].value)
                                                             : QN_TIME_NONE;

                if (t != QN_TIME_NONE && (first == QN_TIME_NONE || t < first))
                        first = t;
        }
        return first == QN_TIME_NONE ? doc->created : first;
}

static size_t versions_by(const struct qn_packument *doc, int64_t when)
{
        size_t n = 0;

        for (size_t i = 0; i < doc->times.n; i++) {
                int64_t t = is_version(doc->times.v[i].name) ? qn_time_parse(doc->times.v[i].value)
                                                             : QN_TIME_NONE;

                n += t != QN_TIME_NONE && t <= when;
        }
        return n;
}

/* --- people --- */

static struct qn_str scope_of(struct qn_str name)
{
        ptrdiff_t slash = qn_str_chr(name, '/');

        return qn_str_starts(name, "@") && slash > 0 ? qn_str_take(name, (size_t)slash)
                                                     : (struct qn_str){ NULL, 0 };
}

static bool is_among(const struct qn_packument_person *list, size_t n, struct qn_str name)
{
        for (size_t i = 0; i < n; i++)
                if (name.n && qn_str_eq(list[i].name, name))
                        return true;
        return false;
}

/* Somebody who may publish the package may publish the dependency. */
static bool share_people(const struct look *l)
{
        const struct qn_packument *d = l->doc;

        for (size_t i = 0; i < d->n_maintainers; i++)
                if (is_among(l->package->maintainers, l->package->n_maintainers,
                             d->maintainers[i].name) ||
                    is_among(l->now->maintainers, l->now->n_maintainers, d->maintainers[i].name))
                        return true;
        return false;
}

/* The same scope, or that of the package's own name: rollup and @rollup/x. */
static bool share_scope(const struct look *l)
{
        struct qn_str a = scope_of(l->in->name), b = scope_of(l->in->wanted);

        return b.n && (a.n ? qn_str_eq(a, b) : qn_str_eq(l->in->name, qn_str_skip(b, 1)));
}

/* NULL: the documents do not tell. */
static const char *whose(const struct look *l)
{
        if (share_scope(l) || share_people(l))
                return "kin";
        return l->doc->n_maintainers && (l->package->n_maintainers || l->now->n_maintainers)
                       ? "stranger"
                       : NULL;
}

/* --- events --- */

static void tell(struct look *l, const char *what, const char *value)
{
        struct qn_event e = qn_event_make(QN_EVENT_META, QN_LAYER_METADATA, QN_FILE_NONE);

        e.phase = QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_NAME, l->in->wanted);
        qn_event_attr(&e, QN_ATTR_VALUE, qn_str_c(value));
        qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(whose(l)));
        qn_event_attr(&e, QN_ATTR_FLAGS, l->in->flags);
        if (l->chosen && (l->chosen->has_install_script || l->chosen->gypfile))
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("hook"));
        (void)qn_event_add(l->set, &e);
}

static void tell_age(struct look *l)
{
        int64_t first = born(l->doc), age = first == QN_TIME_NONE ? 0 : l->now->time - first;
        char value[64];

        if (first == QN_TIME_NONE || age >= YOUNG)
                return;
        if (age < 0)
                snprintf(value, sizeof value, "%lld hours later", (long long)(-age / HOUR));
        else
                snprintf(value, sizeof value, "%lld hours", (long long)(age / HOUR));
        tell(l, "dependency-young", value);
}

static void choose(struct look *l)
{
        const struct qn_packument_want want = { .spec = l->in->spec, .before = QN_TIME_NONE };
        struct qn_packument_version *v;

        if (qn_packument_pick(l->in->dependency, &want, l->arena, &v, NULL) == 0)
                l->chosen = v;
        else
                tell(l, "dependency-gone", "");
}

static int read(struct qn_cur in, struct qn_str name, struct qn_arena *a, struct qn_packument **ret,
                struct qn_err *reterr)
{
        int r = qn_packument_read(in, a, ret, reterr);

        if (r == 0 && !qn_str_eq((*ret)->name, name))
                return qn_fail(reterr, -EINVAL, 0,
                               "the registry answered with the document of another package");
        return r;
}

int qn_dependency_observe(const struct qn_dependency_in *in, struct qn_arena *a,
                          struct qn_event_set *ret, struct qn_err *reterr)
{
        struct look l = { .in = in, .arena = a, .set = ret };
        struct qn_packument *package, *doc;
        int r = read(in->package, in->name, a, &package, reterr);

        if (r == 0)
                r = read(in->dependency, in->wanted, a, &doc, reterr);
        if (r < 0)
                return r;
        l.package = package;
        l.doc = doc;
        l.now = qn_packument_find(package, in->version);
        if (!l.now || l.now->time == QN_TIME_NONE || qn_packument_is_proxied(package) ||
            qn_packument_is_proxied(doc))
                return 0;
        choose(&l);
        tell_age(&l);
        if (versions_by(doc, l.now->time) <= 1)
                tell(&l, "dependency-single", "");
        return 0;
}
