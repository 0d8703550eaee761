/* cmd-intel.c - what is known to be bad: take feeds in, ask about versions, hand lists on. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "cli/args.h"
#include "cli/intel-import.h"
#include "cli/intel-print.h"
#include "cli/verbs.h"
#include "intel/record.h"
#include "observe/popular.h"

#define OUT_MAX   ((size_t)512 << 20)
#define ARENA_MAX ((size_t)256 << 20)

struct asked { /* what every question needs */
        const struct qn_args *args;
        struct qn_intel *index;
        struct qn_popular *popular;
        struct qn_arena a, tables;
        struct qn_buf out;
        bool json;
        bool found;
};

static int path_of(const struct qn_args *a, char *ret, size_t size)
{
        int n = snprintf(ret, size, "%s/intel", a->state);

        return n < 0 || (size_t)n >= size ? log_err(-ENAMETOOLONG, "the state directory's name is "
                                                                   "too long")
                                          : 0;
}

static bool is_format(const struct qn_args *a, const char *format)
{
        return qn_str_is(qn_str_c(qn_args_get(a, "format")), format);
}

/* --- import --- */

static void tell(struct qn_buf *out, const char *path, const struct qn_intel_imported *i)
{
        const struct qn_feed_counts *f = &i->feed;

        qn_show(out, qn_str_c(path), 200, 0);
        qn_buf_printf(out, "  as %s: %llu records (%llu malware, %llu withdrawn)", i->buffer,
                      (unsigned long long)f->records, (unsigned long long)f->malware,
                      (unsigned long long)f->withdrawn);
        if (f->rows)
                qn_buf_printf(out, " of %llu rows", (unsigned long long)f->rows);
        qn_buf_printf(out, "; %llu new, %llu changed, %llu as before, %llu gone\n",
                      (unsigned long long)i->index.added, (unsigned long long)i->index.changed,
                      (unsigned long long)i->index.same, (unsigned long long)i->index.removed);
        if (f->foreign)
                qn_buf_printf(out, "  %llu about other ecosystems\n",
                              (unsigned long long)f->foreign);
        if (f->others)
                qn_buf_printf(out, "  %llu other files\n", (unsigned long long)f->others);
        if (f->broken)
                qn_buf_printf(out, "  %llu could not be read, the first: %s\n",
                              (unsigned long long)f->broken, i->problem);
}

