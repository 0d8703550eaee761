#include "watch/notify-conf.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/secret.h"
#include "gate/conf.h"
#include "net/address.h"
#include "net/http.h"
#include "net/url.h"
#include "parse/json.h"

#define SECRET_MAX 2000u
#define CA_MAX     ((size_t)1 << 20)

const char *const qn_channel_kinds[] = { "webhook", "mail", "command", "issue", NULL };

/* As the file has it, before it is checked. */
struct channel {
        const struct qn_node *kind;
        struct qn_str name, url, from, user, directory;
        const struct qn_node *secret, *token, *password;
        struct qn_conf_list argv, labels;
        struct qn_str mail_url;
        bool plain;
        int64_t timeout;
};

struct route {
        struct qn_str to, address;
        struct qn_conf_list kinds, packages;
        uint32_t score;
        bool deployed;
};

struct owner {
        struct qn_str name, to, address;
        struct qn_conf_list clients;
};

struct limit {
        uint32_t messages;
        int64_t per;
};

struct file {
        const struct qn_node *channels, *routes, *owners, *limit;
        struct qn_str ca;
        int64_t wait, retry, keep;
        uint32_t tries;
        struct limit l;
};

/* What is read while going through the file. */
struct reading {
        struct qn_conf *c;
        struct qn_notify_conf *n;
        bool secrets;
};

static int take_node(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        (void)c, (void)key;
        *(const struct qn_node **)to = n;
        return 0;
}

/* --- secrets --- */

static int take_secret(struct reading *r, const char *key, const struct qn_node *n,
                       struct qn_str *ret)
{
        static const struct qn_conf_key keys[] = { { "file", qn_conf_path, 0 } };
        _cleanup_(qn_secret_done) struct qn_buf text = QN_BUF_INIT(SECRET_MAX);
        struct qn_str path = { 0 }, secret;
        struct qn_err err = { 0 };
        int e;

        if (!n)
                return 0;
        if (!qn_node_is(n, QN_NODE_OBJECT))
                return qn_conf_wrong(r->c, n, "no secret is written here: say {file: PATH}");
        e = qn_conf_keys(r->c, n, key, keys, QN_ARRAY_SIZE(keys), &path);
        if (e == 0 && !path.n)
                return qn_conf_wrong(r->c, n, "%s is {file: PATH}", key);
        if (e < 0 || !r->secrets)
                return e;
        if (qn_secret_read(path.p, &text, &secret, &err) < 0)
                return qn_conf_wrong(r->c, n, "%s", err.msg);
        *ret = qn_arena_dup(r->c->a, secret);
        return ret->p ? 0 : qn_conf_memory(r->c);
}

/* --- channels --- */

/* What each kind of channel has: what else is said of it is a mistake. */
static const struct {
        const char *key;
        unsigned kinds; /* 1 << enum qn_channel_kind */
} belongs[] = {
        { "url", 1 << QN_CHANNEL_WEBHOOK | 1 << QN_CHANNEL_MAIL | 1 << QN_CHANNEL_ISSUE },
        { "secret", 1 << QN_CHANNEL_WEBHOOK },
        { "from", 1 << QN_CHANNEL_MAIL },
        { "user", 1 << QN_CHANNEL_MAIL },
        { "password", 1 << QN_CHANNEL_MAIL },
        { "plain", 1 << QN_CHANNEL_MAIL },
        { "argv", 1 << QN_CHANNEL_COMMAND },
        { "directory", 1 << QN_CHANNEL_ISSUE },
        { "token", 1 << QN_CHANNEL_ISSUE },
        { "labels", 1 << QN_CHANNEL_ISSUE },
};

static int check_belongs(struct qn_conf *c, const struct qn_node *n, enum qn_channel_kind kind)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(belongs); i++) {
                const struct qn_node *at = qn_node_get(n, belongs[i].key);

                if (at && !(belongs[i].kinds & 1u << kind))
                        return qn_conf_wrong(c, at, "a channel of kind %s has no `%s`",
                                             qn_channel_kinds[kind], belongs[i].key);
        }
        return 0;
}

static int need(struct qn_conf *c, const struct qn_node *n, const char *key, bool there)
{
        return there ? 0 : qn_conf_wrong(c, n, "a channel without `%s`: add it", key);
}

