/* confine.h - takes every privilege from the calling process, for good.
 * One row per role says what it keeps (confine.c); the analyse role keeps its memory, its clock and
 * its socket. Call it with one thread and everything loaded: afterwards no file can be opened.
 * There is no way back and no partial success to rely on: when it fails the process must exit. */
#pragma once

#include "base/err.h"

enum qn_role {
        QN_ROLE_ANALYSE, /* no files, no network, no exec: hostile bytes are parsed here */
        QN_ROLE_FETCH,   /* sockets, name resolution and CA files; no exec */
        QN_ROLE_SERVE, /* speaks HTTP on connections that it accepts; no files, no connections of its own, no exec */
        QN_ROLE_TEST, /* the analyse profile, for the test that tries to break out of it */
        QN_ROLE_MAX
};

const char *qn_role_name(enum qn_role role);

/* What is no matter of the sandbox and always done: empty environment, descriptors from `keep` on
 * closed, limits on memory and files, death with the parent.  0 or -errno. */
QN_MUST int qn_confine_limits(enum qn_role role, int keep, struct qn_err *reterr);

/* The sandbox: namespaces, empty root, uid, capabilities, Landlock, seccomp.  0, or -errno and a
 * message that names what this kernel refuses. */
QN_MUST int qn_confine(enum qn_role role, struct qn_err *reterr);
