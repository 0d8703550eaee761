/* provenance.h - signatures and provenance of one version, from the registry's documents and keys that are data → events.
 * HOSTILE INPUT, run in the analyse role.  Nothing is asked of anybody; what is right earns nothing: an event that says "valid"
 * is for people, and for rules that want to know from where. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_event_set;
struct qn_provenance; /* one per worker */

/* Reads the built-in roots and keys: data/trust/. */
QN_MUST int qn_provenance_new(const char *data_dir, struct qn_provenance **ret,
                              struct qn_err *reterr);
struct qn_provenance *qn_provenance_free(struct qn_provenance *p);
void qn_provenance_freep(struct qn_provenance **p);

enum qn_document {
        QN_DOC_PACKUMENT,    /* of the package */
        QN_DOC_ATTESTATIONS, /* of this version */
        QN_DOC_EARLIER,      /* attestations of the latest earlier version that has some */
        QN_DOC_KEYS,         /* of the registry, beside the built-in ones */
        QN_DOC_TRUST,        /* a Sigstore trusted root, instead of the built-in one */
        QN_DOC_MAX
};

struct qn_provenance_in {
        struct qn_str name, version;
        struct qn_str integrity;        /* of the tarball at hand: sha512-… */
        struct qn_cur docs[QN_DOC_MAX]; /* empty where there is none */
        bool unreachable;               /* the attestations could not be fetched */
};

/* A sealed set that lives until the next call.  What is broken becomes an event; only -ENOMEM is an error. */
QN_MUST int qn_provenance_observe(struct qn_provenance *p, const struct qn_provenance_in *in,
                                  const struct qn_event_set **ret);
