/* Calls, imports and reads of interfaces → events, as data/apis.yaml says. */
#include <stdio.h>

#include "base/limits.h"
#include "observe/js-priv.h"
#include "observe/js.h"
#include "parse/js-tok.h"

#define ARGV_MAX 64

static struct qn_event from_row(const struct qn_row_event *row)
{
        return qn_row_event_make(row);
}

/* --- modules --- */

static bool is_relative(struct qn_str spec)
{
        return spec.n && (spec.p[0] == '.' || spec.p[0] == '#' || spec.p[0] == '/');
}

struct qn_str qn_module_package(struct qn_str spec)
{
        struct qn_str rest = spec, first = qn_str_cut(&rest, '/');

        if (first.n && first.p[0] == '@' && rest.n)
                return qn_str_take(spec, first.n + 1 + qn_str_cut(&rest, '/').n);
        return first;
}

/* A font, picture or sound loaded as if it were a program. */
static bool is_odd_program(struct qn_str spec)
{
        static const char *const ext[] = { ".woff", ".woff2", ".ttf", ".png", ".jpg",
                                           ".ico",  ".wav",   ".mp3", ".dat", ".bin" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(ext); i++)
                if (qn_str_ends(spec, ext[i]))
                        return true;
        return false;
}

static bool is_data_url(struct qn_str spec)
{
        return qn_str_starts(spec, "data:") || qn_str_starts(spec, "blob:") ||
               qn_str_starts(spec, "http:") || qn_str_starts(spec, "https:");
}

static void load_module(struct qn_js_file *j, uint32_t node, struct qn_str spec, const char *how)
{
        struct qn_site site = qn_jso_site(j, node);
        struct qn_event e;

        if (is_data_url(spec)) {
                e = qn_observe_make(QN_EVENT_CODE_LOAD);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("import-url"));
                qn_event_attr(&e, QN_ATTR_URL, spec);
                qn_jso_emit(j, &e, node);
                return;
        }
        qn_site_file(j->s, &site, spec, false);
        if (qn_str_ends(spec, ".node")) {
                e = qn_observe_make(QN_EVENT_NATIVE_LOAD);
                qn_event_attr(&e, QN_ATTR_PATH, spec);
                qn_jso_emit(j, &e, node);
        }
        if (is_relative(spec) && !is_odd_program(spec))
                return;
        e = qn_observe_make(QN_EVENT_MODULE_LOAD);
        qn_event_attr(&e, QN_ATTR_MODULE, is_relative(spec) ? spec : qn_module_package(spec));
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_jso_emit(j, &e, node);
}

/* require(x), import(x) with an argument that is not plain text. */
static void load_computed(struct qn_js_file *j, uint32_t node, const struct qn_js_val *v,
                          const char *how)
{
        struct qn_event e = qn_observe_make(QN_EVENT_MODULE_LOAD_DYNAMIC);

        if (v->kind == QN_VAL_STRING && is_data_url(v->str)) {
                load_module(j, node, v->str, how);
                return;
        }
        if (v->kind == QN_VAL_STRING && v->str.n > 2 && v->str.p[0] == '.' &&
            qn_str_chr(v->str, '*') < 0) {
                load_module(j, node, v->str, how);
                return;
        }
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_event_attr(&e, QN_ATTR_VALUE, v->decoded ? QN_STR("decoded") : (struct qn_str){ 0 });
        qn_jso_emit(j, &e, node);
}

static void see_require(struct qn_js_file *j, uint32_t node, uint32_t arg, const char *how)
{
        struct qn_js_val v = qn_jso_eval(j, arg, 0);

        if (!arg)
                return;
        if (v.kind == QN_VAL_STRING && v.exact && v.str.n)
                load_module(j, node, v.str, v.decoded ? "decoded" : how);
        else
                load_computed(j, node, &v, how);
}

static void see_import(struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);
        uint32_t source = n->first;

        if (n->type == QN_JS_EXPORT_NAMED)
                source = qn_js_child(j->ast, node, 1);
        if (source && qn_jsn(j, source)->type == QN_JS_STRING)
                load_module(j, node, qn_js_string(j->ast, source, j->a), "import");
}

/* --- files --- */

