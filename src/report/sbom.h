/* sbom.h - an inventory as a software bill of materials.  The same inventory gives the same bytes. */
#pragma once

#include "base/buf.h"
#include "inventory/components.h"

/* A record of the intelligence that is about a component. */
struct qn_sbom_match {
        struct qn_str id;
        uint32_t component;
        bool malware;
};

struct qn_sbom {
        const struct qn_bom *bom; /* all sources (join.h) */
        const struct qn_components *components;
        struct qn_str when; /* "2025-01-01T00:00:00Z": SPDX must say one */
        const struct qn_sbom_match
                *matches; /* in the order of ids: CycloneDX says them as vulnerabilities (VEX) */
        size_t n_matches;
};

/* CycloneDX 1.6 and SPDX 2.3, both as JSON.  0 or the buffer's error. */
QN_MUST int qn_sbom_cyclonedx(const struct qn_sbom *s, struct qn_buf *out);
QN_MUST int qn_sbom_spdx(const struct qn_sbom *s, struct qn_buf *out);

/* "pkg:npm/%40scope/name@1.0.0" */
void qn_sbom_purl(const struct qn_bom_item *t, struct qn_buf *out);
/* Splits an integrity: its algorithm as "SHA-512" (or "SHA512" without the dash) and the digest in hex; false when there is none. */
bool qn_sbom_hash(const struct qn_bom_item *t, bool dash, const char **ret_algorithm,
                  struct qn_buf *hex);
