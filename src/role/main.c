/* main.c - the roles of programs that check and fetch; qanat itself has more (cli/main.c). */
#include "role/analyse.h"
#include "role/fetch.h"
#include "role/role.h"

static const struct qn_role_def *const defs[] = { &qn_role_analyse, &qn_role_fetch };

int qn_role_main(int argc, char **argv)
{
        return qn_role_run(defs, QN_ARRAY_SIZE(defs), argc, argv);
}
