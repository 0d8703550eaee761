#include "parse/trust.h"

#include <errno.h>

#include "base/arena.h"
#include "base/hash.h"
#include "parse/json.h"
#include "parse/packument.h"

static const struct qn_node *get(const struct qn_node *n, const char *key)
{
        return qn_node_get(n, key);
}

bool qn_trust_covers(const struct qn_trust_time *t, int64_t ms)
{
        return ms == QN_TIME_NONE || (t->from <= ms && ms <= t->to);
}

/* --- members --- */

static int read_bytes(const struct qn_node *n, struct qn_arena *a, struct qn_str *ret)
{
        struct qn_str s = qn_node_text(n);

        if (!s.n || qn_base64_decode(s, a, ret) < 0 || !ret->n)
                return -EINVAL;
        return 0;
}

/* A date that is there but is none must not mean "for ever". */
static int read_time(const struct qn_node *n, int64_t open, int64_t *ret)
{
        *ret = open;
        if (!n || n->type == QN_NODE_NULL)
                return 0;
        *ret = qn_time_parse(qn_node_text(n));
        return *ret == QN_TIME_NONE ? -EINVAL : 0;
}

static int read_valid(const struct qn_node *n, struct qn_trust_time *ret)
{
        int r = read_time(get(n, "start"), INT64_MIN, &ret->from);

        return r < 0 ? r : read_time(get(n, "end"), INT64_MAX, &ret->to);
}

/* --- lists --- */

typedef int read_fn(const struct qn_node *n, struct qn_arena *a, void *to);

static int read_list(const struct qn_node *n, struct qn_arena *a, size_t size, read_fn *read_one,
                     void *ret_list, size_t *ret_n)
{
        char *list;

        if (!n)
                return 0;
        if (n->type != QN_NODE_ARRAY)
                return -EINVAL;
        if (n->n > QN_TRUST_ENTRIES_MAX)
                return -EFBIG;
        list = qn_arena_calloc(a, n->n, size);
        if (!list)
                return -ENOBUFS;
        for (size_t i = 0; i < n->n; i++) {
                int r = read_one(n->items[i], a, list + i * size);

                if (r < 0)
                        return r;
        }
        memcpy(ret_list, &list, sizeof list);
        *ret_n = n->n;
        return 0;
}

static int read_log(const struct qn_node *n, struct qn_arena *a, void *to)
{
        struct qn_trust_log *log = to;
        const struct qn_node *key = get(n, "publicKey");

        if (read_bytes(get(get(n, "logId"), "keyId"), a, &log->id) < 0 ||
            read_bytes(get(key, "rawBytes"), a, &log->key) < 0)
                return -EINVAL;
        return read_valid(get(key, "validFor"), &log->valid);
}

static int read_authority(const struct qn_node *n, struct qn_arena *a, void *to)
{
        struct qn_trust_authority *ca = to;
        const struct qn_node *certs = get(get(n, "certChain"), "certificates");

        if (!qn_node_is(certs, QN_NODE_ARRAY) || !certs->n || certs->n > QN_BUNDLE_CERTS_MAX)
                return -EINVAL;
        for (ca->n = 0; ca->n < certs->n; ca->n++)
                if (read_bytes(get(certs->items[ca->n], "rawBytes"), a, &ca->certs[ca->n]) < 0)
                        return -EINVAL;
        return read_valid(get(n, "validFor"), &ca->valid);
}

static int read_key(const struct qn_node *n, struct qn_arena *a, void *to)
{
        struct qn_registry_key *k = to;
        const struct qn_node *key = get(n, "publicKey");
        int r;

        k->id = qn_node_text(get(n, key ? "keyId" : "keyid"));
        r = read_bytes(key ? get(key, "rawBytes") : get(n, "key"), a, &k->key);
        if (r < 0 || !k->id.n)
                return -EINVAL;
        if (key)
                return read_valid(get(key, "validFor"), &k->valid);
        k->valid.from = INT64_MIN;
        return read_time(get(n, "expires"), INT64_MAX, &k->valid.to);
}

/* --- documents --- */

static int explain(int r, const char *what, struct qn_err *reterr)
{
        if (r == -EFBIG)
                return qn_fail(reterr, r, 0, "the %s has more than %u entries of one kind", what,
                               QN_TRUST_ENTRIES_MAX);
        if (r == -ENOBUFS)
                return qn_fail(reterr, r, 0, "the %s needs too much memory", what);
        return r < 0 ? qn_fail(reterr, r, 0,
                               "this is not a %s, or a key, certificate or date in it is broken",
                               what)
                     : 0;
}

static int parse(struct qn_cur in, struct qn_arena *a, const char *what, struct qn_node **ret,
                 struct qn_err *reterr)
{
        if (qn_cur_left(&in) > QN_TRUST_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the %s is too large", what);
        return qn_json_parse(in, a, ret, reterr);
}

int qn_trust_root_read(struct qn_cur in, struct qn_arena *a, struct qn_trust_root *ret,
                       struct qn_err *reterr)
{
        struct qn_trust_root t = { 0 };
        struct qn_node *root = NULL;
        int r = parse(in, a, "trusted root", &root, reterr);

        if (r < 0)
                return r;
        r = get(root, "certificateAuthorities") ? 0 : -EINVAL;
        if (r == 0)
                r = read_list(get(root, "certificateAuthorities"), a, sizeof *t.authorities,
                              read_authority, &t.authorities, &t.n_authorities);
        if (r == 0)
                r = read_list(get(root, "tlogs"), a, sizeof *t.logs, read_log, &t.logs, &t.n_logs);
        if (r == 0)
                r = read_list(get(root, "ctlogs"), a, sizeof *t.cert_logs, read_log, &t.cert_logs,
                              &t.n_cert_logs);
        if (r == 0)
                *ret = t;
        return explain(r, "trusted root", reterr);
}

int qn_registry_keys_read(struct qn_cur in, struct qn_arena *a, struct qn_registry_keys *ret,
                          struct qn_err *reterr)
{
        struct qn_registry_keys k = { 0 };
        struct qn_node *root = NULL;
        int r = parse(in, a, "list of a registry's keys", &root, reterr);

        if (r < 0)
                return r;
        r = get(root, "keys")
                    ? read_list(get(root, "keys"), a, sizeof *k.list, read_key, &k.list, &k.n)
                    : -EINVAL;
        if (r == 0)
                *ret = k;
        return explain(r, "list of a registry's keys", reterr);
}
