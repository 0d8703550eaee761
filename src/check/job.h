/* job.h - what an analyse role is given for an item.  Private to check/. */
#pragma once

#include "base/err.h"

struct qn_buf;
struct qn_check_config;
struct qn_item;
struct qn_pool_job;

/* Kind, parameters and inputs of the job that the item's state asks for; what stands beside the input is the caller's to close
 * when the job is not submitted.  0 or -errno. */
QN_MUST int qn_check_job(const struct qn_check_config *c, struct qn_item *it, struct qn_buf *params,
                         struct qn_pool_job *job, struct qn_err *err);
