/* npmrc.h - .npmrc files as npm reads them.  HOSTILE INPUT (a project brings its own).
 * INI lines: `;` and `#` comments, `key = value`, `key` alone is true, `key[] = value` adds to a list, values in quotes are
 * JSON strings, backslashes protect `;` and `#`, ${VAR} and ${VAR?} are expanded in keys and values.  Everything below a
 * [section] line is kept apart, as npm ignores it.  Caps: QN_NPMRC_MAX for a file and for all expanded text (-EFBIG).
 * Where a variable is not set, ${VAR} stays as it stands and ${VAR?} becomes empty. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_arena;

/* Asks for an environment variable: true and *ret when it is set. */
typedef bool qn_npmrc_env_fn(void *ctx, struct qn_str name, struct qn_str *ret);

struct qn_npmrc_entry {
        struct qn_str key;     /* without "[]"; "@scope:registry", "//host/path/:_authToken" … */
        struct qn_str value;   /* text; "true" for a key alone */
        struct qn_str section; /* p NULL outside sections; "[]" is one without a name */
        bool list;             /* one member of a list */
        bool expanded;         /* held a ${VAR}, which was expanded unless raw */
        uint32_t line;         /* from 1 */
};

/* Several files may be read into one, lowest priority first: the last entry of a key counts. */
struct qn_npmrc {
        struct qn_npmrc_entry *v;
        size_t n, cap;
};

#define QN_NPMRC_INIT ((struct qn_npmrc){ 0 })

/* Appends a file's entries; env may be NULL (nothing is set).  0, -EFBIG, -ENOBUFS; on failure rc is as it was.  There are
 * no malformed lines in this format: nearly everything is a key. */
QN_MUST int qn_npmrc_parse(struct qn_npmrc *rc, struct qn_cur in, qn_npmrc_env_fn *env, void *ctx,
                           struct qn_arena *a, struct qn_err *reterr);
/* The same with every ${VAR} left as it stands, with the backslashes before it; expanded says that there is one. */
QN_MUST int qn_npmrc_parse_raw(struct qn_npmrc *rc, struct qn_cur in, struct qn_arena *a,
                               struct qn_err *reterr);
/* The last value of a key outside sections; p NULL when there is none. */
struct qn_str qn_npmrc_get(const struct qn_npmrc *rc, struct qn_str key);
/* Whether a key is set to true (the word, or the key alone). */
bool qn_npmrc_bool(const struct qn_npmrc *rc, struct qn_str key, bool fallback);
/* "@scope:registry" when name has that scope and it is set, else "registry", else p NULL. */
struct qn_str qn_npmrc_registry(const struct qn_npmrc *rc, struct qn_str name);
/* What is set for a URL ("//host/path/:" + field), for the nearest directory at or above the URL's path, as npm looks for
 * _authToken, _auth, username, certfile …; p NULL when there is none. */
struct qn_str qn_npmrc_for_url(const struct qn_npmrc *rc, struct qn_str url, struct qn_str field);
