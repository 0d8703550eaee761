/* cache-bom.h - the packages in a package manager's cache, whose index files came as a bundle (files.h).  HOSTILE INPUT.
 *
 *      npm     index-v5/…                       lines of its index (cacache.h)
 *      yarn 1  …/.yarn-metadata.json            manifest and where it came from
 *      yarn 2+ name-npm-1.0.0-hash-….zip        the first bytes of the archive: its directories spell the name
 *      pnpm    files/ab/cd…-index.json, index/ab/cd…-name@1.0.0.json
 *      bun     name@1.0.0@@@1/package.json
 */
#pragma once

#include "parse/bom.h"

QN_MUST int qn_cache_read_bom(struct qn_cur files, struct qn_arena *a, struct qn_bom **ret,
                              struct qn_err *reterr);
