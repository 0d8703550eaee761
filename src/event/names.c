/* names.c - the names of kinds, attributes, labels, phases and layers, made from the tables. */
#include <errno.h>

#include "event/event.h"

static const char *const kind_names[] = {
#define EVENT(id, name, doc) name,
#include "event/events.def"
#undef EVENT
};

static const char *const kind_docs[] = {
#define EVENT(id, name, doc) doc,
#include "event/events.def"
#undef EVENT
};

static const char *const attr_names[] = {
#define ATTR(id, name) name,
#include "event/attrs.def"
#undef ATTR
};

static const char *const label_names[] = {
#define LABEL(id, name, doc) name,
#include "event/labels.def"
#undef LABEL
};

static const char *const phase_names[] = {
        [QN_PHASE_INSTALL] = "install", [QN_PHASE_EDITOR] = "editor", [QN_PHASE_IMPORT] = "import",
        [QN_PHASE_BROWSER] = "browser", [QN_PHASE_BIN] = "bin",       [QN_PHASE_CALL] = "call",
        [QN_PHASE_NEVER] = "never",
};

static const char *const layer_names[] = {
        [QN_LAYER_STATIC] = "static",       [QN_LAYER_EMULATED] = "emulated",
        [QN_LAYER_DETONATED] = "detonated", [QN_LAYER_METADATA] = "metadata",
        [QN_LAYER_DIFF] = "diff",           [QN_LAYER_INTEL] = "intel",
        [QN_LAYER_HOST] = "host",
};

static const char *const novelty_names[] = {
        [QN_NOVELTY_NONE] = "no",
        [QN_NOVELTY_CODE] = "code",
        [QN_NOVELTY_BEHAVIOUR] = "behaviour",
        [QN_NOVELTY_KIND] = "kind",
};

_Static_assert(QN_ARRAY_SIZE(novelty_names) == QN_NOVELTY_MAX, "a name for each novelty");
_Static_assert(QN_ARRAY_SIZE(phase_names) == QN_PHASE_MAX, "a name for each phase");
_Static_assert(QN_ARRAY_SIZE(layer_names) == QN_LAYER_MAX, "a name for each layer");

/* A value from outside the enum has no name, but must not crash a printer. */
static const char *name_at(const char *const *table, size_t n, size_t i)
{
        return i < n ? table[i] : "?";
}

static int find(const char *const *table, size_t n, struct qn_str s)
{
        /* no name is empty; the first byte spares most of the comparing: stored sets name their vocabulary */
        for (size_t i = 0; s.n && i < n; i++)
                if (table[i][0] == s.p[0] && qn_str_is(s, table[i]))
                        return (int)i;
        return -EINVAL;
}

const char *qn_event_name(enum qn_event_kind k)
{
        return name_at(kind_names, QN_EVENT_MAX, k);
}

const char *qn_event_doc(enum qn_event_kind k)
{
        return name_at(kind_docs, QN_EVENT_MAX, k);
}

const char *qn_attr_name(enum qn_attr a)
{
        return name_at(attr_names, QN_ATTR_COUNT_, a);
}

const char *qn_label_name(enum qn_label l)
{
        return name_at(label_names, QN_LABEL_MAX, l);
}

const char *qn_phase_name(enum qn_phase p)
{
        return name_at(phase_names, QN_PHASE_MAX, p);
}

const char *qn_layer_name(enum qn_layer l)
{
        return name_at(layer_names, QN_LAYER_MAX, l);
}

const char *qn_novelty_name(enum qn_novelty n)
{
        return name_at(novelty_names, QN_NOVELTY_MAX, n);
}

#define FROM_NAME(fn, type, table)                            \
        int fn(struct qn_str s, type *ret)                    \
        {                                                     \
                int i = find(table, QN_ARRAY_SIZE(table), s); \
                                                              \
                if (i < 0)                                    \
                        return i;                             \
                *ret = (type)i;                               \
                return 0;                                     \
        }
FROM_NAME(qn_event_from_name, enum qn_event_kind, kind_names)
FROM_NAME(qn_attr_from_name, enum qn_attr, attr_names)
FROM_NAME(qn_label_from_name, enum qn_label, label_names)
FROM_NAME(qn_phase_from_name, enum qn_phase, phase_names)
FROM_NAME(qn_layer_from_name, enum qn_layer, layer_names)
FROM_NAME(qn_novelty_from_name, enum qn_novelty, novelty_names)
