#include "parse/mal-record.h"

#include <errno.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "base/limits.h"
#include "parse/json.h"
#include "parse/semver.h"

#define TREE_DEPTH_MAX 24u
#define HEADLINE       "qanat found malicious behaviour in "

/* --- trees --- */

struct level {
        const struct qn_node *n;
        size_t i;
};

static void put_scalar(struct qn_jsonw *w, const struct qn_node *n)
{
        switch (n->type) {
        case QN_NODE_STRING:
                qn_jsonw_str(w, NULL, n->text);
                break;
        case QN_NODE_NUMBER:
                qn_jsonw_number(w, NULL, n->text);
                break;
        case QN_NODE_BOOL:
                qn_jsonw_bool(w, NULL, n->boolean);
                break;
        default:
                qn_jsonw_null(w, NULL);
                break;
        }
}

static bool is_container(const struct qn_node *n)
{
        return n->type == QN_NODE_OBJECT || n->type == QN_NODE_ARRAY;
}

static void open_node(struct qn_jsonw *w, const struct qn_node *n)
{
        if (n->type == QN_NODE_OBJECT)
                qn_jsonw_object(w, NULL);
        else
                qn_jsonw_array(w, NULL);
}

static void close_node(struct qn_jsonw *w, const struct qn_node *n)
{
        if (n->type == QN_NODE_OBJECT)
                qn_jsonw_end_object(w);
        else
                qn_jsonw_end_array(w);
}

static int put_tree(const struct qn_node *top, unsigned indent, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, indent);
        struct level stack[TREE_DEPTH_MAX] = { { top, 0 } };
        size_t depth = 1;

        if (!is_container(top)) {
                put_scalar(&w, top);
                return qn_buf_error(out);
        }
        open_node(&w, top);
        while (depth) {
                struct level *l = &stack[depth - 1];
                const struct qn_node *n = l->n;

                if (l->i == n->n) {
                        close_node(&w, n);
                        depth--;
                        continue;
                }
                if (n->type == QN_NODE_OBJECT)
                        qn_jsonw_key(&w, n->keys[l->i]);
                n = n->items[l->i++];
                if (!is_container(n)) {
                        put_scalar(&w, n);
                        continue;
                }
                if (depth == TREE_DEPTH_MAX)
                        return -EFBIG;
                open_node(&w, n);
                stack[depth++] = (struct level){ n, 0 };
        }
        return qn_buf_error(out);
}

static struct qn_node *make(struct qn_arena *a, enum qn_node_type type)
{
        struct qn_node *n = QN_ARENA_NEW(a, struct qn_node);

        if (n)
                n->type = type;
        return n;
}

static struct qn_node *find(const struct qn_node *object, const char *key)
{
        if (!qn_node_is(object, QN_NODE_OBJECT))
                return NULL;
        for (size_t i = 0; i < object->n; i++)
                if (qn_str_is(object->keys[i], key))
                        return object->items[i];
        return NULL;
}

/* Puts a value where the key is, or at the end. */
static int set(struct qn_arena *a, struct qn_node *object, const char *key, struct qn_node *value)
{
        struct qn_str *keys;
        struct qn_node **items;

        if (!value)
                return -ENOBUFS;
        for (size_t i = 0; i < object->n; i++)
                if (qn_str_is(object->keys[i], key)) {
                        object->items[i] = value;
                        return 0;
                }
        keys = qn_arena_grow(a, object->keys, object->n, object->n + 1, sizeof *keys);
        items = qn_arena_grow(a, (void *)object->items, object->n, object->n + 1, sizeof *items);
        if (!keys || !items)
                return -ENOBUFS;
        keys[object->n] = qn_str_c(key);
        items[object->n++] = value;
        object->keys = keys;
        object->items = items;
        return 0;
}

static int set_text(struct qn_arena *a, struct qn_node *object, const char *key, struct qn_str text)
{
        struct qn_node *n = make(a, QN_NODE_STRING);

        if (n)
                n->text = qn_arena_dup(a, text);
        return n && n->text.p ? set(a, object, key, n) : -ENOBUFS;
}

