/* The call of an interface as events: which path, address, command, code and data it gets, as data/apis.yaml says. */
#include <stdio.h>

#include "observe/js-priv.h"
#include "observe/vm-priv.h"

#define ARGV_MAX 64
#define TOLD_MAX 40u   /* times that one call is looked at */
#define FLOW_MAX 1800u /* bytes of a way from source to sink */

/* What somebody would steal. */
#define LOOT                                                                  \
        (~(QN_LABEL_BIT(FILE) | QN_LABEL_BIT(NETWORK) | QN_LABEL_BIT(INPUT) | \
           QN_LABEL_BIT(DECODED)))

struct sink {
        struct qn_vm *vm;
        struct qn_vat at;
        const struct qn_js_api *api;
        struct qn_event e;
        uint16_t data;            /* what is sent, run or written */
        uint16_t result;          /* what comes back */
        struct qn_vobj **address; /* where it goes: kept by what the call returns */
        bool drop, lost;
        uint8_t flags; /* of the code */
};

/* --- the way from source to sink --- */

static void step(struct qn_vm *vm, struct qn_buf *b, const struct qn_vtrace *t)
{
        struct qn_vmod *m = vm->mods[t->mod];
        struct qn_site site = qn_vm_site(vm, (struct qn_vat){ m, t->node });
        struct qn_str text = qn_str_take(site.text, 80);

        if (b->n)
                qn_buf_byte(b, '\n');
        qn_buf_printf(b, "%.*s:%u:%u\t%s\t", QN_STR_ARG(vm->s->graph.files[m->file].path),
                      site.line, site.column, t->what);
        for (size_t i = 0; i < text.n; i++)
                qn_buf_byte(b, (uint8_t)text.p[i] < 0x20 ? ' ' : text.p[i]);
}

void qn_vm_flow(struct qn_vm *vm, struct qn_event *e, uint16_t taint)
{
        uint32_t list[QN_VM_STEPS + 1], n = 0;
        struct qn_buf b = QN_BUF_INIT(FLOW_MAX);
        struct qn_str text;

        for (uint32_t t = vm->taints[taint].trace; t && n <= QN_VM_STEPS; t = vm->traces[t].prev)
                list[n++] = t;
        if (!n || e->n_attrs >= QN_EVENT_ATTRS || e->kind == QN_EVENT_SECRET_READ ||
            e->kind == QN_EVENT_ENV_ENUMERATE || e->kind == QN_EVENT_SYSINFO_READ)
                return;
        while (n--)
                step(vm, &b, &vm->traces[list[n]]);
        text = qn_arena_dup(&vm->a, qn_buf_view(&b));
        qn_buf_done(&b);
        if (text.p)
                qn_event_attr(e, QN_ATTR_FLOW, text);
}

/* --- files --- */

static void also(struct sink *s, struct qn_event *e)
{
        qn_vm_emit(s->vm, s->at, e, 0);
}

static void secret(struct sink *s, const struct qn_path_class *class, struct qn_str path,
                   const char *how)
{
        struct qn_event e = qn_observe_make(class->wallet   ? QN_EVENT_WALLET_READ
                                            : class->memory ? QN_EVENT_MEMORY_READ
                                                            : QN_EVENT_SECRET_READ);

        e.labels = UINT64_C(1) << class->label;
        qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(qn_label_name(class->label)));
        qn_event_attr(&e, QN_ATTR_PATH, path);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        also(s, &e);
}

static bool is_own(const struct sink *s, struct qn_str path)
{
        struct qn_str own = s->vm->s->graph.files[s->at.m->file].path;

        if (!qn_str_starts(path, "./"))
                return false;
        path = qn_str_skip(path, 2);
        return qn_str_eq(path, own) || qn_str_is(path, "package.json");
}

static void own_file(struct sink *s, enum qn_event_kind kind, struct qn_str path, const char *how)
{
        struct qn_event e = qn_observe_make(kind);

        qn_event_attr(&e, QN_ATTR_PATH, path);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        also(s, &e);
}

