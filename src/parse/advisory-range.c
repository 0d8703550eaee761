#include "parse/advisory-range.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "parse/semver.h"

#define TERMS_MAX 8u

enum relation { EXACT, FROM, AFTER, BEFORE, UP_TO };

static const struct {
        const char *sign;
        enum relation relation;
} signs[] = {
        { ">=", FROM }, { "<=", UP_TO }, { ">", AFTER }, { "<", BEFORE }, { "=", EXACT },
};

static bool take_sign(struct qn_str *s, enum relation *ret)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(signs); i++)
                if (qn_str_starts(*s, signs[i].sign)) {
                        *s = qn_str_trim(qn_str_skip(*s, strlen(signs[i].sign)));
                        *ret = signs[i].relation;
                        return true;
                }
        return false;
}

/* The lowest version above one: OSV knows no "after".  Above 1.2.3 that is 1.2.4-0, above 1.2.3-a it is 1.2.3-a.0. */
static struct qn_str successor(struct qn_str version, struct qn_arena *a)
{
        struct qn_buf b = QN_BUF_INIT(512);
        struct qn_semver v;
        struct qn_str s = { 0 };

        if (qn_str_is(version, "0"))
                return version;
        if (qn_semver_parse(version, QN_SEMVER_LOOSE, &v) < 0 &&
            qn_semver_parse_short(version, &v) < 0)
                return s;
        v.build = (struct qn_str){ 0 };
        v.patch += v.pre.n == 0;
        (void)qn_semver_format(&v, &b);
        qn_buf_puts(&b, v.pre.n ? ".0" : "-0");
        s = qn_arena_dup(a, qn_buf_view(&b));
        qn_buf_done(&b);
        return s;
}

static int add_version(struct qn_str v, struct qn_arena *a, struct qn_osv_affected *block)
{
        size_t cap = block->n_versions; /* one at a time: there are few */

        if (QN_ARENA_ROOM(a, block->versions, block->n_versions, cap) < 0)
                return -ENOBUFS;
        block->versions[block->n_versions++] = v;
        return 0;
}

static int take_term(struct qn_str term, struct qn_arena *a, struct qn_osv_range *range,
                     struct qn_osv_affected *block)
{
        enum relation relation = EXACT;
        struct qn_str v = qn_str_trim(term);
        struct qn_semver parsed;

        if (!take_sign(&v, &relation) && !v.n)
                return -EINVAL;
        if (qn_semver_parse(v, QN_SEMVER_LOOSE, &parsed) < 0 &&
            (relation == EXACT || qn_semver_parse_short(v, &parsed) < 0))
                return -EINVAL;
        if (relation == EXACT)
                return add_version(v, a, block);
        if (relation == AFTER)
                v = successor(v, a);
        if (!v.p)
                return -ENOBUFS;
        range->events[range->n++] =
                (struct qn_osv_event){ relation == BEFORE  ? QN_OSV_FIXED
                                       : relation == UP_TO ? QN_OSV_LAST_AFFECTED
                                                           : QN_OSV_INTRODUCED,
                                       v };
        return 0;
}

static bool begins(const struct qn_osv_range *r)
{
        for (size_t i = 0; i < r->n; i++)
                if (r->events[i].kind == QN_OSV_INTRODUCED)
                        return true;
        return false;
}

int qn_advisory_range(struct qn_str text, struct qn_arena *a, struct qn_osv_affected *block)
{
        struct qn_osv_range range = { .type = QN_OSV_SEMVER };
        size_t cap = block->n_ranges, terms = 0;
        int r = 0;

        range.events = qn_arena_calloc(a, TERMS_MAX + 1, sizeof *range.events);
        if (!range.events)
                return -ENOBUFS;
        while (r == 0 && text.p) {
                if (terms++ == TERMS_MAX)
                        return -EINVAL;
                r = take_term(qn_str_cut(&text, ','), a, &range, block);
        }
        if (r < 0 || !range.n)
                return r;
        if (!begins(&range))
                range.events[range.n++] = (struct qn_osv_event){ QN_OSV_INTRODUCED, QN_STR("0") };
        if (QN_ARENA_ROOM(a, block->ranges, block->n_ranges, cap) < 0)
                return -ENOBUFS;
        block->ranges[block->n_ranges++] = range;
        return 0;
}
