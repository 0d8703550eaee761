/* bench-check.c - the whole static check over a corpus of real tarballs, beside its floor.
 *
 *   bench-check CACHE [DATA [stages]]   CACHE: an npm cache directory (holds _cacache), DATA: qanat's data directory;
 *                                       stages: what each stage costs, too
 *
 * Prints, from one run on one core: packages/s, percentiles of the time of one package, MB/s of JavaScript, peak memory, and
 * the ratio to the floor, which is what nobody can avoid: inflate + SHA-512 + scan of all text for the literals.
 * Then every package that is not clean, so that each can be read. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"
#include "event/event.h"
#include "measure.h"
#include "observe/analyse.h"
#include "observe/literal.h"
#include "observe/scan-priv.h"
#include "parse/binfmt.h"
#include "parse/gz.h"
#include "parse/tar.h"
#include "rule/judge.h"
#include "rule/rule.h"
#include "stages.h"

struct tarball {
        char *path;
        size_t size;
        uint64_t floor_ns, check_ns;
};

struct corpus {
        struct tarball *list;
        size_t n, cap;
        uint64_t packed;
};

static bool is_gzip(int dir, const char *name, size_t *ret_size)
{
        _cleanup_(qn_closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
        unsigned char magic[2];
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || read(fd, magic, 2) != 2)
                return false;
        *ret_size = (size_t)st.st_size;
        return magic[0] == 0x1f && magic[1] == 0x8b;
}

/* npm's cache keeps content as content-v2/<algorithm>/<2 hex>/<2 hex>/<rest>. */
static int collect(struct corpus *c, const char *dir, unsigned depth)
{
        struct dirent **names = NULL;
        int n = scandir(dir, &names, NULL, alphasort),
            fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (int i = 0; i < n; i++) {
                char path[4096];
                size_t size = 0;

                if (names[i]->d_name[0] == '.' ||
                    snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name) >= (int)sizeof path)
                        continue;
                if (depth) {
                        collect(c, path, depth - 1);
                } else if (is_gzip(fd, names[i]->d_name, &size)) {
                        if (c->n == c->cap) {
                                c->cap = c->cap ? c->cap * 2 : 4096;
                                c->list = realloc(c->list, c->cap * sizeof *c->list);
                                if (!c->list)
                                        abort();
                        }
                        c->list[c->n++] = (struct tarball){ .path = strdup(path), .size = size };
                        c->packed += size;
                }
                free(names[i]);
        }
        free(names);
        qn_closep(&fd);
        return n < 0 ? -1 : 0;
}

struct floor {
        struct qn_gz *gz;
        const struct qn_literals *literals;
        struct qn_literal_scan *lits;
        uint64_t unpacked, text, hits;
};

static void floor_one(struct floor *f, struct qn_cur in)
{
        _cleanup_(qn_tar_freep) struct qn_tar *t = NULL;
        struct qn_tar_entry e;
        struct qn_cur out;
        uint8_t digest[QN_DIGEST_BYTES_MAX];

        if (qn_digest(QN_SHA512, in.p, qn_cur_left(&in), digest) < 0 ||
            qn_gz_inflate(f->gz, in, QN_UNPACKED_MAX, &out, NULL) < 0)
                return;
        f->unpacked += qn_cur_left(&out);
        if (qn_tar_open(out, &t) < 0)
                return;
        while (qn_tar_next(t, &e, NULL) > 0) {
                if (e.type != QN_TAR_FILE || !bench_is_searched(&e))
                        continue;
                f->text += qn_cur_left(&e.data);
                f->hits += qn_literal_count(f->literals, f->lits, qn_cur_rest(&e.data));
        }
}

static void report(const struct corpus *c, uint64_t floor, uint64_t check,
                   const struct qn_scan_stats *st)
{
        uint64_t *times = calloc(c->n, sizeof *times);
        uint64_t small_ns = 0;
        size_t small = 0;
        struct rusage ru;

        if (!times)
                abort();
        for (size_t i = 0; i < c->n; i++) {
                times[i] = c->list[i].check_ns;
                if (c->list[i].size < (1u << 20))
                        small++, small_ns += c->list[i].check_ns;
        }
        getrusage(RUSAGE_SELF, &ru);
        printf("corpus                 %8zu tarballs, %.0f MB packed, %.0f MB unpacked\n", c->n,
               (double)c->packed / 1e6, (double)st->bytes / 1e6);
        printf("floor                  %8.0f packages/s   inflate + SHA-512 + literal scan\n",
               (double)c->n * 1e9 / (double)floor);
        printf("check, 1 core          %8.0f packages/s   everything on\n",
               (double)c->n * 1e9 / (double)check);
        printf("ratio to the floor     %8.2f\n", (double)check / (double)floor);
        printf("packages under 1 MB    %8.0f packages/s   %.1f %% of all\n",
               (double)small * 1e9 / (double)small_ns, 100.0 * (double)small / (double)c->n);
        printf("one package            p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.0f ms\n",
               bench_percentile_ms(times, c->n, 0.50), bench_percentile_ms(times, c->n, 0.95),
               bench_percentile_ms(times, c->n, 0.99), bench_percentile_ms(times, c->n, 1));
        printf("JavaScript             %8.0f MB/s   %llu files, %.0f MB, %llu with syntax errors\n",
               (double)st->js_bytes * 1e3 / (double)check, (unsigned long long)st->js_files,
               (double)st->js_bytes / 1e6, (unsigned long long)st->js_errors);
        printf("peak memory            %8ld MB\n", ru.ru_maxrss / 1024);
        free(times);
}

