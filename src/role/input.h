/* input.h - the input of a job that came as a descriptor.  HOSTILE INPUT.
 * Up to QN_ROLE_READ_MAX it is read into memory, so that it cannot change while it is parsed.
 * Larger files are mapped, so that memory does not grow with them; a file that somebody changes
 * meanwhile makes qn_input_close() fail, and one that somebody cuts short ends the process
 * (SIGBUS). */
#pragma once

#include <sys/stat.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"

struct qn_input {
        struct qn_buf bytes; /* kept between jobs */
        void *map;
        size_t mapped;
        struct stat before;
};

/* The whole file behind fd, which stays the caller's: 0, -EINVAL (not a regular file), -EFBIG
 * (QN_ROLE_INPUT_MAX), -ENOMEM, -errno.  The cursor lives until the close. */
QN_MUST int qn_input_open(struct qn_input *in, int fd, struct qn_cur *ret, struct qn_err *reterr);
/* Gives the memory of a large mapped input back to the system; it is read again when touched.  Safe
 * in a signal handler. */
void qn_input_trim(struct qn_input *in);
/* 0, or -ESTALE: the mapped file changed while it was in use, and nothing that was learnt from it
 * is true. */
QN_MUST int qn_input_close(struct qn_input *in, int fd, struct qn_err *reterr);

/* On the parent's side: from here on nobody can change the memfd, which is at position 0, not even a role that holds it still.
 * 0 and its size; -errno, also when somebody has it mapped for writing. */
QN_MUST int qn_input_seal(int fd, uint64_t *ret_size);
/* On the parent's side: memory of the caller as a descriptor that nobody can write to. */
QN_MUST int qn_input_sealed(struct qn_cur bytes, int *ret);
