/* analyse.h - what the analyse role does with hostile bytes, and how its parent reads the replies.
 * The jobs' input is the artifact, the lock file or the registry's document; the readers trust
 * nothing of a reply, because whoever wrote the input may have taken over the role. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"
#include "intel/feed.h"
#include "parse/audit.h"
#include "parse/changes.h"
#include "parse/compress.h"
#include "parse/lock.h"
#include "parse/npmrc.h"
#include "parse/packument-rewrite.h"
#include "parse/replica.h"
#include "role/role.h"

struct qn_arena;
struct qn_buf;

extern const struct qn_role_def qn_role_analyse;

enum qn_analyse_job {
        /* An archive; beside it, in the places of qn_analyse_beside, what is known about it.
         * Parameters: qn_analyse_write_artifact(), perhaps qn_analyse_ask_imprint().
         * Reply: qn_event_set_read(), then, when it was asked for, qn_analyse_read_imprint(). */
        QN_JOB_ANALYSE = 1,
        /* A packument.  Parameters: qn_analyse_write_pick().  Reply: qn_analyse_read_pick(). */
        QN_JOB_PICK,
        /* A lock file.  Parameters: the project's package.json, or nothing.
         * Reply: qn_analyse_read_lock(). */
        QN_JOB_LOCK,
        /* A bucket of npm's cache index.  Parameters: qn_analyse_write_key().
         * Reply: qn_analyse_read_cached(). */
        QN_JOB_CACHED,
        /* A project's .npmrc.  No parameters.  Reply: qn_analyse_read_npmrc(). */
        QN_JOB_NPMRC,
        /* A package.json.  Parameters: a directory below it.  Reply: u32, 1 when it is a workspace. */
        QN_JOB_WORKSPACE,
        /* The documents of documents.h.  Parameters: qn_analyse_write_artifact().
         * Reply: qn_event_set_read(). */
        QN_JOB_PROVENANCE,
        /* A feed of bad packages.  Parameters: qn_analyse_write_feed().  Reply: qn_feed_read(). */
        QN_JOB_FEED,
        /* A list of changed records.  Parameters: qn_analyse_write_since().  Reply: qn_analyse_read_changes(). */
        QN_JOB_CHANGES,
        /* A page of a replication feed; parameters: none.  The same recorded, line by line; parameters: one byte, whatever.
         * Reply: qn_analyse_read_replica(). */
        QN_JOB_REPLICA,
        /* A document that lists packages; beside it, in the first place, package.json files (files.h).
         * Parameters: its file name.  Reply: qn_bom_wire_read(). */
        QN_JOB_BOM,
        /* The files of a tree of node_modules (files.h).  No parameters.  Reply: qn_bom_wire_read(). */
        QN_JOB_INSTALLED,
        /* The index files of a package manager's cache (files.h).  No parameters.  Reply: qn_bom_wire_read(). */
        QN_JOB_CACHE,
        /* What a host collected.  No parameters.  Reply: qn_collection_wire_read(). */
        QN_JOB_COLLECTION,
        /* A container image (image.h).  No parameters.  Reply: qn_collection_wire_read(), with the image as name and a
         * source for each file and tree in it. */
        QN_JOB_IMAGE,
        /* The registry's document of a new dependency; beside it, in the first place, that of the package.
         * Parameters: qn_analyse_write_dependency().  Reply: qn_event_set_read(). */
        QN_JOB_DEPENDENCY,
        /* An archive of a package.  No parameters.  Reply: qn_contents_wire_read(). */
        QN_JOB_CONTENTS,
        /* A packument.  Parameters: qn_analyse_write_name().  Reply: qn_analyse_read_facts(). */
        QN_JOB_FACTS,
        /* A packument.  Parameters: qn_analyse_write_rewrite(), put with qn_analyse_put_params().  Output: the document. */
        QN_JOB_REWRITE,
        /* Anything.  Parameters: qn_analyse_write_squeeze().  Output: the same, compressed. */
        QN_JOB_SQUEEZE,
        /* The body of a client's question for advisories, perhaps with gzip.  Parameters: qn_analyse_write_audit().
         * Reply: qn_analyse_read_audit(). */
        QN_JOB_AUDIT,
        /* An archive.  Parameters: qn_digests_wire_ask().  Reply: qn_digests_wire_read(). */
        QN_JOB_DIGESTS,
        /* A record of OpenSSF's malicious-packages; beside it, in the first place, one that extends it.
         * Parameters and reply: record.h. */
        QN_JOB_RECORD,
};

/* What may stand beside an archive. */
enum qn_analyse_beside {
        QN_BESIDE_PACKUMENT, /* the registry's document of the package */
        QN_BESIDE_PREVIOUS,  /* the archive of the version before */
        QN_BESIDE_KNOWN,     /* a table of observe/known.h */
};

/* What may stand beside the packument of REWRITE: its parameters, when they are longer than QN_ROLE_PARAMS_MAX. */
#define QN_BESIDE_PARAMS 0

/* Parameters of FACTS: the package that the document must be of. */
void qn_analyse_write_name(struct qn_buf *out, struct qn_str name);
/* 0, -EBADMSG or -ENOBUFS; the lists live in the arena, texts are slices of the reply.  Names of tags are whatever bytes the
 * document has; versions, addresses and integrities are what they should be, the versions in order and none twice. */
QN_MUST int qn_analyse_read_facts(struct qn_cur reply, struct qn_arena *a,
                                  struct qn_packument_facts *ret);