/* ./x below the package, ./lib/../x …: as the graph names files. */
static bool is_own_file(struct qn_js_file *j, struct qn_str path)
{
        struct qn_str own = j->s->path;

        if (!qn_str_starts(path, "./"))
                return false;
        path = qn_str_skip(path, 2);
        return qn_str_eq(path, own) || qn_str_is(path, "package.json");
}

static void secret_event(struct qn_js_file *j, uint32_t node, const struct qn_path_class *class,
                         struct qn_str path, const char *how)
{
        struct qn_event e = qn_observe_make(class->wallet   ? QN_EVENT_WALLET_READ
                                            : class->memory ? QN_EVENT_MEMORY_READ
                                                            : QN_EVENT_SECRET_READ);

        e.labels = UINT64_C(1) << class->label;
        qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(qn_label_name(class->label)));
        qn_event_attr(&e, QN_ATTR_PATH, path);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_jso_emit(j, &e, node);
}

static void see_path(struct qn_js_file *j, uint32_t node, struct qn_event *e,
                     const struct qn_js_val *v)
{
        const struct qn_path_class *class;

        if (v->kind != QN_VAL_STRING || !v->str.n)
                return;
        class = qn_classify_path(&j->s->o->classes, v->str);
        if (class && (e->kind == QN_EVENT_FILE_READ || e->kind == QN_EVENT_DIR_LIST))
                secret_event(j, node, class, v->str, NULL);
        if (e->kind == QN_EVENT_FILE_DELETE && is_own_file(j, v->str)) {
                struct qn_event own = qn_observe_make(QN_EVENT_SELF_ERASE);

                qn_event_attr(&own, QN_ATTR_PATH, v->str);
                qn_jso_emit(j, &own, node);
        }
        if (e->kind == QN_EVENT_FILE_DELETE &&
            (qn_str_is(v->str, "~") || qn_str_is(v->str, "/") || qn_str_is(v->str, "~/"))) {
                struct qn_event all = qn_observe_make(QN_EVENT_SYSTEM_DESTROY);

                qn_event_attr(&all, QN_ATTR_PATH, v->str);
                qn_jso_emit(j, &all, node);
        }
        qn_event_attr(e, QN_ATTR_PATH, v->str);
}

static void see_written(struct qn_js_file *j, uint32_t node, struct qn_event *e,
                        const struct qn_js_val *v)
{
        const struct qn_row_event *class;
        struct qn_event more;

        if (v->kind != QN_VAL_STRING || !v->str.n)
                return;
        class = qn_classify_write(&j->s->o->classes, v->str);
        if (class) {
                more = from_row(class);
                qn_event_attr(&more, QN_ATTR_PATH, v->str);
                qn_jso_emit(j, &more, node);
        }
        if (is_own_file(j, v->str)) {
                more = qn_observe_make(QN_EVENT_SELF_ERASE);
                qn_event_attr(&more, QN_ATTR_PATH, v->str);
                qn_event_attr(&more, QN_ATTR_HOW, QN_STR("overwrite"));
                qn_jso_emit(j, &more, node);
        }
        qn_event_attr(e, QN_ATTR_PATH, v->str);
}

/* --- addresses --- */

static void see_url(struct qn_js_file *j, struct qn_event *e, struct qn_str text, bool bare)
{
        struct qn_url url;
        struct qn_str class;

        if (!qn_url_split(text, bare, &url) || url.host.p[0] == '*')
                return;
        class = qn_classify_host(&j->s->o->classes, url.host, url.path);
        if (!bare)
                qn_event_attr(e, QN_ATTR_URL, text);
        qn_event_attr(e, QN_ATTR_HOST, url.host);
        qn_event_attr(e, QN_ATTR_CLASS, class);
}

bool qn_jso_address(struct qn_js_file *j, struct qn_event *e, const struct qn_js_val *v)
{
        if (v->kind == QN_VAL_STRING)
                see_url(j, e, v->str, false);
        return qn_event_get(e, QN_ATTR_HOST).n > 0;
}

