/* cert-log.h - timestamps of certificate transparency logs inside a certificate.  HOSTILE INPUT.  Private to cert-chain.c. */
#pragma once

#include <openssl/x509.h>

#include "base/macro.h"
#include "parse/trust.h"

struct qn_arena;

/* 1 a trusted log signed that it saw this certificate of this issuer, 0 none did, or -ENOMEM. */
QN_MUST int qn_cert_log_vouches(X509 *cert, X509 *issuer, const struct qn_trust_root *trust);
