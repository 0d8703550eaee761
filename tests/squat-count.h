/* squat-count.h - how many squats of the most popular names are found, each with the name that it imitates. */
#pragma once

#include "observe/lookalike.h"
#include "observe/popular.h"
#include "squats.h"

#define SQUAT_TARGETS 500u

struct squat_count {
        size_t made[SQUAT_KINDS], found[SQUAT_KINDS], all_made, all_found;
};

static bool squat_is_found(const struct qn_popular *p, const char *squat, size_t target)
{
        struct qn_lookalike like[QN_LOOKALIKES_MAX];
        size_t n = qn_lookalike_find(p, qn_str_c(squat), false, like);

        for (size_t i = 0; i < n; i++)
                if (like[i].rank == target)
                        return true;
        return false;
}

static void squat_count_all(const struct qn_popular *p, struct squat_count *ret)
{
        char squat[SQUAT_MAX];

        *ret = (struct squat_count){ 0 };
        squat_seed = 1;
        for (size_t i = 0; i < SQUAT_TARGETS; i++)
                for (unsigned k = 0; k < SQUAT_KINDS; k++) {
                        bool hit;

                        if (!squat_make(qn_popular_name(p, i), k, squat) ||
                            qn_popular_rank(p, qn_str_c(squat)) != SIZE_MAX)
                                continue; /* the popular name of another */
                        hit = squat_is_found(p, squat, i);
                        ret->made[k]++;
                        ret->found[k] += hit;
                        ret->all_made++;
                        ret->all_found += hit;
                }
}

/* Popular names that are taken for look-alikes of others; unlisted: as though each were not in the list. */
static size_t squat_false_alarms(const struct qn_popular *p, bool unlisted)
{
        struct qn_lookalike like[QN_LOOKALIKES_MAX];
        size_t n = 0;

        for (size_t i = 0; i < qn_popular_count(p); i++)
                n += qn_lookalike_find(p, qn_popular_name(p, i), unlisted, like) > 0;
        return n;
}
