/* cmd-intel.c - what is known to be bad: take feeds in, ask about versions, hand lists on. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/intel-ask.h"
#include "cli/intel-own.h"
#include "cli/intel-print.h"
#include "cli/intel-update.h"
#include "cli/verbs.h"

#define OUT_MAX   ((size_t)512 << 20)
#define ARENA_MAX ((size_t)256 << 20)

struct word {
        const char *name;
        int (*each)(struct qn_intel_ask *q, const char *arg); /* a question, for each argument */
        int (*whole)(struct qn_intel_ask *q);                 /* a question without any */
        int (*change)(const struct qn_args *a, const struct qn_intel_import *how);
        const char *usage; /* "": no arguments */
};

static int path_of(const struct qn_args *a, char *ret, size_t size)
{
        int n = snprintf(ret, size, "%s/intel", a->state);

        return n < 0 || (size_t)n >= size ? log_err(-ENAMETOOLONG, "the state directory's name is "
                                                                   "too long")
                                          : 0;
}

static bool is_json(const struct qn_args *a)
{
        return qn_str_is(qn_str_c(qn_args_get(a, "format")), "json");
}

/* --- changes --- */

static int run_import(const struct qn_args *a, const struct qn_intel_import *how)
{
        struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        int r, failed = 0;

        if (how->whole && a->n > 2)
                return log_err(-EINVAL,
                               "--whole takes one file or directory: the next would make the "
                               "source forget it");
        for (size_t i = 1; i < a->n; i++) {
                struct qn_intel_imported done;

                if (qn_intel_import(how, a->argv[i], &done) < 0)
                        failed = 2;
                else
                        qn_intel_print_imported(&out, a->argv[i], &done, false, is_json(a));
        }
        r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        qn_buf_done(&out);
        return r < 0 ? r : failed;
}

static int run_update(const struct qn_args *a, const struct qn_intel_import *how)
{
        const struct qn_intel_update u = { .how = *how,
                                           .sources = qn_args_get(a, "sources"),
                                           .from = qn_args_get(a, "from"),
                                           .names = a->argv + 1,
                                           .n = a->n - 1,
                                           .json = is_json(a) };
        struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        int failed = qn_intel_update(&u, &out), r;

        r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        qn_buf_done(&out);
        return r < 0 ? r : failed < 0 ? 2 : 0;
}

static int run_own(const struct qn_args *a, const struct qn_intel_import *how)
{
        for (size_t i = 1; i < a->n; i++) {
                int r = qn_intel_own_add(a, how, a->argv[0], a->argv[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

static const struct word words[] = {
        { "update", NULL, NULL, run_update, "[SOURCE...]" },
        { "import", NULL, NULL, run_import, "FILE|DIR..." },
        { "lookup", qn_intel_look_up, NULL, NULL, "NAME@VERSION..." },
        { "show", qn_intel_show, NULL, NULL, "ID..." },
        { "find", qn_intel_find, NULL, NULL, "HASH|HOST|ADDRESS|URL..." },
        { "sources", NULL, qn_intel_list_sources, NULL, "" },
        { "diff", NULL, qn_intel_diff, NULL, "" },
        { "export", NULL, qn_intel_export, NULL, "" },
        { "block", NULL, NULL, run_own, "NAME[@VERSION]..." },
        { "allow", NULL, NULL, run_own, "NAME[@VERSION]..." },
        { "expire", NULL, NULL, run_own, "NAME[@VERSION]..." },
};

static int change(const struct qn_args *a, const struct word *w)
{
        char dir[4096];
        const struct qn_intel_import how = { .data_dir = a->data,
                                             .cache_dir = a->cache,
                                             .intel_dir = dir,
                                             .no_sandbox = qn_args_on(a, "no-sandbox"),
                                             .whole = qn_args_on(a, "whole"),
                                             .force = qn_args_on(a, "force"),
                                             .quiet = qn_args_on(a, "quiet"),
                                             .source = qn_args_get(a, "source")
                                                               ? qn_str_c(qn_args_get(a, "source"))
                                                               : (struct qn_str){ 0 } };
        int r = path_of(a, dir, sizeof dir);

        return r == 0 ? w->change(a, &how) : r;
}

/* --- questions --- */

static int answer(struct qn_intel_ask *q, const struct word *w)
{
        int r = 0;

        if (w->whole)
                return w->whole(q);
        for (size_t i = 1; r == 0 && i < q->args->n; i++)
                r = w->each(q, q->args->argv[i]);
        return r;
}

static int ask(const struct qn_args *a, const struct word *w)
{
        struct qn_intel_ask q = { .args = a,
                                  .a = QN_ARENA_INIT(ARENA_MAX),
                                  .tables = QN_ARENA_INIT((size_t)64 << 20),
                                  .out = QN_BUF_INIT(OUT_MAX),
                                  .now_ms = (int64_t)time(NULL) * 1000,
                                  .json = is_json(a) };
        struct qn_err err = { 0 };
        char dir[4096];
        int r = path_of(a, dir, sizeof dir);

        if (r == 0 && (r = qn_intel_open(dir, &q.index, &err)) < 0)
                log_err(r, "%s", err.msg);
        if (r == 0 && (r = qn_intel_trust_load(a->data, &q.tables, &q.trust, &err)) < 0)
                log_err(r, "%s", err.msg);
        if (r == 0)
                r = answer(&q, w);
        if (r == 0 && qn_buf_error(&q.out) < 0)
                r = log_err(-ENOMEM, "the answer is too long");
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&q.out));
        qn_intel_close(q.index);
        qn_buf_done(&q.out);
        qn_arena_done(&q.a);
        qn_arena_done(&q.tables);
        if (r < 0)
                return r;
        return q.found && (w->each == qn_intel_look_up || w->each == qn_intel_find);
}

int cmd_intel(const struct qn_args *a)
{
        const struct word *w = words;

        while (strcmp(a->argv[0], w->name) != 0)
                w++; /* the table of verbs lets nothing else through */
        if (!w->usage[0] && a->n > 1)
                return log_err(-EINVAL, "one argument too many: \"%s\"", a->argv[1]);
        if (w->usage[0] && w->usage[0] != '[' && a->n < 2)
                return log_err(-EINVAL, "which? usage: qanat intel %s %s", w->name, w->usage);
        return w->change ? change(a, w) : ask(a, w);
}
