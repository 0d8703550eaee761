/* yaml.h - YAML 1.1 as libyaml reads it → the same tree as JSON.  HOSTILE INPUT.
 * One document.  Core-schema scalars: plain true/false/null/integers/decimals get their type, everything else is a string
 * (no sexagesimals, no yes/no booleans, no timestamps).  Anchors and aliases are resolved by sharing the node, capped so that
 * expansions ("billion laughs") and cycles are -EFBIG; unknown tags are ignored; merge keys (<<) are ordinary keys.
 * Nodes keep line and column.  Caps: QN_YAML_DEPTH_MAX, QN_YAML_NODES_MAX, QN_YAML_MAX.
 * Errors as in json.h. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "parse/json.h"

QN_MUST int qn_yaml_parse(struct qn_cur in, struct qn_arena *a, struct qn_node **ret,
                          struct qn_err *reterr);
