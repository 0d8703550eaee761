#include "observe/js-api.h"

#include <errno.h>

#include "base/arena.h"
#include "observe/js.h"
#include "parse/json.h"

#define NAME    "apis.yaml"
#define KEY_MAX 128

struct name {
        const char *text;
        uint8_t value;
};

static const struct name roles[] = {
        { "_", QN_ROLE_NONE },
        { "path", QN_ROLE_PATH },
        { "to", QN_ROLE_TO },
        { "probe", QN_ROLE_PROBE },
        { "url", QN_ROLE_URL },
        { "host", QN_ROLE_HOST },
        { "port", QN_ROLE_PORT },
        { "data", QN_ROLE_DATA },
        { "code", QN_ROLE_CODE },
        { "code*", QN_ROLE_CODE_LAST },
        { "command", QN_ROLE_COMMAND },
        { "argv", QN_ROLE_ARGV },
        { "options", QN_ROLE_OPTIONS },
        { "name", QN_ROLE_NAME },
        { "record", QN_ROLE_RECORD },
        { "module", QN_ROLE_MODULE },
        { "file", QN_ROLE_FILE },
        { "ms", QN_ROLE_MS },
        { "text", QN_ROLE_TEXT },
        { "encoding", QN_ROLE_ENCODING },
        { "callback", QN_ROLE_CALLBACK },
        { "mode", QN_ROLE_MODE },
        { "redirect", QN_ROLE_REDIRECT },
};

static const struct name meanings[] = {
        { "unknown", QN_IS_UNKNOWN },
        { "require", QN_IS_REQUIRE },
        { "self", QN_IS_SELF },
        { "global", QN_IS_GLOBAL },
        { "arg0", QN_IS_ARG0 },
        { "join", QN_IS_JOIN },
        { "home", QN_IS_HOME },
        { "tmp", QN_IS_TMP },
        { "cwd", QN_IS_CWD },
        { "env", QN_IS_ENV },
        { "envget", QN_IS_ENVGET },
        { "buffer", QN_IS_BUFFER },
        { "base64", QN_IS_BASE64 },
        { "percent", QN_IS_PERCENT },
        { "charcodes", QN_IS_CHARCODES },
        { "timer", QN_IS_TIMER },
        { "probe", QN_IS_PROBE },
        { "cipher", QN_IS_CIPHER },
        { "decoded", QN_IS_DECODED },
        { "Buffer", QN_IS_ROOT },
};

static int find_name(const struct name *list, size_t n, struct qn_str s)
{
        for (size_t i = 0; i < n; i++)
                if (qn_str_is(s, list[i].text))
                        return list[i].value;
        return -1;
}

/* --- the tree --- */

static struct qn_str child_key(char *buf, uint32_t parent, struct qn_str name)
{
        memcpy(buf, &parent, sizeof parent);
        memcpy(buf + sizeof parent, name.p, name.n);
        return (struct qn_str){ buf, sizeof parent + name.n };
}

static uint32_t add_node(struct qn_js_apis *t, struct qn_arena *a, uint32_t parent,
                         struct qn_str name)
{
        if (QN_ARENA_ROOM(a, t->list, t->n, t->cap) < 0)
                return 0;
        t->list[t->n] = (struct qn_js_api){ .name = name, .parent = parent };
        return (uint32_t)t->n++;
}

static uint32_t root_of(struct qn_js_apis *t, struct qn_arena *a, struct qn_str name)
{
        uint32_t i = qn_map_get(&t->roots, name);

        if (i != QN_MAP_NONE)
                return i;
        i = add_node(t, a, 0, name);
        if (i && qn_map_add(&t->roots, a, name, i, NULL) < 0)
                return 0;
        return i;
}

static uint32_t child_of(struct qn_js_apis *t, struct qn_arena *a, uint32_t parent,
                         struct qn_str name)
{
        char buf[KEY_MAX + 4];
        struct qn_str key;
        uint32_t i;

        if (name.n > KEY_MAX)
                return 0;
        key = child_key(buf, parent, name);
        i = qn_map_get(&t->children, key);
        if (i != QN_MAP_NONE)
                return i;
        i = add_node(t, a, parent, name);
        key = qn_arena_dup(a, key);
        if (!i || !key.p || qn_map_add(&t->children, a, key, i, NULL) < 0)
                return 0;
        return i;
}

