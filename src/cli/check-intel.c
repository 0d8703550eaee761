#include "cli/check-intel.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/io.h"
#include "base/log.h"
#include "base/map.h"
#include "cli/check-item.h"
#include "intel/match.h"
#include "intel/record.h"
#include "intel/trust.h"
#include "observe/classify.h"
#include "parse/indicator.h"
#include "parse/semver.h"
#include "role/input.h"

struct qn_check_intel {
        struct qn_intel *index;
        struct qn_intel_trust *trust;
        struct qn_arena tables, tmp; /* tmp: of one item */
        int64_t now_ms;
        int known; /* -1: nothing is listed */
};

static int seal_known(struct qn_check_intel *ci)
{
        struct qn_cur table;
        int r = qn_intel_known(ci->index, &table);

        return r < 0 || !qn_cur_left(&table) ? r : qn_input_sealed(table, &ci->known);
}

int qn_check_intel_known(const struct qn_check_intel *ci)
{
        return ci->known;
}

int qn_check_intel_open(const char *state_dir, const char *data_dir, bool only,
                        struct qn_check_intel **ret)
{
        _cleanup_(qn_check_intel_freep) struct qn_check_intel *ci = calloc(1, sizeof *ci);
        struct qn_err err = { 0 };
        char dir[4096];
        int r;

        if (!ci)
                return log_err(-ENOMEM, "%s", strerror(ENOMEM));
        ci->tables = QN_ARENA_INIT((size_t)64 << 20);
        ci->tmp = QN_ARENA_INIT((size_t)256 << 20);
        ci->now_ms = (int64_t)time(NULL) * 1000;
        ci->known = -1;
        *ret = NULL;
        snprintf(dir, sizeof dir, "%s/intel", state_dir);
        r = qn_intel_open(dir, &ci->index, &err);
        if (r == -ENOENT && !only)
                return 0;
        if (r == 0)
                r = qn_intel_trust_load(data_dir, &ci->tables, &ci->trust, &err);
        if (r == 0 && !only)
                r = seal_known(ci);
        if (r < 0)
                return log_err(r, "%s", err.msg[0] ? err.msg : strerror(-r));
        *ret = TAKE_PTR(ci);
        return 0;
}

struct qn_check_intel *qn_check_intel_free(struct qn_check_intel *ci)
{
        if (!ci)
                return NULL;
        qn_intel_close(ci->index);
        qn_closep(&ci->known);
        qn_arena_done(&ci->tables);
        qn_arena_done(&ci->tmp);
        free(ci);
        return NULL;
}

void qn_check_intel_freep(struct qn_check_intel **ci)
{
        *ci = qn_check_intel_free(*ci);
}

/* --- what is known about the version --- */

static struct qn_str join(struct qn_arena *a, const struct qn_str *list, size_t n)
{
        struct qn_buf b = QN_BUF_INIT(1024);
        struct qn_str s;

        for (size_t i = 0; i < n; i++)
                qn_buf_printf(&b, "%s%.*s", i ? ", " : "", QN_STR_ARG(list[i]));
        s = qn_arena_dup(a, qn_buf_view(&b));
        qn_buf_done(&b);
        return s;
}

static int add_match(struct qn_check_intel *ci, struct qn_event_set *set,
                     const struct qn_intel_match *m)
{
        struct qn_event e = qn_event_make(QN_EVENT_INTEL_MATCH, QN_LAYER_INTEL, QN_FILE_NONE);

        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(qn_intel_kind_name(m->kind)));
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(qn_intel_sure_name(m->sure)));
        qn_event_attr(&e, QN_ATTR_WHICH, m->id);
        qn_event_attr(&e, QN_ATTR_NAME, join(&ci->tmp, m->origins, m->n_origins));
        qn_event_attr(&e, QN_ATTR_VALUE, m->severity);
        qn_event_attr(&e, QN_ATTR_DETAIL, m->why);
        return qn_event_add(set, &e);
}

/* Empty when nobody could tell the version: then only what all of the package is said to be counts. */
static struct qn_str version_of(const struct qn_item *it)
{
        struct qn_semver v;

        if (it->version.n || qn_semver_parse(it->range, 0, &v) < 0)
                return it->version;
        return it->range;
}

static int add_matches(struct qn_check_intel *ci, const struct qn_item *it,
                       struct qn_event_set *set)
{
        const struct qn_intel_question q = { .name = it->name,
                                             .version = version_of(it),
                                             .whole = !version_of(it).n,
                                             .integrity = it->integrity,
                                             .now_ms = ci->now_ms };
        struct qn_intel_answer ans;
        int r;

        /* A directory is somebody's own, whatever it calls itself. */
        if (!it->name.n || it->is_dir)
                return 0;
        r = qn_intel_match(ci->index, ci->trust, &q, &ci->tmp, &ans);
        if (r < 0)
                return r;
        for (size_t i = 0; r == 0 && i < ans.n; i++)
                r = add_match(ci, set, &ans.matches[i]);
        return r;
}

/* --- hosts, addresses and hashes that the events name --- */

struct finder {
        struct qn_check_intel *ci;
        const struct qn_event_set *from;
        struct qn_event_set *to;
        const struct qn_event *base;
        enum qn_indicator_kind kind;
        struct qn_str value;
};

/* Files that packages share: that one of them lay in a bad package says nothing. */
static bool is_noise(struct qn_str note)
{
        static const char *const names[] = { "package.json", "readme", "license", "licence",
                                             "changelog",    ".d.ts",  ".md",     ".map" };
        struct qn_str base = qn_str_base(note);

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                if (qn_str_ieq(qn_str_take(base, strlen(names[i])), qn_str_c(names[i])) ||
                    qn_str_ends(base, names[i]))
                        return true;
        return false;
}

