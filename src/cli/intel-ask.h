/* intel-ask.h - questions to the index: what each needs, and one function for each, which adds its answer to out. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "intel/index.h"
#include "intel/trust.h"

struct qn_args;

struct qn_intel_ask {
        const struct qn_args *args;
        struct qn_intel *index;
        struct qn_intel_trust *trust;
        struct qn_arena a, tables;
        struct qn_buf out;
        int64_t now_ms;
        bool json;
        bool found; /* what was asked for is bad, or listed */
};

/* 0 or -errno, and then it has been logged why. */
QN_MUST int qn_intel_look_up(struct qn_intel_ask *q, const char *arg);
QN_MUST int qn_intel_show(struct qn_intel_ask *q, const char *arg);
QN_MUST int qn_intel_find(struct qn_intel_ask *q, const char *arg);
QN_MUST int qn_intel_list_sources(struct qn_intel_ask *q);
QN_MUST int qn_intel_diff(struct qn_intel_ask *q);   /* intel-diff.c */
QN_MUST int qn_intel_export(struct qn_intel_ask *q); /* intel-export.c */

/* A record as an OSV document. */
QN_MUST int qn_intel_print_record(struct qn_intel_ask *q, const struct qn_intel_record *rec,
                                  unsigned indent);
/* "2026-11-29 06:00" of seconds since 1970. */
struct qn_str qn_intel_day(uint64_t s, char *buffer, size_t size);
