/* image.h - a container image → the files in it that list npm packages, as the topmost layer shows them.  HOSTILE INPUT.
 * Reads archives of `docker save` and of OCI layouts (tar, gzip around it or not), and OCI layout directories as a bundle
 * (files.h).  Layers are tar, plain or packed with gzip or zstd; whiteouts and opaque directories take away what lower layers had.
 * Symbolic links are noted inside node_modules only, and never followed.
 * Errors: -EINVAL no image, -EBADMSG broken, -EFBIG past a cap. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/map.h"
#include "parse/files.h"

#define QN_IMAGE_BUNDLE "qanat image 1\n" /* before the bundle of a layout directory */

struct qn_image_file {
        enum qn_files_kind kind; /* FILE or LINK */
        struct qn_str path;      /* "app/node_modules/a/package.json" */
        struct qn_cur content;   /* p NULL: taken away by a higher layer */
        bool there;
};

struct qn_image {
        struct qn_str name; /* "repository:tag", or the reference, or a digest */
        struct qn_image_file *files;
        size_t n, cap;
        struct qn_map paths; /* → file */
};

struct qn_images {
        struct qn_image *v;
        size_t n, cap;
};

/* Whether a file outside of node_modules lists packages. */
typedef bool qn_image_wanted(struct qn_str name);

QN_MUST int qn_images_read(struct qn_cur in, qn_image_wanted *wanted, struct qn_arena *a,
                           struct qn_images *ret, struct qn_err *reterr);
