/* judge-all.h - `qanat judge --all`: what was seen, judged again by the rules and by what is known now.  Private to cmd-judge.c. */
#pragma once

#include "base/macro.h"

struct qn_args;

/* An exit status, or a negative errno that it has logged. */
QN_MUST int qn_judge_all(const struct qn_args *a);
