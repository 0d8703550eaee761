/* bom-yarn.c - yarn.lock of yarn 1: a list of entries, each with the patterns "name@range" that it answers.
 *
 *      "a@^1.0.0", a@~1.2:
 *        version "1.2.3"
 *        resolved "https://…/a-1.2.3.tgz#<sha1>"
 *        dependencies:
 *          b "^2.0.0"
 *
 * It does not say what the project itself asks for: package.json beside it does. */
#include <errno.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "parse/bom-priv.h"

struct want {
        uint32_t from;
        struct qn_str name, range;
        enum qn_bom_need need;
};

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_str text, rest; /* the document; what is not read yet */
        struct qn_map patterns;   /* → item */
        struct qn_map names;      /* → the first item of the name */
        struct want *wants;
        size_t n_wants, wants_cap;
        struct qn_bom_item item; /* the open entry */
        uint32_t at;
        enum qn_bom_need block; /* whose dependencies are being read; QN_BOM_NEED_MAX: none */
        bool open;
};

static int bad(struct reader *rd, struct qn_str line, const char *what)
{
        return qn_fail(rd->err, -EBADMSG, (size_t)(line.p - rd->text.p), "yarn.lock: %s", what);
}

/* A word, or a text in quotes with JSON's escapes; takes it off the line. */
static int take_word(struct reader *rd, struct qn_str *line, struct qn_str *ret)
{
        struct qn_str s = *line;
        struct qn_json_event e = { .kind = QN_JSON_STRING };
        size_t i = 1;

        if (!qn_str_starts(s, "\"")) {
                for (i = 0; i < s.n && s.p[i] != ' ' && s.p[i] != ','; i++)
                        if (s.p[i] == ':' && i + 1 == s.n)
                                break;
                *ret = qn_str_take(s, i);
                *line = qn_str_skip(s, i);
                return i ? 0 : bad(rd, s, "a word is missing");
        }
        while (i < s.n && s.p[i] != '"') {
                e.escaped |= s.p[i] == '\\';
                i += s.p[i] == '\\' ? 2 : 1;
        }
        if (i >= s.n)
                return bad(rd, s, "a text without its closing quote");
        e.raw = qn_str_take(qn_str_skip(s, 1), i - 1);
        *line = qn_str_skip(s, i + 1);
        if (!e.escaped) {
                *ret = e.raw;
                return 0;
        }
        return qn_json_unescape(&e, rd->a, ret) < 0 ? qn_bom_no_memory(rd->err) : 0;
}

static struct qn_str skip_spaces(struct qn_str s)
{
        while (s.n && s.p[0] == ' ')
                s = qn_str_skip(s, 1);
        return s;
}

/* --- entries --- */

/* What a pattern says: "left@npm:left-pad@1.3.0" is left-pad under another name. */
static void take_pattern(struct qn_bom_item *item, struct qn_str pattern)
{
        struct qn_str name = pattern, range = { NULL, 0 }, real, version;

        qn_bom_split(pattern, &name, &range);
        item->name = name;
        item->path = pattern;
        item->origin = qn_bom_origin_of(range);
        if (qn_bom_take_alias(range, &real, &version)) {
                item->name = real;
                if (!qn_str_eq(real, name))
                        item->alias = name;
        } else if (item->origin == QN_BOM_FROM_REGISTRY && qn_str_chr(range, '/') >= 0) {
                item->origin = QN_BOM_FROM_GIT; /* user/repository */
        }
}

static int add_pattern(struct reader *rd, struct qn_str pattern)
{
        struct qn_str name = pattern, range;

        qn_bom_split(pattern, &name, &range);
        if (qn_map_add(&rd->patterns, rd->a, pattern, rd->at, NULL) < 0 ||
            qn_map_add(&rd->names, rd->a, name, rd->at, NULL) < 0)
                return qn_bom_no_memory(rd->err);
        return 0;
}

