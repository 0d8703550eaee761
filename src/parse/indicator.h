/* indicator.h - what shows that malware was there: hashes, hosts, addresses, names of files. */
#pragma once

#include "base/str.h"

struct qn_arena;

enum qn_indicator_kind {
        QN_IOC_SHA256, /* hexadecimal, lower case */
        QN_IOC_SHA1,   /* the same */
        QN_IOC_SHA512, /* SRI text: "sha512-…" */
        QN_IOC_DOMAIN, /* lower case */
        QN_IOC_IP,     /* IPv4 or IPv6, lower case */
        QN_IOC_URL,
        QN_IOC_WALLET,
        QN_IOC_FILE, /* a path or a name */
        QN_IOC_MAX
};

struct qn_indicator {
        enum qn_indicator_kind kind;
        struct qn_str value;
        struct qn_str
                note; /* what it belongs to, such as the path of a file that was hashed; may be empty */
};

/* "sha256", "domain"… */
const char *qn_indicator_name(enum qn_indicator_kind kind);
/* The kind of that name, or of a common other name for it ("ipv4", "hash", "hostname"…): 0 or -EINVAL. */
QN_MUST int qn_indicator_from_name(struct qn_str name, enum qn_indicator_kind *ret);
/* Checks the shape of a value and brings it into the one form that is compared: 0; -EINVAL: it is none; -ENOBUFS.  "[.]" and
 * "hxxp", with which people make addresses harmless, are undone. */
QN_MUST int qn_indicator_read(enum qn_indicator_kind kind, struct qn_str text, struct qn_arena *a,
                              struct qn_str *ret);
/* What is compared of a value: of a URL all but the scheme, which lists leave out as often as not. */
struct qn_str qn_indicator_key(enum qn_indicator_kind kind, struct qn_str value);
/* The kind that a value has by its shape alone: 0 or -EINVAL. */
QN_MUST int qn_indicator_guess(struct qn_str text, struct qn_arena *a, struct qn_indicator *ret);
