/* rule-source.h - the text of rule files, and what in it belongs to one rule, list or condition.
 * It goes by lines and indentation, as these files are laid out; what is cut out is shown to people only. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct qn_rule;

struct qn_rule_sources {
        struct qn_arena *arena;
        struct qn_str *paths, *texts;
        size_t n, cap;
};

/* Reads every *.yaml directly below dir.  Errors are logged. */
QN_MUST int qn_rule_sources_read(struct qn_rule_sources *s, struct qn_arena *a, const char *dir);
/* The condition of a rule as it is written ("when: …"); empty when it cannot be told apart. */
struct qn_str qn_rule_sources_when(const struct qn_rule_sources *s, const struct qn_rule *rule);
/* A named list or condition as it is written ("name: …"). section: "lists" or "conditions". */
struct qn_str qn_rule_sources_named(const struct qn_rule_sources *s, const char *section,
                                    struct qn_str name);
