/* revision.c - by what verdicts are made: this program, its tables, the rules, and the indicators that packages are searched for.
 * A verdict that was made by something else is made again. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/io.h"
#include "gate/gate-priv.h"
#include "rule/rule.h"

#define TABLE_MAX ((size_t)64 << 20)

static int is_table(const struct dirent *e)
{
        struct qn_str name = qn_str_c(e->d_name);

        return qn_str_ends(name, ".yaml") || qn_str_ends(name, ".txt") ||
               qn_str_ends(name, ".json");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_file(const char *dir, const char *name, uint64_t *hash)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(TABLE_MAX);
        char path[4096];
        int r = snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path
                        ? qn_io_read(path, &b)
                        : -ENAMETOOLONG;

        if (r == 0)
                *hash = *hash * 31 + qn_hash64(b.p, b.n);
        return r;
}

static int add_dir(const char *dir, uint64_t *hash, struct qn_err *reterr)
{
        struct dirent **list = NULL;
        int n = scandir(dir, &list, is_table, by_bytes), r = n < 0 ? -errno : 0;

        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = add_file(dir, list[i]->d_name, hash);
                free(list[i]);
        }
        free(list);
        return r < 0 ? qn_fail(reterr, r, 0, "%.100s: %s", dir, strerrordesc_np(-r)) : 0;
}

int qn_revision_tables(struct qn_gate *g, struct qn_err *reterr)
{
        uint64_t hash = qn_hash64(QN_VERSION, strlen(QN_VERSION));
        char trust[4096];
        int r = add_dir(g->config->data_dir, &hash, reterr);

        snprintf(trust, sizeof trust, "%s/trust", g->config->data_dir);
        if (r == 0)
                r = add_dir(trust, &hash, reterr);
        if (r == 0)
                g->tables = hash;
        return r;
}

struct qn_str qn_revision(const struct qn_gate *g, bool relies, char text[QN_REVISION_TEXT])
{
        const uint64_t by[] = { g->tables, qn_rules_revision(g->rules), g->indicators };
        unsigned long long hash = qn_hash64(by, sizeof by);

        if (relies)
                snprintf(text, QN_REVISION_TEXT, "%016llx-%llx", hash,
                         (unsigned long long)g->intel);
        else
                snprintf(text, QN_REVISION_TEXT, "%016llx", hash);
        return qn_str_c(text);
}