/* { hostname, method, headers, body, rejectUnauthorized } */
static void see_options(struct qn_js_file *j, struct qn_event *e, uint32_t arg)
{
        static const char *const hosts[] = { "hostname", "host", "url", "uri", "baseURL", "href" };
        struct qn_str method;

        for (size_t i = 0; i < QN_ARRAY_SIZE(hosts); i++) {
                uint32_t p = qn_jso_property(j, arg, hosts[i]);
                struct qn_js_val v = qn_jso_eval(j, p, 0);

                if (p && v.kind == QN_VAL_STRING && !qn_event_get(e, QN_ATTR_HOST).n)
                        see_url(j, e, v.str, i < 2);
        }
        method = qn_jso_text(j, qn_jso_property(j, arg, "method"));
        if (qn_str_ieq(method, QN_STR("POST")) || qn_str_ieq(method, QN_STR("PUT")) ||
            qn_str_ieq(method, QN_STR("PATCH")))
                e->kind = QN_EVENT_NET_SEND;
        if (e->kind == QN_EVENT_NET_CONNECT &&
            (qn_jso_property(j, arg, "body") || qn_jso_property(j, arg, "data")))
                e->kind = QN_EVENT_NET_SEND;
}

/* --- processes --- */

static size_t argv_of(struct qn_js_file *j, uint32_t array, struct qn_str *argv, size_t n)
{
        struct qn_js_val a = qn_jso_eval(j, array, 0);

        if (a.kind != QN_VAL_NODE || qn_jsn(j, a.node)->type != QN_JS_ARRAY)
                return n;
        for (uint32_t c = qn_jsn(j, a.node)->first; c && n < ARGV_MAX; c = qn_jsn(j, c)->next) {
                struct qn_js_val v = qn_jso_eval(j, c, 0);

                argv[n++] = v.kind == QN_VAL_STRING && v.str.n ? v.str : QN_STR("*");
        }
        return n;
}

static bool is_true(struct qn_js_file *j, uint32_t options, const char *name)
{
        uint32_t v = qn_jso_property(j, options, name);

        return v && qn_jsn(j, v)->type == QN_JS_TRUE;
}

/* What the options tell: shell, detached, output thrown away. */
static void process_how(struct qn_js_file *j, uint32_t options, struct qn_event *e)
{
        char how[48] = "";
        struct qn_str was = qn_event_get(e, QN_ATTR_HOW);
        struct qn_str stdio = qn_jso_text(j, qn_jso_property(j, options, "stdio"));
        bool detached = is_true(j, options, "detached"), shell = is_true(j, options, "shell");
        bool hidden = qn_str_is(stdio, "ignore") || is_true(j, options, "windowsHide");

        snprintf(how, sizeof how, "%.*s%s%s%s", QN_STR_ARG(was), shell ? " shell" : "",
                 detached ? " detached" : "", hidden ? " hidden" : "");
        qn_event_attr(e, QN_ATTR_HOW, qn_arena_dup(j->a, qn_str_trim(qn_str_c(how))));
}

static void see_process(struct qn_js_file *j, uint32_t node, const struct qn_js_api *api,
                        struct qn_event *e)
{
        struct qn_str argv[ARGV_MAX];
        struct qn_command_sum sum = { 0 };
        struct qn_site site = qn_jso_site(j, node);
        struct qn_str line = { 0 };
        size_t n = 0;
        uint32_t options = 0;
        bool words = false;

        for (unsigned i = 0; i < api->n_roles; i++) {
                uint32_t arg = qn_jso_arg(j, node, i);
                struct qn_js_val v = qn_jso_eval(j, arg, 0);

                if (!arg)
                        break;
                if (api->roles[i] == QN_ROLE_COMMAND && v.kind == QN_VAL_STRING)
                        line = v.str, argv[n++] = v.str;
                else if (api->roles[i] == QN_ROLE_COMMAND && v.kind == QN_VAL_NONE)
                        argv[n++] = QN_STR("*");
                else if (api->roles[i] == QN_ROLE_FILE && v.kind == QN_VAL_STRING)
                        qn_event_attr(e, QN_ATTR_TARGET, v.str),
                                qn_site_file(j->s, &site, v.str, true);
                else if (api->roles[i] == QN_ROLE_ARGV && v.kind == QN_VAL_NODE &&
                         qn_jsn(j, v.node)->type == QN_JS_ARRAY)
                        n = argv_of(j, arg, argv, n), words = true;
                else if (v.kind == QN_VAL_NODE && qn_jsn(j, v.node)->type == QN_JS_OBJECT)
                        options = arg;
        }
        process_how(j, options, e);
        if (n && (words || (line.n && qn_str_chr(line, ' ') < 0)))
                qn_site_argv(j->s, &site, argv, n, &sum);
        else if (line.n)
                qn_site_command(j->s, &site, line, &sum);
        if (words)
                line = qn_jso_const_join(j->a, argv, n, QN_STR(" "));
        qn_event_attr(e, QN_ATTR_COMMAND, line);
        qn_event_attr(e, QN_ATTR_PROGRAM, sum.program);
        if (sum.target.n)
                qn_event_attr(e, QN_ATTR_TARGET, sum.target);
        if (sum.hidden || sum.background)
                qn_event_attr(e, QN_ATTR_FLAGS,
                              sum.hidden ? QN_STR("hidden") : QN_STR("background"));
        e->labels |= sum.labels;
}

