/* attestation.h - one attestation, verified without asking anybody: what it is worth, and from where it says the package comes.
 * A certificate must have been valid when the transparency log took the entry; nothing depends on today's date. */
#pragma once

#include "parse/attest.h"
#include "parse/trust.h"

struct qn_arena;

enum qn_attestation_result {
#define RESULT(id, name, doc) QN_ATTESTATION_##id,
#include "observe/attestation-result.def"
#undef RESULT
        QN_ATTESTATION_RESULTS
};

const char *qn_attestation_result_name(enum qn_attestation_result r);

/* What an attestation is held against. */
struct qn_attested {
        struct qn_str name, version;
        struct qn_str sha512; /* of the tarball, hexadecimal; p NULL: not known */
};

/* Where and how it was built; texts p NULL where nothing is said. */
struct qn_source {
        struct qn_str repository; /* https://github.com/owner/name */
        struct qn_str workflow;   /* .github/workflows/release.yml */
        struct qn_str ref;        /* refs/heads/main */
        struct qn_str commit;
        struct qn_str trigger; /* push, release… */
        struct qn_str runner;  /* github-hosted, self-hosted */
        struct qn_str builder; /* a workflow of another repository that built it, without its ref */
        struct qn_str issuer;  /* who vouched for the workflow */
};

struct qn_verified {
        enum qn_attestation_result result;
        const char *why;    /* one sentence without full stop */
        bool is_provenance; /* and not the registry's statement that it was published */
        struct qn_str predicate;
        struct qn_source source;
};

struct qn_trust {
        const struct qn_trust_root *root;
        const struct qn_registry_keys *keys;
};

/* 0, or -ENOMEM, -ENOBUFS. */
QN_MUST int qn_attestation_verify(const struct qn_attestation *at, const struct qn_attested *of,
                                  const struct qn_trust *trust, struct qn_arena *a,
                                  struct qn_verified *ret);
