/* listen.h - sockets that clients connect to: handed over by systemd, or opened here. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#define QN_LISTEN_MAX 16u

/* "127.0.0.1:4873", "[::1]:4873", "host:port"; port 0: any.  A descriptor, or -errno. */
QN_MUST int qn_listen_open(struct qn_str address, int *ret, struct qn_err *reterr);
/* Sockets that this process was started with (LISTEN_FDS of sd_listen_fds(3)): how many. */
size_t qn_listen_inherited(int ret[QN_LISTEN_MAX]);
/* Where a socket listens, as text. */
void qn_listen_name(int fd, char name[64]);
/* Tells systemd how it goes (sd_notify(3)): "READY=1", "STOPPING=1"; nothing when nobody wants to know. */
void qn_listen_notify(const char *state);