static void tell_json(struct qn_buf *out, const char *path, const struct qn_intel_imported *i)
{
        const struct {
                const char *key;
                uint64_t n;
        } counts[] = {
                { "records", i->feed.records },     { "malware", i->feed.malware },
                { "withdrawn", i->feed.withdrawn }, { "rows", i->feed.rows },
                { "foreign", i->feed.foreign },     { "others", i->feed.others },
                { "broken", i->feed.broken },       { "added", i->index.added },
                { "changed", i->index.changed },    { "same", i->index.same },
                { "removed", i->index.removed },
        };
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.intel.import/1");
        qn_jsonw_cstr(&w, "path", path);
        qn_jsonw_cstr(&w, "source", i->buffer);
        for (size_t k = 0; k < QN_ARRAY_SIZE(counts); k++)
                qn_jsonw_u64(&w, counts[k].key, counts[k].n);
        if (i->problem[0])
                qn_jsonw_cstr(&w, "problem", i->problem);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

static int run_import(const struct qn_args *a)
{
        struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        char dir[4096];
        struct qn_intel_import how = { .data_dir = a->data,
                                       .cache_dir = a->cache,
                                       .intel_dir = dir,
                                       .no_sandbox = qn_args_on(a, "no-sandbox"),
                                       .whole = qn_args_on(a, "whole"),
                                       .force = qn_args_on(a, "force"),
                                       .quiet = qn_args_on(a, "quiet"),
                                       .source = qn_str_c(qn_args_get(a, "source")) };
        int r = path_of(a, dir, sizeof dir), failed = 0;

        if (r == 0 && a->n < 2)
                return log_err(-EINVAL, "what? usage: qanat intel import FILE|DIR...");
        for (size_t i = 1; r == 0 && i < a->n; i++) {
                struct qn_intel_imported done;

                if (qn_intel_import(&how, a->argv[i], &done) < 0) {
                        failed = 2;
                        continue;
                }
                if (is_format(a, "json"))
                        tell_json(&out, a->argv[i], &done);
                else
                        tell(&out, a->argv[i], &done);
        }
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        qn_buf_done(&out);
        return r < 0 ? r : failed;
}

/* --- questions --- */

static int look_up(struct asked *q, const char *arg)
{
        struct qn_str s = qn_str_c(arg), version = { 0 };
        struct qn_intel_answer ans;
        ptrdiff_t at = qn_str_rchr(s, '@');
        int r;

        if (at > 0) {
                version = qn_str_skip(s, (size_t)at + 1);
                s = qn_str_take(s, (size_t)at);
        }
        if (!s.n || (at > 0 && !version.n))
                return log_err(-EINVAL, "\"%s\" is no NAME or NAME@VERSION", arg);
        r = qn_intel_match(q->index, q->popular, s, version, (struct qn_str){ 0 }, &q->a, &ans);
        if (r < 0)
                return log_err(r, "%s: %s", arg, strerror(-r));
        if (q->json)
                qn_intel_print_json(&q->out, s, version, &ans);
        else
                qn_intel_print_text(&q->out, s, version, &ans, qn_args_on(q->args, "explain"));
        q->found |= strcmp(qn_intel_verdict(&ans), "clean") != 0;
        qn_arena_reset(&q->a, 1 << 20);
        return 0;
}

static int print_record(struct asked *q, const struct qn_intel_record *rec, unsigned indent)
{
        struct qn_osv *osv;
        int r = qn_intel_unpack(rec->head, &q->a, &osv);

        if (r == 0)
                r = qn_intel_complete(q->index, rec, &q->a, osv);
        if (r == 0)
                qn_intel_print_osv(&q->out, osv, indent);
        return r;
}

static int on_record(void *ctx, const struct qn_intel_record *rec)
{
        struct asked *q = ctx;

        q->found = true;
        return print_record(q, rec, 2);
}

static int show(struct asked *q, const char *arg)
{
        bool before = q->found;
        int r;

        q->found = false;
        r = qn_intel_by_id(q->index, qn_str_c(arg), on_record, q);
        if (r == 0 && !q->found)
                r = -ENOENT;
        q->found |= before;
        return r < 0 ? log_err(r, "%s: %s", arg,
                               r == -ENOENT ? "no record has this id or alias" : strerror(-r))
                     : 0;
}

static int on_indicator(void *ctx, const struct qn_intel_record *rec)
{
        struct asked *q = ctx;
        struct qn_osv *osv;
        int r = qn_intel_unpack(rec->head, &q->a, &osv);

        if (r == 0)
                r = qn_intel_complete(q->index, rec, &q->a, osv);
        if (r < 0)
                return r;
        if (q->json) {
                qn_intel_print_osv(&q->out, osv, 0);
        } else {
                qn_buf_puts(&q->out, "  ");
                qn_show(&q->out, osv->id, 200, 0);
                qn_buf_puts(&q->out, "  ");
                qn_show(&q->out, osv->summary, 200, QN_SHOW_DEFANG);
                qn_buf_byte(&q->out, '\n');
        }
        q->found = true;
        return 0;
}

static int find(struct asked *q, const char *arg)
{
        struct qn_indicator i;
        bool before = q->found;
        int r = qn_indicator_guess(qn_str_c(arg), &q->a, &i);

        if (r < 0)
                return log_err(r, "\"%s\" is neither a hash nor an address nor a host name", arg);
        q->found = false;
        if (!q->json) {
                qn_show(&q->out, i.value, 200, QN_SHOW_DEFANG);
                qn_buf_printf(&q->out, "  %s\n", qn_indicator_name(i.kind));
        }
        r = qn_intel_by_indicator(q->index, i.kind, i.value, on_indicator, q);
        if (r == 0 && !q->found && !q->json)
                qn_buf_puts(&q->out, "  nobody lists it\n");
        q->found |= before;
        return r;
}

/* --- sources --- */

static struct qn_str day_of(uint64_t s, char *buffer, size_t size)
{
        time_t t = (time_t)s;
        struct tm tm;

        if (!gmtime_r(&t, &tm))
                return QN_STR("");
        return (struct qn_str){ buffer, strftime(buffer, size, "%Y-%m-%d %H:%M", &tm) };
}

static int sources(struct asked *q)
{
        struct qn_table t = QN_TABLE_INIT(4);
        struct qn_jsonw w = QN_JSONW_INIT(&q->out, 0);
        struct qn_intel_source *list;
        struct qn_intel_stats st;
        size_t n;
        int r = qn_intel_sources(q->index, &q->a, &list, &n);

        if (r == 0)
                r = qn_intel_stats(q->index, &st);
        if (r < 0)
                return log_err(r, "%s", strerror(-r));
        t.right = 2;
        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.intel.sources/1");
        qn_jsonw_u64(&w, "records", st.records);
        qn_jsonw_u64(&w, "bytes", st.bytes);
        qn_jsonw_array(&w, "sources");
        for (size_t i = 0; i < n; i++) {
                char number[24], day[24];

                if (!list[i].name.n)
                        continue;
                snprintf(number, sizeof number, "%llu", (unsigned long long)list[i].records);
                qn_table_cell(&t, list[i].name);
                qn_table_cell(&t, qn_str_c(number));
                qn_table_cell(&t, day_of(list[i].updated_s, day, sizeof day));
                qn_table_cell(&t, list[i].from);
                qn_jsonw_object(&w, NULL);
                qn_jsonw_str(&w, "name", list[i].name);
                qn_jsonw_u64(&w, "records", list[i].records);
                qn_jsonw_str(&w, "updated", day_of(list[i].updated_s, day, sizeof day));
                qn_jsonw_str(&w, "from", list[i].from);
                qn_jsonw_end_object(&w);
        }
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(&q->out, '\n');
        if (!q->json) {
                qn_buf_reset(&q->out);
                r = qn_table_print(&t, &q->out, 0);
                qn_buf_printf(&q->out, "%llu records, %llu indicators, %.1f MB\n",
                              (unsigned long long)st.records, (unsigned long long)st.indicators,
                              (double)st.bytes / 1e6);
        }
        qn_table_done(&t);
        return r;
}

/* --- export --- */

static void put_field(struct qn_buf *out, struct qn_str s)
{
        qn_buf_byte(out, '"');
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '"')
                        qn_buf_byte(out, '"');
                qn_buf_byte(out, s.p[i]);
        }
        qn_buf_byte(out, '"');
}

