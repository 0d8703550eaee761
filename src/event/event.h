/* event.h - events: what the observers saw, in one vocabulary, and sets of them.
 * A set is built by observers, put into canonical order by qn_event_set_seal(), and from then on read-only: two runs over
 * the same bytes give the same set, byte for byte, in whatever order files came. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

enum qn_event_kind {
#define EVENT(id, name, doc) QN_EVENT_##id,
#include "event/events.def"
#undef EVENT
        QN_EVENT_MAX
};

enum qn_attr {
#define ATTR(id, name) QN_ATTR_##id,
#include "event/attrs.def"
#undef ATTR
        QN_ATTR_COUNT_
};
_Static_assert(QN_ATTR_FLOW == QN_ATTR_COUNT_ - 1, "the flow is the last attribute of an event");

enum qn_label {
#define LABEL(id, name, doc) QN_LABEL_##id,
#include "event/labels.def"
#undef LABEL
        QN_LABEL_MAX
};
_Static_assert(QN_LABEL_MAX <= 64, "labels are bits of a uint64_t");
#define QN_LABEL_BIT(id) (UINT64_C(1) << QN_LABEL_##id)

/* Ordered from the most to the least automatic; a set of phases is a mask of bits. */
enum qn_phase {
        QN_PHASE_INSTALL,
        QN_PHASE_EDITOR,
        QN_PHASE_IMPORT,
        QN_PHASE_BROWSER,
        QN_PHASE_BIN,
        QN_PHASE_CALL,
        QN_PHASE_NEVER,
        QN_PHASE_MAX
};

enum qn_layer {
        QN_LAYER_STATIC,
        QN_LAYER_EMULATED,
        QN_LAYER_DETONATED,
        QN_LAYER_METADATA,
        QN_LAYER_DIFF,
        QN_LAYER_INTEL,
        QN_LAYER_HOST,
        QN_LAYER_MAX
};

/* How an event stands to the version before, when there is one to compare with. */
enum qn_novelty {
        QN_NOVELTY_NONE, /* it was there, or nothing is known */
        QN_NOVELTY_CODE, /* the version before did such a thing too, but not in this statement */
        QN_NOVELTY_BEHAVIOUR, /* the version before did not do this */
        QN_NOVELTY_KIND,      /* nor anything of the kind */
        QN_NOVELTY_MAX
};

#define QN_EVENT_ATTRS 7 /* the most attributes of one event: six and a flow */

struct qn_event {
        uint8_t kind, phase, layer, n_attrs;
        uint8_t keys[QN_EVENT_ATTRS]; /* qn_attr */
        uint8_t fresh;                /* qn_novelty */
        uint32_t file;                /* index in set->files; QN_FILE_NONE: about the package */
        uint32_t off, line, column;   /* byte offset; line and column from 1, 0 unknown */
        uint32_t count;  /* how many equal events this one stands for; 0: none besides another's */
        uint64_t labels; /* bits of qn_label */
        struct qn_str values[QN_EVENT_ATTRS];
        struct qn_str text; /* an excerpt of the source, for people */
};
#define QN_FILE_NONE UINT32_MAX

struct qn_event_set {
        struct qn_arena *arena; /* owns everything in it */
        struct qn_str name, version, integrity;
        struct qn_str *files;
        size_t n_files, files_cap;
        struct qn_map file_index;
        struct qn_event *events;
        size_t n, cap;
        struct qn_map seen; /* equal events are merged into one with a count */
        uint16_t **counts;  /* per file (first: no file) and kind, against QN_EVENTS_KIND_MAX */
        size_t counts_cap;
        bool sealed, overflow;
};

void qn_event_set_init(struct qn_event_set *s, struct qn_arena *a);
/* Index of a file, added when new; QN_FILE_NONE at the arena's cap. */
uint32_t qn_event_set_file(struct qn_event_set *s, struct qn_str path);

/* Builds an event (phase: call).  Attributes are kept in the order of enum qn_attr, cut at their limit (never inside a UTF-8
 * sequence) and not copied before qn_event_add(); an empty value is no attribute. */
