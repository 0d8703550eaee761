/* farm.h - what packages have in common that a program made: data/farms.yaml, and prints of texts that differ in little more
 * than the package's name and numbers. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_arena;
struct qn_farms;

QN_MUST int qn_farms_load(const char *data_dir, struct qn_arena *a, struct qn_farms **ret,
                          struct qn_err *reterr);
/* The listed domain that an address of mail belongs to, or {NULL, 0}. */
struct qn_str qn_farm_disposable(const struct qn_farms *f, struct qn_str mail);
/* The listed phrase that a text holds, or {NULL, 0}. */
struct qn_str qn_farm_boilerplate(const struct qn_farms *f, struct qn_str text);

/* Equal for texts that differ only in case, digits, white space, punctuation and the words of the package's name.  Whether at
 * least min_words are left. */
bool qn_farm_print(struct qn_str name, struct qn_str text, size_t min_words, uint64_t *ret);
/* The same for the addresses of wallets in a text, in whatever order. */
bool qn_farm_wallets(struct qn_str text, uint64_t *ret);