static void see_path(struct sink *s, struct qn_v v)
{
        struct qn_str path = qn_v_text(qn_vm_to_text(s->vm, v));
        const struct qn_path_class *class;

        if (!path.n || v.kind == QN_V_UNKNOWN)
                return;
        class = qn_classify_path(&s->vm->s->o->classes, path);
        if (class && (s->e.kind == QN_EVENT_FILE_READ || s->e.kind == QN_EVENT_DIR_LIST)) {
                secret(s, class, path, NULL);
                s->result = qn_vm_mix(s->vm, s->result,
                                      qn_vm_source(s->vm, s->at, UINT64_C(1) << class->label,
                                                   "a file with credentials"));
        }
        if (s->e.kind == QN_EVENT_FILE_DELETE && is_own(s, path))
                own_file(s, QN_EVENT_SELF_ERASE, path, NULL);
        qn_event_attr(&s->e, QN_ATTR_PATH, path);
}

static void see_written(struct sink *s, struct qn_v v)
{
        struct qn_str path = qn_v_text(qn_vm_to_text(s->vm, v));
        const struct qn_row_event *class;

        if (!path.n || v.kind == QN_V_UNKNOWN)
                return;
        class = qn_classify_write(&s->vm->s->o->classes, path);
        if (class) {
                struct qn_event more = qn_row_event_make(class);

                qn_event_attr(&more, QN_ATTR_PATH, path);
                also(s, &more);
        }
        if (is_own(s, path))
                own_file(s, QN_EVENT_SELF_ERASE, path, "overwrite");
        qn_event_attr(&s->e, QN_ATTR_PATH, path);
}

/* --- addresses --- */

static void keep_address(struct sink *s, const char *name, struct qn_str value)
{
        struct qn_vm *vm = s->vm;

        if (!*s->address || (*s->address)->born == UINT32_MAX) {
                struct qn_vobj *o = qn_vm_object(vm, QN_VC_OBJECT);

                if (!o)
                        return;
                *s->address = o;
        }
        qn_vm_define(vm, *s->address, qn_vm_key(vm, qn_str_c(name)), qn_v_str(value), false);
}

static void see_url(struct sink *s, struct qn_str text, bool bare)
{
        struct qn_classes const *classes = &s->vm->s->o->classes;
        struct qn_str class;
        struct qn_url url;

        if (!qn_url_split(text, bare, &url) || url.host.p[0] == '*')
                return;
        class = qn_classify_host(classes, url.host, url.path);
        if (!bare) {
                qn_event_attr(&s->e, QN_ATTR_URL, text);
                keep_address(s, "url", text);
        }
        qn_event_attr(&s->e, QN_ATTR_HOST, url.host);
        qn_event_attr(&s->e, QN_ATTR_CLASS, class);
        keep_address(s, "host", url.host);
        keep_address(s, "class", class.p ? class : QN_STR(""));
        if (qn_str_is(class, "cloud-metadata"))
                s->result = qn_vm_mix(s->vm, s->result,
                                      qn_vm_source(s->vm, s->at, QN_LABEL_BIT(CLOUD_METADATA),
                                                   "instance metadata"));
}

static void see_kept_address(struct sink *s)
{
        struct qn_v o = qn_v_obj(*s->address);

        if (!*s->address || qn_event_get(&s->e, QN_ATTR_HOST).n)
                return;
        qn_event_attr(&s->e, QN_ATTR_URL, qn_v_text(qn_vm_prop(s->vm, o, "url")));
        qn_event_attr(&s->e, QN_ATTR_HOST, qn_v_text(qn_vm_prop(s->vm, o, "host")));
        qn_event_attr(&s->e, QN_ATTR_CLASS, qn_v_text(qn_vm_prop(s->vm, o, "class")));
}

static void sends(struct sink *s, struct qn_v v)
{
        if (v.kind == QN_V_UNDEF)
                return;
        s->data = qn_vm_mix(s->vm, s->data, qn_vm_deep_taint(s->vm, v));
        if (s->e.kind == QN_EVENT_NET_CONNECT)
                s->e.kind = QN_EVENT_NET_SEND;
}

/* An address may carry the loot itself: behind something that the program says, a host or a path.  One of which nothing is
 * known is where a setting, a file or a caller sends it. */
