/* foreign.h - programs in other languages than JavaScript and shell: Python, PowerShell, Ruby…, as far as their words and
 * strings tell (data/foreign.yaml).  HOSTILE INPUT.
 * A scan over tokens, no parser: which interfaces are named, which text stands in the statement behind the name.  Such a
 * program is short where it matters, so everything that it read counts as sent where it sends something. */
#pragma once

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "observe/table.h"

struct qn_arena;
struct qn_scan;
struct qn_site;

enum qn_foreign_role {
        QN_FOREIGN_NONE,
        QN_FOREIGN_COMMAND, /* text or a list of words is a command */
        QN_FOREIGN_CODE,    /* text is a program in the same language */
        QN_FOREIGN_URL,     /* an address, perhaps with what is sent there */
        QN_FOREIGN_ENV,     /* the name of an environment variable; none: all of them */
        QN_FOREIGN_OPEN,    /* a path, then a mode */
        QN_FOREIGN_PATH,    /* a path that is read, removed… */
        QN_FOREIGN_TO,      /* a path that is written */
        QN_FOREIGN_JOIN,    /* puts a path together */
        QN_FOREIGN_DUMP,    /* makes text of what it is given */
};

struct qn_foreign_call {
        struct qn_str name; /* in lower case */
        uint8_t role;
        bool has_event;
        struct qn_row_event event;
};

struct qn_foreign_lang {
        struct qn_str name;
        struct qn_str *extensions, *programs; /* of files; of interpreters, in #! lines */
        size_t n_extensions, n_programs;
        bool hash, slashes, dashes, quote_comment; /* comments: #, slashes, --, ' */
        bool triple;                               /* """ and ''' */
        char escape;                               /* in strings, or NUL */
        bool shell_words;                          /* arguments need no quotes */
        struct qn_foreign_call *calls;
        size_t n_calls, calls_cap;
        struct qn_map index;
};

struct qn_foreign {
        struct qn_foreign_lang *langs;
        size_t n, cap;
};

QN_MUST int qn_foreign_load(const char *data_dir, struct qn_arena *a, const struct qn_foreign **ret,
                            struct qn_err *reterr);
/* The language of a file by its name or its #! line; of a name that commands.yaml uses (lang=…).  NULL: none of these. */
const struct qn_foreign_lang *qn_foreign_file(const struct qn_foreign *t, struct qn_str path,
                                              struct qn_str hashbang);
const struct qn_foreign_lang *qn_foreign_named(const struct qn_foreign *t, struct qn_str name);
/* The row for a word of a program ("urllib.request.urlopen": also found as its last part), or NULL. */
const struct qn_foreign_call *qn_foreign_find(const struct qn_foreign_lang *l, struct qn_str word);

void qn_foreign_observe(struct qn_scan *s, const struct qn_site *site,
                        const struct qn_foreign_lang *l, struct qn_str text);