static bool counts(const struct finder *f, const struct qn_osv *osv)
{
        if (osv->withdrawn.n || !osv->malware)
                return false;
        if ((f->kind == QN_IOC_DOMAIN || f->kind == QN_IOC_IP) &&
            (qn_intel_is_shared_host(f->ci->trust, f->value) ||
             qn_str_is(qn_classify_ip(f->value), "private")))
                return false;
        for (size_t i = 0; i < osv->n_indicators; i++)
                if (osv->indicators[i].kind == f->kind &&
                    qn_str_eq(qn_indicator_key(f->kind, osv->indicators[i].value),
                              qn_indicator_key(f->kind, f->value)))
                        return !is_noise(osv->indicators[i].note);
        return false;
}

/* The event that names it; what only stands there is a literal, and what has the hash a file. */
static const char *how_of(const struct finder *f)
{
        if (f->kind == QN_IOC_SHA256 || f->kind == QN_IOC_SHA1 || f->kind == QN_IOC_SHA512)
                return "file";
        if (f->base->kind == QN_EVENT_INTEL_MATCH || f->base->kind == QN_EVENT_URL_LITERAL)
                return "literal";
        return qn_event_name(f->base->kind);
}

static int on_record(void *ctx, const struct qn_intel_record *rec)
{
        struct finder *f = ctx;
        struct qn_event e = qn_event_make(QN_EVENT_INTEL_MATCH, QN_LAYER_INTEL, QN_FILE_NONE);
        struct qn_osv *osv;
        int r = qn_intel_unpack(rec->head, &f->ci->tmp, &osv);

        if (r == 0)
                r = qn_intel_complete(f->ci->index, rec, &f->ci->tmp, osv);
        if (r < 0 || !counts(f, osv))
                return r;
        if (f->base->file < f->from->n_files)
                e.file = qn_event_set_file(f->to, f->from->files[f->base->file]);
        e.phase = f->base->phase;
        e.off = f->base->off;
        e.line = f->base->line;
        e.column = f->base->column;
        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("indicator"));
        qn_event_attr(&e, QN_ATTR_CLASS, qn_str_c(qn_indicator_name(f->kind)));
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how_of(f)));
        qn_event_attr(&e, QN_ATTR_WHICH, osv->id);
        qn_event_attr(&e, QN_ATTR_VALUE, f->value);
        qn_event_attr(&e, QN_ATTR_FLAGS, osv->n_affected ? QN_STR("evidence") : QN_STR("listed"));
        r = qn_event_add(f->to, &e);
        return r < 0 ? r : 1; /* one record is enough */
}

static int ask(struct finder *f, enum qn_indicator_kind kind, struct qn_str value)
{
        int r;

        f->kind = kind;
        f->value = value;
        r = qn_intel_by_indicator(f->ci->index, kind, value, on_record, f);
        return r == -ENOENT ? 0 : r;
}

/* The host or a domain above it, down to two labels. */
static int ask_host(struct finder *f, struct qn_str host)
{
        int r = ask(f, QN_IOC_IP, host);

        while (r == 0 && memchr(host.p, '.', host.n)) {
                r = ask(f, QN_IOC_DOMAIN, host);
                (void)qn_str_cut(&host, '.');
        }
        return r;
}

static int ask_value(struct finder *f, struct qn_str kind, struct qn_str value)
{
        for (unsigned i = 0; i < QN_IOC_MAX; i++)
                if (qn_str_is(kind, qn_indicator_name(i)))
                        return ask(f, i, value);
        return 0;
}

static int look_at(struct finder *f, const struct qn_event *e)
{
        struct qn_str host = qn_event_get(e, QN_ATTR_HOST), url = qn_event_get(e, QN_ATTR_URL);
        int r = 0;

        f->base = e;
        if (e->kind == QN_EVENT_INTEL_MATCH && e->layer != QN_LAYER_INTEL)
                r = ask_value(f, qn_event_get(e, QN_ATTR_CLASS), qn_event_get(e, QN_ATTR_VALUE));
        if (r == 0 && url.n)
                r = ask(f, QN_IOC_URL, url);
        return r == 0 && host.n ? ask_host(f, host) : r;
}

static int add_indicators(struct qn_check_intel *ci, const struct qn_event_set *from,
                          struct qn_event_set *to)
{
        struct finder f = { .ci = ci, .from = from, .to = to };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < from->n; i++)
                r = look_at(&f, &from->events[i]);
        return r < 0 ? r : 0;
}

int qn_check_intel_add(struct qn_check_intel *ci, struct qn_item *it)
{
        struct qn_event_set known, merged;
        int r;

        qn_event_set_init(&known, &it->mem);
        known.name = it->name;
        known.version = version_of(it);
        known.integrity = it->integrity;
        r = add_matches(ci, it, &known);
        if (r == 0)
                r = add_indicators(ci, &it->set, &known);
        qn_arena_reset(&ci->tmp, 1 << 20);
        if (r == 0)
                r = qn_event_set_seal(&known);
        if (r < 0 || (known.n == 0 && it->set.arena))
                return r;
        if (!it->set.arena) {
                it->set = known;
                return 0;
        }
        r = qn_event_set_merge(&it->set, &known, &it->mem, &merged);
        if (r == 0)
                it->set = merged;
        return r;
}
