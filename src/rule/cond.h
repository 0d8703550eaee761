/* cond.h - compiled conditions: private to rule/.
 * A rule's `when` is a tree of conditions; its leaves are event patterns.  Patterns are numbered over all rules, so that the
 * judge looks for the events of each only once per package, and not at all when no rule that needs it can match. */
#pragma once

#include "event/event.h"
#include "rule/rule.h"

struct qn_node;

#define QN_PHASES_ALL ((1u << QN_PHASE_MAX) - 1)
#define QN_LAYERS_ALL ((1u << QN_LAYER_MAX) - 1)
/* What a rule looks at when it does not say: code that runs by itself or that a user starts. */
#define QN_PHASES_USUAL (QN_PHASES_ALL & ~(1u << QN_PHASE_CALL | 1u << QN_PHASE_NEVER))

struct qn_kinds {
        uint64_t bits[2];
};
_Static_assert(QN_EVENT_MAX <= 128, "kinds are bits of a qn_kinds");

static inline void qn_kinds_add(struct qn_kinds *k, unsigned kind)
{
        k->bits[kind / 64] |= UINT64_C(1) << kind % 64;
}

static inline bool qn_kinds_has(const struct qn_kinds *k, unsigned kind)
{
        return k->bits[kind / 64] >> kind % 64 & 1;
}

static inline bool qn_kinds_meet(const struct qn_kinds *a, const struct qn_kinds *b)
{
        return (a->bits[0] & b->bits[0]) || (a->bits[1] & b->bits[1]);
}

enum qn_match_op {
        QN_MATCH_IS,
        QN_MATCH_GLOB,
        QN_MATCH_CONTAINS,
        QN_MATCH_STARTS,
        QN_MATCH_ENDS,
        QN_MATCH_PRESENT,
        QN_MATCH_AT_LEAST,
        QN_MATCH_AT_MOST,
};

/* Besides attributes, these can be matched. */
enum { QN_FIELD_FILE = QN_ATTR_COUNT_, QN_FIELD_TEXT, QN_FIELD_MAX };

struct qn_matcher {
        uint8_t field, op;
        bool negate, any_case;
        uint32_t n;
        struct qn_str *values; /* one of them must fit */
        uint64_t number;
};

struct qn_pattern {
        uint32_t id;
        struct qn_kinds kinds;
        uint8_t phases; /* 0: the rule's, except for facts, which have no time */
        uint8_t layers;
        uint8_t fresh; /* qn_novelty: at least as new */
        bool not_fresh;
        uint32_t times;
        uint64_t labels_any, labels_all;
        struct qn_matcher *matchers;
        size_t n_matchers;
};

enum qn_cond_op {
        QN_COND_EVENT,
        QN_COND_ALL,
        QN_COND_ANY,
        QN_COND_NOT,
        QN_COND_COUNT,
        QN_COND_SAME_FILE,
        QN_COND_SAME_PHASE,
};

/* What COUNT tells apart, besides attributes. */
enum {
        QN_DISTINCT_EVENT = QN_ATTR_COUNT_,
        QN_DISTINCT_FILE,
        QN_DISTINCT_KIND,
        QN_DISTINCT_LABEL,
};

struct qn_rule_cond {
        enum qn_cond_op op;
        const struct qn_pattern *pattern;
        const struct qn_rule_cond **kids;
        size_t n;
        uint32_t at_least;
        uint8_t distinct;
};

/* One rule and what the judge needs to know to pass it over. */
struct qn_compiled {
        struct qn_rule rule;
        uint8_t phases;
        struct qn_kinds *needs; /* a package must have one kind of each */
        size_t n_needs;
};

struct qn_rules {
        struct qn_arena arena;
        struct qn_compiled *rules; /* by id */
        size_t n, cap;
        uint32_t n_patterns;
        uint64_t revision; /* of the bytes of all files */
};

/* Whether the kind states something that has no time: a rule's phases do not apply to it. */
bool qn_kind_is_fact(enum qn_event_kind k);

/* --- compile.c --- */

struct qn_named {
        struct qn_str name, file;
        const struct qn_node *node;
};

/* What is shared while rule files are read. */
struct qn_compiler {
        struct qn_rules *rules;
        struct qn_arena *arena;
        struct qn_err *err;
        struct qn_str file; /* being compiled */
        struct qn_map lists, conditions;
        struct qn_named *named;
        const struct qn_rule_cond **compiled; /* per named condition, once it was used */
        size_t n_named, named_cap;
        unsigned depth; /* of conditions that use conditions */
};

/* "file:line:column: message" into c->err; returns -EINVAL. */
int qn_compile_fail(const struct qn_compiler *c, const struct qn_node *at, const char *fmt, ...)
        QN_PRINTF(3, 4);
/* The word of the table (n entries through name_at) nearest to s, as " (did you mean \"x\"?)", or "". */
const char *qn_compile_hint(struct qn_str s, const char *(*name_at)(unsigned), unsigned n,
                            char *buf, size_t size);
QN_MUST int qn_compile_cond(struct qn_compiler *c, const struct qn_node *n,
                            const struct qn_rule_cond **ret);
QN_MUST int qn_compile_phases(struct qn_compiler *c, const struct qn_node *n, uint8_t *ret);
/* A text or a list of texts, with `$name` replaced by the list of that name (`$$` stands for a dollar sign). */
QN_MUST int qn_compile_texts(struct qn_compiler *c, const struct qn_node *n, struct qn_str **ret,
                             size_t *ret_n);
/* Whether a condition is an event pattern, or any: of them; then its events can be counted. */
bool qn_cond_is_events(const struct qn_rule_cond *cond);
/* Derives needs from the condition. */
QN_MUST int qn_compile_needs(struct qn_compiler *c, struct qn_compiled *rule);

/* --- source.c --- */

/* Reads a file into a tree; c->file is its path from then on, and its bytes go into the revision. */
QN_MUST int qn_source_read(struct qn_compiler *c, const char *path, const struct qn_node **ret,
                           uint64_t *revision);
/* Gives a node a name in one of the compiler's maps; what: how to call it in an error. */
QN_MUST int qn_source_name(struct qn_compiler *c, struct qn_map *map, struct qn_str name,
                           const struct qn_node *n, const char *what);
/* The lists of `lists:`. */
QN_MUST int qn_source_lists(struct qn_compiler *c, const struct qn_node *n);
/* 1 to 64 of a-z, 0-9 and -. */
QN_MUST int qn_source_id(struct qn_compiler *c, const struct qn_node *n, struct qn_str *to);

/* --- match.c --- */

/* Phases aside. */
bool qn_pattern_fits(const struct qn_pattern *p, const struct qn_event_set *s,
                     const struct qn_event *e);

/* --- explain.c --- */

/* Whether every {placeholder} of a rule's text has a name that exists; else *ret_bad is it. */
bool qn_explain_check(struct qn_str text, struct qn_str *ret_bad);
/* The text with the evidence's values in it; p is NULL at the arena's cap. */
struct qn_str qn_explain(const struct qn_finding *f, const struct qn_event_set *s,
                         struct qn_arena *a);
