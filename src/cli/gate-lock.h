/* gate-lock.h - lock files that say where packages are: a package manager asks there, whatever registry it is told. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct gate_lock {
        const char *dir;  /* of the project */
        const char *file; /* in it */
        const char *url;  /* of the gate, without a slash at the end */
        const char *
                moves; /* host whose addresses the package manager replaces by itself; "*": any; NULL: none */
        const char *
                other; /* what to do when it is written by yarn classic and for another yarn; NULL: nothing */
        bool no_sandbox;
};

/* Says on standard error, in one line each, what of it does not come from the gate, and what to do. */
void gate_lock_warn(const struct gate_lock *l);