static int push(struct qn_arena *a, struct qn_node *array, struct qn_node *value)
{
        struct qn_node **items =
                qn_arena_grow(a, (void *)array->items, array->n, array->n + 1, sizeof *items);

        if (!items)
                return -ENOBUFS;
        items[array->n++] = value;
        array->items = items;
        return 0;
}

static struct qn_str text_of(const struct qn_node *object, const char *key)
{
        return qn_node_text(find(object, key));
}

/* --- the parts of a record --- */

enum part { TOP, AFFECTED, INDICATORS, IOCS };

static struct qn_node *first_of(const struct qn_node *array)
{
        return qn_node_is(array, QN_NODE_ARRAY) && array->n ? array->items[0] : NULL;
}

static struct qn_node *part_of(struct qn_node *doc, enum part part)
{
        struct qn_node *affected = first_of(find(doc, "affected"));

        switch (part) {
        case TOP:
                return doc;
        case AFFECTED:
                return affected;
        case INDICATORS:
                return find(find(affected, "database_specific"), "indicators");
        case IOCS:
                break;
        }
        return find(find(doc, "database_specific"), "iocs");
}

static int ensure(struct qn_arena *a, struct qn_node *object, const char *key, struct qn_node **ret)
{
        int r = 0;

        *ret = find(object, key);
        if (!qn_node_is(*ret, QN_NODE_OBJECT)) {
                *ret = make(a, QN_NODE_OBJECT);
                r = set(a, object, key, *ret);
        }
        return r;
}

/* The same, made when it is not there. */
static int make_part(struct qn_arena *a, struct qn_node *doc, enum part part, struct qn_node **ret)
{
        struct qn_node *own = part == INDICATORS ? part_of(doc, AFFECTED) : doc;
        int r;

        *ret = part_of(doc, part);
        if (part == TOP || part == AFFECTED)
                return 0;
        r = ensure(a, own, "database_specific", &own);
        return r < 0 ? r : ensure(a, own, part == INDICATORS ? "indicators" : "iocs", ret);
}

static bool lists(const struct qn_node *array, struct qn_str text)
{
        for (size_t i = 0; qn_node_is(array, QN_NODE_ARRAY) && i < array->n; i++)
                if (array->items[i]->type == QN_NODE_STRING &&
                    qn_str_eq(array->items[i]->text, text))
                        return true;
        return false;
}

/* Every version, from the first to whatever will come. */
static bool means_all(const struct qn_node *affected)
{
        const struct qn_node *ranges = find(affected, "ranges");

        for (size_t i = 0; qn_node_is(ranges, QN_NODE_ARRAY) && i < ranges->n; i++) {
                const struct qn_node *events = find(ranges->items[i], "events");

                if (qn_node_is(events, QN_NODE_ARRAY) && events->n == 1 &&
                    qn_str_is(text_of(events->items[0], "introduced"), "0"))
                        return true;
        }
        return false;
}

static int read_record(struct qn_cur text, struct qn_arena *a, struct qn_node **ret,
                       struct qn_err *err)
{
        const struct qn_node *affected;
        int r = qn_json_parse(text, a, ret, err);

        if (r < 0)
                return r;
        affected = find(*ret, "affected");
        if (!qn_node_is(affected, QN_NODE_ARRAY) || affected->n != 1 ||
            !qn_node_is(affected->items[0], QN_NODE_OBJECT) ||
            !text_of(find(affected->items[0], "package"), "name").n)
                return qn_fail(err, -EINVAL, 0, "it is no record of one package");
        return 0;
}

static struct qn_str name_of(struct qn_node *doc)
{
        return text_of(find(part_of(doc, AFFECTED), "package"), "name");
}

static int finish(const struct qn_node *doc, struct qn_buf *out, struct qn_err *err)
{
        int r = put_tree(doc, 2, out);

        qn_buf_byte(out, '\n');
        if (r == 0)
                r = qn_buf_error(out);
        return r < 0 ? qn_fail(err, r == -ENOBUFS ? -EFBIG : r, 0, "the record is too large") : 0;
}

/* --- order --- */

