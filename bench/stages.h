/* stages.h - what each stage of the static check costs: the stages are run one by one over the same packages. */
#pragma once

#include "base/cur.h"
#include "observe/scan.h"

struct qn_rules;
struct stages;

struct stages *stages_new(const struct qn_observers *o, const struct qn_rules *rules);
void stages_free(struct stages *s);
void stages_add(struct stages *s, struct qn_cur tarball);
/* check_ns: of the whole check of the same n packages. */
void stages_print(const struct stages *s, size_t n, uint64_t check_ns);