struct qn_event qn_event_make(enum qn_event_kind kind, enum qn_layer layer, uint32_t file);
void qn_event_attr(struct qn_event *e, enum qn_attr key, struct qn_str value);
/* The most bytes of an attribute. */
size_t qn_event_attr_max(enum qn_attr key);
struct qn_str qn_event_get(const struct qn_event *e, enum qn_attr key);
/* How many attributes, from the first on, make two events equal: all but the flow. */
static inline size_t qn_event_n_identity(const struct qn_event *e)
{
        return e->n_attrs - (e->n_attrs && e->keys[e->n_attrs - 1] == QN_ATTR_FLOW);
}
/* Adds a copy, as valid UTF-8 (bad bytes become U+FFFD).  An event equal in kind, layer, phase, file and attributes (the flow aside) to an earlier one is counted
 * there (the earliest place is kept, with its flow).  Past QN_EVENTS_MAX or QN_EVENTS_KIND_MAX (per kind and file) the set overflows: the seal then adds
 * an UNANALYSED event, because a flood may hide something.  0 or -ENOBUFS. */
int qn_event_add(struct qn_event_set *s, const struct qn_event *e);
/* Sorts files and events into canonical order (by file, offset, kind…), merges what became equal since it was added (phases
 * are assigned late: s->events may be changed in place until here) and drops files without events; file numbers change.
 * After it nothing may be added. */
QN_MUST int qn_event_set_seal(struct qn_event_set *s);

/* Adds all of a sealed set to one that is being built; name, version and integrity stay as they are.  Past a cap the set
 * overflows as with qn_event_add(). */
void qn_event_set_add_all(struct qn_event_set *to, const struct qn_event_set *from);
/* Whether an event of the kind says `what`. */
bool qn_event_set_says(const struct qn_event_set *s, enum qn_event_kind kind, const char *what);
/* The union of two sealed sets about one package, sealed, in the arena; name, version and integrity are the first one's.
 * 0 or -ENOBUFS. */
QN_MUST int qn_event_set_merge(const struct qn_event_set *a, const struct qn_event_set *b,
                               struct qn_arena *arena, struct qn_event_set *ret);

/* Masks what looks like a secret (base/mask.h) in texts and values, in place: nothing but writing and showing may follow.
 * 0 or -ENOBUFS. */
QN_MUST int qn_event_set_mask(struct qn_event_set *s);

/* Names as in JSON; parsing one returns -EINVAL for an unknown name. */
const char *qn_event_name(enum qn_event_kind k);
const char *qn_event_doc(enum qn_event_kind k);
const char *qn_attr_name(enum qn_attr a);
const char *qn_label_name(enum qn_label l);
const char *qn_phase_name(enum qn_phase p);
const char *qn_layer_name(enum qn_layer l);
const char *qn_novelty_name(enum qn_novelty n);
QN_MUST int qn_event_from_name(struct qn_str s, enum qn_event_kind *ret);
QN_MUST int qn_attr_from_name(struct qn_str s, enum qn_attr *ret);
QN_MUST int qn_label_from_name(struct qn_str s, enum qn_label *ret);
QN_MUST int qn_phase_from_name(struct qn_str s, enum qn_phase *ret);
QN_MUST int qn_layer_from_name(struct qn_str s, enum qn_layer *ret);
QN_MUST int qn_novelty_from_name(struct qn_str s, enum qn_novelty *ret);

/* NDJSON: a header line {"schema":"qanat.events/1",…}, then a line per event.  Reading is strict, and stops at the header
 * of the next set: HOSTILE INPUT. */
QN_MUST int qn_event_set_write_json(const struct qn_event_set *s, struct qn_buf *out);
QN_MUST int qn_event_set_read_json(struct qn_cur *in, struct qn_arena *a, struct qn_event_set *ret,
                                   struct qn_err *reterr);
/* Binary, for messages and the store.  Reading is strict: HOSTILE INPUT. */
QN_MUST int qn_event_set_write(const struct qn_event_set *s, struct qn_buf *out);
QN_MUST int qn_event_set_read(struct qn_cur *in, struct qn_arena *a, struct qn_event_set *ret,
                              struct qn_err *reterr);