static void see_loot_in_address(struct sink *s, struct qn_v v, struct qn_str text)
{
        if (!text.n || qn_str_is(text, "*"))
                return;
        s->data = qn_vm_mix(s->vm, s->data, v.taint);
}

static void see_insecure(struct sink *s, struct qn_v options)
{
        struct qn_v v = qn_vm_prop(s->vm, options, "rejectUnauthorized");
        struct qn_event e = qn_observe_make(QN_EVENT_NET_INSECURE);

        if (v.kind != QN_V_BOOL || v.n)
                return;
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("rejectUnauthorized"));
        also(s, &e);
}

/* { hostname, method, headers, body, rejectUnauthorized } */
static void see_options(struct sink *s, struct qn_v options)
{
        static const char *const hosts[] = { "hostname", "host", "url", "uri", "baseURL", "href" };
        struct qn_vm *vm = s->vm;
        struct qn_str method;

        options = qn_vm_first(options);
        if (options.kind != QN_V_OBJ)
                return;
        for (size_t i = 0; i < QN_ARRAY_SIZE(hosts); i++) {
                struct qn_v v = qn_vm_first(qn_vm_prop(vm, options, hosts[i]));

                if (v.kind == QN_V_STR && !qn_event_get(&s->e, QN_ATTR_HOST).n)
                        see_url(s, qn_v_text(v), i < 2);
                see_loot_in_address(s, v, qn_v_text(v));
        }
        method = qn_v_text(qn_vm_first(qn_vm_prop(vm, options, "method")));
        if (s->e.kind == QN_EVENT_NET_CONNECT &&
            (qn_str_ieq(method, QN_STR("POST")) || qn_str_ieq(method, QN_STR("PUT")) ||
             qn_str_ieq(method, QN_STR("PATCH"))))
                s->e.kind = QN_EVENT_NET_SEND;
        sends(s, qn_vm_prop(vm, options, "body"));
        sends(s, qn_vm_prop(vm, options, "data"));
        s->data = qn_vm_mix(vm, s->data, qn_vm_deep_taint(vm, qn_vm_prop(vm, options, "headers")));
        s->data = qn_vm_mix(vm, s->data, qn_vm_deep_taint(vm, qn_vm_prop(vm, options, "path")));
        s->data = qn_vm_mix(vm, s->data, qn_vm_deep_taint(vm, qn_vm_prop(vm, options, "params")));
        s->data = qn_vm_mix(vm, s->data, qn_vm_deep_taint(vm, qn_vm_prop(vm, options, "json")));
        s->data = qn_vm_mix(vm, s->data, qn_vm_deep_taint(vm, qn_vm_prop(vm, options, "form")));
        see_insecure(s, options);
}

static void see_address(struct sink *s, struct qn_v v, bool bare)
{
        struct qn_v text = qn_vm_to_text(s->vm, v);

        if (v.kind == QN_V_OBJ && !qn_vm_own(v.obj, QN_K_HREF)) {
                see_options(s, v);
                return;
        }
        if (v.kind == QN_V_OBJ || v.kind == QN_V_STR)
                see_url(s, qn_v_text(text), bare);
        see_loot_in_address(s, v, qn_v_text(text));
        see_loot_in_address(s, text, qn_v_text(text));
}

/* --- processes --- */

static bool is_set(struct sink *s, struct qn_v options, const char *name)
{
        struct qn_v v = qn_vm_prop(s->vm, options, name);

        return v.kind == QN_V_BOOL ? v.n : v.kind == QN_V_STR;
}

static void process_how(struct sink *s, struct qn_v options)
{
        char how[64];
        struct qn_v stdio = qn_vm_first(qn_vm_prop(s->vm, options, "stdio")), *list;
        uint32_t n;
        bool hidden = qn_v_exact(stdio) && qn_str_is(qn_v_text(stdio), "ignore");

        if (qn_v_is_obj(stdio, QN_VC_ARRAY) && qn_vm_elements(s->vm, stdio, &list, &n) && n > 1)
                hidden = qn_str_is(qn_v_text(list[1]), "ignore");
        hidden |= is_set(s, options, "windowsHide");
        snprintf(how, sizeof how, "%.*s%s%s%s",
                 QN_STR_ARG(qn_str_take(qn_event_get(&s->e, QN_ATTR_HOW), 20)),
                 is_set(s, options, "shell") ? " shell" : "",
                 is_set(s, options, "detached") ? " detached" : "", hidden ? " hidden" : "");
        qn_event_attr(&s->e, QN_ATTR_HOW, qn_arena_dup(&s->vm->a, qn_str_trim(qn_str_c(how))));
}

