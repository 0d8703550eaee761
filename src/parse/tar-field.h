/* tar-field.h - single fields of tar headers and pax records, read as JavaScript reads them.  HOSTILE INPUT.
 * npm's reader turns fields into strings and numbers with parseInt and regular expressions; the odd corners of those
 * decide what gets installed, so they are followed here to the letter.  Only for tar.c. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

/* decNumber(): 0, -ENOENT not a number, -EBADMSG base-256 that makes the reader throw. */
QN_MUST int qn_tar_number(struct qn_str field, int64_t *ret);

/* Without the first NUL and what follows it up to the next line end, where npm's regular expression stops: what comes
 * after that line end stays, and then the result is put together in scratch (at least s.n bytes). */
struct qn_str qn_tar_cut_nul(struct qn_str s, char *scratch);

/* What extended headers said about entries to come. */
enum qn_tar_ext_has {
        QN_TAR_EXT_PATH = 1 << 0,
        QN_TAR_EXT_LINK = 1 << 1,
        QN_TAR_EXT_SIZE = 1 << 2,
        QN_TAR_EXT_UID = 1 << 3,
        QN_TAR_EXT_GID = 1 << 4,
        QN_TAR_EXT_MTIME = 1 << 5,
        QN_TAR_EXT_ATIME = 1 << 6,
        QN_TAR_EXT_CTIME = 1 << 7,
};

struct qn_tar_ext {
        unsigned has;  /* qn_tar_ext_has bits */
        bool disputed; /* a reader that follows the standard would have understood something else */
        uint64_t size;
        struct qn_buf path, link;
};

void qn_tar_ext_reset(struct qn_tar_ext *e);
/* The body of a GNU 'L' (path) or 'K' (link) header.  0, -EFBIG past QN_TAR_NAME_MAX, -ENOMEM. */
QN_MUST int qn_tar_ext_long(struct qn_tar_ext *e, unsigned which, struct qn_str body);
/* The body of a pax header, laid over what earlier ones said.  Also -EBADMSG. */
QN_MUST int qn_tar_ext_pax(struct qn_tar_ext *e, struct qn_str body, struct qn_err *reterr);