/* --- code --- */

/* Function('return this') and the like find the global object. */
static bool is_harmless_code(struct qn_str code)
{
        code = qn_str_trim(code);
        return code.n < 3 || qn_str_is(code, "return this") || qn_str_is(code, "return this;") ||
               qn_str_is(code, "this") || qn_str_is(code, "return globalThis") ||
               qn_str_is(code, "return true");
}

static void see_code(struct qn_js_file *j, uint32_t node, uint32_t arg, struct qn_event *e,
                     bool *drop)
{
        struct qn_js_val v = qn_jso_eval(j, arg, 0);
        const char *what = "computed";

        if (v.kind == QN_VAL_NODE) { /* a function, an array: not text */
                *drop = true;
                return;
        }
        if (v.kind == QN_VAL_STRING && v.exact) {
                struct qn_site site = qn_jso_site(j, node);

                if (is_harmless_code(v.str)) {
                        *drop = true;
                        return;
                }
                what = "constant";
                qn_site_code(j->s, &site, v.str, QN_STR("js"));
        }
        if (v.decoded && !v.exact) {
                what = "decoded";
                e->labels |= QN_LABEL_BIT(DECODED);
        }
        qn_event_attr(e, QN_ATTR_VALUE, qn_str_c(what));
        e->text = (struct qn_str){ 0 };
}

static uint32_t last_arg(const struct qn_js_file *j, uint32_t call)
{
        uint32_t a = qn_jso_arg(j, call, 0);

        while (a && qn_jsn(j, a)->next)
                a = qn_jsn(j, a)->next;
        return a;
}

static void see_timer(struct qn_js_file *j, uint32_t node)
{
        uint32_t f = qn_jso_arg(j, node, 0);
        struct qn_js_val v = qn_jso_eval(j, f, 0), ms = qn_jso_eval(j, qn_jso_arg(j, node, 1), 0);
        char text[32];
        struct qn_event e;

        if (v.kind == QN_VAL_STRING) {
                bool drop = false;

                e = qn_observe_make(QN_EVENT_CODE_EVAL);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("timer"));
                see_code(j, node, f, &e, &drop);
                if (!drop)
                        qn_jso_emit(j, &e, node);
        }
        if (ms.kind != QN_VAL_NUMBER || ms.number < 3600e3 || ms.number > 2147483647.0 * 4)
                return;
        if (ms.number == 2147483647.0) /* the longest there is: "never" */
                return;
        e = qn_observe_make(QN_EVENT_TIME_WAIT);
        snprintf(text, sizeof text, "%.0f", ms.number);
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("timer"));
        qn_event_attr(&e, QN_ATTR_VALUE, qn_arena_dup(j->a, qn_str_c(text)));
        qn_jso_emit(j, &e, node);
}

/* --- decoders --- */

static void see_decoder(struct qn_js_file *j, uint32_t node, const struct qn_js_api *api)
{
        struct qn_event e = qn_observe_make(QN_EVENT_CODE_DECODE);
        struct qn_str encoding = api->is == QN_IS_BASE64    ? QN_STR("base64")
                                 : api->is == QN_IS_PERCENT ? QN_STR("percent")
                                                            : (struct qn_str){ 0 };

        if (api->is == QN_IS_PERCENT)
                return; /* everyone decodes addresses */
        if (api->is == QN_IS_CHARCODES) {
                unsigned n = 0;

                for (uint32_t a = qn_jso_arg(j, node, 0); a; a = qn_jsn(j, a)->next)
                        n += qn_jsn(j, a)->type == QN_JS_NUMBER;
                if (n < 8)
                        return;
                encoding = QN_STR("charcode");
        }
        if (api->is == QN_IS_BUFFER) {
                encoding = qn_jso_text(j, qn_jso_arg(j, node, 1));
                if (!qn_str_starts(encoding, "base64") && !qn_str_is(encoding, "hex"))
                        return;
        }
        qn_event_attr(&e, QN_ATTR_ENCODING, encoding);
        qn_jso_emit(j, &e, node);
}

