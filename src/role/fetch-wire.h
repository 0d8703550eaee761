/* fetch-wire.h - the messages between the fetch role and its parent as bytes.  HOSTILE INPUT.
 * The parent sends the options once, then requests in any number, each with the file for its body;
 * the role answers in the order in which they end. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "net/http.h"

enum qn_fetch_message {
        QN_FETCH_OPTIONS = 1, /* input: the options; no answer */
        QN_FETCH_SEND, /* parameters: the request; descriptor: its body; beside, in place 0: what is sent */
        QN_FETCH_PING, /* the answer is empty */
};

void qn_fetch_write_opts(struct qn_buf *out, const struct qn_http_opts *o);
void qn_fetch_write_request(struct qn_buf *out, const struct qn_http_request *q);
/* Headers that are too long or hold anything but printable ASCII are left out. */
void qn_fetch_write_result(struct qn_buf *out, const struct qn_http_result *r);

/* 0 or -EBADMSG (a request: also when it is not qn_http_request_ok()); texts are slices of the bytes. */
QN_MUST int qn_fetch_read_opts(struct qn_cur in, struct qn_http_opts *ret);
QN_MUST int qn_fetch_read_request(struct qn_cur in, struct qn_http_request *ret);
/* Everything but fd, and message as a slice: what it holds is printable ASCII. */
QN_MUST int qn_fetch_read_result(struct qn_cur in, struct qn_http_result *ret,
                                 struct qn_str *ret_message);
