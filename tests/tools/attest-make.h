/* attest-make.h - attestations, keys and roots for tests, made with a private authority, logs and keys that live as long as the
 * process.  Dates are fixed: nothing made here grows old. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#define MAKE_TIME 1750000000u /* when the log took every entry: 15 June 2025 */

/* What is wrong with an attestation. */
#define MAKE_FLAWS(X)                                                                              \
        X(NONE, "valid")                                                                           \
        X(EXPIRED, "expired") /* the certificate ended before the log took the entry */            \
        X(NOT_YET, "not-yet") /* it began later */                                                 \
        X(WRONG_SUBJECT, "wrong-subject")       /* about other bytes */                            \
        X(SWAPPED, "swapped")                   /* about another package */                        \
        X(WRONG_LOG, "wrong-log")               /* the promise is signed by another key */         \
        X(WRONG_CHECKPOINT, "wrong-checkpoint") /* the checkpoint is */                            \
        X(UNKNOWN_LOG, "unknown-log")           /* of a log that nobody trusts */                  \
        X(WRONG_PROOF, "wrong-proof")           /* the hashes lead elsewhere */                    \
        X(WRONG_ENTRY, "wrong-entry")           /* the log's entry is about another envelope */    \
        X(WRONG_SIGNATURE, "wrong-signature")   /* the envelope is signed by another key */        \
        X(UNTRUSTED, "untrusted")               /* the certificate is made by somebody else */     \
        X(UNLISTED, "unlisted")                 /* no certificate log saw it */                    \
        X(WRONG_USE, "wrong-use")               /* the certificate is for servers */               \
        X(NO_LOG, "no-log")                     /* there is no log entry */                        \
        X(NO_PROMISE, "no-promise")             /* the log did not sign the time */                \
        X(OTHER_SOURCE,                                                                            \
          "other-source") /* the statement names another repository than the certificate */        \
        X(KEY_FOR_CI, "key-for-ci") /* a provenance signed with the registry's key */              \
        X(OLD_FORM,                                                                                \
          "old-form")         /* nothing: a bundle 0.1, a statement v0.1, a certificate of 2022 */ \
        X(PUBLISH, "publish") /* nothing: the registry's own attestation */                        \
        X(UNKNOWN_KEY, "unknown-key")   /* the same, by a key that is in no list */                \
        X(UNKNOWN_FORM, "unknown-form") /* a bundle of a version to come */

enum make_flaw {
#define X(id, name) MAKE_##id,
        MAKE_FLAWS(X)
#undef X
                MAKE_FLAW_MAX
};

struct make {
        const char *name, *version, *sha512; /* the latter in hexadecimal */
        const char *repository;              /* https://github.com/owner/name */
        const char *workflow, *ref, *trigger, *runner;
        enum make_flaw flaw;
};

const char *make_flaw_name(enum make_flaw f);
/* Documents in the registry's form, a trusted root, a registry's keys.  Whatever fails ends the process. */
void make_attestations(const struct make *m, struct qn_buf *out);
void make_trust(struct qn_buf *out);
void make_keys(struct qn_buf *out);
/* The registry's signature of a text, in base64, and the id of its key; old: of one that expired in May 2025. */
void make_signature(const char *text, bool old, struct qn_buf *out);
const char *make_key_id(bool old);
/* The signer's certificate alone, in DER. */
void make_certificate(const struct make *m, struct qn_buf *out);
