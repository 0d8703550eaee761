/* front.h - the gate's HTTP face: a confined process (role `serve`) that speaks HTTP and TLS with clients (libmicrohttpd).
 * It accepts connections on sockets that it was handed, checks tokens and rates, and answers from what it kept; what it
 * does not have it asks the gate (front-wire.h).  It opens no file and no connection, and knows no upstream's secret.
 * HOSTILE PEERS: what is malformed, too slow, too large or ambiguous ends the connection. */
#pragma once

#include "role/role.h"

extern const struct qn_role_def qn_role_serve;
