/* webhook.h - a POST that proves who sent it, when, and which message it is: of all that leaves through a webhook.
 * The header qanat-signature has "t=SECONDS,id=ID,sha256=HEX": HEX is the HMAC-SHA-256, under the shared secret, of
 * "SECONDS.ID." and the body.  A receiver drops what is too old, and an id that it has had. */
#pragma once

#include "base/buf.h"
#include "net/http.h"

struct qn_fetch;

#define QN_WEBHOOK_SIGNATURE "qanat-signature" /* name of the header */

struct qn_webhook {
        struct qn_str url;
        struct qn_str secret; /* p NULL: there is no signature */
        struct qn_str
                id; /* of the message, the same each time that it is sent: letters, digits and - */
        int64_t time_ms;    /* when it is sent, since 1970 */
        struct qn_str body; /* JSON */
        uint32_t total_ms;  /* for all of it */
};

/* Appends the value of the header.  0, -EINVAL (no secret, or an id of other characters), -EIO (libcrypto refuses), -ENOBUFS,
 * -ENOMEM. */
QN_MUST int qn_webhook_sign(const struct qn_webhook *w, struct qn_buf *out);
/* Whether a header's value is the body's, in time that tells nothing about where they differ: for receivers and tests, which look
 * at time and id themselves. */
QN_MUST bool qn_webhook_verify(struct qn_str secret, struct qn_str body, struct qn_str value);
/* Sends it through the fetch role, to its address and nowhere else: redirects of a POST are not followed.  As qn_fetch_send(). */
QN_MUST int qn_webhook_post(struct qn_fetch *f, const struct qn_webhook *w, qn_http_done *done,
                            void *user);
