/* hs.c - Hyperscan (or Vectorscan), loaded when it is first needed: with the C++ library that it brings it takes half of what the
 * loader does at a start, and what reads lists of packages never needs it.  The functions are those of hs.h, by the same names. */
#include <hs.h>
#include <stddef.h>

#include "base/lazy.h"

#define LIBRARY "libhs.so.5"

/* Type, name, parameters, arguments, what is returned without the library. */
#define FUNCTIONS(X)                                                                              \
        X(const char *, hs_version, (void), (), "")                                               \
        X(hs_error_t, hs_populate_platform, (hs_platform_info_t * p), (p), HS_NOMEM)              \
        X(hs_error_t, hs_compile_multi,                                                           \
          (const char *const *e, const unsigned *f, const unsigned *i, unsigned n, unsigned mode, \
           const hs_platform_info_t *p, hs_database_t **db, hs_compile_error_t **error),          \
          (e, f, i, n, mode, p, db, error), HS_NOMEM)                                             \
        X(hs_error_t, hs_free_compile_error, (hs_compile_error_t * e), (e), HS_SUCCESS)           \
        X(hs_error_t, hs_deserialize_database, (const char *p, size_t n, hs_database_t **db),     \
          (p, n, db), HS_NOMEM)                                                                   \
        X(hs_error_t, hs_serialize_database, (const hs_database_t *db, char **p, size_t *n),      \
          (db, p, n), HS_NOMEM)                                                                   \
        X(hs_error_t, hs_free_database, (hs_database_t * db), (db), HS_SUCCESS)                   \
        X(hs_error_t, hs_alloc_scratch, (const hs_database_t *db, hs_scratch_t **s), (db, s),     \
          HS_NOMEM)                                                                               \
        X(hs_error_t, hs_free_scratch, (hs_scratch_t * s), (s), HS_SUCCESS)                       \
        X(hs_error_t, hs_scan,                                                                    \
          (const hs_database_t *db, const char *p, unsigned n, unsigned flags, hs_scratch_t *s,   \
           match_event_handler on, void *ctx),                                                    \
          (db, p, n, flags, s, on, ctx), HS_NOMEM)

enum {
#define F(type, name, parameters, arguments, without) AT_##name,
        FUNCTIONS(F)
#undef F
                AT_MAX
};

static const char *const names[] = {
#define F(type, name, parameters, arguments, without) #name,
        FUNCTIONS(F)
#undef F
};

static void *functions[AT_MAX];
static struct qn_lazy library = QN_LAZY(LIBRARY, names, functions);

#define F(type, name, parameters, arguments, without) \
        QN_LAZY_FUNCTION(&library, AT_##name, type, name, parameters, arguments, without)

FUNCTIONS(F)
