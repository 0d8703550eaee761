/* diff.h - what is new in a package: compared with the version before.
 *
 * The package is observed as ever, and the statements of its programs that differ are noted (js-units.h), as hashes.  Then the
 * programs of the version before that differ are read, without what both have in common (shorten.h), and it is known which
 * statements are new.  Only when the package does something worth telling in what differs, the version before is observed,
 * too, so that its events are known; and at the end each event learns whether its behaviour, or the code it lies in, is new
 * (qn_event.fresh).  Facts about the difference as a whole are events of the layer "diff".
 *
 *   qn_diff_begin()
 *   qn_diff_before() of all files of the version before, qn_diff_program_before() of its programs
 *   scan of the package with qn_scan_compare() and qn_diff_now() of each file before it is scanned; qn_diff_walked()
 *   qn_diff_step(LEARN); qn_scan_learn() of the programs of the version before that differ, once more if
 *   qn_diff_must_learn_all(); qn_diff_step(PACKAGE); qn_diff_learnt()
 *   the scan of the package is deepened
 *   if qn_diff_wants_events(): qn_diff_step(EVENTS); scan of the files of the version before that qn_diff_differs(), with
 *   qn_scan_compare(), finished; it need not go deep when after qn_diff_take() no more are wanted
 *   qn_diff_step(PACKAGE); the scan of the package is finished */
#pragma once

#include "base/str.h"
#include "event/event.h"

struct qn_js_ast;
struct qn_scan;

struct qn_diff;

QN_MUST int qn_diff_new(struct qn_diff **ret);
struct qn_diff *qn_diff_free(struct qn_diff *d);

/* Forgets the last pair. */
void qn_diff_begin(struct qn_diff *d);
/* A file of the version before. */
void qn_diff_before(struct qn_diff *d, struct qn_str path, uint64_t size, struct qn_str content);
/* One that is a program; its text stays where it is until the end. */
void qn_diff_program_before(struct qn_diff *d, struct qn_str path, struct qn_str text);
/* A file of the package: its content decides, wherever it lies. */
void qn_diff_now(struct qn_diff *d, struct qn_str path, uint64_t size, struct qn_str content);
/* All files of both are known. */
void qn_diff_walked(struct qn_diff *d);
/* Whether the package has no file with this content. */
bool qn_diff_differs(const struct qn_diff *d, struct qn_str content);
/* The programs of the version before that differ, one after the other; *at: 0 at first. */
bool qn_diff_next_program(const struct qn_diff *d, size_t *at, struct qn_str *ret_path,
                          struct qn_str *ret_text);
/* What a scan that is now begun looks at. */
enum qn_diff_step {
        QN_DIFF_LEARN,   /* programs of the version before: their statements are learnt */
        QN_DIFF_PACKAGE, /* the package itself */
        QN_DIFF_EVENTS,  /* the version before once more: its events are learnt */
};

void qn_diff_step(struct qn_diff *d, enum qn_diff_step step);
/* What is to be read of a program of the version before, with this path and text. */
struct qn_str qn_diff_shortened(const struct qn_diff *d, struct qn_str path, struct qn_str text);
/* It was read; what its lines tell. */
void qn_diff_learn_lines(struct qn_diff *d, struct qn_str text);
/* All programs of the version before were read: whether they must be read again, as a whole. */
bool qn_diff_must_learn_all(struct qn_diff *d);
/* Now it is known which code is new: the scan of the package gets to know, too. */
void qn_diff_learnt(struct qn_diff *d, struct qn_scan *s);
/* The manifest of the version before. */
void qn_diff_manifest(struct qn_diff *d, struct qn_cur text);
/* Whether more events of the version before must be known to judge those of the package, whose scan is done. */
bool qn_diff_wants_events(const struct qn_diff *d, const struct qn_scan *s);

/* The events of the version before that its scan has found so far are learnt. */
void qn_diff_take(struct qn_diff *d, const struct qn_scan *s);

/* --- asked by the scan --- */

/* A file was parsed: its statements are learnt, or compared. */
void qn_diff_program(struct qn_diff *d, struct qn_str path, const struct qn_js_ast *ast);
/* Whether a program holds statements that the other side does not, and, before that is known, whether it may. */
bool qn_diff_has_code(const struct qn_diff *d, struct qn_str path);
bool qn_diff_may_have_code(const struct qn_diff *d, struct qn_str path);
/* Whether the code at an offset of a file is new: NONE or CODE; NONE before that is known. */
enum qn_novelty qn_diff_code(const struct qn_diff *d, struct qn_str path, uint32_t off);
/* Until it is known: an event of the sink, by its number, stands at this offset. */
void qn_diff_place(struct qn_diff *d, struct qn_str path, uint32_t off, uint32_t event);
/* All events are there: those of the version before are learnt; those of the package get their novelty, and facts about the
 * difference as a whole are added. */
void qn_diff_finish(struct qn_diff *d, struct qn_scan *s);