/* a.b.c → its node, made when missing. */
static uint32_t node_of(struct qn_js_apis *t, struct qn_arena *a, struct qn_str path)
{
        uint32_t at = root_of(t, a, qn_str_cut(&path, '.'));

        while (at && path.n)
                at = child_of(t, a, at, qn_str_cut(&path, '.'));
        return at;
}

/* --- rows --- */

struct reader {
        struct qn_js_apis *t;
        struct qn_arena *a;
        struct qn_err *err;
        bool assigns;
};

static int read_roles(struct reader *r, struct qn_js_api *api, struct qn_str list)
{
        api->call = true;
        api->n_roles = 0;
        while (list.n) {
                struct qn_str role = qn_str_trim(qn_str_cut(&list, ','));
                int v = find_name(roles, QN_ARRAY_SIZE(roles), role);

                if (v < 0 || api->n_roles == QN_JS_ROLES)
                        return qn_fail(r->err, -EINVAL, 0, "\"%.*s\" is no role", QN_STR_ARG(role));
                api->roles[api->n_roles++] = (uint8_t)v;
        }
        return 0;
}

static int read_meaning(struct reader *r, uint32_t index, const struct qn_row *row)
{
        struct qn_str is = qn_row_get(row, "is"), returns = qn_row_get(row, "returns"),
                      label = qn_row_get(row, "label");
        enum qn_label l;
        uint32_t root;
        int v;

        if (is.n) {
                v = find_name(meanings, QN_ARRAY_SIZE(meanings), is);
                if (v < 0)
                        return qn_fail(r->err, -EINVAL, 0, "\"%.*s\" is not known", QN_STR_ARG(is));
                r->t->list[index].is = (uint8_t)v;
                if (v == QN_IS_ROOT)
                        returns = is;
        }
        if (returns.n) {
                root = root_of(r->t, r->a, returns);
                if (!root)
                        return -ENOMEM;
                r->t->list[index].returns = root;
        }
        if (label.n) {
                if (qn_label_from_name(label, &l) < 0)
                        return qn_fail(r->err, -EINVAL, 0, "\"%.*s\" is no label",
                                       QN_STR_ARG(label));
                r->t->list[index].labels |= UINT64_C(1) << l;
        }
        return 0;
}

static int read_one(struct reader *r, struct qn_str name, struct qn_str args, bool call,
                    const struct qn_row *row)
{
        uint32_t i = node_of(r->t, r->a, name);
        struct qn_js_api *api;
        int k;

        if (!i)
                return -ENOMEM;
        k = read_meaning(r, i, row);
        if (k < 0)
                return k;
        api = &r->t->list[i];
        if (call) {
                k = read_roles(r, api, args);
                if (k < 0)
                        return k;
        } else if (!r->assigns) {
                api->prop = true;
        }
        if (!row->event.n)
                return 0;
        if (r->assigns) {
                api->has_assigned = true;
                return qn_row_event(row, &api->assigned, r->err);
        }
        api->has_event = true;
        return qn_row_event(row, &api->event, r->err);
}

/* a.{b,c}.d → a.b.d and a.c.d */
static int expand(struct reader *r, struct qn_str name, struct qn_str args, bool call,
                  const struct qn_row *row)
{
        ptrdiff_t open = qn_str_chr(name, '{'), close = qn_str_chr(name, '}');
        struct qn_str list, head, tail;

        if (open < 0 || close < open)
                return read_one(r, name, args, call, row);
        head = qn_str_take(name, (size_t)open);
        list = qn_str_skip(qn_str_take(name, (size_t)close), (size_t)open + 1);
        tail = qn_str_skip(name, (size_t)close + 1);
        while (list.n) {
                struct qn_str part = qn_str_cut(&list, ',');
                char *p = qn_arena_alloc(r->a, head.n + part.n + tail.n + 1);
                int k;

                if (!p)
                        return -ENOMEM;
                memcpy(p, head.p, head.n);
                memcpy(p + head.n, part.p, part.n);
                memcpy(p + head.n + part.n, tail.p, tail.n);
                k = read_one(r, (struct qn_str){ p, head.n + part.n + tail.n }, args, call, row);
                if (k < 0)
                        return k;
        }
        return 0;
}

