#include "intel/sources.h"

#include <ctype.h>
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "intel/index.h"
#include "parse/yaml.h"

static const char *const kinds[] = {
        [QN_SOURCE_OSV] = "osv",
        [QN_SOURCE_RECORDS] = "records",
        [QN_SOURCE_LIST] = "list",
        [QN_SOURCE_ADVISORIES] = "advisories",
};

bool qn_source_is_remote(struct qn_str url)
{
        return qn_str_starts(url, "https://") || qn_str_starts(url, "http://");
}

static int wrong(const struct qn_node *at, const char *what, struct qn_err *reterr)
{
        return qn_fail(reterr, -EINVAL, at->off, "line %u: %s", at->line, what);
}

static int take_kind(const struct qn_node *n, struct qn_source_conf *ret, struct qn_err *reterr)
{
        const struct qn_node *kind = qn_node_get(n, "kind");

        for (unsigned i = 0; i < QN_ARRAY_SIZE(kinds); i++)
                if (qn_str_is(qn_node_text(kind), kinds[i])) {
                        ret->kind = i;
                        return 0;
                }
        return wrong(kind ? kind : n, "a source's kind is osv, records, list or advisories",
                     reterr);
}

static int check(const struct qn_node *n, const struct qn_source_conf *s, struct qn_err *reterr)
{
        for (size_t i = 0; i < s->name.n; i++)
                if (!islower((unsigned char)s->name.p[i]) &&
                    !isdigit((unsigned char)s->name.p[i]) && !strchr("-_.", s->name.p[i]))
                        return wrong(
                                n,
                                "the name of a source has lower-case letters, digits, -, _ and .",
                                reterr);
        if (!s->name.n || s->name.n > QN_INTEL_SOURCE_NAME_MAX || s->name.p[0] == '.')
                return wrong(n, "a source needs a name of at most 40 characters", reterr);
        if (qn_str_is(s->name, QN_INTEL_OWN))
                return wrong(n, "the name \"own\" is that of the organisation's own list", reterr);
        if (!s->url.n)
                return wrong(n, "a source needs an url: an address, a file or a directory", reterr);
        if (strstr(s->url.p, "://") && !qn_source_is_remote(s->url))
                return wrong(n, "only http and https are fetched; a file is named by its path",
                             reterr);
        if (!s->changes.n != !s->record.n || (s->record.n && !strstr(s->record.p, "{id}")))
                return wrong(n, "changes and record belong together, and record holds {id}",
                             reterr);
        return 0;
}

static int take(const struct qn_node *n, struct qn_arena *a, struct qn_source_conf *ret,
                struct qn_err *reterr)
{
        struct qn_source_conf s = { .enabled = qn_node_bool(qn_node_get(n, "enabled"), true) };
        const struct {
                const char *key;
                struct qn_str *to;
        } texts[] = {
                { "name", &s.name },     { "url", &s.url },     { "changes", &s.changes },
                { "record", &s.record }, { "token", &s.token },
        };
        int r = take_kind(n, &s, reterr);

        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(texts); i++) {
                *texts[i].to = qn_arena_dup(a, qn_node_text(qn_node_get(n, texts[i].key)));
                if (!texts[i].to->p)
                        return -ENOBUFS;
        }
        if (r == 0)
                r = check(n, &s, reterr);
        *ret = s;
        return r;
}

static int take_all(const struct qn_node *doc, struct qn_arena *a, struct qn_source_conf **ret,
                    size_t *ret_n, struct qn_err *reterr)
{
        const struct qn_node *list = qn_node_get(doc, "sources");
        struct qn_source_conf *v;
        int r = 0;

        if (!qn_node_is(list, QN_NODE_ARRAY) || list->n > QN_INTEL_SOURCES_MAX)
                return qn_fail(reterr, -EINVAL, 0, "\"sources\" is no list of at most %u sources",
                               QN_INTEL_SOURCES_MAX);
        v = qn_arena_calloc(a, list->n + 1, sizeof *v);
        if (!v)
                return -ENOBUFS;
        for (size_t i = 0; r == 0 && i < list->n; i++)
                r = take(list->items[i], a, &v[i], reterr);
        *ret = v;
        *ret_n = list->n;
        return r;
}

int qn_sources_load(const char *data_dir, const char *path, struct qn_arena *a,
                    struct qn_source_conf **ret, size_t *ret_n, struct qn_err *reterr)
{
        struct qn_buf text = QN_BUF_INIT(QN_YAML_MAX);
        struct qn_err err = { 0 };
        char usual[4096];
        struct qn_node *doc;
        int r;

        snprintf(usual, sizeof usual, "%s/intel/sources.yaml", data_dir);
        path = path ? path : usual;
        r = qn_io_read(path, &text);
        if (r == 0)
                r = qn_yaml_parse(qn_cur_str(qn_buf_view(&text)), a, &doc, &err);
        if (r == 0)
                r = take_all(doc, a, ret, ret_n, &err);
        qn_buf_done(&text);
        return r < 0 ? qn_fail(reterr, r, err.off, "%s: %s", path,
                               err.msg[0] ? err.msg : strerror(-r))
                     : 0;
}