/* "a@1, a@2:" */
static int open_entry(struct reader *rd, struct qn_str line)
{
        struct qn_str word, whole = line;
        bool first = true;
        int r;

        rd->item = (struct qn_bom_item){ .origin = QN_BOM_FROM_REGISTRY };
        rd->at = (uint32_t)rd->b->n;
        rd->block = QN_BOM_NEED_MAX;
        for (;;) {
                r = take_word(rd, &line, &word);
                if (r < 0)
                        return r;
                if (first)
                        take_pattern(&rd->item, word);
                first = false;
                r = add_pattern(rd, word);
                if (r < 0)
                        return r;
                line = skip_spaces(line);
                if (!qn_str_starts(line, ","))
                        break;
                line = skip_spaces(qn_str_skip(line, 1));
        }
        if (!qn_str_is(line, ":"))
                return bad(rd, whole, "an entry does not end with a colon");
        rd->open = true;
        return qn_bom_add(rd->b, &rd->item, NULL, rd->err);
}

/* "…/a-1.2.3.tgz#<sha1 in hex>": old lock files have no other integrity. */
static int take_fragment(struct reader *rd, struct qn_bom_item *item)
{
        struct qn_buf b = QN_BUF_INIT(64);
        ptrdiff_t hash = qn_str_chr(item->resolved, '#');
        struct qn_str hex = qn_str_skip(item->resolved, (size_t)(hash + 1)), digest;
        int r = 0;

        if (hash < 0 || hex.n != 40 || item->origin != QN_BOM_FROM_REGISTRY)
                return 0;
        if (qn_hex_decode(hex, rd->a, &digest) < 0)
                return 0;
        item->resolved.n = (size_t)hash;
        if (item->integrity.p)
                return 0;
        qn_buf_puts(&b, "sha1-");
        qn_base64_encode(&b, digest.p, digest.n);
        item->integrity = qn_arena_dup(rd->a, qn_buf_view(&b));
        if (!item->integrity.p)
                r = qn_bom_no_memory(rd->err);
        qn_buf_done(&b);
        return r;
}

static int close_entry(struct reader *rd)
{
        struct qn_bom_item *item;
        int r;

        if (!rd->open)
                return 0;
        rd->open = false;
        item = &rd->b->items[rd->at];
        *item = rd->item;
        r = take_fragment(rd, item);
        if (item->origin == QN_BOM_FROM_REGISTRY &&
            qn_bom_origin_of(item->resolved) == QN_BOM_FROM_GIT)
                item->origin = QN_BOM_FROM_GIT;
        return r;
}

static int read_field(struct reader *rd, struct qn_str line)
{
        struct qn_str key, value;
        int r = take_word(rd, &line, &key);

        if (r < 0)
                return r;
        rd->block = QN_BOM_NEED_MAX;
        if (qn_str_is(line, ":")) {
                if (qn_str_is(key, "dependencies"))
                        rd->block = QN_BOM_PROD;
                else if (qn_str_is(key, "optionalDependencies"))
                        rd->block = QN_BOM_OPTIONAL;
                return 0;
        }
        line = skip_spaces(line);
        r = take_word(rd, &line, &value);
        if (r < 0)
                return r;
        if (qn_str_is(key, "version"))
                rd->item.version = value;
        else if (qn_str_is(key, "resolved"))
                rd->item.resolved = value;
        else if (qn_str_is(key, "integrity"))
                rd->item.integrity = value;
        return 0;
}

static int add_want(struct reader *rd, const struct want *w)
{
        if (rd->n_wants == QN_BOM_EDGES_MAX)
                return qn_fail(rd->err, -EFBIG, 0, "the document holds too many dependencies");
        if (QN_ARENA_ROOM(rd->a, rd->wants, rd->n_wants, rd->wants_cap) < 0)
                return qn_bom_no_memory(rd->err);
        rd->wants[rd->n_wants++] = *w;
        return 0;
}

