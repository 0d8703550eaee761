/* bom-image.h - the packages of container images: a source for each lock file and tree of node_modules in them.  HOSTILE INPUT. */
#pragma once

#include "parse/collection.h"

/* Whether a file of this name lists packages. */
bool qn_bom_is_list(struct qn_str name);
/* What cannot be read of an image is a source with an error.  Errors of image.h. */
QN_MUST int qn_bom_read_images(struct qn_cur in, struct qn_arena *a, struct qn_collection *ret,
                               struct qn_err *reterr);