static size_t argv_of(struct sink *s, struct qn_v array, struct qn_str *argv, size_t n)
{
        struct qn_v *list;
        uint32_t count;

        if (!qn_vm_elements(s->vm, array, &list, &count))
                return n;
        for (uint32_t i = 0; i < count && n < ARGV_MAX; i++) {
                struct qn_v t = qn_vm_to_text(s->vm, list[i]);

                argv[n++] = t.kind == QN_V_STR && t.n ? qn_v_text(t) : QN_STR("*");
        }
        return n;
}

struct process {
        struct qn_str argv[ARGV_MAX], line;
        size_t n;
        bool words;
};

static void process_arg(struct sink *s, struct process *p, unsigned role, struct qn_v v,
                        const struct qn_site *site)
{
        struct qn_v t;

        if (role == QN_ROLE_COMMAND && v.kind != QN_V_OBJ) {
                t = qn_vm_to_text(s->vm, v);
                if (v.kind == QN_V_STR || v.kind == QN_V_ALT)
                        p->line = qn_v_text(t);
                p->argv[p->n++] = t.kind == QN_V_STR ? qn_v_text(t) : QN_STR("*");
                s->flags |= v.flags;
                s->lost |= (v.flags | t.flags) & QN_VF_LOST;
        } else if (role == QN_ROLE_FILE && v.kind == QN_V_STR) {
                qn_event_attr(&s->e, QN_ATTR_TARGET, qn_v_text(v));
                qn_site_file(s->vm->s, site, qn_v_text(v), true);
        } else if ((role == QN_ROLE_ARGV || role == QN_ROLE_COMMAND) &&
                   qn_v_is_obj(v, QN_VC_ARRAY)) {
                p->n = argv_of(s, v, p->argv, p->n);
                p->words = true;
        } else if (v.kind == QN_V_OBJ && v.obj->cls == QN_VC_OBJECT) {
                process_how(s, v);
                return;
        }
        s->data = qn_vm_mix(s->vm, s->data, qn_vm_deep_taint(s->vm, v));
}

/* new Worker(code, { eval: true }) */
static bool is_code_for_worker(struct sink *s, struct qn_vargs *args)
{
        return s->api->n_roles && s->api->roles[0] == QN_ROLE_FILE &&
               is_set(s, qn_vm_arg(args, 1), "eval");
}

static void see_process(struct sink *s, struct qn_vargs *args)
{
        struct process p = { .n = 0 };
        struct qn_command_sum sum = { 0 };
        struct qn_site site = qn_vm_site(s->vm, s->at);

        qn_sink_file(&s->vm->s->sink, s->vm->s->graph.files[s->at.m->file].path);
        for (unsigned i = 0; i < s->api->n_roles && i < args->n; i++)
                process_arg(s, &p, s->api->roles[i], qn_vm_first(args->v[i]), &site);
        s->vm->s->path = s->vm->s->graph.files[s->at.m->file].path;
        if (p.n && (p.words || (p.line.n && qn_str_chr(p.line, ' ') < 0)))
                qn_site_argv(s->vm->s, &site, p.argv, p.n, &sum);
        else if (p.line.n)
                qn_site_command(s->vm->s, &site, p.line, &sum);
        if (p.words)
                p.line = qn_jso_const_join(&s->vm->a, p.argv, p.n, QN_STR(" "));
        qn_event_attr(&s->e, QN_ATTR_COMMAND, p.line);
        qn_event_attr(&s->e, QN_ATTR_PROGRAM, sum.program);
        if (sum.target.n)
                qn_event_attr(&s->e, QN_ATTR_TARGET, sum.target);
        if (sum.hidden || sum.background)
                qn_event_attr(&s->e, QN_ATTR_FLAGS,
                              sum.hidden ? QN_STR("hidden") : QN_STR("background"));
        s->result = qn_vm_mix(s->vm, s->result,
                              qn_vm_source(s->vm, s->at, sum.labels, "printed by a command"));
        s->e.labels |= sum.labels;
}

