/* front-head.h - what the headers of a request mean.  HOSTILE INPUT.  Pure: no allocation, no I/O. */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "gate/front-wire.h"

/* Accept-Encoding → the best of what the gate can make.  gzip wins a tie; zstd only when it is named. */
enum qn_front_encoding qn_head_encoding(struct qn_str accept_encoding);
/* Whether Accept names the abbreviated packument. */
bool qn_head_abbreviated(struct qn_str accept);
/* If-None-Match against an entity tag, weakly: a list or "*". */
bool qn_head_matches(struct qn_str list, struct qn_str etag);
/* If-Range: the same entity, strongly. */
bool qn_head_same(struct qn_str if_range, struct qn_str etag);

/* Range of one interval.  1: *ret_first up to and with *ret_last; 0: to be ignored; -ERANGE: not in size bytes. */
int qn_head_range(struct qn_str range, uint64_t size, uint64_t *ret_first, uint64_t *ret_last);

/* Authorization → the token: of Bearer, or the password of Basic.  buffer: room for what was decoded.  p NULL: none. */
#define QN_HEAD_TOKEN_MAX 1024u
struct qn_str qn_head_token(struct qn_str authorization, char buffer[QN_HEAD_TOKEN_MAX]);

/* A name of RFC 9110 (token). */
bool qn_head_is_name(struct qn_str s);
/* A value without control characters. */
bool qn_head_is_value(struct qn_str s);

/* s as printable ASCII, cut: how many bytes were written to to[max]. */
size_t qn_head_clean(struct qn_str s, char *to, size_t max);
/* X-Forwarded-For behind proxies (addresses separated by spaces): the last address that is none of them; empty: none. */
struct qn_str qn_head_forwarded(struct qn_str list, struct qn_str proxies);
bool qn_head_listed(struct qn_str address, struct qn_str list);
/* "… ci/github-actions …" → "ci/github-actions"; p NULL: nothing is said. */
struct qn_str qn_head_ci(struct qn_str user_agent);