static void add_stats(struct qn_scan_stats *sum, const struct qn_analyser *an)
{
        struct qn_scan_stats st;

        qn_analyser_stats(an, &st);
        sum->files += st.files;
        sum->bytes += st.bytes;
        sum->js_files += st.js_files;
        sum->js_bytes += st.js_bytes;
        sum->js_errors += st.js_errors;
}

struct counts {
        size_t by_verdict[4];
};

static void judge_one(const struct qn_rules *rules, const struct qn_event_set *set,
                      struct qn_arena *a, const char *path, struct counts *counts)
{
        struct qn_verdict v;

        qn_arena_reset(a, 1 << 20);
        if (qn_judge(rules, set, a, &v) < 0)
                abort();
        counts->by_verdict[v.kind]++;
        if (v.kind == QN_CLEAN)
                return;
        fprintf(stderr, "%-10s %3u  %.*s@%.*s  %.*s\n", qn_verdict_name(v.kind), v.score,
                QN_STR_ARG(set->name), QN_STR_ARG(set->version), QN_STR_ARG(v.reason));
        for (size_t i = 0; i < v.n; i++)
                fprintf(stderr, "             %.*s\n", QN_STR_ARG(v.findings[i].rule->id));
        fprintf(stderr, "             %s\n", path);
}

/* Who took longest, with the share of all. */
static void name_slowest(const struct corpus *c, uint64_t check)
{
        uint64_t below = UINT64_MAX;

        for (int i = 0; i < 12; i++) {
                const struct tarball *slow = NULL;

                for (size_t k = 0; k < c->n; k++)
                        if (c->list[k].check_ns < below &&
                            (!slow || c->list[k].check_ns > slow->check_ns))
                                slow = &c->list[k];
                if (!slow)
                        break;
                below = slow->check_ns;
                fprintf(stderr, "slow %6.0f ms %4.1f %%  %s\n", (double)slow->check_ns / 1e6,
                        100.0 * (double)slow->check_ns / (double)check, slow->path);
        }
}

int main(int argc, char **argv)
{
        const char *data = argc > 2 ? argv[2] : "data";
        char content[4096], rules_dir[4096];
        const char *rule_paths[] = { rules_dir };
        _cleanup_(qn_observers_freep) struct qn_observers *obs = NULL;
        _cleanup_(qn_analyser_freep) struct qn_analyser *an = NULL;
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT((size_t)256 << 20);
        struct counts counts = { 0 };
        struct corpus c = { 0 };
        struct floor f = { 0 };
        struct qn_scan_stats st = { 0 };
        struct qn_err err = { 0 };
        struct stages *stages = NULL;
        uint64_t floor = 0, check = 0;

        if (argc < 2) {
                fprintf(stderr, "usage: bench-check CACHE [DATA [stages]]\n");
                return 2;
        }
        snprintf(content, sizeof content, "%s/_cacache/content-v2/sha512", argv[1]);
        snprintf(rules_dir, sizeof rules_dir, "%s/rules", data);
        if (collect(&c, content, 2) < 0 || c.n == 0 || qn_observers_load(data, &obs, &err) < 0 ||
            qn_analyser_new(obs, &an) < 0 || qn_rules_load(rule_paths, 1, &rules, &err) < 0) {
                fprintf(stderr, "bench-check: nothing to measure: %s\n", err.msg);
                return 1;
        }
        f.gz = qn_gz_new();
        if (!f.gz || qn_literal_scan_new(obs->literals, &f.lits) < 0)
                return 1;
        f.literals = obs->literals;
        if (argc > 3 && !strcmp(argv[3], "stages"))
                stages = stages_new(obs, rules);
        for (size_t i = 0; i < c.n; i++) {
                struct tarball *t = &c.list[i];
                struct qn_cur in = bench_map(t->path);
                const struct qn_event_set *set = NULL;
                uint64_t t0 = bench_cpu_ns(), t1;

                floor_one(&f, in);
                t1 = bench_cpu_ns();
                qn_gz_trim(f.gz, 8 << 20);
                t->floor_ns = t1 - t0;
                t0 = bench_cpu_ns();
                if (qn_analyse(an, &(struct qn_analyse_in){ .archive = in }, &set) < 0)
                        return 1;
                judge_one(rules, set, &arena, t->path, &counts);
                add_stats(&st, an);
                t->check_ns = bench_cpu_ns() - t0;
                floor += t->floor_ns;
                check += t->check_ns;
                if (stages)
                        stages_add(stages, in);
                bench_unmap(in);
        }
        report(&c, floor, check, &st);
        name_slowest(&c, check);
        printf("verdicts               clean %zu, unknown %zu, suspicious %zu (%.2f %%), malicious "
               "%zu\n",
               counts.by_verdict[QN_CLEAN], counts.by_verdict[QN_UNKNOWN],
               counts.by_verdict[QN_SUSPICIOUS],
               100.0 * (double)counts.by_verdict[QN_SUSPICIOUS] / (double)c.n,
               counts.by_verdict[QN_MALICIOUS]);
        if (stages) {
                stages_print(stages, c.n, check);
                stages_free(stages);
        }
        qn_gz_free(f.gz);
        qn_literal_scan_free(f.lits);
        for (size_t i = 0; i < c.n; i++)
                free(c.list[i].path);
        free(c.list);
        return 0;
}