/* "smtp://host", "smtps://host:465" */
static int take_mail_url(struct qn_conf *c, const struct qn_node *n, struct qn_str url)
{
        struct qn_str rest = qn_str_skip(url, qn_str_starts(url, "smtps://")  ? 8
                                              : qn_str_starts(url, "smtp://") ? 7
                                                                              : url.n);

        if (qn_str_ends(rest, "/"))
                rest.n--;
        for (size_t i = 0; i < rest.n; i++)
                if (rest.p[i] <= ' ' || rest.p[i] > '~' || strchr("/?#@\\\"<>%", rest.p[i]))
                        rest.n = 0;
        if (!rest.n)
                return qn_conf_wrong(c, n,
                                     "url is an address such as smtp://mail.acme.example:587");
        return 0;
}

static int take_url(struct qn_conf *c, const struct qn_node *n, enum qn_channel_kind kind,
                    struct qn_str *ret)
{
        const struct qn_node *at = qn_node_get(n, "url");
        int r;

        if (!at)
                return need(c, n, "url", kind == QN_CHANNEL_ISSUE || kind == QN_CHANNEL_COMMAND);
        if (kind != QN_CHANNEL_MAIL)
                return qn_conf_url(c, "url", at, ret);
        r = qn_conf_text(c, "url", at, ret);
        return r < 0 ? r : take_mail_url(c, at, *ret);
}

/* "host:25", "[::1]:25" */
static struct qn_str mail_host(struct qn_str url)
{
        struct qn_str rest = qn_str_skip(url, strlen("smtp://"));
        ptrdiff_t at = qn_str_rchr(rest, ':');

        if (qn_str_ends(rest, "/"))
                rest.n--;
        return at >= 0 && !qn_str_ends(rest, "]") ? qn_str_take(rest, (size_t)at) : rest;
}

/* A token or a password is not for everybody on the way. */
static int check_way(struct qn_conf *c, const struct qn_node *n, const struct channel *f)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_url url;

        if (f->plain && f->password && !qn_address_may_know(mail_host(f->mail_url), false))
                return qn_conf_wrong(c, qn_node_get(n, "plain"),
                                     "the password is not sent without TLS: leave `plain` out");
        if (f->token && qn_str_starts(f->mail_url, "http://") &&
            (qn_url_parse(f->mail_url, &a, &url, NULL) < 0 ||
             !qn_address_may_know(url.host, false)))
                return qn_conf_wrong(c, qn_node_get(n, "url"),
                                     "the token is not sent without TLS: use https");
        return 0;
}

static int check_mail(struct qn_conf *c, const struct qn_node *n, const struct channel *f)
{
        int r = need(c, n, "from", f->from.n > 0);

        if (r == 0 && !qn_http_mailbox_ok(f->from))
                return qn_conf_wrong(c, qn_node_get(n, "from"),
                                     "from is an address such as qanat@acme.example");
        if (r == 0 && !f->user.n != !f->password)
                return qn_conf_wrong(c, n, "`user` and `password` belong together");
        if (r == 0 && f->plain && !qn_str_starts(f->mail_url, "smtp://"))
                return qn_conf_wrong(c, qn_node_get(n, "plain"),
                                     "smtps is never plain: leave it out");
        return r;
}

static int check_channel(struct qn_conf *c, const struct qn_node *n, const struct channel *f,
                         enum qn_channel_kind kind)
{
        switch (kind) {
        case QN_CHANNEL_MAIL:
                return check_mail(c, n, f);
        case QN_CHANNEL_COMMAND:
                if (f->argv.n && f->argv.v[0].p[0] != '/')
                        return qn_conf_wrong(c, qn_node_get(n, "argv"),
                                             "argv begins with the program's whole path");
                return need(c, n, "argv", f->argv.n > 0);
        case QN_CHANNEL_ISSUE:
                return need(c, n, "directory` or `url", f->directory.n || qn_node_get(n, "url"));
        case QN_CHANNEL_WEBHOOK:
                break;
        }
        return 0;
}

static bool is_word(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= 'A' && s.p[i] <= 'Z') &&
                    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-' && s.p[i] != '_')
                        return false;
        return s.n > 0 && s.n <= 64;
}

static bool is_host(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '_' || (s.p[i] != '.' && !is_word(qn_str_take(qn_str_skip(s, i), 1))))
                        return false;
        return s.n > 0 && s.p[0] != '.' && s.p[0] != '-';
}

