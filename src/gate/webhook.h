/* webhook.h - what the organisation is told when something that was served turns out to be bad: a JSON document, and the
 * header that proves who wrote it.  Pure: the same event gives the same bytes; whoever calls sends them (role/fetch.h). */
#pragma once

#include "base/buf.h"
#include "gate/front-wire.h"
#include "rule/judge.h"

#define QN_WEBHOOK_SIGNATURE "qanat-signature" /* name of the header */

/* Once that it was fetched. */
struct qn_webhook_fetch {
        int64_t time_ms; /* since 1970 */
        struct qn_front_client client;
};

struct qn_webhook_event {
        uint64_t id; /* the receiver's key for what came twice */
        int64_t time_ms;
        struct qn_str gate; /* its address */
        struct qn_str name, version, integrity,
                url; /* of the artifact; url: where it came from; p NULL: not known */
        enum qn_verdict_kind before, verdict; /* when it was served, and now */
        struct qn_str rule, reason;
        const struct qn_webhook_fetch *fetches; /* the newest first */
        size_t n_fetches;
        uint64_t total; /* of all fetches, listed or not */
};

/* Appends the document: at most QN_WEBHOOK_FETCHES_MAX fetches, texts cut at QN_WEBHOOK_TEXT_MAX bytes.
 * 0, -ENOBUFS (the buffer's cap), -ENOMEM. */
QN_MUST int qn_webhook_write(const struct qn_webhook_event *e, struct qn_buf *out);
/* Appends "sha256=" and the HMAC-SHA-256 of the body in hexadecimal digits: the value of the header.
 * 0, -EINVAL (no secret), -EIO (libcrypto refuses), -ENOBUFS, -ENOMEM. */
QN_MUST int qn_webhook_sign(struct qn_str secret, struct qn_str body, struct qn_buf *out);
/* Whether a header's value is the body's, in time that tells nothing about where they differ: for receivers and tests. */
QN_MUST bool qn_webhook_verify(struct qn_str secret, struct qn_str body, struct qn_str value);
