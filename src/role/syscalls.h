/* syscalls.h - the seccomp filter of a role: a list of system calls that work; the rest fails with
 * EPERM, and those that only an attacker would try kill the process, so that the attempt shows as a
 * crash. */
#pragma once

#include "base/macro.h"

enum {
        QN_SYSCALLS_SANITIZER = 1 << 0, /* what ASan and UBSan need to report */
        QN_SYSCALLS_ACCEPT = 1 << 2,    /* a server on sockets that it was handed; threads */
        QN_SYSCALLS_SOCKETS = 1 << 1,   /* clients of IPv4 and IPv6, resolver, reading files */
};

/* 0 or -errno. */
QN_MUST int qn_syscalls_apply(unsigned allow);
