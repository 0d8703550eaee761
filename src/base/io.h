/* io.h - whole files and descriptors: bounded reads, complete writes, atomic replacement. */
#pragma once

#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

struct qn_buf;

/* Reads a file to its end into b (cap: b->max): 0, -EFBIG past the cap, or -errno.  "-" is standard input. */
QN_MUST int qn_io_read(const char *path, struct qn_buf *b);
QN_MUST int qn_io_read_fd(int fd, struct qn_buf *b);
/* Writes all of s, however often the call is cut short. */
QN_MUST int qn_io_write_fd(int fd, struct qn_str s);
/* Copies the n bytes that a file has, from its begin, whatever its position is, to another descriptor: 0, -ESTALE: it has fewer;
 * -errno. */
QN_MUST int qn_io_copy(int from, int to, uint64_t n);
/* Writes beside path and renames over it: readers see the old or the new file, never half of one. */
QN_MUST int qn_io_replace(const char *path, struct qn_str s);
/* mkdir -p with mode 0700 for what is missing. */
QN_MUST int qn_io_mkdirs(const char *path);
/* Monotonic clock in nanoseconds: for elapsed times only, never for results. */
uint64_t qn_io_nanos(void);
/* Milliseconds since 1970. */
int64_t qn_io_now_ms(void);
