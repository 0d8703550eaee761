#include "intel/affects.h"

#include "parse/semver.h"

/* Order of events: by version; "0" is before everything, prereleases too. */
static bool read_version(struct qn_str s, struct qn_semver *ret, bool *ret_zero)
{
        *ret_zero = qn_str_is(s, "0");
        if (*ret_zero)
                return true;
        return qn_semver_parse(s, QN_SEMVER_LOOSE, ret) == 0;
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

/* The events in the order of their versions decide; the last one at or below v is the one that does, so the highest such of
 * each kind is enough: an introduction counts when nothing at or above it has ended it. */
static bool ends_before(const struct qn_osv_event *e, const struct qn_semver *v)
{
        int cmp;

        if (past(v, e, &cmp) < 0)
                return false;
        return e->kind == QN_OSV_FIXED           ? cmp >= 0
               : e->kind == QN_OSV_LAST_AFFECTED ? cmp > 0
                                                 : false;
}

/* Whether an end lies at or above the introduction: a range may begin again later. */
static bool ends(const struct qn_osv_event *end, const struct qn_osv_event *begin)
{
        struct qn_semver a, b;
        bool zero_a, zero_b;

        if (!read_version(end->version, &a, &zero_a) || !read_version(begin->version, &b, &zero_b))
                return false;
        if (zero_b || zero_a)
                return zero_b;
        return qn_semver_cmp(&a, &b) >= 0;
}

static bool covers(const struct qn_osv_range *r, const struct qn_semver *v)
{
        for (size_t i = 0; i < r->n; i++) {
                bool ended = false;
                int cmp;

                if (r->events[i].kind != QN_OSV_INTRODUCED || past(v, &r->events[i], &cmp) < 0 ||
                    cmp < 0)
                        continue;
                for (size_t k = 0; k < r->n && !ended; k++)
                        ended = ends_before(&r->events[k], v) && ends(&r->events[k], &r->events[i]);
                if (!ended)
                        return before_limits(r, v);
        }
        return false;
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

                if (r->type != QN_OSV_SEMVER && r->type != QN_OSV_ECOSYSTEM)
                        continue;
                if (how <= best || (all && block->n_versions) || !covers(r, &v))
                        continue;
                *ret_why = (struct qn_affects_why){ .range = r };
                best = how;
        }
        return best;
}
