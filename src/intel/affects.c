#include "intel/affects.h"

#include "parse/semver.h"

/* Order of events: by version; "0" is before everything, prereleases too. */
static bool read_version(struct qn_str s, struct qn_semver *ret, bool *ret_zero)
{
        *ret_zero = qn_str_is(s, "0");
        if (*ret_zero)
                return true;
        return qn_semver_parse(s, QN_SEMVER_LOOSE, ret) == 0 || qn_semver_parse_short(s, ret) == 0;
}

/* Whether the version is at, or past, what an event names; an event that names no version is passed over (-1). */
static int past(const struct qn_semver *v, const struct qn_osv_event *e, int *ret_cmp)
{
        struct qn_semver at;
        bool zero;

        if (!read_version(e->version, &at, &zero))
                return -1;
        *ret_cmp = zero ? 1 : qn_semver_cmp(v, &at);
        return 0;
}

/* Below any limit; without one there is none. */
static bool before_limits(const struct qn_osv_range *r, const struct qn_semver *v)
{
        bool limited = false;
        int cmp;

        for (size_t i = 0; i < r->n; i++) {
                if (r->events[i].kind != QN_OSV_LIMIT)
                        continue;
                if (qn_str_is(r->events[i].version, "*"))
                        return true;
                limited = true;
                if (past(v, &r->events[i], &cmp) == 0 && cmp < 0)
                        return true;
        }
        return !limited;
}

/* A place among versions; "0" is below all of them. */
struct place {
        struct qn_semver v;
        bool zero, set;
};

static bool is_higher(const struct place *a, const struct place *b)
{
        if (!b->set || a->zero || b->zero)
                return !b->set || (b->zero && !a->zero);
        return qn_semver_cmp(&a->v, &b->v) > 0;
}

static void raise(struct place *to, const struct place *p)
{
        if (is_higher(p, to))
                *to = *p;
}

/* Whether an event lies so low that it counts for v: it begins at or below it, or ended before it. */
static bool counts(enum qn_osv_event_kind kind, const struct place *p, const struct qn_semver *v)
{
        int cmp = p->zero ? 1 : qn_semver_cmp(v, &p->v);

        return kind == QN_OSV_LAST_AFFECTED ? cmp > 0 : kind != QN_OSV_LIMIT && cmp >= 0;
}

/* The events in the order of their versions decide (the evaluation algorithm of the schema), so the highest beginning and the
 * highest end that count are enough: v is covered when it began above where it ended last.  In one pass: a record may have
 * as many events as it likes. */
static bool covers(const struct qn_osv_range *r, const struct qn_semver *v)
{
        struct place begin = { 0 }, end = { 0 };

        for (size_t i = 0; i < r->n; i++) {
                struct place p = { .set = true };

                if (!read_version(r->events[i].version, &p.v, &p.zero) ||
                    !counts(r->events[i].kind, &p, v))
                        continue;
                raise(r->events[i].kind == QN_OSV_INTRODUCED ? &begin : &end, &p);
        }
        return begin.set && is_higher(&begin, &end) && before_limits(r, v);
}

bool qn_osv_range_is_all(const struct qn_osv_range *r)
{
        bool begins = false;

        for (size_t i = 0; i < r->n; i++) {
                const struct qn_osv_event *e = &r->events[i];

                if (e->kind != QN_OSV_INTRODUCED && !qn_str_is(e->version, "*"))
                        return false;
                begins |= e->kind == QN_OSV_INTRODUCED &&
                          (qn_str_is(e->version, "0") || qn_str_is(e->version, "0.0.0") ||
                           qn_str_is(e->version, "0.0.0-0"));
        }
        return begins;
}

static bool same_version(struct qn_str a, struct qn_str b)
{
        struct qn_semver x, y;

        if (qn_str_eq(a, b))
                return true;
        return qn_semver_parse(a, QN_SEMVER_LOOSE, &x) == 0 &&
               qn_semver_parse(b, QN_SEMVER_LOOSE, &y) == 0 && qn_semver_cmp(&x, &y) == 0;
}

bool qn_osv_range_has_versions(const struct qn_osv_range *r)
{
        return r->type == QN_OSV_SEMVER || r->type == QN_OSV_ECOSYSTEM;
}

enum qn_affects qn_osv_affects(const struct qn_osv_affected *block, struct qn_str version,
                               struct qn_affects_why *ret_why)
{
        enum qn_affects best = QN_AFFECTS_NOT;
        struct qn_semver v;

        for (size_t i = 0; i < block->n_versions; i++)
                if (same_version(block->versions[i], version)) {
                        *ret_why = (struct qn_affects_why){ .version = block->versions[i] };
                        return QN_AFFECTS_VERSION;
                }
        if (qn_semver_parse(version, QN_SEMVER_LOOSE, &v) < 0)
                return best;
        for (size_t i = 0; i < block->n_ranges; i++) {
                const struct qn_osv_range *r = &block->ranges[i];
                bool all = qn_osv_range_is_all(r);
                enum qn_affects how = all ? QN_AFFECTS_ALL : QN_AFFECTS_RANGE;

                if (!qn_osv_range_has_versions(r))
                        continue;
                if (how <= best || (all && block->n_versions) || !covers(r, &v))
                        continue;
                *ret_why = (struct qn_affects_why){ .range = r };
                best = how;
        }
        return best;
}

bool qn_osv_affects_all(const struct qn_osv_affected *block)
{
        for (size_t i = 0; i < block->n_ranges && !block->n_versions; i++)
                if (qn_osv_range_has_versions(&block->ranges[i]) &&
                    qn_osv_range_is_all(&block->ranges[i]))
                        return true;
        return false;
}
