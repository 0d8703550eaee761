/* scan.h - one package through all static observers: files in, sealed event set out.
 * Files may come in any order; the set does not depend on it.  Nothing of a file is kept but its summary, so memory does
 * not grow with the package.  HOSTILE INPUT, run in the analyse role.
 *
 *   qn_observers_load()  once, before confinement: tables from data/ (apis, secrets, hosts, commands, literals)
 *   qn_scan_new()        one per worker
 *   qn_scan_begin(); qn_scan_file()…; qn_scan_pending()…; qn_scan_finish()
 */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_event_set;
struct qn_observers;
struct qn_scan;

QN_MUST int qn_observers_load(const char *data_dir, struct qn_observers **ret,
                              struct qn_err *reterr);
struct qn_observers *qn_observers_free(struct qn_observers *o);
void qn_observers_freep(struct qn_observers **o);

QN_MUST int qn_scan_new(const struct qn_observers *o, struct qn_scan **ret);
struct qn_scan *qn_scan_free(struct qn_scan *s);
void qn_scan_freep(struct qn_scan **s);

struct qn_scan_file {
        struct qn_str path; /* relative to the package, as tar.h hands it out */
        uint32_t mode;      /* permission bits */
        uint64_t size;      /* bytes of the whole file */
        struct qn_cur data; /* all of it, or its first bytes when it is larger than QN_FILE_MAX */
        bool stays;         /* data stays where it is until qn_scan_finish() */
        struct qn_cur
                tail; /* the last bytes of a file of which data is only the head, else empty */
};

struct qn_scan_stats {
        uint64_t files, bytes, js_files, js_bytes, js_errors;
};

void qn_scan_begin(struct qn_scan *s);
/* What compares this package with the version before, until the next begin; borrowed. */
struct qn_diff;
void qn_scan_compare(struct qn_scan *s, struct qn_diff *d);
/* A table of what is listed (known.h), borrowed until the finish.  0 or -EBADMSG. */
QN_MUST int qn_scan_known(struct qn_scan *s, struct qn_cur known);
/* The registry's document of the package, borrowed until the finish, and the version it is there (empty: that of the manifest). */
void qn_scan_packument(struct qn_scan *s, struct qn_cur packument, struct qn_str version);
/* Observes one file.  Only -ENOMEM is returned: whatever is wrong with the file becomes an UNANALYSED event. */
QN_MUST int qn_scan_file(struct qn_scan *s, const struct qn_scan_file *f);
/* Whether it is JavaScript that is read. */
bool qn_scan_is_program(const struct qn_scan_file *f);
/* Learns the code of a program of the version before, for what the scan compares with; nothing is observed. */
void qn_scan_learn(struct qn_scan *s, struct qn_str path, struct qn_str text);
/* Something about the archive: an entry that is not a plain file, a duplicate… (what, path). */
QN_MUST int qn_scan_odd(struct qn_scan *s, const char *what, struct qn_str path);
/* Something that could not be analysed (what: a short stable word; detail: one sentence). */
QN_MUST int qn_scan_unanalysed(struct qn_scan *s, const char *what, struct qn_str path,
                               const char *detail);
/* After all files: some that were not read as JavaScript turn out to be loaded as such (`node data.bin`,
 * require('./x.dat')).  Whether this path is wanted again; the caller then gives it to qn_scan_file() once more, until
 * qn_scan_pending() says 0 (it does after a bounded number of rounds). */
size_t qn_scan_pending(struct qn_scan *s);
bool qn_scan_wants(struct qn_scan *s, struct qn_str path);
/* Runs the programs among the files with partly known values (vm.h): once all files were handed over. */
void qn_scan_deepen(struct qn_scan *s);
/* Builds the trigger graph, gives every event its phase, seals the set.  The set lives until the next begin. */
QN_MUST int qn_scan_finish(struct qn_scan *s, struct qn_str integrity,
                           const struct qn_event_set **ret);
/* The manifest, NULL when there is none; valid until the next begin. */
struct qn_pkgjson;
const struct qn_pkgjson *qn_scan_manifest(const struct qn_scan *s);
void qn_scan_stats(const struct qn_scan *s, struct qn_scan_stats *ret);
