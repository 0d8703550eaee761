/* bench-diff.c - the check with the version before beside it.
 *
 *   bench-diff DATA <pairs       pairs: what bench/pairs prints; where a package has no other version in the corpus, the version
 *                                before is made: the same files, every fourth program touched
 *   bench-diff --shapes DATA [KB]
 *                                two versions of one minified bundle that differ in one function of a hundred, by size
 *
 * Prints packages/s on one core beside the check alone, from the same run, and what is not clean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "event/event.h"
#include "measure.h"
#include "observe/analyse.h"
#include "observe/archive.h"
#include "observe/scan.h"
#include "parse/gz.h"
#include "rule/judge.h"
#include "rule/rule.h"
#include "unit/tarball.h"

#define LINE_MAX_BYTES 4096
#define TOUCH_EVERY    4u

struct bench {
        struct qn_observers *observers;
        struct qn_analyser *analyser;
        struct qn_rules *rules;
        struct qn_arena arena;
        size_t verdicts[QN_MALICIOUS + 1];
};

struct times {
        uint64_t *v;
        size_t n, cap;
        uint64_t sum;
};

static void add_time(struct times *t, uint64_t ns)
{
        if (t->n == t->cap) {
                t->cap = t->cap ? t->cap * 2 : 4096;
                t->v = realloc(t->v, t->cap * sizeof *t->v);
                if (!t->v)
                        abort();
        }
        t->v[t->n++] = ns;
        t->sum += ns;
}

/* --- archives that are made --- */

static void put_file(struct qn_buf *b, struct qn_str path, struct qn_str content)
{
        char full[128];

        snprintf(full, sizeof full, "package/%.*s", QN_STR_ARG(path));
        tb_header(b, full, '0', content.n, "");
        tb_body(b, content.p, content.n);
}

/* The same files; a blank more in some programs makes them other files. */
static void touch(struct qn_cur archive, struct qn_buf *out)
{
        struct qn_buf text = QN_BUF_INIT(QN_UNPACKED_MAX);
        struct qn_gz *gz = qn_gz_new();
        struct qn_archive a = { 0 };
        struct qn_tar_entry e;
        struct qn_content c;
        unsigned n = 0;

        qn_buf_reset(out);
        if (!gz || qn_archive_open(&a, gz, archive) < 0 || qn_archive_rewind(&a) < 0)
                abort();
        while (qn_archive_next(&a, &e, NULL) == 1 && e.path.n < 90) {
                bool program = qn_str_ends(e.path, ".js") || qn_str_ends(e.path, ".mjs") ||
                               qn_str_ends(e.path, ".cjs");

                if (e.type != QN_TAR_FILE || qn_archive_content(&a, &e, &c, NULL) < 0 || !c.whole)
                        continue;
                qn_buf_reset(&text);
                qn_buf_str(&text, qn_cur_rest(&c.data));
                if (program && n++ % TOUCH_EVERY == 0)
                        qn_buf_byte(&text, '\n');
                put_file(out, e.path, qn_buf_view(&text));
        }
        qn_buf_fill(out, 0, 1024);
        qn_archive_done(&a);
        qn_buf_done(&text);
        qn_gz_free(gz);
}

/* --- measuring --- */

static uint64_t measure(struct bench *b, const struct qn_analyse_in *in, enum qn_verdict_kind *ret,
                        struct qn_buf *why)
{
        const struct qn_event_set *set;
        struct qn_verdict v = { 0 };
        uint64_t t = bench_cpu_ns();

        qn_arena_reset(&b->arena, 1 << 20);
        if (qn_analyse(b->analyser, in, &set) < 0 || qn_judge(b->rules, set, &b->arena, &v) < 0)
                abort();
        t = bench_cpu_ns() - t;
        *ret = v.kind;
        qn_buf_reset(why);
        for (size_t i = 0; i < v.n; i++)
                qn_buf_printf(why, " %.*s", QN_STR_ARG(v.findings[i].rule->id));
        return t;
}

static void measure_pairs(struct bench *b)
{
        struct qn_buf made = QN_BUF_INIT(QN_UNPACKED_MAX), why = QN_BUF_INIT(1 << 16);
        struct times alone = { 0 }, beside = { 0 };
        char line[LINE_MAX_BYTES];
        size_t real = 0;

        while (fgets(line, sizeof line, stdin)) {
                struct qn_analyse_in in = { 0 };
                enum qn_verdict_kind kind;
                char *save = NULL, *now = strtok_r(line, " \n", &save),
                     *before = strtok_r(NULL, " \n", &save), *label = strtok_r(NULL, "\n", &save);
                struct qn_cur old = { NULL, NULL };

                if (!now || !before)
                        continue;
                in.archive = bench_map(now);
                add_time(&alone, measure(b, &in, &kind, &why));
                if (strcmp(before, "-") != 0) {
                        in.previous = old = bench_map(before);
                        real++;
                } else {
                        touch(in.archive, &made);
                        in.previous = qn_cur_mem(made.p, made.n);
                }
                add_time(&beside, measure(b, &in, &kind, &why));
                b->verdicts[kind]++;
                if (kind != QN_CLEAN)
                        fprintf(stderr, "%s %s%.*s\n", label ? label : now, qn_verdict_name(kind),
                                (int)why.n, why.p);
                bench_unmap(in.archive);
                bench_unmap(old);
        }
        if (!alone.n)
                return;
        printf("packages               %zu, %zu with another version of the corpus before them\n",
               alone.n, real);
        printf("check alone            %.0f packages/s on one core\n",
               (double)alone.n * 1e9 / (double)alone.sum);
        printf("with the one before    %.0f packages/s, %.2f times the time; p50 %.2f ms, p95 %.1f "
               "ms, p99 %.1f ms\n",
               (double)beside.n * 1e9 / (double)beside.sum, (double)beside.sum / (double)alone.sum,
               bench_percentile_ms(beside.v, beside.n, 0.50),
               bench_percentile_ms(beside.v, beside.n, 0.95),
               bench_percentile_ms(beside.v, beside.n, 0.99));
        printf("verdicts               clean %zu, unknown %zu, suspicious %zu, malicious %zu\n",
               b->verdicts[QN_CLEAN], b->verdicts[QN_UNKNOWN], b->verdicts[QN_SUSPICIOUS],
               b->verdicts[QN_MALICIOUS]);
        free(alone.v);
        free(beside.v);
        qn_buf_done(&made);
        qn_buf_done(&why);
}