static int check_name(struct reading *r, const struct qn_node *n, struct qn_str name)
{
        if (!is_word(name))
                return qn_conf_wrong(r->c, n, "a channel's `name` has letters, digits, - and _");
        if (qn_notify_channel(r->n, name))
                return qn_conf_wrong(r->c, n, "there is a channel of that name already");
        return 0;
}

static int keep_channel(struct reading *r, const struct channel *f, enum qn_channel_kind kind)
{
        struct qn_channel *to = &r->n->channels[r->n->n_channels];
        int e;

        *to = (struct qn_channel){
                .name = f->name,
                .kind = kind,
                .from = f->from,
                .user = f->user,
                .plain = f->plain,
                .argv = { f->argv.v, f->argv.n },
                .directory = f->directory,
                .labels = { f->labels.v, f->labels.n },
                .timeout_ms = (uint32_t)f->timeout,
                .url = f->mail_url,
        };
        e = take_secret(r, "secret", f->secret, &to->secret);
        if (e == 0)
                e = take_secret(r, "token", f->token, &to->token);
        if (e == 0)
                e = take_secret(r, "password", f->password, &to->password);
        r->n->n_channels += e == 0;
        return e;
}

static int take_channel(struct reading *r, const struct qn_node *n)
{
        static const struct qn_conf_key keys[] = {
                { "name", qn_conf_text, offsetof(struct channel, name) },
                { "kind", take_node, offsetof(struct channel, kind) },
                { "url", qn_conf_text, offsetof(struct channel, url) },
                { "secret", take_node, offsetof(struct channel, secret) },
                { "from", qn_conf_text, offsetof(struct channel, from) },
                { "user", qn_conf_text, offsetof(struct channel, user) },
                { "password", take_node, offsetof(struct channel, password) },
                { "plain", qn_conf_bool, offsetof(struct channel, plain) },
                { "argv", qn_conf_texts, offsetof(struct channel, argv) },
                { "directory", qn_conf_path, offsetof(struct channel, directory) },
                { "token", take_node, offsetof(struct channel, token) },
                { "labels", qn_conf_texts, offsetof(struct channel, labels) },
                { "timeout", qn_conf_duration, offsetof(struct channel, timeout) },
        };
        struct channel f = { .timeout = 30000 };
        unsigned kind = 0;
        int e = qn_conf_keys(r->c, n, "a channel", keys, QN_ARRAY_SIZE(keys), &f);

        if (e == 0)
                e = check_name(r, n, f.name);
        if (e == 0 && !f.kind)
                return need(r->c, n, "kind", false);
        if (e == 0)
                e = qn_conf_word(r->c, "kind", f.kind, qn_channel_kinds, &kind);
        if (e == 0)
                e = check_belongs(r->c, n, (enum qn_channel_kind)kind);
        if (e == 0)
                e = take_url(r->c, n, (enum qn_channel_kind)kind, &f.mail_url);
        if (e == 0)
                e = check_channel(r->c, n, &f, (enum qn_channel_kind)kind);
        if (e == 0)
                e = check_way(r->c, n, &f);
        if (e == 0 && (f.timeout < 100 || f.timeout > 600000))
                return qn_conf_wrong(r->c, qn_node_get(n, "timeout"),
                                     "timeout is between 100ms and 10m");
        return e < 0 ? e : keep_channel(r, &f, (enum qn_channel_kind)kind);
}

/* --- routes and owners --- */

static int find_channel(struct reading *r, const struct qn_node *n, struct qn_str to,
                        struct qn_str address, size_t *ret)
{
        const struct qn_channel *ch = qn_notify_channel(r->n, to);

        if (!to.n)
                return qn_conf_wrong(r->c, n, "say in `to` which channel: add it");
        if (!ch)
                return qn_conf_wrong(r->c, qn_node_get(n, "to"),
                                     "there is no channel of that name");
        if (ch->kind == QN_CHANNEL_MAIL && !qn_http_mailbox_ok(address))
                return qn_conf_wrong(r->c, n, "`address` says to whom: name@host, one of them");
        if (ch->kind != QN_CHANNEL_MAIL && address.n)
                return qn_conf_wrong(r->c, n, "only mail has an `address`: leave it out");
        *ret = (size_t)(ch - r->n->channels);
        return 0;
}

