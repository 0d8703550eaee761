/* address.h - where an IP address is: where anybody can reach it, or inside: on this machine, in a network behind it, or set
 * aside for a special purpose (IANA's registries of special-purpose addresses).  HOSTILE INPUT: packuments and lock files
 * say where tarballs are. */
#pragma once

#include "base/str.h"

struct sockaddr;

/* What may be fetched from elsewhere than the registry whose document names it. */
enum qn_foreign {
        QN_FOREIGN_PUBLIC, /* what is at a public address */
        QN_FOREIGN_ANY,
        QN_FOREIGN_REFUSE,
};

/* "public", "any", "refuse", NULL. */
extern const char *const qn_foreign_names[];

enum qn_place {
        QN_PLACE_NAME, /* no address: somebody has to resolve it */
        QN_PLACE_PUBLIC,
        QN_PLACE_INSIDE,
};

/* AF_INET and AF_INET6; anything else is not. */
bool qn_address_is_public(const struct sockaddr *address);
/* "192.0.2.1", "::1", "[::1]"; "localhost" and what is below it are inside. */
enum qn_place qn_address_place(struct qn_str host);
/* Whether a secret may be sent there: without TLS only to what is inside. */
bool qn_address_may_know(struct qn_str host, bool tls);
