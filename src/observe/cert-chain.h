/* cert-chain.h - whether a signer's certificate leads to an authority that is trusted, was valid at a time, is meant for signing
 * code, and was made public: one of the trusted certificate logs signed that it saw it (RFC 6962, 3.3). */
#pragma once

#include "base/str.h"
#include "parse/trust.h"

struct qn_arena;

enum qn_chain_result {
        QN_CHAIN_GOOD,
        QN_CHAIN_MALFORMED, /* the signer's certificate cannot be read */
        QN_CHAIN_UNTRUSTED, /* it leads to no trusted root, or is not for signing code */
        QN_CHAIN_EXPIRED,   /* it does, but was not valid at the time */
        QN_CHAIN_UNLISTED,  /* no trusted certificate log vouches for it */
};

/* certs: the signer's first, then any that help; time: seconds since 1970.  ret_key: the signer's SubjectPublicKeyInfo, in the
 * arena; set for good ones only.  0, or -ENOMEM, -ENOBUFS. */
QN_MUST int qn_chain_check(const struct qn_str *certs, size_t n, uint64_t time,
                           const struct qn_trust_root *trust, struct qn_arena *a,
                           enum qn_chain_result *ret, struct qn_str *ret_key);
