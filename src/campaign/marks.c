#include "campaign/marks.h"

#include "base/hash.h"

static uint64_t hash_of(struct qn_str s)
{
        return qn_hash64(s.p, s.n);
}

/* A hook that the version before did not have; of a first version, any. */
static bool is_new_hook(const struct qn_event *e, bool first)
{
        return e->kind == QN_EVENT_INSTALL_HOOK && (first || e->fresh >= QN_NOVELTY_BEHAVIOUR);
}

static bool read_mark(const struct qn_event *e, bool first, struct qn_mark *ret)
{
        struct qn_str what = qn_event_get(e, QN_ATTR_WHAT), value = qn_event_get(e, QN_ATTR_VALUE);
        struct qn_str command = qn_event_get(e, QN_ATTR_COMMAND),
                      name = qn_event_get(e, QN_ATTR_NAME);

        if (is_new_hook(e, first))
                *ret = (struct qn_mark){ QN_MARK_HOOK, .text = command, .key = hash_of(command) };
        else if (e->kind == QN_EVENT_VERSION_DIFF && qn_str_is(what, "program"))
                *ret = (struct qn_mark){ QN_MARK_PROGRAM, .text = qn_event_get(e, QN_ATTR_PATH),
                                         .key = hash_of(value) };
        else if (e->kind == QN_EVENT_VERSION_DIFF && qn_str_is(what, "dependency"))
                *ret = (struct qn_mark){ QN_MARK_DEPENDENCY, .text = name,
                                         .flags = qn_event_get(e, QN_ATTR_FLAGS),
                                         .key = hash_of(name) };
        else if (e->kind == QN_EVENT_META && qn_str_is(what, "template"))
                *ret = (struct qn_mark){ QN_MARK_TEMPLATE, .text = qn_event_get(e, QN_ATTR_HOW),
                                         .flags = qn_event_get(e, QN_ATTR_FLAGS),
                                         .key = hash_of(value) };
        else
                return false;
        return true;
}

int qn_marks_of(const struct qn_event_set *set, int (*fn)(void *ctx, const struct qn_mark *m),
                void *ctx)
{
        bool first = qn_event_set_says(set, QN_EVENT_META, "first-version");
        struct qn_mark m;
        int r = 0;

        for (size_t i = 0; r == 0 && i < set->n; i++)
                if (read_mark(&set->events[i], first, &m))
                        r = fn(ctx, &m);
        return r;
}

struct qn_str qn_mark_scope(struct qn_str name)
{
        ptrdiff_t slash = qn_str_chr(name, '/');

        return qn_str_starts(name, "@") && slash > 0 ? qn_str_take(name, (size_t)slash)
                                                     : (struct qn_str){ NULL, 0 };
}
