#include "intel/trust.h"

#include <errno.h>

#include "base/arena.h"
#include "observe/popular.h"
#include "observe/table.h"
#include "parse/json.h"

#define NAME "intel/trust.yaml"

struct qn_intel_trust {
        const char *data_dir;
        struct qn_arena *a;
        const struct qn_node *people, *shared_hosts;
        struct qn_popular *popular; /* NULL: not asked yet */
        bool unreadable;            /* the list of popular names */
};

static int get_list(const struct qn_node *root, const char *key, const struct qn_node **ret,
                    struct qn_err *reterr)
{
        *ret = qn_node_get(root, key);
        if (qn_node_is(*ret, QN_NODE_ARRAY))
                return 0;
        (void)qn_fail(reterr, -EINVAL, 0, "\"%s\" is not a list", key);
        return qn_table_fail(reterr, NAME, *ret ? *ret : root);
}

int qn_intel_trust_load(const char *data_dir, struct qn_arena *a, struct qn_intel_trust **ret,
                        struct qn_err *reterr)
{
        struct qn_intel_trust *t = QN_ARENA_NEW(a, struct qn_intel_trust);
        const struct qn_node *root, *automatic;
        int r = t ? qn_table_read(data_dir, NAME, a, &root, reterr) : -ENOBUFS;

        if (r == 0)
                r = get_list(root, "automatic", &automatic, reterr);
        if (r == 0)
                r = get_list(root, "people", &t->people, reterr);
        if (r == 0)
                r = get_list(root, "shared-hosts", &t->shared_hosts, reterr);
        if (r < 0)
                return r;
        t->a = a;
        t->data_dir = qn_arena_dup(a, qn_str_c(data_dir)).p;
        *ret = t;
        return t->data_dir ? 0 : -ENOBUFS;
}

static bool has(const struct qn_node *list, struct qn_str s)
{
        for (size_t i = 0; i < list->n; i++)
                if (qn_str_eq(qn_node_text(list->items[i]), s))
                        return true;
        return false;
}

bool qn_intel_is_automatic(const struct qn_intel_trust *t, struct qn_str origin)
{
        return !t || !has(t->people, origin);
}

bool qn_intel_is_shared_host(const struct qn_intel_trust *t, struct qn_str host)
{
        while (t && host.p) {
                if (has(t->shared_hosts, host))
                        return true;
                (void)qn_str_cut(&host, '.');
        }
        return false;
}

bool qn_intel_is_popular(struct qn_intel_trust *t, struct qn_str name)
{
        if (!t)
                return false;
        if (!t->popular && !t->unreadable)
                t->unreadable = qn_popular_load(t->data_dir, t->a, &t->popular, NULL) < 0;
        return t->unreadable || qn_popular_rank(t->popular, name) != SIZE_MAX;
}
