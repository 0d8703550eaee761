#include "check/dependency.h"

#include <errno.h>

#include "base/buf.h"
#include "base/limits.h"
#include "observe/dependency.h"
#include "role/analyse.h"

/* "npm:other@^1" asks for another package; what comes from elsewhere has no document. */
static bool from_registry(struct qn_item_dep *d)
{
        ptrdiff_t at;

        if (qn_str_starts(d->spec, "npm:")) {
                d->name = qn_str_skip(d->spec, 4);
                at = qn_str_rchr(d->name, '@');
                d->spec = at > 0 ? qn_str_skip(d->name, (size_t)at + 1) : QN_STR("");
                if (at > 0)
                        d->name = qn_str_take(d->name, (size_t)at);
        }
        return d->name.n && qn_str_chr(d->spec, ':') < 0 && qn_str_chr(d->spec, '/') < 0;
}

static bool dependency_of(const struct qn_event *e, struct qn_item_dep *ret)
{
        if (e->kind != QN_EVENT_VERSION_DIFF ||
            !qn_str_is(qn_event_get(e, QN_ATTR_WHAT), "dependency"))
                return false;
        *ret = (struct qn_item_dep){ .name = qn_event_get(e, QN_ATTR_NAME),
                                     .spec = qn_event_get(e, QN_ATTR_SPEC),
                                     .flags = qn_event_get(e, QN_ATTR_FLAGS) };
        return from_registry(ret);
}

static int take(struct qn_item *it, bool loaded)
{
        for (size_t i = 0; i < it->set.n; i++) {
                struct qn_item_dep d;

                if (!dependency_of(&it->set.events[i], &d) || (d.flags.n == 0) != loaded)
                        continue;
                if (it->n_deps == QN_NEW_DEPENDENCIES_MAX) {
                        it->incomplete = QN_STR("it has more new dependencies than are looked at");
                        return 0;
                }
                if (QN_ARENA_ROOM(&it->mem, it->deps, it->n_deps, it->deps_cap) < 0)
                        return -ENOMEM;
                it->deps[it->n_deps++] = d;
        }
        return 0;
}

int qn_check_dependencies(struct qn_item *it)
{
        int r;

        it->deps = NULL;
        it->n_deps = it->deps_cap = it->dep = 0;
        r = take(it, false); /* those that nothing loads first */
        return r < 0 ? r : take(it, true);
}

const struct qn_item_dep *qn_check_dependency(const struct qn_item *it)
{
        return it->dep < it->n_deps ? &it->deps[it->dep] : NULL;
}

void qn_check_dependency_params(const struct qn_item *it, struct qn_buf *params)
{
        const struct qn_item_dep *d = qn_check_dependency(it);
        const struct qn_dependency_in in = { .name = it->name,
                                             .version = it->version,
                                             .wanted = d->name,
                                             .spec = d->spec,
                                             .flags = d->flags };

        qn_analyse_write_dependency(params, &in);
}

void qn_check_dependency_without(struct qn_item *it, const char *what)
{
        const struct qn_item_dep *d = qn_check_dependency(it);
        struct qn_event e = qn_event_make(QN_EVENT_META, QN_LAYER_METADATA, QN_FILE_NONE);

        e.phase = QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_NAME, d->name);
        qn_event_attr(&e, QN_ATTR_FLAGS, d->flags);
        (void)qn_event_add(qn_item_more(it), &e);
        it->dep++;
}

int qn_check_dependency_take(struct qn_item *it, struct qn_cur reply)
{
        struct qn_event_set seen;
        int r = qn_event_set_read(&reply, &it->mem, &seen, NULL);

        if (r == 0)
                qn_event_set_add_all(qn_item_more(it), &seen);
        it->dep++;
        return r;
}