/* --- calls of the table --- */

/* The call that made the object whose method is called: https.request(…) for req.write(…). */
static uint32_t creator_of(struct qn_js_file *j, uint32_t call)
{
        uint32_t callee = qn_jso_strip(j, qn_jsn(j, call)->first), object;
        const struct qn_js_node *n;

        if (!callee || qn_jsn(j, callee)->type != QN_JS_MEMBER)
                return 0;
        object = qn_jso_strip(j, qn_jsn(j, callee)->first);
        n = qn_jsn(j, object);
        if (n->type == QN_JS_IDENT && n->first && n->first < j->ast->n_bindings) {
                uint32_t parent = j->ast->bindings[n->first].parent;

                if (!parent || qn_jsn(j, parent)->type != QN_JS_DECLARATOR)
                        return 0;
                object = qn_jso_strip(j, qn_js_child(j->ast, parent, 1));
                n = qn_jsn(j, object);
        }
        return n->type == QN_JS_CALL || n->type == QN_JS_NEW ? object : 0;
}

/* What is sent goes where the connection goes. */
static void inherit_address(struct qn_js_file *j, uint32_t call, struct qn_event *e)
{
        uint32_t maker = creator_of(j, call);
        struct qn_js_val f = qn_jso_eval(j, maker ? qn_jsn(j, maker)->first : 0, 0);
        const struct qn_js_api *api;

        if (f.kind != QN_VAL_API)
                return;
        api = &j->apis->list[f.api];
        for (unsigned i = 0; i < api->n_roles && !qn_event_get(e, QN_ATTR_HOST).n; i++) {
                uint32_t arg = qn_jso_arg(j, maker, i);
                struct qn_js_val v = qn_jso_eval(j, arg, 0);
                bool bare = api->roles[i] == QN_ROLE_HOST || api->roles[i] == QN_ROLE_PORT;

                if (!arg ||
                    (!bare && api->roles[i] != QN_ROLE_URL && api->roles[i] != QN_ROLE_OPTIONS))
                        continue;
                if (v.kind == QN_VAL_STRING)
                        see_url(j, e, v.str, bare);
                else
                        see_options(j, e, arg);
        }
}

static void emit_call(struct qn_js_file *j, uint32_t node, const struct qn_js_api *api)
{
        struct qn_event e = from_row(&api->event);
        bool drop = false;

        if (e.kind == QN_EVENT_PROC_EXEC)
                see_process(j, node, api, &e);
        for (unsigned i = 0; i < api->n_roles && e.kind != QN_EVENT_PROC_EXEC; i++) {
                uint32_t arg = qn_jso_arg(j, node, i);
                struct qn_js_val v;

                if (!arg)
                        break;
                v = qn_jso_eval(j, arg, 0);
                switch (api->roles[i]) {
                case QN_ROLE_PATH:
                        see_path(j, node, &e, &v);
                        break;
                case QN_ROLE_TO:
                        see_written(j, node, &e, &v);
                        break;
                case QN_ROLE_URL:
                        if (v.kind == QN_VAL_STRING)
                                see_url(j, &e, v.str, false);
                        else
                                see_options(j, &e, arg);
                        break;
                case QN_ROLE_REDIRECT:
                        drop = !qn_jso_address(j, &e, &v);
                        break;
                case QN_ROLE_OPTIONS:
                        see_options(j, &e, arg);
                        if (e.kind == QN_EVENT_FILE_DELETE && is_true(j, arg, "recursive"))
                                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("recursive"));
                        break;
                case QN_ROLE_HOST:
                case QN_ROLE_PORT:
                        if (v.kind == QN_VAL_STRING)
                                see_url(j, &e, v.str, true);
                        else
                                see_options(j, &e, arg);
                        break;
                case QN_ROLE_NAME:
                        if (v.kind == QN_VAL_STRING)
                                qn_event_attr(&e, QN_ATTR_NAME, v.str);
                        break;
                case QN_ROLE_RECORD:
                        if (e.kind == QN_EVENT_DNS_QUERY && v.kind == QN_VAL_STRING &&
                            !qn_str_ieq(v.str, QN_STR("TXT")))
                                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("name"));
                        break;
                case QN_ROLE_CODE:
                        see_code(j, node, arg, &e, &drop);
                        break;
                case QN_ROLE_CODE_LAST:
                        see_code(j, node, last_arg(j, node), &e, &drop);
                        break;
                default:
                        break;
                }
        }
        if (drop)
                return;
        if (e.kind == QN_EVENT_NET_SEND && !qn_event_get(&e, QN_ATTR_HOST).n)
                inherit_address(j, node, &e);
        qn_jso_emit(j, &e, node);
}