static int take_kinds(struct reading *r, const struct qn_node *n, const struct qn_conf_list *list,
                      unsigned *ret)
{
        const struct qn_node *at = qn_node_get(n, "kinds");
        unsigned kinds = 0, kind = 0;
        int e = 0;

        for (size_t i = 0; e == 0 && i < list->n; i++) {
                e = qn_conf_word(r->c, "a kind", at->items[i], qn_notice_kinds, &kind);
                kinds |= 1u << kind;
        }
        if (e == 0)
                *ret = kinds ? kinds : ~0u;
        return e;
}

static int take_route(struct reading *r, const struct qn_node *n)
{
        static const struct qn_conf_key keys[] = {
                { "to", qn_conf_text, offsetof(struct route, to) },
                { "address", qn_conf_text, offsetof(struct route, address) },
                { "kinds", qn_conf_texts, offsetof(struct route, kinds) },
                { "packages", qn_conf_texts, offsetof(struct route, packages) },
                { "score", qn_conf_u32, offsetof(struct route, score) },
                { "deployed", qn_conf_bool, offsetof(struct route, deployed) },
        };
        struct qn_route *to = &r->n->routes[r->n->n_routes];
        struct route f = { 0 };
        int e = qn_conf_keys(r->c, n, "a route", keys, QN_ARRAY_SIZE(keys), &f);

        if (e < 0)
                return e;
        *to = (struct qn_route){ .address = f.address,
                                 .packages = { f.packages.v, f.packages.n },
                                 .score = f.score,
                                 .deployed = f.deployed };
        e = find_channel(r, n, f.to, f.address, &to->channel);
        if (e == 0)
                e = take_kinds(r, n, &f.kinds, &to->kinds);
        r->n->n_routes += e == 0;
        return e;
}

/* Owners whose names are addresses: not of any host, because an inventory may come from elsewhere. */
static int take_host(struct reading *r, const struct qn_node *n, const struct owner *f, size_t *ret)
{
        const struct qn_channel *ch = qn_notify_channel(r->n, f->to);
        struct qn_str host = qn_str_skip(f->address, 1);

        if (!qn_str_starts(f->address, "@") || f->clients.n)
                return qn_conf_wrong(r->c, n, "an owner without `name`: add it");
        if (!ch || ch->kind != QN_CHANNEL_MAIL || !is_host(host))
                return qn_conf_wrong(
                        r->c, n, "owners without `name` get mail: address is \"@acme.example\"");
        *ret = (size_t)(ch - r->n->channels);
        return 0;
}

static int take_owner(struct reading *r, const struct qn_node *n)
{
        static const struct qn_conf_key keys[] = {
                { "name", qn_conf_text, offsetof(struct owner, name) },
                { "to", qn_conf_text, offsetof(struct owner, to) },
                { "address", qn_conf_text, offsetof(struct owner, address) },
                { "clients", qn_conf_texts, offsetof(struct owner, clients) },
        };
        struct qn_owner *to = &r->n->owners[r->n->n_owners];
        struct owner f = { 0 };
        int e = qn_conf_keys(r->c, n, "an owner", keys, QN_ARRAY_SIZE(keys), &f);

        if (e < 0)
                return e;
        *to = (struct qn_owner){ .name = f.name,
                                 .address = f.address,
                                 .clients = { f.clients.v, f.clients.n } };
        e = f.name.n ? find_channel(r, n, f.to, f.address, &to->channel)
                     : take_host(r, n, &f, &to->channel);
        r->n->n_owners += e == 0;
        return e;
}

/* --- the file --- */

static int take_list(struct reading *r, const struct qn_node *list, const char *what,
                     int (*take)(struct reading *r, const struct qn_node *n))
{
        int e = list ? qn_conf_is_list(r->c, list, what, QN_GATE_LIST_MAX) : 0;

        for (size_t i = 0; list && e == 0 && i < list->n; i++)
                e = take(r, list->items[i]);
        return e;
}

static int take_limit(struct reading *r, const struct qn_node *n, struct limit *l)
{
        static const struct qn_conf_key keys[] = {
                { "messages", qn_conf_u32, offsetof(struct limit, messages) },
                { "per", qn_conf_duration, offsetof(struct limit, per) },
        };
        int e = n ? qn_conf_keys(r->c, n, "limit", keys, QN_ARRAY_SIZE(keys), l) : 0;

        if (e == 0 && l->per < 1000)
                return qn_conf_wrong(r->c, n, "`per` is at least 1s");
        return e;
}

