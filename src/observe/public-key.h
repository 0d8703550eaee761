/* public-key.h - signatures by a public key (OpenSSL libcrypto): ECDSA on P-256, P-384, P-521 with the hash of that size, Ed25519. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

/* spki: SubjectPublicKeyInfo in DER.  0 it signed these bytes, -EBADMSG it did not, -EINVAL this is no key, -EOPNOTSUPP a kind
 * of key that is not used here, -ENOMEM. */
QN_MUST int qn_public_key_verify(struct qn_str spki, struct qn_str data, struct qn_str sig);
