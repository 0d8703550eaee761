/* bench-imprint - what an imprint costs beside the analysis of real packages; and whether they become campaigns when all of them
 * are taken for new packages, or for updates, of one hour.
 *   usage: bench-imprint CACHE DATA [MOST]   CACHE: npm's, holds _cacache; MOST: so many archives (default: all) */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "campaign/track.h"
#include "event/event.h"
#include "measure.h"
#include "observe/analyse.h"
#include "observe/imprint.h"
#include "observe/scan.h"
#include "store/versions.h"

#define START INT64_C(1767225600000)

static char *paths[100000];
static size_t n_paths, most = QN_ARRAY_SIZE(paths);

struct bench {
        struct qn_analyser *an;
        struct qn_track *track[2]; /* as updates, as new packages */
        struct qn_db db[2];
        char dirs[2][32];
        uint64_t plain_ns, with_ns;
        uint64_t *ns; /* of what an imprint adds */
        size_t n, campaigns[2];
};

static int see(const char *path, const struct stat *st QN_UNUSED, int kind, struct FTW *f QN_UNUSED)
{
        if (kind == FTW_F && strstr(path, "content-v2") && n_paths < QN_ARRAY_SIZE(paths))
                paths[n_paths++] = strdup(path);
        return 0;
}

static int cmp_path(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static uint64_t analyse(struct bench *b, struct qn_cur bytes, bool imprint,
                        const struct qn_event_set **ret)
{
        const struct qn_analyse_in in = { .archive = bytes, .imprint = imprint };
        uint64_t best = UINT64_MAX;

        for (unsigned round = 0; round < 2; round++) { /* the better one: others use the machine */
                uint64_t begun = bench_cpu_ns();

                if (qn_analyse(b->an, &in, ret) < 0)
                        abort();
                best = QN_MIN(best, bench_cpu_ns() - begun);
        }
        return best;
}

/* The set, and that it is a first version. */
static const struct qn_event_set *as_first(const struct qn_event_set *set, struct qn_arena *a)
{
        struct qn_event e = qn_event_make(QN_EVENT_META, QN_LAYER_METADATA, QN_FILE_NONE);
        struct qn_event_set *more = QN_ARENA_NEW(a, struct qn_event_set),
                            *all = QN_ARENA_NEW(a, struct qn_event_set);

        if (!more || !all)
                abort();
        qn_event_set_init(more, a);
        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("first-version"));
        if (qn_event_add(more, &e) < 0 || qn_event_set_seal(more) < 0 ||
            qn_event_set_merge(set, more, a, all) < 0)
                abort();
        return all;
}

static void track(struct bench *b, unsigned which, const struct qn_event_set *set,
                  const struct qn_imprint *imprint)
{
        struct qn_track_version v = { .name = set->name,
                                      .version = set->version,
                                      .published = START + (int64_t)b->n * 500,
                                      .imprint = imprint,
                                      .set = set };
        const struct qn_seen_put put = { .v = { .name = v.name,
                                                .version = v.version,
                                                .integrity = set->integrity,
                                                .published = v.published,
                                                .verdict = QN_STR("clean"),
                                                .reason = QN_STR("nothing found"),
                                                .rules = QN_STR("1") } };
        struct qn_track_news news;

        if (qn_versions_put(&b->db[which], &put, &v.id) < 0 ||
            qn_track_add(b->track[which], &b->db[which], &v, &news) < 0)
                abort();
        if (!news.founded)
                return;
        b->campaigns[which]++;
        printf("# %s: %s founded by %.*s: %.*s\n", which ? "new" : "updates", news.id,
               QN_STR_ARG(v.name), QN_STR_ARG(news.rule));
}

static void one(struct bench *b, struct qn_cur bytes)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        const struct qn_event_set *set;
        uint64_t plain = analyse(b, bytes, false, &set), with = analyse(b, bytes, true, &set);

        b->plain_ns += plain;
        b->with_ns += with;
        b->ns[b->n++] = with > plain ? with - plain : 0;
        if (!set->name.n || !set->version.n)
                return;
        track(b, 0, set, qn_analyser_imprint(b->an));
        track(b, 1, as_first(set, &a), qn_analyser_imprint(b->an));
}

static void look(struct bench *b, const char *path)
{
        _cleanup_(qn_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        uint8_t *p;

        if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 64)
                return;
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
                return;
        if (p[0] == 0x1f && p[1] == 0x8b)
                one(b, qn_cur_mem(p, (size_t)st.st_size));
        munmap(p, (size_t)st.st_size);
}

static int open_tracks(struct bench *b, const char *data)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < 2; i++) {
                snprintf(b->dirs[i], sizeof b->dirs[i], "/tmp/qanat-bench-XXXXXX");
                if (!mkdtemp(b->dirs[i]))
                        return -1;
                r = qn_db_open(&qn_db_watch, b->dirs[i], true, &b->db[i], NULL);
                if (r == 0)
                        r = qn_track_new(data, &b->track[i], NULL);
                if (r == 0)
                        r = qn_db_begin(&b->db[i]);
        }
        return r;
}

static void close_tracks(struct bench *b)
{
        static const char *const ends[] = { "", "-wal", "-shm" };
        char path[64];

        for (unsigned i = 0; i < 2; i++) {
                qn_db_rollback(&b->db[i]);
                qn_db_close(&b->db[i]);
                qn_track_free(b->track[i]);
                for (size_t k = 0; k < QN_ARRAY_SIZE(ends); k++) {
                        snprintf(path, sizeof path, "%s/watch.db%s", b->dirs[i], ends[k]);
                        unlink(path);
                }
                rmdir(b->dirs[i]);
        }
}

int main(int argc, char **argv)
{
        static struct bench b;
        struct qn_observers *o;

        if (argc < 3)
                return 2;
        if (argc > 3)
                most = strtoul(argv[3], NULL, 10);
        if (nftw(argv[1], see, 64, FTW_PHYS) < 0 || qn_observers_load(argv[2], &o, NULL) < 0 ||
            qn_analyser_new(o, &b.an) < 0 || open_tracks(&b, argv[2]) < 0)
                return 1;
        qsort(paths, n_paths, sizeof *paths, cmp_path);
        b.ns = calloc(n_paths + 1, sizeof *b.ns);
        for (size_t i = 0; b.ns && i < n_paths && b.n < most; i++)
                look(&b, paths[i]);
        printf("packages                         %zu\n", b.n);
        printf("analysis without, with imprint   %.3f and %.3f ms a package (%.1f %% more)\n",
               (double)b.plain_ns / 1e6 / (double)b.n, (double)b.with_ns / 1e6 / (double)b.n,
               100.0 * ((double)b.with_ns / (double)b.plain_ns - 1));
        printf("an imprint adds                  p50 %.3f ms, p95 %.3f ms, max %.1f ms\n",
               bench_percentile_ms(b.ns, b.n, 0.5), bench_percentile_ms(b.ns, b.n, 0.95),
               bench_percentile_ms(b.ns, b.n, 1));
        printf("campaigns among them             %zu as updates, %zu as new packages (goal: 0)\n",
               b.campaigns[0], b.campaigns[1]);
        close_tracks(&b);
        qn_analyser_free(b.an);
        qn_observers_free(o);
        return 0;
}
