/* affects.h - whether a block of an OSV record speaks of a version, as the schema says it (https://ossf.github.io/osv-schema):
 * `affected` decides and nothing else.  Ranges of GIT and other kinds never match.  Within one block exact versions
 * beat a range that covers everything, because the latter is how feeds say "look at the list". */
#pragma once

#include "parse/osv.h"

enum qn_affects {
        QN_AFFECTS_NOT,
        QN_AFFECTS_ALL,     /* by a range without an end: every version */
        QN_AFFECTS_RANGE,   /* by a range that has one, or a beginning */
        QN_AFFECTS_VERSION, /* by the list of versions */
};

struct qn_affects_why {
        const struct qn_osv_range *range; /* of ALL and RANGE */
        struct qn_str version;            /* of VERSION: as listed */
};

/* The most exact way in which the block speaks of the version. */
enum qn_affects qn_osv_affects(const struct qn_osv_affected *block, struct qn_str version,
                               struct qn_affects_why *ret_why);
/* Whether it speaks of all versions. */
bool qn_osv_affects_all(const struct qn_osv_affected *block);
/* Whether the range counts in versions: those of GIT and other kinds never match. */
bool qn_osv_range_has_versions(const struct qn_osv_range *r);
/* Whether the range has neither a lower nor an upper end. */
bool qn_osv_range_is_all(const struct qn_osv_range *r);
