/* fetch.h - HTTP in a confined process of its own: the fetch role, and its parent's side.
 * The role has sockets, the files that name resolution and TLS read, and the bodies that it is given
 * to write to; tokens it sees only with the request they belong to.  What it answers is trusted no
 * more than the network.  The parent's side has the calls of net/http.h. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "net/http.h"
#include "role/role.h"

extern const struct qn_role_def qn_role_fetch;

struct qn_fetch;

/* Everything is copied; the process starts with the first request. */
QN_MUST int qn_fetch_new(const struct qn_http_opts *o, bool no_sandbox, struct qn_fetch **ret);
/* Ends the process; what is under way is not called back.  Not from a callback. */
struct qn_fetch *qn_fetch_free(struct qn_fetch *f);
void qn_fetch_freep(struct qn_fetch **f);

/* The callback is called once, from qn_fetch_poll(), never from here; it may start further requests.
 * When the role dies, what it was working on is tried once more, one request at a time; but what is
 * no GET fails, because it may have been sent.
 * payload is what is sent; like the request it is copied.  0; -EINVAL (qn_http_request_ok(); a GET
 * with a payload), -EFBIG (QN_HTTP_PAYLOAD_MAX), -ENOMEM, -errno. */
QN_MUST int qn_fetch_send(struct qn_fetch *f, const struct qn_http_request *q,
                          struct qn_cur payload, qn_http_done *done, void *user);
/* The same without a payload. */
QN_MUST int qn_fetch_get(struct qn_fetch *f, const struct qn_http_request *q, qn_http_done *done,
                         void *user);
/* Works and calls back until something was finished, nothing is left, or timeout_ms passed (-1: no
 * limit).  Returns the number of requests not yet finished, or -errno when the role cannot be
 * started; every request has had its result then, and *reterr says why. */
QN_MUST int qn_fetch_poll(struct qn_fetch *f, int timeout_ms, struct qn_err *reterr);
/* Readable when qn_fetch_poll(f, 0) has something to do, which it wants to be asked once a second
 * as well. */
int qn_fetch_fd(const struct qn_fetch *f);
/* Makes that descriptor readable now. */
void qn_fetch_wake(struct qn_fetch *f);
