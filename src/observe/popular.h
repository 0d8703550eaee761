/* popular.h - the popular names of npm (data/popular-names.txt), in order of rank, found by what they have in common with
 * another name: keys over their words.  Loaded once, read-only from then on. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_arena;

#define QN_WORDS_MAX   16u
#define QN_LETTERS_MAX 64u /* of a name that is compared with others */

/* A name as its words: what stands between "-", "_", ".", "/" and "@", in lower case. */
struct qn_words {
        char letters[QN_LETTERS_MAX]; /* all words without what is between them */
        uint8_t at[QN_WORDS_MAX + 1]; /* where each begins; then their end */
        uint8_t n, n_letters;
};

/* False: too long to be compared, or there is nothing in it. */
bool qn_words_read(struct qn_words *w, struct qn_str name);
struct qn_str qn_words_at(const struct qn_words *w, size_t i);
struct qn_str qn_words_all(const struct qn_words *w);

enum qn_popular_key {
        QN_KEY_ALL,    /* all letters */
        QN_KEY_GLYPHS, /* all letters, those that look alike made one */
        QN_KEY_ORDER,  /* the words in alphabetical order */
        QN_KEY_LESS,   /* all letters but one; all letters too */
        QN_KEY_FAMILY, /* the words but one, its place kept */
};

uint64_t qn_key_text(enum qn_popular_key kind, struct qn_str text);
uint64_t qn_key_less(const struct qn_words *w, size_t without);
uint64_t qn_key_glyphs(const struct qn_words *w);
uint64_t qn_key_order(const struct qn_words *w);
uint64_t qn_key_family(const struct qn_words *w, size_t without);

struct qn_popular;

QN_MUST int qn_popular_load(const char *data_dir, struct qn_arena *a, struct qn_popular **ret,
                            struct qn_err *reterr);
size_t qn_popular_count(const struct qn_popular *p);
struct qn_str qn_popular_name(const struct qn_popular *p, size_t rank);
const struct qn_words *qn_popular_words(const struct qn_popular *p, size_t rank);
/* The rank of a name, or SIZE_MAX. */
size_t qn_popular_rank(const struct qn_popular *p, struct qn_str name);
/* How many names a scope ("@types") has in the list. */
size_t qn_popular_in_scope(const struct qn_popular *p, struct qn_str scope);

/* All names with a key: at starts at 0; SIZE_MAX ends it. */
struct qn_popular_walk {
        uint64_t key;
        uint32_t at;
};
struct qn_popular_walk qn_popular_with(const struct qn_popular *p, uint64_t key);
size_t qn_popular_next(const struct qn_popular *p, struct qn_popular_walk *w);
