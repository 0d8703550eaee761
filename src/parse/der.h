/* der.h - DER (X.690) through a cursor: tag, length, content.  HOSTILE INPUT.
 * One-byte tags and definite lengths of at most four bytes, which is all that certificates use: anything else is -EBADMSG.
 * Nothing is copied and nothing recurses: whoever wants what is inside opens the content as a cursor. */
#pragma once

#include "base/cur.h"
#include "base/str.h"

enum {
        QN_DER_BOOLEAN = 0x01,
        QN_DER_INTEGER = 0x02,
        QN_DER_OCTETS = 0x04,
        QN_DER_OID = 0x06,
        QN_DER_UTF8 = 0x0c,
        QN_DER_IA5 = 0x16,
        QN_DER_SEQUENCE = 0x30,
        QN_DER_URI = 0x86,        /* GeneralName: uniformResourceIdentifier */
        QN_DER_EMAIL = 0x81,      /* GeneralName: rfc822Name */
        QN_DER_VERSION = 0xa0,    /* of a certificate */
        QN_DER_EXTENSIONS = 0xa3, /* of a certificate */
};

/* The next element, whatever it is. */
QN_MUST int qn_der_next(struct qn_cur *c, uint8_t *ret_tag, struct qn_cur *ret);
/* The next element, which must have this tag; the cursor stays where it is when it has not. */
QN_MUST int qn_der_take(struct qn_cur *c, uint8_t tag, struct qn_cur *ret);
/* Passes over an element if it has this tag. */
QN_MUST int qn_der_pass(struct qn_cur *c, uint8_t tag);
