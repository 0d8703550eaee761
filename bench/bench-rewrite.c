/* bench-rewrite - a registry's large document: facts, both forms of the rewritten one, compression; time on one core, memory.
 *   usage: bench-rewrite [FILE NAME]      FILE: a document of the package NAME; else one is made that is like those of large
 *   frameworks: 3,300 versions with 250 dependencies each, 21 MB */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "measure.h"
#include "parse/compress.h"
#include "parse/packument-rewrite.h"

#define VERSIONS 3300u
#define ROUNDS   9

static void put_version_name(struct qn_buf *b, size_t i)
{
        if (i % 10 == 9)
                qn_buf_printf(b, "%zu.%zu.%zu", i / 1000, i / 10 % 100, i % 1000 / 100);
        else
                qn_buf_printf(b, "%zu.%zu.%zu-canary.%zu", i / 1000, i / 10 % 100, i % 1000 / 100,
                              i % 10);
}

static void put_dependencies(struct qn_buf *b, const char *key, size_t n, size_t seed)
{
        qn_buf_printf(b, "\"%s\":{", key);
        for (size_t i = 0; i < n; i++)
                qn_buf_printf(b, "%s\"@types/dep-%zu\":\"%zu.%zu.0\"", i ? "," : "",
                              i * 7919 % 1000, seed % 20, i);
        qn_buf_puts(b, "},");
}

static void put_version(struct qn_buf *b, size_t i)
{
        qn_buf_puts(b, i ? ",\"" : "\"");
        put_version_name(b, i);
        qn_buf_puts(b, "\":{\"name\":\"framework\",\"version\":\"");
        put_version_name(b, i);
        qn_buf_puts(
                b,
                "\",\"description\":\"The framework for the "
                "web\",\"main\":\"./dist/server/framework.js\","
                "\"license\":\"MIT\",\"repository\":{\"type\":\"git\",\"url\":\"git+https://"
                "git.example/x.git\"},"
                "\"bin\":{\"framework\":\"dist/bin/"
                "framework\"},\"scripts\":{\"dev\":\"taskr\",\"build\":\"pnpm "
                "ncc-compiled && taskr release\",\"types\":\"tsc --declaration "
                "--emitDeclarationOnly "
                "--stripInternal --declarationDir dist\"},\"engines\":{\"node\":\">=18.17.0\"},");
        put_dependencies(b, "dependencies", 6, i);
        put_dependencies(b, "devDependencies", 180, i);
        qn_buf_puts(b, "\"_id\":\"framework@");
        put_version_name(b, i);
        qn_buf_puts(b, "\",\"dist\":{\"integrity\":\"sha512-"
                       "8W2xdXLYYjLnBrxTQT9OLPRZ7T0pWyVYSDLrTmeoGIEsaq1OI4Dxv9K"
                       "xtWlOmBjjI0nPQoRyZqYzvtLhhJUoDg==\",\"shasum\":"
                       "\"ba1c7f0b8a0c5e4a6e6b0a7b5cfa5c9d1df0a8d2\","
                       "\"tarball\":\"https://registry.example/framework/-/framework-");
        put_version_name(b, i);
        qn_buf_puts(b, ".tgz\",\"fileCount\":5821,\"unpackedSize\":81220121,\"signatures\":[{"
                       "\"keyid\":\"SHA256:jl3bwsw"
                       "u80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA\",\"sig\":\"MEUCIQCkCDlD8VSOeJdO/"
                       "gWHLBjxT2dvO8jUjP0y3p0"
                       "kq5gd9AIgBd2dCpkF3VUhy+rOTqhJuKrxV5R9AqR9p3jv8Yq0Ups=\"}]},\"_npmUser\":{"
                       "\"name\":\"bot\","
                       "\"email\":\"bot@example.invalid\"},\"directories\":{},\"maintainers\":[{"
                       "\"name\":\"one\","
                       "\"email\":\"one@example.invalid\"}],\"_hasShrinkwrap\":false}");
}

