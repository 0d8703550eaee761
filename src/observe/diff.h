/* diff.h - what is new in a package: compared with the version before.
 *
 * Of the version before, the statements of the files that differ are learnt (js-units.h), as hashes.  Then the package itself is
 * observed as ever.  Only when it does something worth telling in what differs, the version before is observed too, so that
 * its events are known; and at the end each event learns whether its behaviour, or the code it lies in, is new
 * (qn_event.fresh).  Facts about the difference as a whole are events of the layer "diff".
 *
 *   qn_diff_begin()
 *   qn_diff_now() of all files of the package
 *   qn_diff_before() of all files of the version before, and qn_scan_learn() of those that differ
 *   qn_diff_files_done()
 *   qn_diff_step(PACKAGE); scan of the package with qn_scan_compare(), up to its finish
 *   if qn_diff_wants_events(): qn_diff_step(EVENTS); scan of the files of the version before that qn_diff_differs(), with
 *   qn_scan_compare(), finished; it need not go deep when after qn_diff_take() no more are wanted
 *   qn_diff_step(PACKAGE); the scan of the package is finished */
#pragma once

#include "base/str.h"
#include "event/event.h"

struct qn_arena;
struct qn_js_ast;
struct qn_scan;

struct qn_diff;

QN_MUST int qn_diff_new(struct qn_diff **ret);
struct qn_diff *qn_diff_free(struct qn_diff *d);

/* Forgets the last pair. */
void qn_diff_begin(struct qn_diff *d);
/* A file of the package: its content decides, wherever it lies. */
void qn_diff_now(struct qn_diff *d, struct qn_str path, uint64_t size, struct qn_str content);
/* A file of the version before.  Whether it differs: the package has no file with this content. */
bool qn_diff_before(struct qn_diff *d, struct qn_str path, uint64_t size, struct qn_str content);
bool qn_diff_differs(const struct qn_diff *d, struct qn_str content);
/* All files of both are known. */
void qn_diff_files_done(struct qn_diff *d);
/* What a scan that is now begun looks at. */
enum qn_diff_step {
        QN_DIFF_LEARN,   /* programs of the version before: their statements are learnt */
        QN_DIFF_PACKAGE, /* the package itself */
        QN_DIFF_EVENTS,  /* the version before once more: its events are learnt */
};

void qn_diff_step(struct qn_diff *d, enum qn_diff_step step);
/* The manifest of the version before. */
void qn_diff_manifest(struct qn_diff *d, struct qn_cur text);
/* Whether more events of the version before must be known to judge those of the package, whose scan is done. */
bool qn_diff_wants_events(const struct qn_diff *d, const struct qn_scan *s);

/* The events of the version before that its scan has found so far are learnt. */
void qn_diff_take(struct qn_diff *d, const struct qn_scan *s);

/* --- asked by the scan --- */

/* A file was parsed: its statements are learnt, or compared. */
void qn_diff_program(struct qn_diff *d, struct qn_str path, const struct qn_js_ast *ast,
                     struct qn_arena *tmp);
/* Whether a program holds statements that the other side does not. */
bool qn_diff_has_code(const struct qn_diff *d, struct qn_str path);
/* Whether the code at an offset of a file is new: NONE or CODE. */
enum qn_novelty qn_diff_code(const struct qn_diff *d, struct qn_str path, uint32_t off);
/* All events are there: those of the version before are learnt; those of the package get their novelty, and facts about the
 * difference as a whole are added. */
void qn_diff_finish(struct qn_diff *d, struct qn_scan *s);
