/* sink.h - events of one package while its files are being read: the phase of a file is known only when all are.
 * An event's `phase` holds a qn_when until qn_trigger.h turns it into a qn_phase. */
#pragma once

#include "event/event.h"

enum qn_when {
        QN_WHEN_LOAD = 0x40,  /* when its file is loaded or run */
        QN_WHEN_CALL = 0x41,  /* when a function of the file is called */
        QN_WHEN_PHASE = 0x80, /* + qn_phase: known already */
};

struct qn_pending {
        struct qn_event e; /* file: index in the sink's files */
        uint64_t hash;     /* of kind, when and attributes */
};

struct qn_sink {
        struct qn_arena *a; /* the package's */
        struct qn_str *files;
        size_t n_files, files_cap;
        struct qn_map index;
        struct qn_pending *list;
        size_t n, cap;
        bool full; /* something was lost: the package cannot be clean */

        /* the file being read */
        uint32_t file;
        size_t file_first;
        uint16_t per_kind[QN_EVENT_MAX];
        uint32_t *slots; /* open addressing over the file's events, by hash */
        size_t slot_cap;
};

void qn_sink_init(struct qn_sink *s, struct qn_arena *a);
/* Forgets everything; the arena was reset. */
void qn_sink_reset(struct qn_sink *s);
void qn_sink_done(struct qn_sink *s);
/* Events that follow belong to this file ("" : to the package). */
void qn_sink_file(struct qn_sink *s, struct qn_str path);
/* Adds a copy; one equal to an earlier one of the file is counted there.  Past the caps per file and kind, later events
 * are merged into one without attributes (detail: more), so that nothing is lost silently.  Returns its number in the list,
 * QN_SINK_NONE when memory is out. */
#define QN_SINK_NONE UINT32_MAX
uint32_t qn_sink_add(struct qn_sink *s, const struct qn_event *e);
