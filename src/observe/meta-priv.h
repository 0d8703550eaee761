/* meta-priv.h - what the observers of the registry's document share.  Private to meta*.c. */
#pragma once

#include "observe/publishing.h"
#include "observe/scan-priv.h"
#include "parse/packument.h"

struct qn_meta {
        struct qn_scan *s;
        struct qn_arena *a; /* of the document */
        const struct qn_packument *doc;
        const struct qn_packument_version *now;
        const struct qn_packument_version
                *before; /* the version that it follows on; NULL: it is the first */
        struct qn_published_before earlier; /* the latest first */
};

struct qn_event qn_meta_event(const char *what);
void qn_meta_add(struct qn_scan *s, struct qn_event *e);
/* "what" with a value for people, printed like printf(). */
void qn_meta_tell(struct qn_scan *s, const char *what, const char *how, const char *fmt, ...)
        QN_PRINTF(4, 5);

/* meta-shape.c: what can be told without a document. */
void qn_meta_shape(struct qn_scan *s);
/* The same, of a first version: what a package has that somebody means. */
void qn_meta_missing(struct qn_scan *s);
/* meta-time.c: when versions were published. */
void qn_meta_times(const struct qn_meta *m);
/* meta-people.c: who published them. */
void qn_meta_people(const struct qn_meta *m);
/* meta-accounts.c: what the accounts around it have in common. */
void qn_meta_accounts(const struct qn_meta *m);
/* meta-artifact.c: what the document says of the artifact, beside the version before. */
void qn_meta_artifact(const struct qn_meta *m);

/* meta-manifest.c: the document beside the archive's package.json. */
#define QN_META_HOOKS 3u
extern const char *const qn_meta_hooks[QN_META_HOOKS]; /* that npm runs at installation */
void qn_meta_manifest(const struct qn_meta *m);
/* Empty when there is no such script. */
struct qn_str qn_meta_script(const struct qn_pkgjson_pairs *all, const char *name);
