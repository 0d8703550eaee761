#include "check/intel.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/io.h"
#include "check/item.h"
#include "intel/tell.h"
#include "parse/semver.h"
#include "role/input.h"

struct qn_check_intel {
        struct qn_tell *tell;
        int known; /* -1: nothing is listed */
};

static int seal_known(struct qn_check_intel *ci)
{
        struct qn_cur table;
        int r = qn_intel_known(qn_tell_index(ci->tell), &table);

        return r < 0 || !qn_cur_left(&table) ? r : qn_input_sealed(table, &ci->known);
}

int qn_check_intel_known(const struct qn_check_intel *ci)
{
        return ci->known;
}

struct qn_tell *qn_check_intel_tell(struct qn_check_intel *ci)
{
        return ci->tell;
}

int qn_check_intel_again(struct qn_check_intel *ci, const char *data_dir, struct qn_err *reterr)
{
        int r = qn_tell_again(&ci->tell, data_dir, reterr);

        if (r < 0)
                return r;
        qn_closep(&ci->known);
        ci->known = -1;
        qn_tell_at(ci->tell, (int64_t)time(NULL) * 1000);
        return seal_known(ci);
}

int qn_check_intel_open(const char *state_dir, const char *data_dir, bool only,
                        struct qn_check_intel **ret, struct qn_err *reterr)
{
        _cleanup_(qn_check_intel_freep) struct qn_check_intel *ci = calloc(1, sizeof *ci);
        int r;

        if (!ci)
                return -ENOMEM;
        ci->known = -1;
        *ret = NULL;
        r = qn_tell_open(state_dir, data_dir, &ci->tell, reterr);
        if (r == -ENOENT && !only)
                return 0;
        if (r == 0 && !only)
                r = seal_known(ci);
        if (r < 0)
                return r;
        qn_tell_at(ci->tell, (int64_t)time(NULL) * 1000);
        *ret = TAKE_PTR(ci);
        return 0;
}

struct qn_check_intel *qn_check_intel_free(struct qn_check_intel *ci)
{
        if (!ci)
                return NULL;
        qn_tell_free(ci->tell);
        qn_closep(&ci->known);
        free(ci);
        return NULL;
}

void qn_check_intel_freep(struct qn_check_intel **ci)
{
        *ci = qn_check_intel_free(*ci);
}

/* Empty when nobody could tell the version: then only what all of the package is said to be counts. */
static struct qn_str version_of(const struct qn_item *it)
{
        struct qn_semver v;

        if (it->version.n || qn_semver_parse(it->range, 0, &v) < 0)
                return it->version;
        return it->range;
}

int qn_check_intel_add(struct qn_check_intel *ci, struct qn_item *it)
{
        const struct qn_told told = { .name = it->name,
                                      .version = version_of(it),
                                      .integrity = it->integrity,
                                      .unnamed = it->is_dir };
        const struct qn_event_set *seen = it->set.arena ? &it->set : NULL;
        struct qn_event_set known, merged;
        int r = qn_tell_events(ci->tell, &told, seen, &it->mem, &known);

        if (r < 0 || (known.n == 0 && seen))
                return r;
        if (!seen) {
                it->set = known;
                return 0;
        }
        r = qn_event_set_merge(&it->set, &known, &it->mem, &merged);
        if (r == 0)
                it->set = merged;
        return r;
}
