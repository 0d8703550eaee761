#include "cli/intel-own.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/args.h"
#include "parse/packument.h"

#define HEADER                                                                                   \
        "# What we decided ourselves.  Entries are added at the end; of several about the same " \
        "the "                                                                                   \
        "last counts.\n# See qanat-intel(1), OWN LIST.\n"

static void list_path(const struct qn_intel_import *how, char *path, size_t size)
{
        snprintf(path, size, "%s/own.yaml", how->intel_dir);
}

static void put(struct qn_buf *b, const char *key, struct qn_str value)
{
        struct qn_jsonw w = QN_JSONW_INIT(b, 0);

        if (!value.n)
                return;
        qn_buf_printf(b, "%s: ", key);
        qn_jsonw_str(&w, NULL, value); /* what JSON calls a string YAML calls one, too */
        qn_buf_byte(b, '\n');
}

static struct qn_str user_name(void)
{
        const struct passwd *p = getpwuid(getuid());

        return p ? qn_str_c(p->pw_name) : QN_STR("");
}

static int check(const struct qn_args *a, const char *action)
{
        const char *expires = qn_args_get(a, "expires");

        if (strcmp(action, "expire") != 0 && !qn_args_get(a, "reason"))
                return log_err(-EINVAL, "why? %s wants a --reason that others will understand",
                               action);
        if (qn_args_get(a, "range") && !qn_args_get(a, "range")[0])
                return log_err(-EINVAL, "--range is empty");
        if (expires && qn_time_parse(qn_str_c(expires)) == QN_TIME_NONE)
                return log_err(-EINVAL, "--expires %s: this is no date such as 2026-11-29",
                               expires);
        if (expires && qn_time_parse(qn_str_c(expires)) / 1000 <= (int64_t)time(NULL))
                return log_err(-EINVAL, "--expires %s has passed already", expires);
        return 0;
}

static struct qn_str given(const struct qn_args *a, const char *name, struct qn_str fallback)
{
        const char *v = qn_args_get(a, name);

        return v ? qn_str_c(v) : fallback;
}

static void put_entry(struct qn_buf *b, const struct qn_args *a, const char *action,
                      const char *what)
{
        char since[QN_TIME_TEXT];

        if (b->n && b->p[b->n - 1] != '\n')
                qn_buf_byte(b, '\n');
        qn_buf_puts(b, "- ");
        put(b, action, qn_str_c(what));
        put(b, "  range", given(a, "range", QN_STR("")));
        put(b, "  reason", given(a, "reason", QN_STR("")));
        put(b, "  owner", given(a, "owner", user_name()));
        put(b, "  since", qn_time_format((int64_t)time(NULL) * 1000, since));
        put(b, "  expires", given(a, "expires", QN_STR("")));
}

/* Takes a text in as the list. */
static int take(struct qn_intel_take *t, const char *path, struct qn_str text)
{
        char next[4200];
        int r;

        snprintf(next, sizeof next, "%s.new", path);
        r = qn_io_replace(next, text);
        if (r < 0)
                return log_err(r, "%s: %s", next, strerror(-r));
        r = qn_intel_take_start(t, true);
        if (r == 0)
                r = qn_intel_take_path(t, next);
        if (r == 0 && rename(next, path) < 0)
                r = -errno;
        if (r < 0)
                unlink(next);
        return r;
}

/* The list is written first: what is only in the index would be lost with the next import. */
static int commit(struct qn_intel_take *t, const struct qn_intel_imported *done, const char *path,
                  int r)
{
        if (r < 0)
                return log_err(r, "%s: %s", path, done->problem[0] ? done->problem : strerror(-r));
        qn_intel_take_source(t)->from = qn_str_c(path);
        return qn_intel_take_commit(t);
}

static struct qn_intel_import as_own(const struct qn_intel_import *how)
{
        struct qn_intel_import own = *how;

        own.source = QN_STR(QN_INTEL_OWN);
        own.force = true; /* a list may lose what it had */
        return own;
}

int qn_intel_own_add(const struct qn_args *a, const struct qn_intel_import *how, const char *action,
                     const char *what)
{
        struct qn_intel_import own = as_own(how);
        struct qn_buf text = QN_BUF_INIT(QN_YAML_MAX);
        struct qn_intel_imported done;
        struct qn_intel_take *t = NULL;
        char path[4096];
        int r = check(a, action);

        if (r < 0)
                return r;
        list_path(how, path, sizeof path);
        r = qn_intel_take_begin(&own, &done, &t);
        if (r < 0)
                return r;
        r = qn_io_read(path, &text);
        if (r == -ENOENT)
                r = qn_buf_puts(&text, HEADER);
        put_entry(&text, a, action, what);
        if (r == 0)
                r = qn_buf_error(&text);
        if (r == 0)
                r = take(t, path, qn_buf_view(&text));
        r = commit(t, &done, path, r);
        qn_intel_take_end(t);
        qn_buf_done(&text);
        return r;
}

int qn_intel_own_take(const struct qn_intel_import *how)
{
        struct qn_intel_import own = as_own(how);
        struct qn_intel_imported done;
        struct qn_intel_take *t = NULL;
        char path[4096];
        int r;

        list_path(how, path, sizeof path);
        r = qn_intel_take_begin(&own, &done, &t);
        if (r < 0)
                return r;
        if (access(path, F_OK) < 0 && !qn_intel_take_source(t)->records) {
                qn_intel_take_end(t);
                return 0;
        }
        r = qn_intel_take_start(t, true);
        if (r == 0 && access(path, F_OK) == 0) /* a list that is gone has no entries */
                r = qn_intel_take_path(t, path);
        r = commit(t, &done, path, r);
        qn_intel_take_end(t);
        return r < 0 ? r : 1;
}
