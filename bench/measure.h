/* measure.h - what the benchmarks share: processor time, files, percentiles. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cur.h"

struct qn_buf;
struct qn_tar_entry;

/* Processor time of this process, in nanoseconds. */
uint64_t bench_cpu_ns(void);

/* A file in memory, with its pages; empty when it cannot be read. */
struct qn_cur bench_map(const char *path);
void bench_unmap(struct qn_cur c);

/* Sorts the n times; share: 0.5 is the median, 1 the longest. */
double bench_percentile_ms(uint64_t *ns, size_t n, double share);

/* Whether the check looks for literals in the file: text, but no source maps and no type declarations. */
bool bench_is_searched(const struct qn_tar_entry *e);

/* Text of generated programs: each # is the number. */
void bench_put(struct qn_buf *b, const char *s, size_t number);
