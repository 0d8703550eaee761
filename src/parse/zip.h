/* zip.h - walk a ZIP archive (APPNOTE 6.3) held in memory.  HOSTILE INPUT.
 * The central directory decides, as for all readers; local headers are only passed over.  Contents are stored or deflated;
 * what is encrypted or packed otherwise is handed out without content.  Zip64 sizes are read.  Paths are slices of the
 * input and mean nothing: nothing is ever written.
 * Errors: -EBADMSG no directory or a broken one, -EFBIG past QN_ZIP_ENTRIES_MAX. */
#pragma once

#include "base/cur.h"
#include "base/str.h"

struct qn_zip {
        struct qn_cur in;
        uint64_t at, end; /* of the central directory */
        uint64_t shift;   /* bytes in front of the archive, as of self-extracting ones */
        uint64_t left;    /* entries */
};

struct qn_zip_entry {
        struct qn_str path;
        uint64_t size, packed;
        uint32_t crc;    /* CRC-32 of the content, as the directory claims */
        uint16_t method; /* 0 stored, 8 deflated */
        bool encrypted;
        uint32_t mode;      /* permission bits, 0: unknown */
        struct qn_cur data; /* packed bytes; empty when they lie outside */
};

QN_MUST int qn_zip_open(struct qn_cur in, struct qn_zip *ret);
/* 1, 0 at the end, or an error. */
QN_MUST int qn_zip_next(struct qn_zip *z, struct qn_zip_entry *ret);
