#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/inventory-print.h"
#include "cli/inventory-vex.h"
#include "cli/inventory.h"
#include "cli/verbs.h"
#include "inventory/components.h"
#include "inventory/join.h"
#include "inventory/scan.h"
#include "parse/packument.h"
#include "report/sbom.h"

#define ARENA_MAX ((size_t)2 << 30)
#define OUT_MAX   ((size_t)1 << 30)

enum { EXIT_INCOMPLETE = 3 };

/* --- what all parts share --- */

static bool is_format(const struct qn_args *a, const char *format)
{
        return qn_str_is(qn_str_c(qn_args_get(a, "format")), format);
}

bool qn_inventory_is_json(const struct qn_args *a)
{
        return is_format(a, "json");
}

void qn_inventory_how(const struct qn_args *a, struct qn_inventory_how *ret)
{
        *ret = (struct qn_inventory_how){ .no_sandbox = qn_args_on(a, "no-sandbox"),
                                          .known = a->store };
}

int qn_inventory_time(struct qn_str s, int64_t *ret)
{
        char day[40];
        uint64_t seconds;
        int64_t ms;

        if (qn_str_u64(s, &seconds) == 0 && seconds < INT64_MAX) {
                *ret = (int64_t)seconds;
                return 0;
        }
        if (s.n == strlen("2025-01-31")) {
                snprintf(day, sizeof day, "%.*sT00:00:00Z", QN_STR_ARG(s));
                s = qn_str_c(day);
        }
        ms = qn_time_parse(s);
        if (ms == QN_TIME_NONE)
                return -EINVAL;
        *ret = ms / 1000;
        return 0;
}

struct qn_str qn_inventory_when(int64_t time, char buffer[QN_TIME_TEXT])
{
        return time == QN_TIME_OPEN ? QN_STR("") : qn_time_format(time * 1000, buffer);
}

void qn_inventory_put_time(struct qn_jsonw *w, const char *key, int64_t time)
{
        char buffer[QN_TIME_TEXT];
        struct qn_str s = qn_inventory_when(time, buffer);

        if (s.n)
                qn_jsonw_str(w, key, s);
        else
                qn_jsonw_null(w, key);
}

void qn_inventory_put_text(struct qn_jsonw *w, const char *key, struct qn_str s)
{
        if (s.p)
                qn_jsonw_str(w, key, s);
        else
                qn_jsonw_null(w, key);
}

void qn_inventory_put_asset(struct qn_jsonw *w, const struct qn_asset *a)
{
        qn_jsonw_object(w, "asset");
        qn_jsonw_str(w, "kind", a->kind);
        qn_jsonw_str(w, "name", a->name);
        qn_inventory_put_text(w, "owner", a->owner);
        qn_inventory_put_text(w, "environment", a->environment);
        qn_inventory_put_text(w, "commit", a->commit);
        qn_jsonw_end_object(w);
}

int qn_inventory_finish(struct qn_buf *out, int r)
{
        if (r == 0)
                r = qn_buf_error(out);
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(out));
        if (r == -ENOBUFS || r == -ENOMEM)
                log_err(r, "the answer is too long");
        qn_buf_done(out);
        return r;
}

/* --- bills of materials --- */

/* $SOURCE_DATE_EPOCH makes documents the same whenever they are made. */
static struct qn_str tell_time(char buffer[QN_TIME_TEXT])
{
        const char *fixed = getenv("SOURCE_DATE_EPOCH");
        uint64_t seconds;

        if (!fixed || qn_str_u64(qn_str_c(fixed), &seconds) < 0 || seconds > INT64_MAX / 1000)
                seconds = (uint64_t)time(NULL);
        return qn_time_format((int64_t)seconds * 1000, buffer);
}

static int print_sbom(const struct qn_args *args, const struct qn_inventory *inv, bool spdx)
{
        struct qn_arena a = QN_ARENA_INIT(ARENA_MAX);
        struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        struct qn_components c;
        struct qn_sbom_match *matches = NULL;
        size_t n_matches = 0;
        struct qn_bom *all;
        char when[QN_TIME_TEXT];
        int r = qn_inventory_join(inv, &a, &all);

        if (r == 0)
                r = qn_components_make(all, &a, &c);
        if (r == 0 && qn_args_on(args, "vex"))
                r = qn_inventory_vex(args->state, &c, &a, &matches, &n_matches);
        if (r == 0) {
                const struct qn_sbom s = { all, &c, tell_time(when), matches, n_matches };

                r = spdx ? qn_sbom_spdx(&s, &out) : qn_sbom_cyclonedx(&s, &out);
        }
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        qn_buf_done(&out);
        qn_arena_done(&a);
        return r;
}

/* --- scan --- */

static int print(const struct qn_args *a, const struct qn_inventory *inv)
{
        if (is_format(a, "json"))
                return qn_inventory_print_json(inv);
        if (is_format(a, "spdx"))
                return print_sbom(a, inv, true);
        if (is_format(a, "cyclonedx") || qn_str_is(qn_str_c(a->argv[0]), "sbom"))
                return print_sbom(a, inv, false);
        return qn_inventory_print_table(inv);
}

static int scan(const struct qn_args *a)
{
        static const char *const here[] = { "." };
        struct qn_inventory_how how;
        struct qn_inventory inv;
        struct qn_err err = { 0 };
        bool some = a->n > 1;
        int r;

        qn_inventory_how(a, &how);
        r = qn_inventory_scan(&how, some ? a->argv + 1 : here, some ? a->n - 1 : 1, &inv, &err);

        if (r < 0) {
                log_err(r, "%s", err.msg);
        } else {
                r = print(a, &inv);
                qn_inventory_print_errors(&inv);
                if (r == 0 && inv.n_errors)
                        r = EXIT_INCOMPLETE;
        }
        qn_inventory_done(&inv);
        return r;
}

/* --- the verb --- */

static const struct {
        const char *name;
        int (*run)(const struct qn_args *a);
} actions[] = {
        { "scan", scan },
        { "sbom", scan },
        { "add", qn_inventory_add },
        { "ingest", qn_inventory_ingest },
        { "collect", qn_inventory_collect },
        { "who-has", qn_inventory_who_has },
        { "why", qn_inventory_why },
        { "exposure", qn_inventory_exposure },
        { "diff", qn_inventory_diff },
        { "stale", qn_inventory_stale },
        { "learn", qn_inventory_learn },
};

int cmd_inventory(const struct qn_args *a)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(actions); i++)
                if (qn_str_is(qn_str_c(a->argv[0]), actions[i].name))
                        return actions[i].run(a);
        return log_err(-EINVAL, "\"%s\" is nothing that inventory does", a->argv[0]);
}
