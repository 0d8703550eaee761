/* registry-signature.h - a registry's own signatures of a version (dist.signatures): ECDSA over "name@version:integrity". */
#pragma once

#include "parse/packument.h"
#include "parse/trust.h"

struct qn_arena;
struct qn_event_set;

/* Adds a signature event for each; integrity: of the bytes at hand.  0, or -ENOMEM. */
QN_MUST int qn_registry_signature_observe(const struct qn_packument_version *v,
                                          struct qn_str integrity,
                                          const struct qn_registry_keys *keys, struct qn_arena *a,
                                          struct qn_event_set *set);
