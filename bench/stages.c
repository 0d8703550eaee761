#include "stages.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "measure.h"
#include "observe/js.h"
#include "observe/literal.h"
#include "observe/scan-priv.h"
#include "parse/gz.h"
#include "parse/js-lex.h"
#include "parse/js.h"
#include "parse/tar.h"
#include "rule/judge.h"

enum stage { INFLATE, HASH, LITERALS, LEX, PARSE, FILES, FLOW, JUDGE, STAGE_MAX };

struct stages {
        const struct qn_rules *rules;
        const struct qn_literals *literals;
        struct qn_literal_scan *lits;
        struct qn_gz *gz;
        struct qn_js *js;
        struct qn_scan *scan;
        struct qn_arena arena;
        uint64_t ns[STAGE_MAX];
        uint64_t failed; /* programs that a limit stops */
};

struct stages *stages_new(const struct qn_observers *o, const struct qn_rules *rules)
{
        struct stages *s = calloc(1, sizeof *s);

        if (!s)
                abort();
        s->rules = rules;
        s->literals = o->literals;
        s->arena = QN_ARENA_INIT((size_t)256 << 20);
        s->gz = qn_gz_new();
        s->js = qn_js_new();
        if (!s->gz || !s->js || qn_literal_scan_new(o->literals, &s->lits) < 0 ||
            qn_scan_new(o, &s->scan) < 0)
                abort();
        return s;
}

void stages_free(struct stages *s)
{
        qn_gz_free(s->gz);
        qn_js_free(s->js);
        qn_literal_scan_free(s->lits);
        qn_scan_free(s->scan);
        qn_arena_done(&s->arena);
        free(s);
}

/* --- one file --- */

static bool ends_in(struct qn_str path, const char *const *list)
{
        for (; *list; list++)
                if (qn_str_ends(path, *list))
                        return true;
        return false;
}

static bool is_program(struct qn_str path)
{
        static const char *const ext[] = { ".js",  ".mjs", ".cjs", ".jsx", ".ts",
                                           ".mts", ".cts", ".tsx", NULL };
        static const char *const not [] = { ".d.ts", ".d.mts", ".d.cts", NULL };

        return ends_in(path, ext) && !ends_in(path, not );
}

static void read_program(struct stages *s, const struct qn_tar_entry *e)
{
        struct qn_str text = qn_cur_rest(&e->data);
        const struct qn_js_ast *ast;
        enum qn_js_mode mode;
        uint32_t tokens = 0;
        unsigned opts;
        uint64_t t[3];

        if (e->size > QN_JS_FILE_MAX)
                return;
        qn_js_options(e->path, &mode, &opts);
        t[0] = bench_cpu_ns();
        s->failed += qn_js_lex(s->js, text, NULL, NULL, &tokens) < 0;
        t[1] = bench_cpu_ns();
        s->failed += qn_js_parse(s->js, text, mode, opts, &ast, NULL) < 0;
        t[2] = bench_cpu_ns();
        s->ns[LEX] += t[1] - t[0];
        s->ns[PARSE] += t[2] - t[1];
}

static void observe(struct stages *s, const struct qn_tar_entry *e)
{
        const struct qn_scan_file f = {
                .path = e->path, .mode = e->mode, .size = e->size, .stays = true, .data = e->data
        };

        if (qn_cur_left(&e->data) <= QN_FILE_MAX && qn_scan_file(s->scan, &f) < 0)
                abort();
}

static void each_file(struct stages *s, const struct qn_tar_entry *e)
{
        uint64_t t[3];

        t[0] = bench_cpu_ns();
        if (bench_is_searched(e))
                (void)qn_literal_count(s->literals, s->lits, qn_cur_rest(&e->data));
        t[1] = bench_cpu_ns();
        observe(s, e);
        t[2] = bench_cpu_ns();
        s->ns[LITERALS] += t[1] - t[0];
        s->ns[FILES] += t[2] - t[1];
        if (is_program(e->path))
                read_program(s, e);
}

/* --- one package --- */

static size_t walk(struct stages *s, struct qn_cur unpacked, bool again)
{
        _cleanup_(qn_tar_freep) struct qn_tar *tar = NULL;
        struct qn_tar_entry e;
        size_t n = 0;

        if (qn_tar_open(unpacked, &tar) < 0)
                return 0;
        while (qn_tar_next(tar, &e, NULL) > 0) {
                if (e.type != QN_TAR_FILE || (again && !qn_scan_wants(s->scan, e.path)))
                        continue;
                n++;
                if (again)
                        observe(s, &e);
                else
                        each_file(s, &e);
        }
        return n;
}

static void finish(struct stages *s)
{
        const struct qn_event_set *set;
        struct qn_verdict v;
        uint64_t start = bench_cpu_ns();

        qn_arena_reset(&s->arena, 1 << 20);
        if (qn_scan_finish(s->scan, (struct qn_str){ NULL, 0 }, &set) < 0 ||
            qn_judge(s->rules, set, &s->arena, &v) < 0)
                abort();
        s->ns[JUDGE] += bench_cpu_ns() - start;
}

void stages_add(struct stages *s, struct qn_cur in)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        struct qn_cur out;
        uint64_t t[3];

        t[0] = bench_cpu_ns();
        if (qn_digest(QN_SHA512, in.p, qn_cur_left(&in), digest) < 0)
                abort();
        t[1] = bench_cpu_ns();
        if (qn_gz_inflate(s->gz, in, QN_UNPACKED_MAX, &out, NULL) < 0)
                return;
        t[2] = bench_cpu_ns();
        s->ns[HASH] += t[1] - t[0];
        s->ns[INFLATE] += t[2] - t[1];
        qn_scan_begin(s->scan);
        walk(s, out, false);
        t[0] = bench_cpu_ns();
        while (qn_scan_pending(s->scan) > 0 && walk(s, out, true) > 0)
                ;
        t[1] = bench_cpu_ns();
        qn_scan_deepen(s->scan);
        t[2] = bench_cpu_ns();
        s->ns[FILES] += t[1] - t[0];
        s->ns[FLOW] += t[2] - t[1];
        finish(s);
        qn_gz_trim(s->gz, 8 << 20);
}

/* --- the table --- */

static void row(const char *name, uint64_t ns, size_t n, uint64_t all)
{
        printf("%-22s %8.3f %7.1f %%\n", name, (double)ns / 1e6 / (double)n,
               100.0 * (double)ns / (double)all);
}

/* Of what the observers take, the literal scan and the parser are parts. */
void stages_print(const struct stages *s, size_t n, uint64_t check_ns)
{
        uint64_t known = s->ns[LITERALS] + s->ns[PARSE];
        uint64_t observers = s->ns[FILES] > known ? s->ns[FILES] - known : 0;
        uint64_t sum = s->ns[INFLATE] + s->ns[HASH] + s->ns[FILES] + s->ns[FLOW] + s->ns[JUDGE];
        uint64_t all = check_ns > sum ? check_ns : sum;

        printf("stage                  ms/package   share\n");
        row("inflate", s->ns[INFLATE], n, all);
        row("hash", s->ns[HASH], n, all);
        row("literal scan", s->ns[LITERALS], n, all);
        row("lex", s->ns[LEX], n, all);
        row("parse, without lex", s->ns[PARSE] - QN_MIN(s->ns[LEX], s->ns[PARSE]), n, all);
        row("observers", observers, n, all);
        row("flow", s->ns[FLOW], n, all);
        row("graph and judge", s->ns[JUDGE], n, all);
        row("other", all - sum, n, all);
        row("all", all, n, all);
}
