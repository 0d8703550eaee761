/* log-body.h - what a transparency log keeps and signs: the body of an entry, and its checkpoints.  HOSTILE INPUT. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct qn_arena;

/* Body of an entry about an envelope: kind intoto (0.0.1, 0.0.2) or dsse (0.0.1). */
struct qn_log_body {
        struct qn_str payload_sha256; /* hexadecimal */
        struct qn_str sig;            /* of the envelope, decoded; p NULL: not kept by this kind */
};

/* 0; -EINVAL: another kind, or not a body; else those of json.h. */
QN_MUST int qn_log_body_read(struct qn_cur in, struct qn_arena *a, struct qn_log_body *ret,
                             struct qn_err *reterr);

/* A checkpoint: a note that names a tree's size and root, and signatures of it. */
struct qn_checkpoint {
        struct qn_str text; /* that is signed */
        uint64_t size;
        struct qn_str root; /* decoded */
        struct qn_str sigs[QN_CHECKPOINT_LINES_MAX];
        size_t n;
};

/* 0, -EINVAL or -ENOBUFS. */
QN_MUST int qn_checkpoint_read(struct qn_str note, struct qn_arena *a, struct qn_checkpoint *ret);
