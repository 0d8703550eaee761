/* rules-docs.h - `qanat rules docs DIR`: a page in Markdown for each rule, made from its YAML, and an index. */
#pragma once

#include "base/macro.h"

struct qn_rules;

/* Writes DIR/<rule id>.md and DIR/index.md.  examples: where the rules' examples are, or NULL for those beside the data
 * directory.  What is wrong was logged. */
QN_MUST int qn_rules_docs(const struct qn_rules *rules, const char *data_dir, const char *examples,
                          const char *to);
