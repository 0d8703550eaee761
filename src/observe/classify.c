#include "observe/classify.h"

#include <errno.h>

#include "base/arena.h"
#include "observe/table.h"
#include "parse/json.h"

#define PATH_BYTES 256 /* longer paths are no well-known places */

static struct qn_pairs pairs_of(struct qn_str s)
{
        struct qn_pairs p = { { 0 } };

        for (size_t i = 0; i + 1 < s.n; i++) {
                unsigned h = ((uint8_t)s.p[i] * 31u + (uint8_t)s.p[i + 1]) * 97u;

                if (s.p[i] != '*' && s.p[i] != '?' && s.p[i + 1] != '*' && s.p[i + 1] != '?')
                        p.bits[h >> 6 & 3] |= UINT64_C(1) << (h & 63);
        }
        return p;
}

static bool has_pairs(const struct qn_pairs *text, const struct qn_pairs *pattern)
{
        return ((pattern->bits[0] & ~text->bits[0]) | (pattern->bits[1] & ~text->bits[1]) |
                (pattern->bits[2] & ~text->bits[2]) | (pattern->bits[3] & ~text->bits[3])) == 0;
}

static bool is_glob(struct qn_str s)
{
        return qn_str_chr(s, '*') >= 0 || qn_str_chr(s, '?') >= 0;
}

static int add_path(struct qn_classes *c, struct qn_arena *a, struct qn_str glob, uint8_t label,
                    const char *group)
{
        if (QN_ARENA_ROOM(a, c->paths, c->n_paths, c->paths_cap) < 0)
                return -ENOMEM;
        c->paths[c->n_paths++] = (struct qn_path_class){
                .glob = glob,
                .label = label,
                .pairs = pairs_of(glob),
                .wallet = strcmp(group, "wallets") == 0,
                .memory = strcmp(group, "memory") == 0,
        };
        return 0;
}

static int add_env(struct qn_classes *c, struct qn_arena *a, struct qn_str name, uint8_t label)
{
        if (!is_glob(name))
                return qn_map_add(&c->env, a, name, label, NULL) < 0 ? -ENOMEM : 0;
        if (QN_ARENA_ROOM(a, c->env_globs, c->n_env_globs, c->env_globs_cap) < 0)
                return -ENOMEM;
        c->env_globs[c->n_env_globs++] = (struct qn_path_class){ .glob = name, .label = label };
        return 0;
}

