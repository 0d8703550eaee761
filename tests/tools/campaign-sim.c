/* campaign-sim - writes a made-up day with campaigns (tests/campaign/sim.h) into the store of an empty directory, and says which
 * campaigns it has.   usage: campaign-sim DATA DIR [quiet [VERSIONS]] */
#include <stdio.h>
#include <stdlib.h>

#include "campaign/sim.h"

int main(int argc, char **argv)
{
        struct sim_plan plan = { .n = { 300, 30, 150, 24, 12, 16, 32 } };
        struct sim_result res;
        int r;

        if (argc < 3)
                return 2;
        plan.data = argv[1];
        for (unsigned k = SIM_WORM; argc > 3 && k < SIM_KINDS; k++)
                plan.n[k] = 0;
        if (argc > 4)
                plan.n[SIM_QUIET] = strtoul(argv[4], NULL, 10);
        r = sim_run(&plan, argv[2], &res);
        for (unsigned k = 0; r == 0 && k < SIM_KINDS; k++)
                if (res.found[k].campaigns)
                        printf("%u %s %zu %s\n", k, res.found[k].id, res.found[k].inside,
                               res.found[k].rule);
        return r != 0;
}