static int by_version_text(struct qn_str x, struct qn_str y)
{
        struct qn_semver v, w;
        int c = 0;

        if (qn_semver_parse(x, 0, &v) == 0 && qn_semver_parse(y, 0, &w) == 0)
                c = qn_semver_cmp(&v, &w);
        return c ? c : qn_str_cmp(x, y);
}

static int by_version(const void *a, const void *b)
{
        return by_version_text(qn_node_text(*(struct qn_node *const *)a),
                               qn_node_text(*(struct qn_node *const *)b));
}

static int by_text(const void *a, const void *b)
{
        return qn_str_cmp(qn_node_text(*(struct qn_node *const *)a),
                          qn_node_text(*(struct qn_node *const *)b));
}

static int by_file(const void *a, const void *b)
{
        const struct qn_node *x = *(struct qn_node *const *)a, *y = *(struct qn_node *const *)b;
        int c = by_version_text(text_of(x, "version"), text_of(y, "version"));

        return c ? c : qn_str_cmp(text_of(x, "path"), text_of(y, "path"));
}

static int by_archive(const void *a, const void *b)
{
        const struct qn_node *x = *(struct qn_node *const *)a, *y = *(struct qn_node *const *)b;

        return qn_str_cmp(text_of(x, "filename"), text_of(y, "filename"));
}

/* --- adding --- */

/* Lists that grow, what makes two entries the same thing (NULL: all of them), and their order (NULL: as they came). */
static const struct {
        enum part part;
        const char *key;
        const char *same[2];
        int (*order)(const void *, const void *);
} grown[] = {
        { AFFECTED, "versions", { NULL }, by_version },
        { AFFECTED, "ranges", { NULL }, NULL },
        { INDICATORS, "evidence_files", { "path", "version" }, by_file },
        { INDICATORS, "package_integrity", { "filename", NULL }, by_archive },
        { IOCS, "domains", { NULL }, by_text },
        { IOCS, "ips", { NULL }, by_text },
        { IOCS, "urls", { NULL }, by_text },
        { TOP, "references", { "url", NULL }, NULL },
        { TOP, "credits", { "name", NULL }, NULL },
};

static bool same_tree(const struct qn_node *x, const struct qn_node *y)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_MAL_RECORD_MAX),
                                             c = QN_BUF_INIT(QN_MAL_RECORD_MAX);

        return put_tree(x, 0, &b) == 0 && put_tree(y, 0, &c) == 0 &&
               qn_str_eq(qn_buf_view(&b), qn_buf_view(&c));
}

static bool same_entry(size_t list, const struct qn_node *x, const struct qn_node *y)
{
        if (x->type == QN_NODE_STRING && y->type == QN_NODE_STRING)
                return qn_str_eq(x->text, y->text);
        if (!grown[list].same[0])
                return same_tree(x, y);
        for (size_t i = 0; i < QN_ARRAY_SIZE(grown[list].same) && grown[list].same[i]; i++)
                if (!qn_str_eq(text_of(x, grown[list].same[i]), text_of(y, grown[list].same[i])))
                        return false;
        return true;
}

static int grow(struct qn_arena *a, struct qn_node *doc, struct qn_node *more, size_t list)
{
        struct qn_node *from = find(part_of(more, grown[list].part), grown[list].key);
        struct qn_node *to, *array;
        size_t had;
        int r;

        if (!qn_node_is(from, QN_NODE_ARRAY) || !from->n)
                return 0;
        r = make_part(a, doc, grown[list].part, &to);
        if (r < 0)
                return r;
        array = find(to, grown[list].key);
        if (!qn_node_is(array, QN_NODE_ARRAY)) {
                array = make(a, QN_NODE_ARRAY);
                r = set(a, to, grown[list].key, array);
        }
        had = r == 0 ? array->n : 0;
        for (size_t i = 0; r == 0 && i < from->n; i++) {
                size_t k = 0;

                while (k < had && !same_entry(list, array->items[k], from->items[i]))
                        k++;
                if (k == had)
                        r = push(a, array, from->items[i]);
        }
        if (r == 0 && grown[list].order && array->n)
                qsort((void *)array->items, array->n, sizeof *array->items, grown[list].order);
        return r;
}