static int read_dependency(struct reader *rd, struct qn_str line)
{
        struct want w = { .from = rd->at, .need = rd->block };
        int r = take_word(rd, &line, &w.name);

        line = skip_spaces(line);
        if (r == 0)
                r = take_word(rd, &line, &w.range);
        if (r < 0 || rd->block == QN_BOM_NEED_MAX)
                return r;
        return add_want(rd, &w);
}

static int read_line(struct reader *rd, struct qn_str line)
{
        struct qn_str body = skip_spaces(line);
        size_t indent = line.n - body.n;
        int r = 0;

        if (!body.n || body.p[0] == '#')
                return 0;
        if (body.p[0] == '<' || body.p[0] == '=' || body.p[0] == '>')
                return bad(rd, line, "it holds an unresolved merge conflict");
        if (indent == 0) {
                r = close_entry(rd);
                return r < 0 ? r : open_entry(rd, body);
        }
        if (!rd->open)
                return bad(rd, line, "a field without an entry");
        if (indent == 2)
                return read_field(rd, body);
        return indent == 4 ? read_dependency(rd, body) : bad(rd, line, "odd indentation");
}

/* --- who needs whom --- */

static int connect(struct reader *rd, const struct want *w)
{
        struct qn_str key = qn_bom_join(rd->a, w->name, QN_STR("@"), w->range);
        uint32_t to;

        if (!key.p)
                return qn_bom_no_memory(rd->err);
        to = qn_map_get(&rd->patterns, key);
        if (to == QN_MAP_NONE) /* "resolutions" lead elsewhere */
                to = qn_map_get(&rd->names, w->name);
        return to == QN_MAP_NONE ? 0 : qn_bom_need(rd->b, w->from, to, w->need, rd->err);
}

static int add_project(struct reader *rd, const struct qn_bom_in *in)
{
        struct qn_bom_project p;
        int r = qn_bom_project(in->beside, rd->a, &p, rd->err);

        if (r == 0)
                r = qn_bom_add_members(rd->b, &p, rd->err);
        for (size_t i = 0; r == 0 && i < p.n; i++)
                if (p.members[i].item != QN_BOM_ROOT &&
                    qn_map_add(&rd->names, rd->a, p.members[i].pkg->name.text, p.members[i].item,
                               NULL) < 0)
                        r = qn_bom_no_memory(rd->err);
        for (size_t i = 0; r == 0 && i < p.n; i++) {
                const struct qn_pkgjson *pkg = p.members[i].pkg;

                for (size_t k = 0; r == 0 && k < pkg->n_deps; k++) {
                        const struct qn_pkgjson_dep *d = &pkg->deps[k];
                        const struct want w = { p.members[i].item, d->name, d->spec,
                                                qn_bom_need_of(d) };

                        r = add_want(rd, &w);
                }
        }
        return r;
}

static int read_all(struct reader *rd, const struct qn_bom_in *in)
{
        int r = 0;

        rd->b->format = QN_STR("1");
        while (r == 0 && rd->rest.n) {
                struct qn_str line = qn_str_cut(&rd->rest, '\n');

                if (qn_str_ends(line, "\r"))
                        line.n--;
                r = read_line(rd, line);
        }
        if (r == 0)
                r = close_entry(rd);
        if (r == 0)
                r = add_project(rd, in);
        for (size_t i = 0; r == 0 && i < rd->n_wants; i++)
                r = connect(rd, &rd->wants[i]);
        return r == 0 ? qn_bom_settle(rd->b, true, rd->err) : r;
}

int qn_bom_read_yarn(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                     struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr, .text = qn_cur_rest(&in->doc) };
        int r = qn_bom_new(a, QN_BOM_YARN_V1, &rd.b, reterr);

        rd.rest = rd.text;
        if (r == 0)
                r = read_all(&rd, in);
        if (r == 0)
                *ret = rd.b;
        return r;
}
