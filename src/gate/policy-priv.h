/* policy-priv.h - the policy as it was understood.  Only for policy*.c. */
#pragma once

#include "base/arena.h"
#include "gate/policy-pattern.h"
#include "gate/policy.h"

struct qn_buf;
struct qn_conf;
struct qn_node;
struct qn_range;

/* The rules in the order in which they are asked: of equal outcomes the first one counts. */
enum qn_policy_rule {
        QN_RULE_OWNED,
        QN_RULE_INTELLIGENCE,
        QN_RULE_VERDICT,
        QN_RULE_UNKNOWN,
        QN_RULE_AGE,
        QN_RULE_HOOKS,
        QN_RULE_PROVENANCE,
        QN_RULE_LOOKALIKE,
        QN_RULES
};

extern const char *const qn_policy_rule_names[QN_RULES + 1]; /* ends with NULL */

/* What the file says is to be done, mildest first. */
enum qn_policy_word {
        QN_WORD_ALLOW,
        QN_WORD_OBSERVE,
        QN_WORD_WARN,
        QN_WORD_QUARANTINE,
        QN_WORD_BLOCK,
        QN_WORDS
};

extern const char *const qn_policy_words[QN_WORDS + 1]; /* ends with NULL */

enum qn_policy_setting {
        QN_SET_KNOWN_MALICIOUS,
        QN_SET_KNOWN_SUSPICIOUS,
        QN_SET_KNOWN_VULNERABLE,
        QN_SET_MALICIOUS,
        QN_SET_SUSPICIOUS,
        QN_SET_UNKNOWN,
        QN_SET_AGE,
        QN_SET_UNDATED,
        QN_SET_HOOKS_NEW,
        QN_SET_HOOKS_ALL,
        QN_SET_PROVENANCE,
        QN_SET_LOOKALIKE,
        QN_SETTINGS
};

#define QN_NEVER INT64_MAX

/* Names and patterns → values; see qn_policy_map_find(). */
struct qn_policy_entry {
        struct qn_policy_pattern pattern;
        int64_t value; /* of two equally specific patterns the one with the larger value counts */
        struct qn_str text;
};

struct qn_policy_map {
        struct qn_policy_entry *v; /* exact names first, by name; then the most specific pattern */
        size_t n, n_exact;
};

/* Lets something through from `since` up to `until`. */
struct qn_policy_pass {
        struct qn_policy_pattern pattern;
        struct qn_range *range;   /* NULL: every version */
        struct qn_str range_text; /* as npm spells it out */
        unsigned rules;           /* bits of enum qn_policy_rule */
        struct qn_str reason, who;
        int64_t since, until; /* INT64_MIN, QN_NEVER: without end */
};

struct qn_policy_passes {
        struct qn_policy_pass *v; /* exact names first, by name */
        size_t n, n_exact;
};

struct qn_policy {
        struct qn_arena arena;
        enum qn_policy_mode mode;
        struct qn_policy_map modes; /* value: how strict, QN_POLICY_OBSERVE - mode */
        struct qn_policy_map ages;  /* value: milliseconds */
        struct qn_policy_map owned; /* value: 1 owned, 0 not; text: upstream */
        int64_t age, new_package;   /* milliseconds, 0: any age */
        int64_t release_after;      /* of quarantine, from its publication; QN_NEVER */
        int64_t budget;
        uint8_t words[QN_SETTINGS];
        struct qn_policy_passes exceptions, overrides;
        struct qn_str contact; /* whom a developer asks */
        char revision[17];
};

/* What holds where the file says nothing. */
void qn_policy_defaults(struct qn_policy *p);
/* Reads a document (NULL: empty) into p. */
QN_MUST int qn_policy_read(struct qn_conf *c, const struct qn_node *root, struct qn_policy *p);
/* Exceptions or overrides. */
QN_MUST int qn_policy_read_exceptions(struct qn_conf *c, const char *key, const struct qn_node *n,
                                      struct qn_policy_passes *ret);
QN_MUST int qn_policy_read_overrides(struct qn_conf *c, const char *key, const struct qn_node *n,
                                     struct qn_policy_passes *ret);
/* Orders the passes, so that neither decisions nor the revision depend on their order in the file. */
void qn_policy_passes_sort(struct qn_policy_passes *p);
int qn_policy_map_cmp(const void *a, const void *b);
/* The entry that counts for a name: its own, else that of the most specific pattern, else NULL. */
const struct qn_policy_entry *qn_policy_map_find(const struct qn_policy_map *m, struct qn_str name);
/* The next pass from *at on that is about the name; NULL at the end.  *at begins with 0. */
const struct qn_policy_pass *qn_policy_passes_next(const struct qn_policy_passes *p,
                                                   struct qn_str name, size_t *at);
/* The whole meaning, as text. */
QN_MUST int qn_policy_write(const struct qn_policy *p, struct qn_buf *out);

/* --- deciding --- */

struct qn_policy_outcome {
        enum qn_policy_word word; /* ALLOW: the rule does not apply */
        bool released;            /* it was a quarantine, which is over */
        const struct qn_policy_pass *pass;
};

int64_t qn_policy_later(int64_t ms, int64_t by); /* sum, at most QN_NEVER */
int64_t qn_policy_age_of(const struct qn_policy *p, struct qn_str name);
enum qn_policy_mode qn_policy_mode_of(const struct qn_policy *p, struct qn_str name);
enum qn_policy_action qn_policy_word_action(enum qn_policy_word w);
/* The word's own mode, and not more than `mode` allows. */
enum qn_policy_mode qn_policy_word_mode(enum qn_policy_word w, enum qn_policy_mode mode);

/* --- sentences --- */

struct qn_policy_say {
        const struct qn_policy *p;
        const struct qn_policy_facts *f;
        enum qn_policy_rule rule;
        struct qn_policy_outcome outcome;
        enum qn_policy_mode mode;
};

/* Why a rule applies, and what to do. */
void qn_policy_say(const struct qn_policy_say *s, char ret[QN_POLICY_REASON_BYTES]);
/* That it is let through all the same, and by whom. */
void qn_policy_say_pass(const struct qn_policy_say *s, const struct qn_policy_pass *pass,
                        bool override, char ret[QN_POLICY_REASON_BYTES]);
/* Why a rule does not apply. */
void qn_policy_say_not(const struct qn_policy *p, const struct qn_policy_facts *f,
                       enum qn_policy_rule rule, char ret[QN_POLICY_REASON_BYTES]);
