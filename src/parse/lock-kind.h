/* lock-kind.h - what a lock file's entry is, from its path, version and `resolved`.  Inside the lock file reader only. */
#pragma once

#include "parse/lock.h"

/* "a/node_modules/@s/b" → "@s/b"; p NULL when no part of the path is node_modules. */
struct qn_str qn_lock_path_name(struct qn_str path);
/* Fills name, alias, kind and bad_name once the entry's own fields are known; own_name is its "name" field. */
void qn_lock_classify(struct qn_lock_package *p, struct qn_str own_name);
/* Whether npm would install something of this name. */
bool qn_lock_name_ok(struct qn_str name);