static void see_api_call(struct qn_js_file *j, uint32_t node, uint32_t index)
{
        const struct qn_js_api *api = &j->apis->list[index];

        switch (api->is) {
        case QN_IS_REQUIRE:
                see_require(j, node, qn_jso_arg(j, node, 0), "require");
                return;
        case QN_IS_TIMER:
                see_timer(j, node);
                return;
        case QN_IS_BUFFER:
        case QN_IS_BASE64:
        case QN_IS_PERCENT:
        case QN_IS_CHARCODES:
                see_decoder(j, node, api);
                return;
        case QN_IS_PROBE: {
                struct qn_js_val v = qn_jso_eval(j, qn_jso_arg(j, node, 0), 0);
                const struct qn_path_class *class =
                        v.kind == QN_VAL_STRING ? qn_classify_path(&j->s->o->classes, v.str) : NULL;

                if (class)
                        secret_event(j, node, class, v.str, "exists");
                return;
        }
        default:
                break;
        }
        if (api->call && api->has_event)
                emit_call(j, node, api);
}

/* --- functions of this file --- */

static void note_call(struct qn_js_file *j, uint32_t function_node)
{
        if (QN_ARENA_ROOM(j->a, j->calls, j->n_calls, j->calls_cap) < 0) {
                j->lost = true;
                return;
        }
        j->calls[j->n_calls++] = (struct qn_js_edge){ j->func, function_node };
}

static void see_local_call(struct qn_js_file *j, uint32_t node, const struct qn_js_val *f)
{
        uint32_t body;

        if (qn_jsn(j, f->node)->type == QN_JS_FUNCTION) {
                note_call(j, f->node);
        } else if (qn_jsn(j, f->node)->type == QN_JS_CLASS && qn_jsn(j, node)->type == QN_JS_NEW) {
                body = qn_js_child(j->ast, f->node, 2);
                for (uint32_t m = body ? qn_jsn(j, body)->first : 0; m; m = qn_jsn(j, m)->next) {
                        uint32_t key = qn_jsn(j, m)->first;

                        if (qn_jsn(j, m)->type == QN_JS_METHOD && key &&
                            qn_jsn(j, key)->type == QN_JS_IDENT &&
                            qn_jsn(j, key)->val == QN_JS_ATOM_CONSTRUCTOR)
                                note_call(j, qn_js_child(j->ast, m, 1));
                }
        }
}

/* The class that `new C()` or a variable holding it is an instance of, 0 when not known. */
static uint32_t class_of(struct qn_js_file *j, uint32_t object)
{
        struct qn_js_val v;
        const struct qn_js_node *n;

        object = qn_jso_strip(j, object);
        n = qn_jsn(j, object);
        if (n->type == QN_JS_IDENT && n->first && n->first < j->ast->n_bindings) {
                const struct qn_js_binding *b = &j->ast->bindings[n->first];

                if (b->writes || !b->parent || qn_jsn(j, b->parent)->type != QN_JS_DECLARATOR)
                        return 0;
                object = qn_js_child(j->ast, b->parent, 1);
                n = qn_jsn(j, object);
        }
        if (!object || n->type != QN_JS_NEW)
                return 0;
        v = qn_jso_eval(j, n->first, 0);
        return v.kind == QN_VAL_NODE && qn_jsn(j, v.node)->type == QN_JS_CLASS ? v.node : 0;
}

static void see_method_call(struct qn_js_file *j, uint32_t callee)
{
        uint32_t class = class_of(j, qn_jsn(j, callee)->first), body;
        uint32_t name = qn_jsn(j, callee)->val;

        if (!class)
                return;
        body = qn_js_child(j->ast, class, 2);
        for (uint32_t m = body ? qn_jsn(j, body)->first : 0; m; m = qn_jsn(j, m)->next) {
                uint32_t key = qn_jsn(j, m)->first;

                if (qn_jsn(j, m)->type == QN_JS_METHOD && key &&
                    qn_jsn(j, key)->type == QN_JS_IDENT && qn_jsn(j, key)->val == name)
                        note_call(j, qn_js_child(j->ast, m, 1));
        }
}

