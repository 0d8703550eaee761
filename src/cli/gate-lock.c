#include "cli/gate-lock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "inventory/scan.h"
#include "net/url.h"

struct past {
        const struct gate_lock *l;
        struct qn_arena tmp;
        struct qn_url gate;
        size_t n, all;      /* packages that are fetched elsewhere; that are fetched */
        struct qn_str base; /* the first of those places */
        bool several;       /* there are others */
        bool odd;           /* it has addresses of another form than a registry's */
        struct qn_str last; /* the place that was looked at last... */
        bool last_is_past;  /* ...and what it was */
};

static bool ends(struct qn_str s, struct qn_str with)
{
        return s.n >= with.n && qn_str_eq(qn_str_skip(s, s.n - with.n), with);
}

/* Bytes that a name takes at the end of a path, whose slash may be escaped; 0: it is not there. */
static size_t name_at_end(struct qn_str path, struct qn_str name)
{
        struct qn_str scope, rest = name;

        if (ends(path, name))
                return name.n;
        scope = qn_str_cut(&rest, '/');
        if (!rest.p || !ends(path, rest))
                return 0;
        path.n -= rest.n;
        if (!qn_str_ends(path, "%2f") && !qn_str_ends(path, "%2F"))
                return 0;
        path.n -= strlen("%2f");
        return ends(path, scope) ? name.n + strlen("2f") : 0;
}

/* "https://host/path/" of "https://host/path/NAME/-/NAME-1.0.0.tgz"; odd: "https://host/" of anything else. */
static struct qn_str base_of(const struct qn_bom_item *i, bool *ret_odd)
{
        struct qn_str url = i->resolved;
        ptrdiff_t at = qn_str_find(url, QN_STR("/-/"));
        struct qn_str left = qn_str_take(url, at < 0 ? 0 : (size_t)at);
        size_t host = (size_t)qn_str_find(url, QN_STR("://")) + 3, name;

        name = name_at_end(left, i->name);
        left.n -= name;
        *ret_odd = !name || left.n <= host || !qn_str_ends(left, "/");
        if (!*ret_odd)
                return left;
        while (host < url.n && url.p[host] != '/')
                host++;
        return qn_str_take(url, QN_MIN(host + 1, url.n));
}

/* Whether it is fetched by an address, and from a registry. */
static bool has_address(const struct qn_bom_item *i)
{
        return i->origin == QN_BOM_FROM_REGISTRY && !i->bundled &&
               (qn_str_starts(i->resolved, "http://") || qn_str_starts(i->resolved, "https://"));
}

static bool is_past(struct past *p, struct qn_str base)
{
        struct qn_url u;

        qn_arena_reset(&p->tmp, 1 << 16);
        if (qn_url_parse(base, &p->tmp, &u, NULL) < 0)
                return true;
        if (p->l->moves && (strcmp(p->l->moves, "*") == 0 || qn_str_is(u.host, p->l->moves)))
                return false;
        return !qn_url_same_origin(&u, &p->gate) ||
               !qn_str_eq(qn_str_take(u.path, QN_MIN(u.path.n, p->gate.path.n)), p->gate.path);
}

static void look_at(struct past *p, const struct qn_bom_item *i)
{
        struct qn_str base;
        bool odd;

        p->all += i->origin == QN_BOM_FROM_REGISTRY && !i->bundled;
        if (!has_address(i))
                return;
        base = base_of(i, &odd);
        if (!p->last.p || !qn_str_eq(p->last, base)) {
                p->last = base;
                p->last_is_past = is_past(p, base);
        }
        if (!p->last_is_past)
                return;
        if (!p->n++)
                p->base = base;
        p->several = p->several || !qn_str_eq(p->base, base);
        p->odd = p->odd || odd;
}

static void say(const struct past *p, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf base = QN_BUF_INIT(QN_URL_MAX);
        _cleanup_(qn_buf_done) struct qn_buf next = QN_BUF_INIT(QN_URL_MAX * 2);
        bool text = !qn_str_ends(qn_str_c(path), ".lockb") && !p->odd && !p->several;

        qn_url_safe(p->base, &base);
        if (text)
                qn_buf_printf(&next, "replace that by %s/ in it", p->l->url);
        else
                qn_buf_puts(&next, "make it anew (delete it and install)");
        if (qn_buf_error(&base) == 0 && qn_buf_error(&next) == 0)
                log_note("%s: %zu of its %zu packages are fetched from %s%s, past the gate: %s",
                         path, p->n, p->all, base.p, p->several ? " and elsewhere" : "", next.p);
}

static void look_through(struct past *p, const char *path, const struct qn_bom *bom)
{
        for (size_t i = 0; i < bom->n; i++)
                look_at(p, &bom->items[i]);
        if (bom->kind == QN_BOM_YARN_V1 && p->l->other)
                log_note("%s: %s", path, p->l->other);
        if (p->n)
                say(p, path);
}

void gate_lock_warn(const struct gate_lock *l)
{
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(QN_URL_MAX);
        const struct qn_inventory_how how = { .no_sandbox = l->no_sandbox };
        struct qn_inventory inv = { 0 };
        struct past p = { .l = l, .tmp = QN_ARENA_INIT((size_t)1 << 20) };
        struct qn_arena mem = QN_ARENA_INIT((size_t)1 << 20);
        struct qn_err err = { 0 };
        char path[4096];
        const char *paths[] = { path };
        int r;

        snprintf(path, sizeof path, "%s/%s", l->dir, l->file);
        qn_buf_printf(&url, "%s/", l->url);
        if (access(path, F_OK) < 0)
                return;
        r = qn_url_parse(qn_buf_view(&url), &mem, &p.gate, NULL);
        if (r == 0)
                r = qn_inventory_scan(&how, paths, 1, &inv, &err);
        if (r < 0 || inv.n_errors)
                log_note("%s was not looked through for what is fetched past the gate: %.*s", path,
                         QN_STR_ARG(r < 0 ? qn_str_c(err.msg[0] ? err.msg : strerrordesc_np(-r))
                                          : inv.errors[0].message));
        for (size_t i = 0; r == 0 && i < inv.n; i++)
                look_through(&p, path, inv.sources[i].bom);
        qn_inventory_done(&inv);
        qn_arena_done(&p.tmp);
        qn_arena_done(&mem);
}