static int take_ca(struct reading *r, const struct qn_node *root, const struct file *f)
{
        _cleanup_(qn_buf_done) struct qn_buf pem = QN_BUF_INIT(CA_MAX);
        int e;

        if (!f->ca.n || !r->secrets)
                return 0;
        e = qn_io_read(f->ca.p, &pem);
        if (e < 0)
                return qn_conf_wrong(r->c, qn_node_get(root, "ca"), "ca cannot be read: %s",
                                     strerror(-e));
        r->n->ca = qn_arena_dup(r->c->a, qn_buf_view(&pem));
        return r->n->ca.p ? 0 : qn_conf_memory(r->c);
}

static int make_room(struct reading *r, const struct file *f)
{
        const struct {
                const struct qn_node *list;
                void **to;
                size_t size;
        } lists[] = {
                { f->channels, (void **)&r->n->channels, sizeof *r->n->channels },
                { f->routes, (void **)&r->n->routes, sizeof *r->n->routes },
                { f->owners, (void **)&r->n->owners, sizeof *r->n->owners },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(lists); i++) {
                size_t n = lists[i].list ? lists[i].list->n : 0;

                *lists[i].to = qn_arena_calloc(r->c->a, n + 1, lists[i].size);
                if (!*lists[i].to)
                        return qn_conf_memory(r->c);
        }
        return 0;
}

static int finish(struct reading *r, const struct qn_node *root, struct file *f)
{
        int e = take_limit(r, f->limit, &f->l);

        if (e == 0)
                e = make_room(r, f);
        if (e == 0)
                e = take_list(r, f->channels, "channels", take_channel);
        if (e == 0)
                e = take_list(r, f->routes, "routes", take_route);
        if (e == 0)
                e = take_list(r, f->owners, "owners", take_owner);
        if (e == 0)
                e = take_ca(r, root, f);
        if (e == 0 && (!f->tries || f->tries > 100))
                return qn_conf_wrong(r->c, qn_node_get(root, "tries"), "tries is from 1 to 100");
        r->n->wait_ms = f->wait;
        r->n->retry_ms = f->retry;
        r->n->keep_ms = f->keep;
        r->n->tries = f->tries;
        r->n->limit = f->l.messages;
        r->n->per_ms = f->l.per;
        return e;
}

int qn_notify_conf_parse(struct qn_str text, const char *path, bool secrets, struct qn_arena *a,
                         struct qn_notify_conf *ret, struct qn_err *reterr)
{
        static const struct qn_conf_key keys[] = {
                { "channels", take_node, offsetof(struct file, channels) },
                { "routes", take_node, offsetof(struct file, routes) },
                { "owners", take_node, offsetof(struct file, owners) },
                { "limit", take_node, offsetof(struct file, limit) },
                { "ca", qn_conf_path, offsetof(struct file, ca) },
                { "wait", qn_conf_duration, offsetof(struct file, wait) },
                { "tries", qn_conf_u32, offsetof(struct file, tries) },
                { "retry", qn_conf_duration, offsetof(struct file, retry) },
                { "keep", qn_conf_duration, offsetof(struct file, keep) },
        };
        struct qn_conf c = { .a = a, .path = path, .err = reterr };
        struct file f = { .wait = 60000,
                          .retry = 30000,
                          .keep = INT64_C(7776000000),
                          .tries = 8,
                          .l = { 20, 3600000 } };
        struct qn_notify_conf n = { 0 };
        struct reading r = { .c = &c, .n = &n, .secrets = secrets };
        const struct qn_node *root = NULL;
        int e = qn_conf_parse(&c, text, &root);

        if (e == 0 && root)
                e = qn_conf_keys(&c, root, "the file", keys, QN_ARRAY_SIZE(keys), &f);
        if (e == 0)
                e = finish(&r, root, &f);
        if (e == 0)
                *ret = n;
        return e;
}

int qn_notify_conf_load(const char *path, struct qn_arena *a, struct qn_notify_conf *ret,
                        struct qn_err *reterr)
{
        struct qn_conf c = { .a = a, .path = path, .err = reterr };
        struct qn_str text;
        int r = qn_conf_load(&c, &text);

        return r < 0 ? r : qn_notify_conf_parse(text, path, true, a, ret, reterr);
}

const struct qn_channel *qn_notify_channel(const struct qn_notify_conf *c, struct qn_str name)
{
        for (size_t i = 0; i < c->n_channels; i++)
                if (qn_str_eq(c->channels[i].name, name))
                        return &c->channels[i];
        return NULL;
}