static void put_row(struct qn_buf *out, struct qn_str id, struct qn_str name, struct qn_str version)
{
        const struct qn_str cells[] = { name, version, id };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cells); i++) {
                qn_buf_puts(out, i ? "," : "");
                put_field(out, cells[i]);
        }
        qn_buf_byte(out, '\n');
}

/* Versions that are named, and "*" for a package of which everything is bad. */
static int on_export(void *ctx, const struct qn_intel_record *rec)
{
        struct asked *q = ctx;
        struct qn_osv *osv;
        int r;

        qn_arena_reset(&q->a, 1 << 20);
        r = qn_intel_unpack(rec->head, &q->a, &osv);
        if (r < 0 || !osv->malware || osv->withdrawn.n)
                return r;
        if (is_format(q->args, "osv"))
                return print_record(q, rec, 0);
        for (size_t i = 0; i < osv->n_affected; i++) {
                const struct qn_osv_affected *f = &osv->affected[i];
                bool all = false;

                for (size_t k = 0; k < f->n_versions; k++)
                        put_row(&q->out, osv->id, f->name, f->versions[k]);
                for (size_t k = 0; k < f->n_ranges; k++)
                        all |= qn_osv_range_is_all(&f->ranges[k]);
                if (all && !f->n_versions)
                        put_row(&q->out, osv->id, f->name, QN_STR("*"));
        }
        return qn_buf_error(&q->out);
}

static int export(struct asked *q)
{
        int r;

        if (!is_format(q->args, "osv"))
                qn_buf_puts(&q->out, "package,version,id\n");
        r = qn_intel_all(q->index, on_export, q);
        return r < 0 ? log_err(r, "%s", strerror(-r)) : 0;
}

/* --- the verb --- */

static const struct {
        const char *name;
        int (*each)(struct asked *q, const char *arg); /* for each argument */
        int (*run)(struct asked *q);
        const char *usage;
} questions[] = {
        { "lookup", look_up, NULL, "NAME@VERSION..." },
        { "show", show, NULL, "ID..." },
        { "find", find, NULL, "HASH|HOST|ADDRESS|URL..." },
        { "sources", NULL, sources, "" },
        { "export", NULL, export, "" },
};

static int answer(struct asked *q, size_t which)
{
        const struct qn_args *a = q->args;
        int r = 0;

        if (questions[which].run)
                return questions[which].run(q);
        for (size_t i = 1; r == 0 && i < a->n; i++)
                r = questions[which].each(q, a->argv[i]);
        return r;
}

static int check_arguments(const struct qn_args *a, size_t which)
{
        if (questions[which].run && a->n > 1)
                return log_err(-EINVAL, "one argument too many: \"%s\"", a->argv[1]);
        if (questions[which].each && a->n < 2)
                return log_err(-EINVAL, "which? usage: qanat intel %s %s", questions[which].name,
                               questions[which].usage);
        return 0;
}

static int ask(const struct qn_args *a, size_t which)
{
        struct asked q = { .args = a,
                           .a = QN_ARENA_INIT(ARENA_MAX),
                           .tables = QN_ARENA_INIT((size_t)32 << 20),
                           .out = QN_BUF_INIT(OUT_MAX),
                           .json = is_format(a, "json") };
        struct qn_err err = { 0 };
        char dir[4096];
        int r = check_arguments(a, which);

        if (r == 0)
                r = path_of(a, dir, sizeof dir);
        if (r == 0 && (r = qn_intel_open(dir, &q.index, &err)) < 0)
                log_err(r, "%s", err.msg);
        if (r == 0 && questions[which].each == look_up &&
            (r = qn_popular_load(a->data, &q.tables, &q.popular, &err)) < 0)
                log_err(r, "%s", err.msg);
        if (r == 0)
                r = answer(&q, which);
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
        return q.found && (questions[which].each == look_up || questions[which].each == find);
}

int cmd_intel(const struct qn_args *a)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(questions); i++)
                if (strcmp(a->argv[0], questions[i].name) == 0)
                        return ask(a, i);
        return run_import(a);
}
