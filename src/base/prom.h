/* prom.h - counters as Prometheus reads them (text format 0.0.4). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct qn_buf;

#define QN_PROM_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct qn_prom {
        struct qn_buf *out;
        const char *prefix; /* of every name: "qanat_gate_" */
};

/* What a name means; then its values. */
void qn_prom_head(const struct qn_prom *p, const char *name, const char *type, const char *help);
/* One value with its head. */
void qn_prom_one(const struct qn_prom *p, const char *name, const char *type, const char *help,
                 uint64_t value);
/* A value with a label. */
void qn_prom_label(const struct qn_prom *p, const char *name, const char *label, const char *text,
                   uint64_t value);

/* buckets[i]: at most unit × 2^i seconds; the last one: longer.  sum: of all, in seconds.  label and text: what it is one of, whose head
 * is written by the caller; NULL: it stands alone, with its head. */
struct qn_prom_histogram {
        const char *name, *help, *label, *text;
        const uint64_t *buckets;
        size_t n;
        double unit, sum;
};
void qn_prom_histogram(const struct qn_prom *p, const struct qn_prom_histogram *h);