/* --- details --- */

/* Where our line about name and versions begins; -1: it has none. */
static ptrdiff_t find_headline(struct qn_str details)
{
        struct qn_str rest = details;

        while (rest.p) {
                const char *at = rest.p;

                if (qn_str_starts(qn_str_cut(&rest, '\n'), HEADLINE))
                        return at - details.p;
        }
        return -1;
}

/* The text up to that line, and the line with the versions that there are now; returns what follows. */
static struct qn_str put_headline(struct qn_buf *b, struct qn_str details,
                                  const struct qn_node *versions)
{
        ptrdiff_t at = find_headline(details);
        struct qn_str rest = qn_str_skip(details, at < 0 ? 0 : (size_t)at), head;

        if (at < 0 || !qn_node_is(versions, QN_NODE_ARRAY))
                return details;
        qn_buf_str(b, qn_str_take(details, (size_t)at));
        head = qn_str_skip(qn_str_cut(&rest, '\n'), strlen(HEADLINE));
        qn_buf_puts(b, HEADLINE);
        qn_buf_str(b, qn_str_cut(&head, ' '));
        for (size_t i = 0; i < versions->n; i++) {
                qn_buf_puts(b, i ? ", " : " ");
                qn_buf_str(b, qn_node_text(versions->items[i]));
        }
        qn_buf_puts(b, ":\n");
        return rest.p ? rest : QN_STR("");
}

/* "- Title (rule id, when: …" → "(rule id," */
static struct qn_str rule_of(struct qn_str line)
{
        ptrdiff_t at = qn_str_find(line, QN_STR("(rule "));
        struct qn_str rule = at < 0 ? line : qn_str_skip(line, (size_t)at);
        ptrdiff_t end = qn_str_chr(rule, ',');

        return at < 0 || end < 0 ? line : qn_str_take(rule, (size_t)end + 1);
}

/* What the other one found and this one does not tell yet. */
static void put_findings(struct qn_buf *b, struct qn_str details, struct qn_str more)
{
        while (more.p) {
                struct qn_str line = qn_str_cut(&more, '\n');

                if (!qn_str_starts(line, "- ") || qn_str_find(details, rule_of(line)) >= 0)
                        continue;
                qn_buf_str(b, line);
                qn_buf_byte(b, '\n');
        }
}

static int merge_details(struct qn_arena *a, struct qn_node *doc, struct qn_node *more)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        struct qn_str old = text_of(doc, "details"), rest;

        rest = put_headline(&b, old, find(part_of(doc, AFFECTED), "versions"));
        qn_buf_str(&b, rest);
        if (b.n && b.p[b.n - 1] != '\n')
                qn_buf_byte(&b, '\n');
        put_findings(&b, old, text_of(more, "details"));
        return qn_buf_error(&b) < 0 ? -EFBIG : set_text(a, doc, "details", qn_buf_view(&b));
}

static bool says_more(struct qn_node *doc, struct qn_node *more)
{
        const struct qn_node *old = part_of(doc, AFFECTED), *fresh = part_of(more, AFFECTED);
        const struct qn_node *versions = find(fresh, "versions");

        if (means_all(old))
                return false;
        for (size_t i = 0; qn_node_is(versions, QN_NODE_ARRAY) && i < versions->n; i++)
                if (!lists(find(old, "versions"), qn_node_text(versions->items[i])))
                        return true;
        return means_all(fresh);
}

int qn_mal_record_extend(struct qn_cur text, struct qn_cur more_text, struct qn_arena *a,
                         struct qn_buf *out, enum qn_mal_outcome *ret, struct qn_err *reterr)
{
        struct qn_node *doc, *more;
        int r = read_record(text, a, &doc, reterr);