/* x.constructor.constructor('code')() */
static bool is_constructor_call(const struct qn_js_file *j, uint32_t callee)
{
        uint32_t object = qn_jsn(j, callee)->first;

        return qn_jsn(j, callee)->val == QN_JS_ATOM_CONSTRUCTOR && object &&
               qn_jsn(j, object)->type == QN_JS_MEMBER &&
               qn_jsn(j, object)->val == QN_JS_ATOM_CONSTRUCTOR;
}

static void see_constructor(struct qn_js_file *j, uint32_t node)
{
        struct qn_js_val v = qn_jso_eval(j, qn_jso_arg(j, node, 0), 0);
        struct qn_event e = qn_observe_make(QN_EVENT_CODE_EVAL);
        bool drop = v.kind == QN_VAL_NUMBER;

        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("constructor"));
        if (!drop)
                see_code(j, node, qn_jso_arg(j, node, 0), &e, &drop);
        if (!drop)
                qn_jso_emit(j, &e, node);
}

static bool is_quick_no(const struct qn_js_file *j, uint32_t callee)
{
        const struct qn_js_node *n = qn_jsn(j, callee);

        return n->type == QN_JS_THIS || n->type == QN_JS_SUPER || n->type == QN_JS_FUNCTION;
}

/* Calls wait until it is known which functions run when the file is loaded. */
static void later(struct qn_js_file *j, uint32_t node, uint32_t api)
{
        if (QN_ARENA_ROOM(j->a, j->later, j->n_later, j->later_cap) < 0) {
                j->lost = true;
                return;
        }
        j->later[j->n_later++] = (struct qn_js_later){ node, api, j->func };
}

void qn_jso_call(struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);
        uint32_t callee;
        struct qn_js_val f;

        if (n->type != QN_JS_CALL && n->type != QN_JS_NEW) {
                later(j, node, 0);
                return;
        }
        callee = qn_jso_strip(j, n->first);
        if (!callee || is_quick_no(j, callee))
                return;
        f = qn_jso_is_plain(j, callee) ? (struct qn_js_val){ 0 } : qn_jso_eval(j, callee, 0);
        if (f.kind == QN_VAL_API) {
                later(j, node, f.api);
        } else if (f.kind == QN_VAL_NODE) {
                see_local_call(j, node, &f);
        } else if (qn_jsn(j, callee)->type == QN_JS_MEMBER) {
                if (is_constructor_call(j, callee))
                        later(j, node, 0);
                else
                        see_method_call(j, callee);
        }
}

void qn_jso_calls_done(struct qn_js_file *j)
{
        for (size_t i = 0; i < j->n_later; i++) {
                const struct qn_js_later l = j->later[i];
                unsigned type = qn_jsn(j, l.node)->type;

                j->func = l.func;
                if (l.api)
                        see_api_call(j, l.node, l.api);
                else if (type == QN_JS_IMPORT_CALL)
                        see_require(j, l.node, qn_jsn(j, l.node)->first, "import()");
                else if (type == QN_JS_CALL || type == QN_JS_NEW)
                        see_constructor(j, l.node);
                else
                        see_import(j, l.node);
        }
}

/* --- reads --- */

static bool is_enumerated(struct qn_js_file *j, uint32_t node, uint32_t parent, const char **how)
{
        const struct qn_js_node *p = qn_jsn(j, parent);
        struct qn_str name;
        uint32_t callee;

        if (p->type == QN_JS_SPREAD) {
                *how = "spread";
                return true;
        }
        if (p->type == QN_JS_FOR_IN && p->first != node) {
                *how = "for-in";
                return true;
        }
        if (p->type != QN_JS_CALL || p->first == node)
                return false;
        callee = p->first;
        if (qn_jsn(j, callee)->type != QN_JS_MEMBER)
                return false;
        name = qn_jso_atom_text(j, qn_jsn(j, callee)->val);
        *how = qn_str_is(name, "keys") || qn_str_is(name, "entries") || qn_str_is(name, "values") ||
                               qn_str_is(name, "getOwnPropertyNames") || qn_str_is(name, "ownKeys")
                       ? "keys"
               : qn_str_is(name, "stringify") || qn_str_is(name, "inspect") ? "stringify"
               : qn_str_is(name, "assign")                                  ? "assign"
                                                                            : NULL;
        return *how != NULL;
}