/* --- code --- */

/* Function('return this') and the like find the global object. */
static bool is_harmless(struct qn_str code)
{
        static const char *const list[] = { "return this", "return this;", "this",
                                            "return globalThis", "return true" };

        code = qn_str_trim(code);
        for (size_t i = 0; i < QN_ARRAY_SIZE(list); i++)
                if (qn_str_is(code, list[i]))
                        return true;
        return code.n < 3;
}

static uint16_t without_decoded(struct qn_vm *vm, uint16_t taint)
{
        return qn_vm_taint(vm, vm->taints[taint].labels & ~QN_LABEL_BIT(DECODED),
                           vm->taints[taint].trace);
}

static void see_code(struct sink *s, struct qn_v v)
{
        struct qn_vm *vm = s->vm;
        const char *what = "computed";

        if (v.kind == QN_V_OBJ && v.obj->cls == QN_VC_BUFFER)
                v = qn_vm_to_text(vm, v);
        if ((v.kind == QN_V_OBJ && v.obj->cls != QN_VC_OBJECT) || v.kind == QN_V_NUM ||
            v.kind == QN_V_UNDEF || v.kind == QN_V_BOOL) {
                s->drop = true; /* a function, a number: not text */
                return;
        }
        s->data = qn_vm_mix(vm, s->data, qn_vm_deep_taint(vm, v));
        s->flags |= v.flags;
        if (qn_v_exact(v)) {
                if (is_harmless(qn_v_text(v)) && !s->data && !(v.flags & QN_VF_LOST)) {
                        s->drop = true;
                        return;
                }
                what = "constant";
                s->data = without_decoded(vm, s->data); /* what it says is looked at instead */
        } else if (v.flags & QN_VF_DECODED || vm->taints[s->data].labels & QN_LABEL_BIT(DECODED)) {
                what = "decoded";
                s->e.labels |= QN_LABEL_BIT(DECODED);
        } else if (vm->taints[s->data].labels & QN_LABEL_BIT(NETWORK) && !qn_v_exact(v)) {
                what = "network";
        }
        s->lost |= v.flags & QN_VF_LOST;
        qn_event_attr(&s->e, QN_ATTR_VALUE, qn_str_c(what));
}

/* A text that is no number is the path of a pipe on this machine (Node's net.connect(path)). */
static void see_port(struct sink *s, struct qn_v v)
{
        struct qn_str text = qn_v_text(v);

        for (size_t i = 0; v.kind == QN_V_STR && i < text.n; i++)
                if ((text.p[i] < '0' || text.p[i] > '9') && text.p[i] != '*') {
                        qn_event_attr(&s->e, QN_ATTR_HOW, QN_STR("ipc"));
                        return;
                }
        see_address(s, v, true);
}

/* --- one argument --- */

static void see_arg(struct sink *s, unsigned role, struct qn_v v)
{
        struct qn_vm *vm = s->vm;

        switch (role) {
        case QN_ROLE_PATH:
                see_path(s, v);
                break;
        case QN_ROLE_TO:
                see_written(s, v);
                break;
        case QN_ROLE_URL:
                see_address(s, v, false);
                break;
        case QN_ROLE_REDIRECT:
                see_address(s, v, false);
                s->drop |= !qn_event_get(&s->e, QN_ATTR_HOST).n;
                break;
        case QN_ROLE_HOST:
                see_address(s, v, true);
                break;
        case QN_ROLE_PORT:
                see_port(s, v);
                break;
        case QN_ROLE_OPTIONS:
                see_options(s, v);
                if (s->e.kind == QN_EVENT_FILE_DELETE && is_set(s, v, "recursive"))
                        qn_event_attr(&s->e, QN_ATTR_HOW, QN_STR("recursive"));
                break;
        case QN_ROLE_DATA:
                s->data = qn_vm_mix(vm, s->data, qn_vm_deep_taint(vm, v));
                s->flags |= v.flags;
                break;
        case QN_ROLE_NAME:
                if (v.kind == QN_V_STR)
                        qn_event_attr(&s->e, QN_ATTR_NAME, qn_v_text(v));
                s->data = qn_vm_mix(vm, s->data, qn_vm_deep_taint(vm, v));
                break;
        case QN_ROLE_RECORD:
                if (s->e.kind == QN_EVENT_DNS_QUERY && v.kind == QN_V_STR &&
                    !qn_str_ieq(qn_v_text(v), QN_STR("TXT")))
                        qn_event_attr(&s->e, QN_ATTR_HOW, QN_STR("name"));
                break;
        case QN_ROLE_CODE:
                see_code(s, v);
                break;
        default:
                break;
        }
}

