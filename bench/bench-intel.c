/* bench-intel - how long the index of what is known to be bad takes to open and to answer, and what reading the archive it was made
 * of costs at the least.
 * usage: bench-intel DIR ARCHIVE.zip [NAMES]      names of real packages, one a line: those nobody speaks of */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/arena.h"
#include "base/limits.h"
#include "intel/match.h"
#include "intel/record.h"
#include "measure.h"
#include "parse/gz.h"
#include "parse/zip.h"

#define NAMES  2000u
#define ROUNDS 30u

static uint64_t now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void open_and_close(const char *dir)
{
        uint64_t ns[ROUNDS];

        for (unsigned i = 0; i < ROUNDS; i++) {
                struct qn_intel *x = NULL;
                uint64_t t = now();

                if (qn_intel_open(dir, &x, NULL) < 0)
                        exit(1);
                ns[i] = now() - t;
                qn_intel_close(x);
        }
        printf("open                   %.2f ms (target 5)\n", bench_percentile_ms(ns, ROUNDS, 0.5));
}

struct names {
        struct qn_str v[NAMES], version[NAMES];
        size_t n;
        size_t skip;
        struct qn_arena a;
};

/* Every so many records one, with a version that it names or with any. */
static int pick(void *ctx, const struct qn_intel_record *rec)
{
        struct names *names = ctx;
        struct qn_osv *osv;

        if (names->n == NAMES || rec->number % names->skip)
                return 0;
        if (qn_intel_unpack(rec->head, &names->a, &osv) < 0 || !osv->n_affected)
                return 0;
        names->v[names->n] = osv->affected[0].name;
        names->version[names->n++] =
                osv->affected[0].n_versions ? osv->affected[0].versions[0] : QN_STR("1.0.0");
        return 0;
}

static void ask(struct qn_intel *x, const struct names *names, const char *what, const char *target)
{
        struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        uint64_t ns[ROUNDS];
        size_t found = 0;

        for (unsigned i = 0; i < ROUNDS; i++) {
                uint64_t t = now();

                found = 0;
                for (size_t k = 0; k < names->n; k++) {
                        struct qn_intel_answer ans;

                        const struct qn_intel_question q = { .name = names->v[k],
                                                             .version = names->version[k] };

                        if (qn_intel_match(x, NULL, &q, &a, &ans) < 0)
                                exit(1);
                        found += ans.n > 0;
                        if (k % 64 == 0)
                                qn_arena_reset(&a, 1 << 20);
                }
                ns[i] = now() - t;
        }
        qn_arena_done(&a);
        printf("%-22s %.2f ms, %zu of %zu with a match%s\n", what,
               bench_percentile_ms(ns, ROUNDS, 0.5), found, names->n, target);
}

static void look_up(const char *dir, const char *list)
{
        static struct names known = { .skip = 97, .a = { .max = (size_t)64 << 20 } }, real;
        struct qn_cur text = bench_map(list);
        struct qn_str rest = qn_cur_rest(&text);
        struct qn_intel *x = NULL;

        if (qn_intel_open(dir, &x, NULL) < 0 || qn_intel_all(x, pick, &known) < 0)
                exit(1);
        while (rest.p && real.n < NAMES) {
                struct qn_str line = qn_str_trim(qn_str_cut(&rest, '\n'));

                if (!line.n)
                        continue;
                real.v[real.n] =
                        real.n % 100 ? line : known.v[real.n]; /* one in a hundred is bad */
                real.version[real.n] = real.n % 100 ? QN_STR("1.0.0") : known.version[real.n];
                real.n++;
        }
        ask(x, &real, "2,000 names", " (target 2)");
        ask(x, &known, "2,000 bad names", "");
        qn_intel_close(x);
        bench_unmap(text);
}

/* What every reader of the archive has to do. */
static void inflate_all(const char *path)
{
        struct qn_cur in = bench_map(path), text;
        struct qn_gz *gz = qn_gz_new();
        struct qn_zip_entry e;
        struct qn_zip z;
        uint64_t t = now(), bytes = 0, n = 0;

        if (!gz || qn_zip_open(in, &z) < 0)
                exit(1);
        while (qn_zip_next(&z, &e) == 1)
                if (qn_gz_inflate_raw(gz, e.data, e.size, &text) == 0) {
                        bytes += e.size;
                        n++;
                }
        printf("only inflating it      %.1f s, %llu records, %.0f MB\n", (double)(now() - t) / 1e9,
               (unsigned long long)n, (double)bytes / 1e6);
        qn_gz_free(gz);
        bench_unmap(in);
}

int main(int argc, char **argv)
{
        if (argc != 4) {
                fprintf(stderr, "usage: bench-intel DIR ARCHIVE.zip NAMES\n");
                return 2;
        }
        inflate_all(argv[2]);
        open_and_close(argv[1]);
        look_up(argv[1], argv[3]);
        return 0;
}
