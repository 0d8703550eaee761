/* lock.h - what lock files of all package managers name, in one model.  Private to check/. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "parse/lock.h"

struct qn_arena;
struct qn_buf;

/* The kind of the job that reads the lock file at that path; its parameters are added to params. */
uint8_t qn_check_lock_job(struct qn_str path, struct qn_buf *params);
/* What that job answered.  0 or -errno with the reason; parts that could not be read make it an error. */
QN_MUST int qn_check_read_lock(struct qn_str path, struct qn_cur reply, struct qn_arena *a,
                               struct qn_lock *ret, struct qn_err *reterr);
/* Why an entry is not fetched, NULL when it is. */
const char *qn_check_why_not_fetched(const struct qn_lock_package *p);