/* fs.writeFileSync(path, text) where the text came out of a decoder: it is code that somebody will run. */
static void see_dropped(struct sink *s, struct qn_vargs *args)
{
        struct qn_v v = args->n > 1 ? qn_vm_to_text(s->vm, qn_vm_first(args->v[1])) : qn_v_undef();
        struct qn_str path = qn_event_get(&s->e, QN_ATTR_PATH);

        if (s->e.kind != QN_EVENT_FILE_WRITE || !qn_v_exact(v) ||
            !(args->v[1].flags & QN_VF_DECODED))
                return;
        if (qn_str_ends(path, ".js") || qn_str_ends(path, ".mjs") || qn_str_ends(path, ".cjs"))
                qn_vm_run_text(s->vm, s->at, qn_v_text(v), NULL);
}

/* The home directory or everything; unlink(), rmdir() and truncate() do nothing to a directory that holds something. */
static void see_destruction(struct sink *s)
{
        static const char *const weak[] = { "unlink", "truncate", "rmdir" };
        struct qn_str path = qn_event_get(&s->e, QN_ATTR_PATH);
        bool tree = true;

        for (size_t i = 0; i < QN_ARRAY_SIZE(weak); i++)
                tree &= !qn_str_starts(s->api->name, weak[i]);
        tree |= qn_str_is(qn_event_get(&s->e, QN_ATTR_HOW), "recursive");
        if (tree && (qn_str_is(path, "~") || qn_str_is(path, "/") || qn_str_is(path, "~/")))
                own_file(s, QN_EVENT_SYSTEM_DESTROY, path, NULL);
}

static void finish(struct sink *s)
{
        uint64_t labels = s->vm->taints[s->data].labels | s->e.labels;

        if (s->e.kind == QN_EVENT_FILE_DELETE)
                see_destruction(s);
        if (s->e.kind == QN_EVENT_NET_SEND || s->e.kind == QN_EVENT_NET_CONNECT)
                see_kept_address(s);
        if (s->e.kind == QN_EVENT_NET_CONNECT && (labels & LOOT))
                s->e.kind = QN_EVENT_NET_SEND;
        if (s->lost &&
            qn_scan_unanalysed(s->vm->s, "computation", s->vm->s->graph.files[s->at.m->file].path,
                               "code or a command is made by a computation too long to follow") < 0)
                s->vm->s->graph.full = true;
        qn_vm_emit(s->vm, s->at, &s->e, s->data);
}

static void see_worker(struct sink *s, struct qn_v code)
{
        s->e = qn_observe_make(QN_EVENT_CODE_EVAL);
        qn_event_attr(&s->e, QN_ATTR_HOW, QN_STR("worker"));
        see_code(s, code);
        if (s->drop)
                return;
        finish(s);
        if (qn_v_exact(code))
                qn_vm_run_text(s->vm, s->at, qn_v_text(code), NULL);
}

static void see_call(struct sink *s, struct qn_vargs *args)
{
        if (s->e.kind == QN_EVENT_PROC_EXEC && is_code_for_worker(s, args)) {
                see_worker(s, qn_vm_first(qn_vm_arg(args, 0)));
                return;
        }
        if (s->e.kind == QN_EVENT_PROC_EXEC)
                see_process(s, args);
        for (unsigned i = 0; i < s->api->n_roles && i < args->n && s->e.kind != QN_EVENT_PROC_EXEC;
             i++) {
                struct qn_v v = qn_vm_settled(s->vm, qn_vm_first(args->v[i]));

                if (s->api->roles[i] == QN_ROLE_CODE_LAST)
                        see_code(s, qn_vm_first(args->v[args->n - 1]));
                else
                        see_arg(s, s->api->roles[i], v);
        }
        if (s->drop)
                return;
        finish(s);
        see_dropped(s, args);
}