        if (r == 0)
                r = read_record(more_text, a, &more, reterr);
        if (r < 0)
                return r;
        if (!qn_str_eq(name_of(doc), name_of(more)))
                return qn_fail(reterr, -EEXIST, 0, "it is a record of another package");
        if (find(doc, "withdrawn"))
                return qn_fail(reterr, -EEXIST, 0, "the record was withdrawn");
        *ret = QN_MAL_SAME;
        if (!says_more(doc, more))
                return 0;
        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(grown); i++)
                r = grow(a, doc, more, i);
        if (r == 0)
                r = merge_details(a, doc, more);
        if (r == 0)
                r = set_text(a, doc, "modified", text_of(more, "modified"));
        if (r < 0)
                return qn_fail(reterr, r, 0, "the record is too large");
        *ret = QN_MAL_CHANGED;
        return finish(doc, out, reterr);
}

/* --- taking back --- */

/* Whether an entry of a list is about the version. */
static bool is_about(const struct qn_node *n, const char *key, struct qn_str value)
{
        return qn_str_eq(key ? text_of(n, key) : qn_node_text(n), value);
}

static void drop(struct qn_node *array, const char *key, struct qn_str value)
{
        size_t kept = 0;

        for (size_t i = 0; qn_node_is(array, QN_NODE_ARRAY) && i < array->n; i++)
                if (!is_about(array->items[i], key, value))
                        array->items[kept++] = array->items[i];
        if (array)
                array->n = kept;
}

static int drop_version(struct qn_node *doc, const struct qn_mal_withdrawal *w, struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf file = QN_BUF_INIT(4096);
        struct qn_node *indicators = part_of(doc, INDICATORS);
        struct qn_str name;

        qn_buf_str(&file, qn_str_base(w->name));
        qn_buf_byte(&file, '-');
        qn_buf_str(&file, w->version);
        qn_buf_puts(&file, ".tgz");
        name = qn_arena_dup(a, qn_buf_view(&file));
        if (!name.p)
                return -ENOBUFS;
        drop(find(part_of(doc, AFFECTED), "versions"), NULL, w->version);
        drop(find(indicators, "evidence_files"), "version", w->version);
        drop(find(indicators, "package_integrity"), "filename", name);
        return 0;
}

/* The note comes first: what follows may be what OpenSSF put together from its sources. */
static int put_note(struct qn_node *doc, const struct qn_mal_withdrawal *w, struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        struct qn_str old = text_of(doc, "details"), rest;

        qn_buf_str(&b, w->note);
        qn_buf_puts(&b, "\n\n");
        rest = put_headline(&b, old, find(part_of(doc, AFFECTED), "versions"));
        qn_buf_str(&b, rest);
        return qn_buf_error(&b) < 0 ? -EFBIG : set_text(a, doc, "details", qn_buf_view(&b));
}

static int take_back(struct qn_node *doc, const struct qn_mal_withdrawal *w, bool whole,
                     struct qn_arena *a)
{
        int r = whole ? 0 : drop_version(doc, w, a);

        if (r == 0)
                r = put_note(doc, w, a);
        if (r == 0)
                r = set_text(a, doc, "modified", w->time);
        if (r == 0 && whole)
                r = set_text(a, doc, "withdrawn", w->time);
        return r;
}

int qn_mal_record_withdraw(struct qn_cur text, const struct qn_mal_withdrawal *w,
                           struct qn_arena *a, struct qn_buf *out, enum qn_mal_outcome *ret,
                           struct qn_err *reterr)
{
        const struct qn_node *versions;
        struct qn_node *doc;
        bool whole;
        int r = read_record(text, a, &doc, reterr);

        if (r < 0)
                return r;
        versions = find(part_of(doc, AFFECTED), "versions");
        whole = means_all(part_of(doc, AFFECTED));
        if (!qn_str_eq(name_of(doc), w->name) || (!lists(versions, w->version) && !whole))
                return qn_fail(reterr, -ENOENT, 0, "it does not speak of that version");
        *ret = QN_MAL_SAME;
        if (find(doc, "withdrawn"))
                return 0;
        whole = whole || versions->n == 1;
        r = take_back(doc, w, whole, a);
        if (r < 0)
                return qn_fail(reterr, r, 0, "the record is too large");
        *ret = whole ? QN_MAL_GONE : QN_MAL_CHANGED;
        return finish(doc, out, reterr);
}
