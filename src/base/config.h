/* config.h - where qanat keeps and finds its files, and its one configuration file.
 * The file is written by the user or the administrator and never read from the directory that is
 * checked: a project must not be able to switch its own check off.  `key = value` lines, `#` starts
 * a comment; every key is an option's name. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_config_line {
        char *key, *value;
        unsigned line;
};

struct qn_config {
        char *path; /* NULL: there is no file, and so no lines */
        struct qn_config_line *lines;
        size_t n;
};

/* Reads the file at path; NULL looks for $XDG_CONFIG_HOME/qanat/qanat.conf, then
 * /etc/qanat/qanat.conf, and is content with neither.  -ENOENT and others for a path that cannot be
 * read; -EINVAL for a line that is none, with its number. */
QN_MUST
int qn_config_load(const char *path, struct qn_config *ret, struct qn_err *reterr);
/* The last value given for key, or NULL. */
const char *qn_config_get(const struct qn_config *c, const char *key);
void qn_config_done(struct qn_config *c);

/* Directories, as new strings.  `given` is what the user said (option, environment or file), or
 * NULL or empty. State: else $XDG_STATE_HOME/qanat, else ~/.local/state/qanat.  Cache: likewise,
 * ~/.cache/qanat.  Neither is created. */
QN_MUST
int qn_dir_state(const char *given, char **ret);
QN_MUST
int qn_dir_cache(const char *given, char **ret);
/* The directory that holds rules/ and the tables: else ../share/qanat or ../data beside the running
 * program. -ENOENT when none of them has a rules directory. */
QN_MUST
int qn_dir_data(const char *given, char **ret);