static void see_probe(struct sink *s, struct qn_v v)
{
        struct qn_str path = qn_v_text(qn_vm_first(v));
        const struct qn_path_class *class =
                path.n ? qn_classify_path(&s->vm->s->o->classes, path) : NULL;

        if (class)
                secret(s, class, path, "exists");
}

static void see_timer(struct sink *s, struct qn_vargs *args)
{
        struct qn_v f = qn_vm_first(qn_vm_arg(args, 0)), ms = qn_vm_first(qn_vm_arg(args, 1));
        char text[32];

        if (f.kind == QN_V_STR) {
                s->e = qn_observe_make(QN_EVENT_CODE_EVAL);
                qn_event_attr(&s->e, QN_ATTR_HOW, QN_STR("timer"));
                see_code(s, f);
                if (!s->drop)
                        finish(s);
        }
        if (ms.kind != QN_V_NUM || !(ms.num >= 3600e3) || ms.num > 2147483647.0 * 4 ||
            ms.num == 2147483647.0)
                return; /* the longest there is means "never" */
        s->e = qn_observe_make(QN_EVENT_TIME_WAIT);
        snprintf(text, sizeof text, "%.0f", ms.num);
        qn_event_attr(&s->e, QN_ATTR_HOW, QN_STR("timer"));
        qn_event_attr(&s->e, QN_ATTR_VALUE, qn_arena_dup(&s->vm->a, qn_str_c(text)));
        also(s, &s->e);
}

static void one_call(struct sink *s, struct qn_vargs *args)
{
        switch (s->api->is) {
        case QN_IS_TIMER:
                see_timer(s, args);
                return;
        case QN_IS_PROBE:
                see_probe(s, qn_vm_arg(args, 0));
                return;
        default:
                break;
        }
        if (!s->api->call || !s->api->has_event)
                return;
        s->e = qn_row_event_make(&s->api->event);
        see_call(s, args);
}

uint16_t qn_vm_sink(struct qn_vm *vm, struct qn_vat at, const struct qn_js_api *api,
                    struct qn_vobj **address, struct qn_vargs *args)
{
        struct sink s = { .vm = vm, .at = at, .api = api, .address = address };
        struct qn_v first = qn_vm_arg(args, 0);
        uint16_t result = qn_vm_source(vm, at, api->labels, "made here");

        if (at.m->told[at.node] >= TOLD_MAX) /* a call in a loop: the rest is more of the same */
                return result;
        at.m->told[at.node]++;
        for (uint32_t i = 0; i < qn_vm_count(first);
             i++) { /* each address, path or command that it may be */
                if (args->n)
                        args->v[0] = qn_vm_alt(first, i);
                s.drop = s.lost = false;
                s.data = 0;
                one_call(&s, args);
        }
        if (args->n)
                args->v[0] = first;
        return qn_vm_mix(vm, s.result, result);
}

void qn_vm_sink_assigned(struct qn_vm *vm, struct qn_vat at, const struct qn_js_api *api,
                         struct qn_v v)
{
        struct qn_vobj *none = NULL;
        struct sink s = { .vm = vm,
                          .at = at,
                          .api = api,
                          .address = &none,
                          .e = qn_row_event_make(&api->assigned) };

        if (s.e.kind == QN_EVENT_BROWSER_HOOK && v.kind != QN_V_OBJ && v.kind != QN_V_UNKNOWN)
                return;
        if (s.e.kind == QN_EVENT_BROWSER_HOOK && v.kind == QN_V_UNKNOWN && !at.node)
                return;
        if (qn_str_is(qn_event_get(&s.e, QN_ATTR_HOW), "redirect")) {
                see_address(&s, qn_vm_first(v), false);
                if (!qn_event_get(&s.e, QN_ATTR_HOST).n)
                        return;
        }
        if (s.e.kind == QN_EVENT_NET_CONNECT || s.e.kind == QN_EVENT_NET_SEND)
                see_address(&s, qn_vm_first(v), false);
        qn_vm_emit(vm, at, &s.e, s.data);
}