/* --- bundles of any size --- */

static void bundle(struct qn_buf *b, size_t size, unsigned version)
{
        struct qn_buf js = QN_BUF_INIT(QN_UNPACKED_MAX);
        char manifest[160];

        qn_buf_puts(&js, "(()=>{var e={");
        for (unsigned i = 0; js.n < size; i++)
                qn_buf_printf(
                        &js,
                        "%u:(e,t,n)=>{\"use strict\";var "
                        "r=n(%u),o=n(%u);t.render%u=function(e,t){if(!e)return"
                        " null;var n=r.create(\"item-%u\",{key:t.id,size:%u});for(var "
                        "i=0;i<e.length;i++)"
                        "n.append(o.text(e[i].label,t.options.width+%u));return n.finish()}},",
                        i, i / 2, i / 3, i, i, i % 97 + 2, i % 100 ? i : i + version);
        qn_buf_puts(&js, "},t={};function "
                         "n(r){return(t[r]||(t[r]={exports:{}},e[r](t[r],t[r].exports,n),t[r]))."
                         "exports}n(0)})();");
        qn_buf_reset(b);
        snprintf(manifest, sizeof manifest,
                 "{\"name\":\"bundle\",\"version\":\"1.0.%u\",\"main\":\"index.js\"}", version);
        put_file(b, QN_STR("package.json"), qn_str_c(manifest));
        put_file(b, QN_STR("index.js"), qn_buf_view(&js));
        qn_buf_fill(b, 0, 1024);
        qn_buf_done(&js);
}

static void measure_shapes(struct bench *b, size_t only)
{
        static const size_t sizes[] = { 10, 100, 1000, 5000, 10000, 20000 }; /* KB */
        struct qn_buf now = QN_BUF_INIT(QN_UNPACKED_MAX), before = QN_BUF_INIT(QN_UNPACKED_MAX),
                      why = QN_BUF_INIT(1 << 16);

        printf("%10s %12s %18s %14s\n", "bundle", "check alone", "with one before", "per MB");
        for (size_t i = 0; i < QN_ARRAY_SIZE(sizes); i++) {
                struct qn_analyse_in in = { 0 };
                enum qn_verdict_kind kind;
                struct times alone = { 0 }, beside = { 0 };

                if (only && only != sizes[i])
                        continue;
                bundle(&before, sizes[i] * 1000, 1);
                bundle(&now, sizes[i] * 1000, 2);
                for (unsigned round = 0; round < 5; round++) {
                        in.archive = qn_cur_mem(now.p, now.n);
                        in.previous = (struct qn_cur){ NULL, NULL };
                        add_time(&alone, measure(b, &in, &kind, &why));
                        in.previous = qn_cur_mem(before.p, before.n);
                        add_time(&beside, measure(b, &in, &kind, &why));
                }
                printf("%7zu KB %9.1f ms %15.1f ms %11.1f ms\n", sizes[i],
                       bench_percentile_ms(alone.v, alone.n, 0.50),
                       bench_percentile_ms(beside.v, beside.n, 0.50),
                       bench_percentile_ms(beside.v, beside.n, 0.50) * 1000 / (double)sizes[i]);
                free(alone.v);
                free(beside.v);
        }
        qn_buf_done(&now);
        qn_buf_done(&before);
        qn_buf_done(&why);
}

int main(int argc, char **argv)
{
        bool shapes = argc > 1 && strcmp(argv[1], "--shapes") == 0;
        const char *data = argc > 1 + shapes ? argv[1 + shapes] : "data";
        struct bench b = { .arena = QN_ARENA_INIT(QN_PKG_ARENA_MAX) };
        struct qn_err err = { 0 };
        char rules[LINE_MAX_BYTES];
        const char *paths[] = { rules };

        snprintf(rules, sizeof rules, "%s/rules", data);
        if (qn_observers_load(data, &b.observers, &err) < 0 ||
            qn_analyser_new(b.observers, &b.analyser) < 0 ||
            qn_rules_load(paths, 1, &b.rules, &err) < 0) {
                fprintf(stderr, "bench-diff: %s\n", err.msg);
                return 1;
        }
        if (shapes)
                measure_shapes(&b, argc > 3 ? strtoul(argv[3], NULL, 10) : 0);
        else
                measure_pairs(&b);
        qn_arena_done(&b.arena);
        qn_rules_free(b.rules);
        qn_analyser_free(b.analyser);
        qn_observers_free(b.observers);
        return 0;
}