/* Parameters of REWRITE. */
void qn_analyse_write_rewrite(struct qn_buf *out, const struct qn_packument_rewrite *w);
/* Gives a job (without a file beside it) its parameters: short ones as such, long ones as a file.  params must live until
 * the job is submitted; a file is the job's, and the caller's again when it is refused.  0 or -errno. */
struct qn_pool_job;
QN_MUST int qn_analyse_put_params(struct qn_pool_job *job, struct qn_str params);

/* Parameters of SQUEEZE. */
void qn_analyse_write_squeeze(struct qn_buf *out, enum qn_compression as);

/* Parameters of AUDIT. */
void qn_analyse_write_audit(struct qn_buf *out, enum qn_audit_kind kind);
/* 0, -EBADMSG or -ENOBUFS; texts are slices of the reply, names and versions fit to be asked for, sorted, none twice. */
QN_MUST int qn_analyse_read_audit(struct qn_cur reply, struct qn_arena *a, struct qn_audit *ret);

/* Parameters of ANALYSE: the SRI that it must match, the version as which the document files it, the SRI of the version
 * before; all may be empty. */
void qn_analyse_write_artifact(struct qn_buf *out, struct qn_str integrity, struct qn_str version,
                               struct qn_str previous_integrity);
/* Behind them: asks for the imprint as well. */
void qn_analyse_ask_imprint(struct qn_buf *out);
/* What follows the event set, to the end of the reply.  0 or -EBADMSG; any hashes may be in it. */
struct qn_imprint;
QN_MUST int qn_analyse_read_imprint(struct qn_cur reply, struct qn_imprint *ret);
/* Parameters of PROVENANCE: what the documents are held against; unreachable: its attestations could not be fetched. */
void qn_analyse_write_attested(struct qn_buf *out, struct qn_str name, struct qn_str version,
                               struct qn_str integrity, bool unreachable);

struct qn_dependency_in;
/* Parameters of DEPENDENCY: what is no document. */
void qn_analyse_write_dependency(struct qn_buf *out, const struct qn_dependency_in *in);

/* Parameters of PICK: the package that was asked for and a version, tag or range of it. */
void qn_analyse_write_pick(struct qn_buf *out, struct qn_str name, struct qn_str spec);

/* Parameters of FEED: as whom to name the records of a list, and what the input is called. */
void qn_analyse_write_feed(struct qn_buf *out, const struct qn_feed_input *in);

/* Parameters of CHANGES: since when (qn_changes_parse()). */
void qn_analyse_write_since(struct qn_buf *out, int64_t since_ms);
/* 0, -EBADMSG or -ENOBUFS; ids are slices of the reply copied into the arena. */
QN_MUST int qn_analyse_read_changes(struct qn_cur reply, struct qn_arena *a,
                                    struct qn_changes *ret);

/* 0, -EBADMSG or -ENOBUFS; names and sequences are what they should be, and live in the arena. */
QN_MUST int qn_analyse_read_replica(struct qn_cur reply, struct qn_arena *a,
                                    struct qn_replica *ret);

struct qn_analyse_pick {
        struct qn_str version;   /* letters, digits, ".", "+", "-" */
        struct qn_str tarball;   /* http or https, printable ASCII without spaces */
        struct qn_str integrity; /* SRI in printable ASCII; p NULL: the registry gives none */
};

/* What was chosen, and the highest lower version, to compare with. */
struct qn_analyse_picked {
        struct qn_analyse_pick it, before; /* before: version.p NULL when there is none */
        struct qn_str
                publisher; /* any bytes, at most QN_NAME_MAX; p NULL: unknown, or a CI service */
        int64_t published; /* milliseconds since 1970, or QN_TIME_NONE */
        bool attested;     /* the registry has attestations of it */
        struct qn_str
                earlier; /* the latest earlier version with provenance; p NULL: none, or not attested itself */
};

/* 0 or -EBADMSG; texts are slices of the reply. */
QN_MUST int qn_analyse_read_pick(struct qn_cur reply, struct qn_analyse_picked *ret,
                                 struct qn_err *reterr);
/* Parameters of CACHED: the key, and whether only a full document will do. */
void qn_analyse_write_key(struct qn_buf *out, struct qn_str key, bool full);

/* What the index says of an answer; texts are printable ASCII, p NULL when absent. */
struct qn_analyse_cached {
        struct qn_str integrity; /* p NULL: there is no such entry */
        uint64_t time_ms;        /* since 1970, when the answer came */
        uint64_t life_s;         /* for which it may be used from then on without asking */
        struct qn_str accept;    /* of the request */
        struct qn_str etag, last_modified, cache_control, content_type, date;
};

/* 0 or -EBADMSG; texts are slices of the reply. */
QN_MUST int qn_analyse_read_cached(struct qn_cur reply, struct qn_analyse_cached *ret);
/* 0, -EBADMSG or -ENOBUFS; the lines, as they stand and without sections, live in the arena and hold
 * whatever bytes the file has. */
QN_MUST int qn_analyse_read_npmrc(struct qn_cur reply, struct qn_arena *a, struct qn_npmrc *ret);
/* 0, -EBADMSG or -ENOBUFS; the list lives in the arena, texts are slices of the reply and hold
 * whatever bytes the lock file has. */
QN_MUST int qn_analyse_read_lock(struct qn_cur reply, struct qn_arena *a, struct qn_lock *ret,
                                 struct qn_err *reterr);
