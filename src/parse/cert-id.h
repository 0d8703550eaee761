/* cert-id.h - who a Fulcio certificate was made out to: the extensions below 1.3.6.1.4.1.57264.1 and the alternative name.
 * HOSTILE INPUT.  Only reads; whether the certificate is worth anything is for its verifier to say.
 * Texts are slices of the certificate; p NULL where it says nothing. */
#pragma once

#include "base/cur.h"
#include "base/str.h"

struct qn_cert_id {
        struct qn_str
                name; /* subject alternative name: the workflow with its ref, or a mail address */
        struct qn_str issuer;     /* of the token: https://token.actions.githubusercontent.com */
        struct qn_str repository; /* https://github.com/owner/name */
        struct qn_str ref;        /* refs/heads/main */
        struct qn_str commit;     /* of the source */
        struct qn_str
                workflow; /* the build's configuration: …/.github/workflows/release.yml@refs/heads/main */
        struct qn_str builder;        /* who built: a reusable workflow, or the workflow itself */
        struct qn_str runner;         /* github-hosted, self-hosted */
        struct qn_str trigger;        /* push, release, workflow_dispatch… */
        struct qn_str run;            /* address of the run */
        struct qn_str old_repository; /* owner/name, as certificates before 2023 have it */
};

/* 0, or -EBADMSG when this is no certificate. */
QN_MUST int qn_cert_id_read(struct qn_cur der, struct qn_cert_id *ret);