static int read_row(struct reader *r, struct qn_str text)
{
        ptrdiff_t arrow = qn_str_find(text, QN_STR("->")), open;
        struct qn_str name, args = { 0 };
        struct qn_row row;
        int k;

        if (arrow < 0)
                return qn_fail(r->err, -EINVAL, 0, "no arrow");
        k = qn_row_split_right(qn_str_skip(text, (size_t)arrow + 2), &row, r->err);
        if (k < 0)
                return k;
        name = qn_str_trim(qn_str_take(text, (size_t)arrow));
        open = qn_str_chr(name, '(');
        if (open >= 0) {
                args = qn_str_skip(name, (size_t)open + 1);
                args.n -= args.n > 0; /* the closing one */
                name = qn_str_take(name, (size_t)open);
        }
        return expand(r, name, args, open >= 0, &row);
}

static int read_rows(struct reader *r, const struct qn_node *list)
{
        for (size_t i = 0; list && i < list->n; i++) {
                int k = read_row(r, qn_node_text(list->items[i]));

                if (k < 0)
                        return qn_table_fail(r->err, NAME, list->items[i]);
        }
        return 0;
}

static int read_names(struct qn_js_apis *t, struct qn_arena *a, const struct qn_node *modules,
                      const struct qn_node *globals)
{
        for (size_t i = 0; modules && i < modules->n; i++) {
                uint32_t root = root_of(t, a, modules->keys[i]);

                for (size_t k = 0; root && k < modules->items[i]->n; k++)
                        if (qn_map_add(&t->roots, a, qn_node_text(modules->items[i]->items[k]),
                                       root, NULL) < 0)
                                return -ENOMEM;
        }
        for (size_t i = 0; globals && i < globals->n; i++) {
                uint32_t root = root_of(t, a, qn_node_text(globals->items[i]));

                if (!root)
                        return -ENOMEM;
                t->list[root].global = true;
        }
        return 0;
}

int qn_js_apis_load(const char *data_dir, struct qn_arena *a, struct qn_js_apis **ret,
                    struct qn_err *reterr)
{
        struct qn_js_apis *t = QN_ARENA_NEW(a, struct qn_js_apis);
        struct reader r = { .t = t, .a = a, .err = reterr };
        const struct qn_node *root;
        int k;

        if (!t)
                return -ENOMEM;
        k = qn_table_read(data_dir, NAME, a, &root, reterr);
        if (k < 0)
                return k;
        add_node(t, a, 0, QN_STR(""));
        k = read_names(t, a, qn_node_get(root, "modules"), qn_node_get(root, "globals"));
        for (size_t i = 0;
             k == 0 && qn_node_get(root, "later") && i < qn_node_get(root, "later")->n; i++)
                if (qn_map_add(&t->later, a, qn_node_text(qn_node_get(root, "later")->items[i]), 1,
                               NULL) < 0)
                        k = -ENOMEM;
        if (k == 0)
                k = read_rows(&r, qn_node_get(root, "calls"));
        r.assigns = true;
        if (k == 0)
                k = read_rows(&r, qn_node_get(root, "assigns"));
        if (k < 0)
                return k;
        *ret = t;
        return 0;
}

/* --- look-ups --- */

uint32_t qn_js_api_module(const struct qn_js_apis *t, struct qn_str name)
{
        uint32_t i = qn_map_get(&t->roots, name);

        return i == QN_MAP_NONE ? 0 : i;
}

uint32_t qn_js_api_global(const struct qn_js_apis *t, struct qn_str name)
{
        uint32_t i = qn_map_get(&t->roots, name);

        return i == QN_MAP_NONE || !t->list[i].global ? 0 : i;
}

uint32_t qn_js_api_member(const struct qn_js_apis *t, uint32_t api, struct qn_str name)
{
        char buf[KEY_MAX + 4];
        uint32_t i;

        if (name.n > KEY_MAX)
                return 0;
        i = qn_map_get(&t->children, child_key(buf, api, name));
        return i == QN_MAP_NONE ? 0 : i;
}