/* group: { label: [pattern…] } */
static int load_secrets(struct qn_classes *c, struct qn_arena *a, const struct qn_node *root,
                        const char *group, struct qn_err *reterr)
{
        const struct qn_node *g = qn_node_get(root, group);

        for (size_t i = 0; g && i < g->n; i++) {
                const struct qn_node *list = g->items[i];
                enum qn_label label;

                if (qn_label_from_name(g->keys[i], &label) < 0) {
                        qn_fail(reterr, -EINVAL, 0, "\"%.*s\" is no label", QN_STR_ARG(g->keys[i]));
                        return qn_table_fail(reterr, "secrets.yaml", list);
                }
                for (size_t j = 0; j < list->n; j++) {
                        struct qn_str s = qn_node_text(list->items[j]);
                        int r = strcmp(group, "env") == 0 ? add_env(c, a, s, (uint8_t)label)
                                : strcmp(group, "values") == 0
                                        ? QN_MIN(qn_map_add(&c->values, a, s, label, NULL), 0)
                                        : add_path(c, a, s, (uint8_t)label, group);

                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int load_probes(struct qn_classes *c, struct qn_arena *a, const struct qn_node *probes)
{
        for (size_t i = 0; probes && i < probes->n; i++) {
                const struct qn_node *list = probes->items[i];

                if (QN_ARENA_ROOM(a, c->probe_names, c->n_probe_names, c->probe_names_cap) < 0)
                        return -ENOMEM;
                c->probe_names[c->n_probe_names] = probes->keys[i];
                for (size_t j = 0; j < list->n; j++)
                        if (qn_map_add(&c->probes, a, qn_node_text(list->items[j]),
                                       (uint32_t)c->n_probe_names, NULL) < 0)
                                return -ENOMEM;
                c->n_probe_names++;
        }
        return 0;
}

static int add_host(struct qn_classes *c, struct qn_arena *a, struct qn_str text,
                    struct qn_str class)
{
        ptrdiff_t slash = qn_str_chr(text, '/');
        struct qn_host_class row = { .host = text, .class = class };
        uint32_t old = 0;
        int r;

        if (slash > 0) {
                row.host = qn_str_take(text, (size_t)slash);
                row.path = qn_str_skip(text, (size_t)slash);
        }
        if (is_glob(row.host)) {
                if (QN_ARENA_ROOM(a, c->host_globs, c->n_host_globs, c->host_globs_cap) < 0)
                        return -ENOMEM;
                c->host_globs[c->n_host_globs++] = row;
                return 0;
        }
        if (QN_ARENA_ROOM(a, c->host_rows, c->n_hosts, c->hosts_cap) < 0)
                return -ENOMEM;
        r = qn_map_add(&c->hosts, a, row.host, (uint32_t)c->n_hosts, &old);
        if (r < 0)
                return -ENOMEM;
        if (r == 1) { /* chained behind the first row of the host */
                row.next = c->host_rows[old].next;
                c->host_rows[old].next = (uint32_t)c->n_hosts + 1;
        }
        c->host_rows[c->n_hosts++] = row;
        return 0;
}

static int load_hosts(struct qn_classes *c, struct qn_arena *a, const struct qn_node *root)
{
        for (size_t i = 0; i < root->n; i++)
                for (size_t j = 0; j < root->items[i]->n; j++) {
                        int r = add_host(c, a, qn_node_text(root->items[i]->items[j]),
                                         root->keys[i]);

                        if (r < 0)
                                return r;
                }
        return 0;
}

static int load_writes(struct qn_classes *c, struct qn_arena *a, const struct qn_node *root,
                       struct qn_err *reterr)
{
        const struct qn_node *list = qn_node_get(root, "writes");
        struct qn_row row;

        for (size_t i = 0; list && i < list->n; i++) {
                struct qn_str text = qn_node_text(list->items[i]);
                ptrdiff_t arrow = qn_str_find(text, QN_STR(" -> "));

                if (arrow < 0 || QN_ARENA_ROOM(a, c->writes, c->n_writes, c->writes_cap) < 0 ||
                    qn_row_split(qn_str_skip(text, (size_t)arrow), &row, reterr) < 0 ||
                    qn_row_event(&row, &c->writes[c->n_writes].event, reterr) < 0)
                        return qn_table_fail(reterr, "writes.yaml", list->items[i]);
                c->writes[c->n_writes].glob = qn_str_trim(qn_str_take(text, (size_t)arrow));
                c->writes[c->n_writes].pairs = pairs_of(c->writes[c->n_writes].glob);
                c->n_writes++;
        }
        return 0;
}

int qn_classes_load(const char *data_dir, struct qn_arena *a, struct qn_classes *ret,
                    struct qn_err *reterr)
{
        static const char *const groups[] = { "memory", "wallets", "paths", "env", "values" };
        const struct qn_node *root;
        int r;

        r = qn_table_read(data_dir, "secrets.yaml", a, &root, reterr);
        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(groups); i++)
                r = load_secrets(ret, a, root, groups[i], reterr);
        if (r == 0)
                r = load_probes(ret, a, qn_node_get(root, "probes"));
        if (r == 0)
                r = qn_table_read(data_dir, "hosts.yaml", a, &root, reterr);
        if (r == 0)
                r = load_hosts(ret, a, root);
        if (r == 0)
                r = qn_table_read(data_dir, "writes.yaml", a, &root, reterr);
        if (r == 0)
                r = load_writes(ret, a, root, reterr);
        return r;
}

/* --- look-ups --- */

/* A pattern that does not start with / or ~ may match from any directory on. */
static bool path_matches(struct qn_str path, struct qn_str glob)
{
        if (qn_str_glob(path, glob))
                return true;
        if (glob.n && (glob.p[0] == '/' || glob.p[0] == '~'))
                return false;
        for (size_t i = 0; i + 1 < path.n; i++)
                if ((path.p[i] == '/' || path.p[i] == '*') &&
                    qn_str_glob(qn_str_skip(path, i + 1), glob))
                        return true;
        return false;
}

/* Back-slashes become slashes; false when this cannot be a path. */
static bool tidy_path(struct qn_str *path, char buf[static PATH_BYTES])
{
        if (path->n < 3 || path->n > PATH_BYTES)
                return false;
        for (size_t i = 0; i < path->n; i++)
                buf[i] = path->p[i] == '\\' ? '/' : path->p[i];
        path->p = buf;
        return true;
}

const struct qn_row_event *qn_classify_write(const struct qn_classes *c, struct qn_str path)
{
        char buf[PATH_BYTES];
        struct qn_pairs pairs;

        if (!tidy_path(&path, buf))
                return NULL;
        pairs = pairs_of(path);
        for (size_t i = 0; i < c->n_writes; i++)
                if (has_pairs(&pairs, &c->writes[i].pairs) && path_matches(path, c->writes[i].glob))
                        return &c->writes[i].event;
        return NULL;
}

const struct qn_path_class *qn_classify_path(const struct qn_classes *c, struct qn_str path)
{
        char buf[PATH_BYTES];
        struct qn_pairs pairs;

        if (!tidy_path(&path, buf))
                return NULL;
        pairs = pairs_of(path);
        for (size_t i = 0; i < c->n_paths; i++)
                if (has_pairs(&pairs, &c->paths[i].pairs) && path_matches(path, c->paths[i].glob))
                        return &c->paths[i];
        return NULL;
}

int qn_classify_env(const struct qn_classes *c, struct qn_str name)
{
        uint32_t label = qn_map_get(&c->env, name);

        if (label != QN_MAP_NONE)
                return (int)label;
        for (size_t i = 0; i < c->n_env_globs; i++)
                if (qn_str_glob(name, c->env_globs[i].glob))
                        return c->env_globs[i].label;
        return -1;
}

int qn_classify_value(const struct qn_classes *c, struct qn_str name)
{
        uint32_t label = name.n > 2 ? qn_map_get(&c->values, name) : QN_MAP_NONE;

        return label == QN_MAP_NONE ? -1 : (int)label;
}

struct qn_str qn_classify_probe(const struct qn_classes *c, struct qn_str name)
{
        uint32_t i = qn_map_get(&c->probes, name);

        return i == QN_MAP_NONE ? (struct qn_str){ NULL, 0 } : c->probe_names[i];
}

static struct qn_str match_rows(const struct qn_classes *c, uint32_t i, struct qn_str path)
{
        for (uint32_t at = i + 1; at; at = c->host_rows[at - 1].next) {
                const struct qn_host_class *row = &c->host_rows[at - 1];

                if (!row->path.n || qn_str_glob(path, row->path))
                        return row->class;
        }
        return (struct qn_str){ NULL, 0 };
}

struct qn_str qn_classify_host(const struct qn_classes *c, struct qn_str host, struct qn_str path)
{
        char buf[256];
        struct qn_str low = { buf, host.n }, class;

        if (!host.n || host.n > sizeof buf)
                return (struct qn_str){ NULL, 0 };
        for (size_t i = 0; i < host.n; i++)
                buf[i] =
                        host.p[i] >= 'A' && host.p[i] <= 'Z' ? (char)(host.p[i] | 0x20) : host.p[i];
        for (struct qn_str rest = low; rest.n; qn_str_cut(&rest, '.')) {
                uint32_t i = qn_map_get(&c->hosts, rest);

                class = i == QN_MAP_NONE ? (struct qn_str){ NULL, 0 } : match_rows(c, i, path);
                if (class.n)
                        return class;
        }
        for (size_t i = 0; i < c->n_host_globs; i++)
                if (qn_str_glob(low, c->host_globs[i].host) &&
                    (!c->host_globs[i].path.n || qn_str_glob(path, c->host_globs[i].path)))
                        return c->host_globs[i].class;
        return qn_classify_ip(host);
}

static bool is_host_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_' || c == '*';
}

static bool is_scheme(struct qn_str s)
{
        if (s.n < 2 || s.n > 12)
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') && s.p[i] != '+')
                        return false;
        return true;
}

bool qn_url_split(struct qn_str s, bool bare, struct qn_url *ret)
{
        ptrdiff_t at = qn_str_find(s, QN_STR("://"));
        size_t n = 0;

        *ret = (struct qn_url){ 0 };
        if (at > 0 && is_scheme(qn_str_take(s, (size_t)at))) {
                ret->scheme = qn_str_take(s, (size_t)at);
                s = qn_str_skip(s, (size_t)at + 3);
        } else if (qn_str_starts(s, "//")) {
                s = qn_str_skip(s, 2);
        } else if (!bare) {
                return false;
        }
        while (n < s.n && s.p[n] != '/' && s.p[n] != '?' && s.p[n] != '#')
                n++;
        ret->host = qn_str_take(s, n);
        ret->path = qn_str_skip(s, n);
        at = qn_str_rchr(ret->host, '@');
        if (at >= 0)
                ret->host = qn_str_skip(ret->host, (size_t)at + 1);
        at = qn_str_rchr(ret->host, ':');
        if (at >= 0) {
                ret->port = qn_str_skip(ret->host, (size_t)at + 1);
                ret->host.n = (size_t)at;
        }
        for (size_t i = 0; i < ret->host.n; i++)
                if (!is_host_char(ret->host.p[i]))
                        return false;
        return ret->host.n >= 3;
}

struct qn_str qn_classify_ip(struct qn_str host)
{
        uint64_t part[4];
        struct qn_str rest = host;

        if (qn_str_is(host, "localhost"))
                return QN_STR("private");
        for (int i = 0; i < 4; i++) {
                struct qn_str p = qn_str_cut(&rest, '.');

                if (p.n > 3 || qn_str_u64(p, &part[i]) < 0 || part[i] > 255)
                        return (struct qn_str){ NULL, 0 };
        }
        if (rest.p)
                return (struct qn_str){ NULL, 0 };
        if (part[0] == 127 || part[0] == 10 || part[0] == 0 || part[0] >= 224 ||
            (part[0] == 192 && part[1] == 168) ||
            (part[0] == 172 && part[1] >= 16 && part[1] < 32) ||
            (part[0] == 169 && part[1] == 254) ||
            /* documentation ranges, resolvers and placeholders */
            (part[0] == 192 && part[1] == 0) || (part[0] == 198 && part[1] == 51) ||
            (part[0] == 203 && part[1] == 0) || (part[0] == part[1] && part[1] == part[2]) ||
            (part[0] == 1 && part[1] == 2) || (part[0] == 8 && part[1] == 8))
                return QN_STR("private");
        return QN_STR("ip");
}
