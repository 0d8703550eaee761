/* match.c - whether one event fits one pattern. */
#include "rule/cond.h"

bool qn_kind_is_fact(enum qn_event_kind k)
{
        switch (k) {
        case QN_EVENT_INSTALL_HOOK:
        case QN_EVENT_TRIGGER:
        case QN_EVENT_META:
        case QN_EVENT_VERSION_DIFF:
        case QN_EVENT_SIGNATURE:
        case QN_EVENT_PROVENANCE:
        case QN_EVENT_DEP_SPEC:
        case QN_EVENT_INTEL_MATCH:
        case QN_EVENT_ARCHIVE_ODD:
        case QN_EVENT_UNANALYSED:
        case QN_EVENT_BINARY_FILE:
        case QN_EVENT_BINARY_MISMATCH:
        case QN_EVENT_BINARY_ODD:
        case QN_EVENT_TEXT_PROMPT:
        case QN_EVENT_TEXT_HIDDEN:
                return true;
        default:
                return false;
        }
}

static struct qn_str field(const struct qn_event_set *s, const struct qn_event *e, unsigned f)
{
        if (f == QN_FIELD_TEXT)
                return e->text;
        if (f == QN_FIELD_FILE)
                return e->file < s->n_files ? s->files[e->file] : (struct qn_str){ NULL, 0 };
        return qn_event_get(e, f);
}

static bool one_fits(const struct qn_matcher *m, struct qn_str v, struct qn_str want)
{
        switch ((enum qn_match_op)m->op) {
        case QN_MATCH_IS:
                return m->any_case ? qn_str_ieq(v, want) : qn_str_eq(v, want);
        case QN_MATCH_GLOB:
                return qn_str_glob(v, want);
        case QN_MATCH_CONTAINS:
                return (m->any_case ? qn_str_ifind(v, want) : qn_str_find(v, want)) >= 0;
        case QN_MATCH_STARTS:
                v = qn_str_take(v, want.n);
                return m->any_case ? qn_str_ieq(v, want) : qn_str_eq(v, want);
        case QN_MATCH_ENDS:
                v = qn_str_skip(v, v.n - QN_MIN(v.n, want.n));
                return m->any_case ? qn_str_ieq(v, want) : qn_str_eq(v, want);
        default:
                return false;
        }
}

static bool any_fits(const struct qn_matcher *m, struct qn_str v)
{
        for (uint32_t i = 0; i < m->n; i++)
                if (one_fits(m, v, m->values[i]))
                        return true;
        return false;
}

/* Attributes that hold words from fixed lists, several where several are true: how="shell detached". */
static bool holds_words(unsigned f)
{
        return f == QN_ATTR_HOW || f == QN_ATTR_WHAT || f == QN_ATTR_WHICH || f == QN_ATTR_FLAGS;
}

static bool word_fits(const struct qn_matcher *m, struct qn_str v)
{
        if (any_fits(m, v))
                return true;
        if (m->op != QN_MATCH_IS || !holds_words(m->field) || qn_str_chr(v, ' ') < 0)
                return false;
        while (v.n)
                if (any_fits(m, qn_str_cut(&v, ' ')))
                        return true;
        return false;
}

static bool number_fits(const struct qn_matcher *m, struct qn_str v)
{
        uint64_t n;

        if (qn_str_u64(v, &n) < 0)
                return false;
        return m->op == QN_MATCH_AT_LEAST ? n >= m->number : n <= m->number;
}

static bool matcher_fits(const struct qn_matcher *m, struct qn_str v)
{
        bool fits = v.n > 0;

        if (fits && (m->op == QN_MATCH_AT_LEAST || m->op == QN_MATCH_AT_MOST))
                fits = number_fits(m, v);
        else if (fits && m->op != QN_MATCH_PRESENT)
                fits = word_fits(m, v);
        return fits != m->negate;
}

bool qn_pattern_fits(const struct qn_pattern *p, const struct qn_event_set *s,
                     const struct qn_event *e)
{
        if (!qn_kinds_has(&p->kinds, e->kind) || !(p->layers >> e->layer & 1) ||
            e->count < p->times)
                return false;
        if (e->fresh < p->fresh || (p->not_fresh && e->fresh))
                return false;
        if ((p->labels_any && !(e->labels & p->labels_any)) ||
            (e->labels & p->labels_all) != p->labels_all)
                return false;
        for (size_t i = 0; i < p->n_matchers; i++)
                if (!matcher_fits(&p->matchers[i], field(s, e, p->matchers[i].field)))
                        return false;
        return true;
}
