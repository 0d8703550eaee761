/* rules-test.h - `qanat rules test`: every rule against its examples, DIR/<rule id>/{bad,good}*.
 * DIR may be several directories, whose examples come together.
 * An example is a directory that holds a package, or a file *.events.ndjson.  A bad one must make its rule match and get at
 * least the rule's verdict; a good one must not make it match and must be clean. */
#pragma once

#include "base/macro.h"

struct qn_rules;

/* examples: directories, then NULL; none: those beside the data directory.  Prints what failed and a summary; 0 all well, 1 something failed, or a negative errno that was logged.
 * only: id of the one rule to test, or NULL. */
QN_MUST int qn_rules_test(const struct qn_rules *rules, const char *data_dir,
                          const char *const *examples, const char *only);