static void make_document(struct qn_buf *b)
{
        qn_buf_puts(b, "{\"_id\":\"framework\",\"name\":\"framework\",\"dist-tags\":{\"latest\":"
                       "\"3.29.2\",\"canary\":\"");
        put_version_name(b, VERSIONS - 2);
        qn_buf_puts(b, "\"},\"versions\":{");
        for (size_t i = 0; i < VERSIONS; i++)
                put_version(b, i);
        qn_buf_puts(b, "},\"time\":{\"created\":\"2016-10-05T23:32:51.001Z\"");
        for (size_t i = 0; i < VERSIONS; i++) {
                qn_buf_puts(b, ",\"");
                put_version_name(b, i);
                qn_buf_printf(b, "\":\"20%02zu-%02zu-01T10:00:00.000Z\"", 17 + i / 400, 1 + i % 12);
        }
        qn_buf_puts(b, "},\"readme\":\"no\"}");
}

static int count(void *ctx, const void *p QN_UNUSED, size_t n)
{
        *(size_t *)ctx += n;
        return 0;
}

/* Peak of the memory that is the process's own, in KB. */
static long peak_kb(void)
{
        struct rusage u;

        getrusage(RUSAGE_SELF, &u);
        return u.ru_maxrss;
}

enum what { FACTS, SHORT, FULL, ONLY, GZIP, ZSTD };

static int run(enum what what, struct qn_cur in, const struct qn_packument_rewrite *want,
               size_t *ret)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_packument_rewrite w = *want;
        struct qn_packument_facts facts;
        struct qn_err err = { 0 };
        int r;

        w.abbreviated = what == SHORT;
        if (what == ONLY)
                w.only = QN_STR("latest");
        *ret = 0;
        if (what == FACTS)
                r = qn_packument_facts(in, want->name, &a, &facts, &err);
        else if (what == GZIP || what == ZSTD)
                r = qn_compress(in, what == GZIP ? QN_COMPRESS_GZIP : QN_COMPRESS_ZSTD, count, ret);
        else
                r = qn_packument_rewrite(in, &w, &a, count, ret, &err);
        if (r < 0)
                fprintf(stderr, "%s\n", err.msg);
        else if (what == FACTS)
                *ret = facts.n;
        return r;
}

static int measure(enum what what, const char *name, struct qn_cur in,
                   const struct qn_packument_rewrite *want, const char *goal)
{
        uint64_t ns[ROUNDS];
        long before = peak_kb();
        size_t out = 0;

        for (unsigned i = 0; i < ROUNDS; i++) {
                uint64_t begun = bench_cpu_ns();

                if (run(what, in, want, &out) < 0)
                        return 1;
                ns[i] = bench_cpu_ns() - begun;
        }
        printf("%-22s %8.1f ms (median of %d; fastest %.1f; goal: %s)  %zu %s, peak of memory +%ld "
               "KB\n",
               name, bench_percentile_ms(ns, ROUNDS, 0.5), ROUNDS,
               bench_percentile_ms(ns, ROUNDS, 0), goal, out, what == FACTS ? "versions" : "bytes",
               peak_kb() - before);
        return 0;
}

int main(int argc, char **argv)
{
        _cleanup_(qn_buf_done) struct qn_buf doc = QN_BUF_INIT(QN_PACKUMENT_MAX);
        const struct qn_packument_blocked blocked[] = { { QN_STR("3.29.2"), QN_STR("too young") } };
        struct qn_packument_rewrite want = { .name = QN_STR("framework"),
                                             .base = QN_STR("https://gate.example"),
                                             .blocked = blocked,
                                             .n_blocked = 1,
                                             .message = QN_STR("3.29.2 is too young") };
        struct qn_cur in;

        if (argc > 2) {
                want.name = qn_str_c(argv[2]);
                if (qn_io_read(argv[1], &doc) < 0)
                        return 2;
        } else {
                make_document(&doc);
        }
        in = qn_cur_str(qn_buf_view(&doc));
        printf("document               %8.1f MB\n", (double)doc.n / 1e6);
        return measure(FACTS, "facts", in, &want, "60") ||
               measure(SHORT, "abbreviated", in, &want, "100") ||
               measure(FULL, "full", in, &want, "-") ||
               measure(ONLY, "one version", in, &want, "-") ||
               measure(GZIP, "gzip", in, &want, "-") || measure(ZSTD, "zstd", in, &want, "-");
}
