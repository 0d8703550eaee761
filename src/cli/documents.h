/* documents.h - the registry's documents about a package, as options name them or as they lie beside an example. */
#pragma once

#include "base/err.h"
#include "observe/provenance.h"

struct qn_args;

/* Members of a verb's table of options, beside --packument. */
#define QN_OPT_DOCUMENTS                                                                                \
        {                                                                                               \
                "attestations",                                                                         \
                0,                                                                                      \
                0,                                                                                      \
                "FILE",                                                                                 \
                NULL,                                                                                   \
                NULL,                                                                                   \
                "the registry's attestations of the version"                                            \
        },                                                                                              \
                { "earlier-attestations",                                                               \
                  0,                                                                                    \
                  0,                                                                                    \
                  "FILE",                                                                               \
                  NULL,                                                                                 \
                  NULL,                                                                                 \
                  "attestations of an earlier version, to compare with" },                              \
                { "keys", 0, 0, "FILE", NULL, NULL, "keys of the registry, beside the built-in ones" }, \
        {                                                                                               \
                "trust", 0, 0, "FILE", NULL, NULL,                                                      \
                        "Sigstore roots to trust instead of the built-in ones"                          \
        }

/* Whether one was given that belongs to one package. */
bool qn_documents_given(const struct qn_args *a);
/* Opens those that were given; -1 for the others.  Logs what is wrong; the caller closes what was opened, in any case. */
QN_MUST int qn_documents_from_args(const struct qn_args *a, int ret[QN_DOC_MAX]);
/* The same for the files beside an example: PATH.packument.json… */
QN_MUST int qn_documents_beside(const char *path, int ret[QN_DOC_MAX]);
/* Whether a file is one of those that lie beside an example. */
bool qn_documents_is_beside(const char *name);
void qn_documents_close(int fds[QN_DOC_MAX]);

struct qn_arena;
struct qn_event_set;
/* In this process: adds what the documents tell to what was seen in the package; ret is in the arena, or `set` itself. */
QN_MUST int qn_documents_observe(struct qn_provenance *p, const int fds[QN_DOC_MAX],
                                 const struct qn_event_set *set, struct qn_arena *a,
                                 const struct qn_event_set **ret);
