/* sketch.h - a package's code and text in 128 bytes, so that packages which have most of it in common are found among millions.
 * HOSTILE INPUT.  MinHash by one permutation: each shingle (five tokens in a row) falls into one of 128 bins, and a bin keeps
 * the least hash it saw; the share of bins that agree estimates the share of shingles two packages have in common.  Tokens of
 * code are what a minifier leaves: names of variables are all one, `var`, `let` and `const` too; texts and names of properties
 * count.  Of other text: words in lower case.
 * The order of files does not matter, unless they exceed QN_SKETCH_PACKAGE_MAX.  What every package has (its manifest, lock
 * files, licences) is left out; whoever asks about a package's own code leaves out what others wrote. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_js;

#define QN_SKETCH_BANDS 16u
#define QN_SKETCH_ROWS  8u /* bins of one band */
#define QN_SKETCH_BINS  (QN_SKETCH_BANDS * QN_SKETCH_ROWS)

struct qn_sketch {
        uint64_t band[QN_SKETCH_BANDS]; /* a byte per bin, 0: nothing fell into it */
};

/* How many of eight bytes are zero. */
static inline unsigned qn_sketch_zeros(uint64_t v)
{
        uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);

        return (unsigned)__builtin_popcountll(~(((v & low) + low) | v | low));
}

struct qn_sketcher {
        uint32_t least[QN_SKETCH_BINS]; /* UINT32_MAX: nothing yet */
        size_t bytes;                   /* that were read */
        uint32_t shingles;
        bool cut; /* a cap was met: the sketch is of what came before */
};

void qn_sketcher_init(struct qn_sketcher *s);
/* Whether a file of this path counts. */
bool qn_sketch_wants(struct qn_str path);
/* Whether a file of this path is the same in packages that have nothing to do with each other: licences, settings. */
bool qn_sketch_is_common(struct qn_str path);
/* Adds a file, if it counts: 0 or -ENOMEM.  js: any; what it parsed before is gone. */
QN_MUST int qn_sketch_file(struct qn_sketcher *s, struct qn_js *js, struct qn_str path,
                           struct qn_str content);
void qn_sketch_finish(const struct qn_sketcher *s, struct qn_sketch *ret);

/* Bins that something fell into: with n different shingles about 128 * (1 - exp(-n / 128)). */
unsigned qn_sketch_filled(const struct qn_sketch *s);
/* The estimated share of shingles that are in both, of those in either: 0 to 1; 0 when there are none. */
double qn_sketch_similarity(const struct qn_sketch *a, const struct qn_sketch *b);
