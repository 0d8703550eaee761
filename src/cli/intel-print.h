/* intel-print.h - what intelligence says, for people and as JSON. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "cli/intel-import.h"
#include "intel/index.h"
#include "intel/match.h"

/* {"schema","name","version","verdict","matches":[…]} in one line. */
void qn_intel_print_json(struct qn_buf *out, struct qn_str name, struct qn_str version,
                         const struct qn_intel_answer *ans);
void qn_intel_print_text(struct qn_buf *out, struct qn_str name, struct qn_str version,
                         const struct qn_intel_answer *ans, bool explain);
/* What an import took in; unchanged: the source had nothing new. */
void qn_intel_print_imported(struct qn_buf *out, const char *path,
                             const struct qn_intel_imported *i, bool unchanged, bool json);
/* One record, as an OSV document. */
void qn_intel_print_osv(struct qn_buf *out, const struct qn_osv *osv, unsigned indent);