static void see_environment(struct qn_js_file *j, uint32_t node, uint32_t parent)
{
        struct qn_event e = qn_observe_make(QN_EVENT_ENV_ENUMERATE);
        const char *how;

        if (!is_enumerated(j, node, parent, &how)) {
                j->env_handed_on = true;
                return;
        }
        e.labels = QN_LABEL_BIT(ENV);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_jso_emit(j, &e, node);
}

static bool is_written(const struct qn_js_file *j, uint32_t node, uint32_t parent)
{
        const struct qn_js_node *p = qn_jsn(j, parent);

        return p->type == QN_JS_ASSIGN && p->first == node && p->op == QN_JS_TOK_ASSIGN;
}

static void see_variable(struct qn_js_file *j, uint32_t node, uint32_t parent,
                         const struct qn_js_val *v)
{
        struct qn_event e = qn_observe_make(QN_EVENT_ENV_READ);
        struct qn_str probe;
        int label;

        if (is_written(j, node, parent))
                return;
        if (!v->exact) {
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("computed"));
                qn_jso_emit(j, &e, node);
                return;
        }
        qn_event_attr(&e, QN_ATTR_NAME, v->str);
        label = qn_classify_env(&j->s->o->classes, v->str);
        if (label >= 0) {
                e.kind = QN_EVENT_SECRET_READ;
                e.labels = UINT64_C(1) << label;
                qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(qn_label_name((enum qn_label)label)));
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("env"));
        }
        qn_jso_emit(j, &e, node);
        probe = qn_classify_probe(&j->s->o->classes, v->str);
        if (!probe.n)
                return;
        e = qn_observe_make(QN_EVENT_ENV_PROBE);
        qn_event_attr(&e, QN_ATTR_WHAT, probe);
        qn_event_attr(&e, QN_ATTR_NAME, v->str);
        qn_jso_emit(j, &e, node);
}

/* const { A, B } = process.env */
static void see_pattern(struct qn_js_file *j, uint32_t pattern)
{
        for (uint32_t p = qn_jsn(j, pattern)->first; p; p = qn_jsn(j, p)->next) {
                struct qn_js_val v = { .kind = QN_VAL_ENV, .exact = true };
                uint32_t key = qn_jsn(j, p)->first;

                if (qn_jsn(j, p)->type != QN_JS_PROPERTY || !key ||
                    (qn_jsn(j, p)->flags & QN_JS_F_COMPUTED))
                        continue;
                v.str = qn_jsn(j, key)->type == QN_JS_IDENT
                                ? qn_jso_atom_text(j, qn_jsn(j, key)->val)
                                : qn_js_string(j->ast, key, j->a);
                if (v.str.n)
                        see_variable(j, p, pattern, &v);
        }
}

/* An object that is only the left part of a longer name is looked at with the whole name. */
static bool is_inner(const struct qn_js_file *j, uint32_t node, uint32_t parent)
{
        const struct qn_js_node *p = qn_jsn(j, parent);

        return (p->type == QN_JS_MEMBER || p->type == QN_JS_INDEX) && p->first == node;
}

void qn_jso_member(struct qn_js_file *j, uint32_t node, uint32_t parent)
{
        struct qn_js_val v;
        const struct qn_js_api *api;

        if (!parent || is_inner(j, node, parent) || qn_jso_is_plain(j, node))
                return;
        v = qn_jso_eval(j, node, 0);
        if (v.kind == QN_VAL_ENV) {
                see_variable(j, node, parent, &v);
                return;
        }
        if (v.kind != QN_VAL_API)
                return;
        api = &j->apis->list[v.api];
        if (api->is == QN_IS_ENV) {
                const struct qn_js_node *p = qn_jsn(j, parent);

                if (p->type == QN_JS_DECLARATOR && p->first &&
                    qn_jsn(j, p->first)->type == QN_JS_OBJECT)
                        see_pattern(j, p->first);
                see_environment(j, node, parent);
        } else if (api->prop && api->has_event && !is_written(j, node, parent)) {
                struct qn_event e = from_row(&api->event);

                e.labels |= api->labels;
                qn_jso_emit(j, &e, node);
        }
}
