/* trust.h - what signatures are held against, as data: a Sigstore trusted root (authorities, transparency logs, certificate logs)
 * and a registry's keys, in both forms that are around ({keyid, key, expires} and {keyId, publicKey, validFor}).
 * HOSTILE INPUT: keys may come from a registry.  Everything lives in the arena or is a slice of the input. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct qn_arena;

struct qn_trust_time { /* milliseconds since 1970; INT64_MIN and INT64_MAX: open */
        int64_t from, to;
};

struct qn_trust_log {
        struct qn_str id;  /* SHA-256 of the key */
        struct qn_str key; /* SubjectPublicKeyInfo, DER */
        struct qn_trust_time valid;
};

struct qn_trust_authority {
        struct qn_str certs[QN_BUNDLE_CERTS_MAX]; /* DER; the last one is the root */
        size_t n;
        struct qn_trust_time valid;
};

struct qn_trust_root {
        struct qn_trust_authority *authorities;
        struct qn_trust_log *logs, *cert_logs;
        size_t n_authorities, n_logs, n_cert_logs;
};

struct qn_registry_key {
        struct qn_str id;  /* SHA256:… */
        struct qn_str key; /* SubjectPublicKeyInfo, DER */
        struct qn_trust_time valid;
};

struct qn_registry_keys {
        struct qn_registry_key *list;
        size_t n;
};

/* 0; -EINVAL: JSON, but not such a document, or with a member that is broken; -EFBIG; else those of json.h. */
QN_MUST int qn_trust_root_read(struct qn_cur in, struct qn_arena *a, struct qn_trust_root *ret,
                               struct qn_err *reterr);
QN_MUST int qn_registry_keys_read(struct qn_cur in, struct qn_arena *a,
                                  struct qn_registry_keys *ret, struct qn_err *reterr);
/* Whether it covers a time in milliseconds; a time that is not known (INT64_MIN) is covered. */
bool qn_trust_covers(const struct qn_trust_time *t, int64_t ms);
