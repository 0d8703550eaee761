/* attest.h - the attestations of one version as a registry hands them out: {"attestations": [{predicateType, bundle}]}, each bundle
 * one of Sigstore's (0.1 to 0.3) around a DSSE envelope.  HOSTILE INPUT.  Bytes are decoded and shapes are checked; nothing is
 * verified.  An attestation that cannot be read is kept with the reason, so that it does not hide the others.
 * Everything lives in the arena or is a slice of the input. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct qn_arena;

struct qn_log_proof {
        uint64_t index, size;
        struct qn_str root;
        struct qn_str hashes[QN_BUNDLE_PROOF_MAX];
        size_t n;
        struct qn_str checkpoint; /* signed note; p NULL: none */
};

struct qn_log_entry {
        uint64_t index;
        uint64_t time;         /* seconds since 1970, when the log says that it took it */
        struct qn_str log;     /* id: SHA-256 of the log's key */
        struct qn_str body;    /* canonical JSON of what was logged */
        struct qn_str promise; /* signed entry timestamp, p NULL: none */
        bool has_proof;
        struct qn_log_proof proof;
};

struct qn_bundle {
        struct qn_str certs[QN_BUNDLE_CERTS_MAX]; /* DER, the signer's first */
        size_t n_certs;
        struct qn_str
                key_hint; /* signed with a key of the registry: its id; p NULL: with a certificate */
        struct qn_log_entry entries[QN_BUNDLE_ENTRIES_MAX];
        size_t n_entries;
        struct qn_str payload_type, payload; /* of the envelope */
        struct qn_str sig;
};

struct qn_attestation {
        struct qn_str predicate; /* type, as the registry says */
        const char *broken;      /* why the bundle cannot be used, or NULL */
        bool unknown_form; /* it is broken because it is a bundle of a form that is not read here */
        struct qn_bundle bundle;
};

struct qn_attestations {
        struct qn_attestation *list;
        size_t n;
};

/* 0; -EINVAL: JSON, but not such a document; -EFBIG: more of something than a limit allows; else those of json.h. */
QN_MUST int qn_attestations_read(struct qn_cur in, struct qn_arena *a, struct qn_attestations *ret,
                                 struct qn_err *reterr);
