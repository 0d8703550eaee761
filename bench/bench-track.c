/* bench-track - made-up days at the registry (tests/campaign/sim.h), with the store: an ordinary one of 30,000 updates, and one
 * with campaigns among them; what was found, when, and how many versions were out by then; a restart in the middle; and the
 * time and memory with as many versions as are asked for.
 *   usage: bench-track DATA [QUIET [FARM [MORE]]]   MORE: further ordinary versions, for time and memory; 0: leave it out */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "campaign/sim.h"
#include "measure.h"

static int run(const struct sim_plan *plan, struct sim_result *ret)
{
        static const char *const ends[] = { "", "-wal", "-shm" };
        char dir[] = "/tmp/qanat-bench-XXXXXX", path[64];
        int r;

        if (!mkdtemp(dir))
                return -1;
        r = sim_run(plan, dir, ret);
        for (size_t i = 0; i < QN_ARRAY_SIZE(ends); i++) {
                snprintf(path, sizeof path, "%s/watch.db%s", dir, ends[i]);
                unlink(path);
        }
        rmdir(dir);
        return r;
}

static void print_found(const struct sim_result *res)
{
        for (unsigned k = SIM_WORM; k < SIM_COPIED; k++) {
                const struct sim_found *f = &res->found[k];

                printf("%-16s minute %.1f, %zu of %zu published by then; %zu in %zu campaigns, %zu others; %s\n",
                       sim_names[k], f->minutes, f->by_then, f->total, f->inside, f->campaigns,
                       f->others, f->rule[0] ? f->rule : "NOT FOUND");
        }
        printf("copied           %zu versions, %zu campaigns of them\n",
               res->found[SIM_COPIED].total, res->found[SIM_COPIED].campaigns);
        printf("ordinary         %zu versions, %zu campaigns of them\n",
               res->found[SIM_QUIET].total, res->found[SIM_QUIET].campaigns);
}

static void print_time(const struct sim_result *res)
{
        printf("one addition     p50 %.4f ms, p99 %.4f ms, max %.2f ms (goal: 5), the store's part with it\n",
               bench_percentile_ms(res->ns, res->versions, 0.5),
               bench_percentile_ms(res->ns, res->versions, 0.99),
               bench_percentile_ms(res->ns, res->versions, 1));
        printf("memory           %.0f MB for %zu versions\n", (double)res->bytes / 1e6,
               res->versions);
}

static int many(struct sim_plan plan, size_t more)
{
        struct sim_result res;
        int r;

        plan.n[SIM_QUIET] = more;
        plan.restart_at = more;
        r = run(&plan, &res);
        if (r == 0) {
                print_time(&res);
                printf("start            %.1f s of the processor, %.1f s by the clock, %.0f versions\n",
                       res.load_cpu_s, res.load_s, res.load_n);
        }
        free(res.ns);
        return r;
}

int main(int argc, char **argv)
{
        size_t quiet_n = argc > 2 ? strtoul(argv[2], NULL, 10) : 30000,
               farm_n = argc > 3 ? strtoul(argv[3], NULL, 10) : 20000,
               more = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
        struct sim_plan plan = { .data = argc > 1 ? argv[1] : "data", .n = { quiet_n } };
        struct sim_result quiet, day, again;
        int r = run(&plan, &quiet);

        if (r == 0)
                printf("quiet day        %zu versions, %zu campaigns (goal: 0)\n", quiet.versions,
                       quiet.campaigns);
        plan = (struct sim_plan){ .data = plan.data,
                                  .n = { quiet_n, 500, farm_n, 120, 24, 40, 64 },
                                  .times = true };
        if (r == 0)
                r = run(&plan, &day);
        if (r == 0) {
                print_found(&day);
                print_time(&day);
                free(day.ns);
                plan.times = false;
                plan.restart_at = day.versions / 2;
                r = run(&plan, &again);
        }
        if (r == 0)
                printf("restart          %s, %.2f s with %.0f versions on record\n",
                       again.digest == day.digest ? "the same ids and members" : "ANOTHER RESULT",
                       again.load_s, again.load_n);
        plan.times = true;
        if (r == 0 && more)
                r = many(plan, more);
        if (r < 0)
                fprintf(stderr, "bench-track: %d\n", r);
        return r != 0;
}
