/* bench-names - look-alike names: squats of popular names found, false alarms, time per name.
 *   usage: bench-names DATA [FILE]      FILE: names that are in use, one a line */
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "squat-count.h"

#define ROUNDS 5

static double share(size_t n, size_t of)
{
        return of ? 100.0 * (double)n / (double)of : 0;
}

static void print_squats(const struct qn_popular *p)
{
        struct squat_count c;

        squat_count_all(p, &c);
        for (unsigned k = 0; k < SQUAT_KINDS; k++)
                printf("  %-18s %5zu of %5zu  %5.1f %%\n", squat_names[k], c.found[k], c.made[k],
                       share(c.found[k], c.made[k]));
        printf("squats found, with their target  %zu of %zu  %.2f %% (goal: 95)\n", c.all_found,
               c.all_made, share(c.all_found, c.all_made));
}

static void print_false(const struct qn_popular *p)
{
        size_t n = qn_popular_count(p), known = squat_false_alarms(p, false),
               unlisted = squat_false_alarms(p, true);

        printf("popular names as candidates      %zu of %zu  %.2f %% (goal: 1)\n", known, n,
               share(known, n));
        printf("the same, each taken off the list %zu of %zu  %.2f %%\n", unlisted, n,
               share(unlisted, n));
}

static int print_file(const struct qn_popular *p, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);
        struct qn_lookalike like[QN_LOOKALIKES_MAX];
        size_t n = 0, hits = 0;
        struct qn_str text;
        int r = qn_io_read(path, &b);

        if (r < 0)
                return r;
        for (text = qn_buf_view(&b); text.n; n++)
                hits += qn_lookalike_find(p, qn_str_trim(qn_str_cut(&text, '\n')), false, like) > 0;
        printf("names of the corpus              %zu of %zu  %.2f %% (goal: 1)\n", hits, n,
               share(hits, n));
        return 0;
}

/* Processor time of the fastest of some rounds over all names, as squats and as they are. */
static void print_time(const struct qn_popular *p)
{
        struct qn_lookalike like[QN_LOOKALIKES_MAX];
        size_t n = qn_popular_count(p), sum = 0;
        double best = 1e9;

        for (unsigned round = 0; round < ROUNDS; round++) {
                clock_t begun = clock();

                for (size_t i = 0; i < n; i++)
                        sum += qn_lookalike_find(p, qn_popular_name(p, i), true, like);
                best = QN_MIN(best, (double)(clock() - begun) * 1e6 / CLOCKS_PER_SEC / (double)n);
        }
        printf("time per name                    %.2f microseconds (goal: 50)%s\n", best,
               sum ? "" : " nothing");
}

int main(int argc, char **argv)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)32 << 20);
        struct qn_popular *p;
        clock_t begun = clock();

        if (argc < 2 || qn_popular_load(argv[1], &a, &p, NULL) < 0)
                return 2;
        printf("loading the list                 %.2f ms\n",
               (double)(clock() - begun) * 1e3 / CLOCKS_PER_SEC);
        print_squats(p);
        print_false(p);
        print_time(p);
        return argc > 2 && print_file(p, argv[2]) < 0 ? 1 : 0;
}
