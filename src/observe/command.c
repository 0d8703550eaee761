/* Each simple command is looked at by itself (rules, interpreters, secrets), then as part of its pipeline: what a
 * download is piped into, where the output of `env` goes. */
#include "observe/command.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "observe/classify.h"
#include "observe/command-priv.h"
#include "parse/shell-vars.h"
#include "parse/shell.h"

static bool named(const struct qn_map *m, struct qn_str name)
{
        return qn_map_get(m, name) != QN_MAP_NONE;
}

void qn_cmd_emit(struct qn_cmd_run *r, size_t i, struct qn_event *e)
{
        qn_event_attr(e, QN_ATTR_COMMAND, r->sh.commands[i].source);
        if (r->info[i].program.n)
                qn_event_attr(e, QN_ATTR_PROGRAM, r->info[i].program);
        if (r->host->event)
                r->host->event(r->host->ctx, e);
}

/* --- one command --- */

/* Names of programs are compared in lower case where they come from Windows (Invoke-WebRequest). */
static struct qn_str tidy_program(struct qn_cmd_run *r, struct qn_str word)
{
        struct qn_str p = qn_shell_program(word);
        uint32_t alias = qn_map_get(&r->t->aliases, word);
        char *low;

        if (alias != QN_MAP_NONE)
                return r->t->alias_names[alias];
        /* a name that the table knows in its own spelling stays (Runner.Listener) */
        if (p.n > 64 || !p.n || (p.p[0] >= 'a' && p.p[0] <= 'z') ||
            named(&r->t->rules.by_program, p))
                return p;
        low = qn_arena_alloc(r->a, p.n);
        if (!low)
                return p;
        for (size_t i = 0; i < p.n; i++)
                low[i] = p.p[i] >= 'A' && p.p[i] <= 'Z' ? (char)(p.p[i] | 0x20) : p.p[i];
        return (struct qn_str){ low, p.n };
}

static bool is_assignment(struct qn_str w)
{
        ptrdiff_t eq = qn_str_chr(w, '=');

        if (eq <= 0)
                return false;
        for (ptrdiff_t i = 0; i < eq; i++)
                if (!((w.p[i] | 0x20) >= 'a' && (w.p[i] | 0x20) <= 'z') && w.p[i] != '_' &&
                    !(i && w.p[i] >= '0' && w.p[i] <= '9'))
                        return false;
        return true;
}

/* pkg@1.2.3 and @scope/pkg@1 name a program. */
static struct qn_str package_name(struct qn_str w)
{
        ptrdiff_t at = qn_str_rchr(w, '@');

        return at > 0 ? qn_str_take(w, (size_t)at) : w;
}

static void match_rules(struct qn_cmd_run *r, size_t i, struct qn_str program,
                        const struct qn_str *argv, size_t argc)
{
        const struct qn_cmd_rule *rule;
        uint64_t at = 0;

        while ((rule = qn_cmd_rules_next(&r->t->rules, program, &at))) {
                struct qn_event e;

                if (!qn_cmd_rule_matches(rule, program, argv, argc))
                        continue;
                e = qn_row_event_make(&rule->event);
                if (rule->event.kind == QN_EVENT_SECRET_READ)
                        r->info[i].labels |= rule->event.labels;
                if (rule->event.kind == QN_EVENT_SYSINFO_READ)
                        r->info[i].labels |= QN_LABEL_BIT(SYSINFO);
                if (rule->event.kind == QN_EVENT_ENV_ENUMERATE)
                        r->info[i].labels |= QN_LABEL_BIT(ENV);
                if (rule->event.kind == QN_EVENT_CLIPBOARD_READ)
                        r->info[i].labels |= QN_LABEL_BIT(CLIPBOARD);
                qn_cmd_emit(r, i, &e);
        }
}

/* How many words of argv are a wrapper and its own arguments; 0 when argv[0] is no wrapper. */
static size_t wrapper_words(struct qn_cmd_run *r, struct qn_str program, const struct qn_str *argv,
                            size_t argc)
{
        struct qn_str first = argc > 1 ? argv[1] : (struct qn_str){ 0 };
        const struct qn_cmd_wrapper *w = qn_cmd_wrapper_find(r->t, program, first);
        uint64_t own;
        size_t at;

        if (!w)
                return 0;
        own = w->words;
        at = w->sub.n ? 2 : 1;
        while (at < argc) {
                bool option = qn_cmd_is_option(argv[at]) || is_assignment(argv[at]) ||
                              (w->slash && argv[at].n && argv[at].p[0] == '/');

                if (!option && !own)
                        break;
                if (qn_str_is(argv[at], "--")) {
                        at++;
                        break;
                }
                own -= !option;
                at += qn_cmd_list_has(w->skip, argv[at]) ? 2 : 1;
        }
        return at < argc ? at : 0;
}

static bool wraps_package(struct qn_cmd_run *r, struct qn_str program, const struct qn_str *argv,
                          size_t argc)
{
        const struct qn_cmd_wrapper *w =
                qn_cmd_wrapper_find(r->t, program, argc > 1 ? argv[1] : (struct qn_str){ 0 });

        return w && w->pkg;
}

/* Finds the real program behind sudo, env, npx…; rules are tried at each step. */
static void unwrap(struct qn_cmd_run *r, size_t i)
{
        const struct qn_shell_command *c = &r->sh.commands[i];
        struct qn_cmd_info *in = &r->info[i];
        const struct qn_str *argv = c->argv;
        size_t argc = c->argc;
        bool package = false;

        in->background = c->background;
        for (int step = 0; argc && step < 6; step++) {
                struct qn_str program = tidy_program(r, package ? package_name(argv[0]) : argv[0]);
                size_t skip = wrapper_words(r, program, argv, argc);

                in->program = program;
                in->argv = argv;
                in->argc = argc;
                in->background |= qn_str_is(program, "nohup") || qn_str_is(program, "setsid");
                match_rules(r, i, program, argv, argc);
                if (!skip)
                        break;
                package = wraps_package(r, program, argv, argc);
                argv += skip;
                argc -= skip;
        }
        in->interp = in->argc ? qn_cmd_interp_find(r->t, in->program) : NULL;
        in->downloads = named(&r->t->downloaders, in->program);
        in->sends = named(&r->t->senders, in->program);
        in->filter = named(&r->t->filters, in->program);
}

static struct qn_str slashes(struct qn_cmd_run *r, struct qn_str w)
{
        char *p = qn_arena_alloc(r->a, w.n + 1);

        for (size_t k = 0; p && k < w.n; k++)
                p[k] = w.p[k] == '\\' ? '/' : w.p[k];
        return p ? (struct qn_str){ p, w.n } : (struct qn_str){ 0 };
}

/* Whether it means another place after `cd`. */
static bool is_relative(struct qn_str path)
{
        return path.n && !memchr("/~$%`\\-", path.p[0], 7) && !(path.n > 1 && path.p[1] == ':');
}

static struct qn_str in_dir(struct qn_cmd_run *r, struct qn_str path)
{
        struct qn_buf b = QN_BUF_INIT(QN_SCRIPT_MAX);
        struct qn_str ret;

        if (!r->dir.n)
                return path;
        qn_buf_str(&b, r->dir);
        qn_buf_byte(&b, '/');
        qn_buf_str(&b, path);
        ret = qn_buf_error(&b) < 0 ? path : qn_arena_dup(r->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return ret;
}

/* cd DIR && …: groups and conditions are not told apart, so that files are looked for in both places. */
static void change_directory(struct qn_cmd_run *r, size_t i)
{
        static const char *const programs[] = { "cd", "pushd", "chdir", "set-location" };
        const struct qn_cmd_info *in = &r->info[i];
        struct qn_str to = { 0 };
        bool changes = false;

        for (size_t k = 0; k < QN_ARRAY_SIZE(programs); k++)
                changes |= qn_str_is(in->program, programs[k]);
        if (qn_str_is(in->program, "popd"))
                r->dir = (struct qn_str){ 0 };
        if (!changes)
                return;
        for (size_t k = 1; k < in->argc && !to.n; k++)
                if (!qn_cmd_is_option(in->argv[k]) && !qn_str_ieq(in->argv[k], QN_STR("/d")))
                        to = in->argv[k];
        r->dir = is_relative(to) && r->dir.n + to.n < QN_SHELL_DIR_MAX ? in_dir(r, slashes(r, to))
                                                                       : (struct qn_str){ 0 };
}

static void report_file(struct qn_cmd_run *r, struct qn_str path, struct qn_str lang)
{
        struct qn_str there;

        if (!path.n || qn_cmd_is_option(path))
                return;
        there = is_relative(path) ? in_dir(r, path) : path;
        if (!r->sum->target.n)
                r->sum->target = there;
        if (!r->host->file)
                return;
        r->host->file(r->host->ctx, there, lang);
        if (there.p != path.p)
                r->host->file(r->host->ctx, path, lang);
}

static void report_code(struct qn_cmd_run *r, struct qn_str code, struct qn_str lang)
{
        if (r->host->code && code.n)
                r->host->code(r->host->ctx, code, lang);
}

/* PowerShell's -enc: base64 of UTF-16LE. */
static void report_encoded(struct qn_cmd_run *r, size_t i, struct qn_str text, struct qn_str lang)
{
        struct qn_event e = qn_cmd_make(QN_EVENT_CODE_DECODE);
        struct qn_str raw;
        size_t n = 0;
        char *p;

        qn_event_attr(&e, QN_ATTR_ENCODING, QN_STR("base64"));
        qn_event_attr(&e, QN_ATTR_INTO, QN_STR("powershell"));
        qn_cmd_emit(r, i, &e);
        if (qn_base64_decode(text, r->a, &raw) < 0 || !(p = qn_arena_alloc(r->a, raw.n + 1)))
                return;
        for (size_t k = 0; k < raw.n; k++)
                if (raw.p[k])
                        p[n++] = raw.p[k];
        report_code(r, (struct qn_str){ p, n }, lang);
}

static void run_interpreter(struct qn_cmd_run *r, size_t i)
{
        struct qn_cmd_info *in = &r->info[i];
        const struct qn_cmd_interp *p = in->interp;
        size_t at = 1;

        if (at < in->argc && qn_cmd_list_has(p->sub, in->argv[at]))
                at++;
        for (; at < in->argc; at++) {
                struct qn_str w = in->argv[at], value = w, name = qn_str_cut(&value, '=');

                if (qn_str_starts(w, "//")) /* cscript //nologo */
                        continue;
                if (!qn_cmd_is_option(w)) {
                        report_file(r, w, p->lang);
                        return;
                }
                if (value.n) { /* --require=x */
                        if (qn_cmd_list_has(p->take, name))
                                report_file(r, value, p->lang);
                        else if (qn_cmd_list_has(p->eval, name))
                                report_code(r, value, p->lang);
                        continue;
                }
                if (at + 1 >= in->argc || qn_cmd_list_has(p->stop, w))
                        return;
                if (qn_cmd_list_has(p->eval, w)) {
                        report_code(r, in->argv[++at], p->lang);
                        return;
                }
                if (qn_cmd_list_has(p->eval64, w))
                        report_encoded(r, i, in->argv[++at], p->lang);
                else if (qn_cmd_list_has(p->take, w))
                        report_file(r, in->argv[++at], p->lang);
                else if (qn_cmd_list_has(p->skip, w))
                        at++;
        }
}

/* `bun run x.ts` runs a file, `bun run build` a script. */
static bool is_file_name(struct qn_str w)
{
        return qn_str_chr(w, '/') >= 0 || qn_str_chr(w, '.') >= 0;
}

static void run_script(struct qn_cmd_run *r, const struct qn_cmd_info *in)
{
        const struct qn_cmd_rule *rule;
        uint64_t at = 0;

        if (!r->host->script)
                return;
        while ((rule = qn_cmd_rules_next(&r->t->runners, in->program, &at))) {
                if (!qn_cmd_rule_matches(rule, in->program, in->argv, in->argc))
                        continue;
                if (rule->n_words == 2 && !qn_str_is(rule->words[1], "run") &&
                    !qn_str_starts(rule->words[1], "ru"))
                        r->host->script(r->host->ctx, rule->words[1]); /* npm start */
                else
                        for (size_t i = rule->n_words; i < in->argc; i++)
                                if (!qn_cmd_is_option(in->argv[i]) &&
                                    !(in->interp && is_file_name(in->argv[i])))
                                        r->host->script(r->host->ctx, in->argv[i]);
                return;
        }
        /* `yarn build` runs a script too */
        if ((qn_str_is(in->program, "yarn") || qn_str_is(in->program, "pnpm")) && in->argc > 1)
                r->host->script(r->host->ctx, in->argv[1]);
}

/* --- AI command lines --- */

static void run_ai(struct qn_cmd_run *r, size_t i)
{
        const struct qn_cmd_info *in = &r->info[i];
        struct qn_event e = qn_cmd_make(QN_EVENT_AI_PROMPT);
        _cleanup_(qn_buf_done) struct qn_buf flags = QN_BUF_INIT(QN_ATTR_MAX);
        struct qn_str prompt = { 0 };
        const struct qn_cmd_rule *rule;
        bool any = false;

        for (uint64_t at = 0; (rule = qn_cmd_rules_next(&r->t->prompt, in->program, &at));)
                any |= qn_cmd_rule_matches(rule, in->program, in->argv, in->argc);
        for (uint64_t at = 0; (rule = qn_cmd_rules_next(&r->t->bypass, in->program, &at));)
                if (qn_cmd_rule_matches(rule, in->program, in->argv, in->argc)) {
                        if (flags.n)
                                qn_buf_byte(&flags, ' ');
                        qn_buf_str(&flags, rule->words[1]);
                }
        if (!any && !flags.n)
                return;
        for (size_t k = 1; k < in->argc; k++)
                if (in->argv[k].n > prompt.n && in->argv[k].n > 16 &&
                    !qn_cmd_is_option(in->argv[k]))
                        prompt = in->argv[k];
        if (flags.n) {
                qn_event_attr(&e, QN_ATTR_FLAGS, qn_buf_view(&flags));
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("bypass"));
        }
        e.text = prompt;
        qn_event_attr(&e, QN_ATTR_DETAIL, prompt);
        qn_cmd_emit(r, i, &e);
}

/* --- secrets --- */

/* $HOME/x, ${HOME}/x, %USERPROFILE%/x → ~/x */
static struct qn_str tidy_home(struct qn_cmd_run *r, struct qn_str w)
{
        static const char *const homes[] = { "$HOME", "${HOME}", "%USERPROFILE%",
                                             "$env:USERPROFILE", "%HOME%" };
        char *p;

        for (size_t i = 0; i < QN_ARRAY_SIZE(homes); i++) {
                size_t n = strlen(homes[i]);

                if (w.n < n || memcmp(w.p, homes[i], n) != 0)
                        continue;
                p = qn_arena_alloc(r->a, w.n - n + 1);
                if (!p)
                        return w;
                p[0] = '~';
                memcpy(p + 1, w.p + n, w.n - n);
                return (struct qn_str){ p, w.n - n + 1 };
        }
        return w;
}

/* What an argument names: @file, key=@file, --opt=file → file. */
static struct qn_str argument_path(struct qn_cmd_run *r, struct qn_str w)
{
        ptrdiff_t at = qn_str_chr(w, '@');

        if (at >= 0 && (at == 0 || w.p[at - 1] == '='))
                w = qn_str_skip(w, (size_t)at + 1);
        else if (qn_cmd_is_option(w) && (at = qn_str_chr(w, '=')) > 0)
                w = qn_str_skip(w, (size_t)at + 1);
        return tidy_home(r, w);
}

static void report_path(struct qn_cmd_run *r, size_t i, struct qn_str path)
{
        const struct qn_path_class *class = qn_classify_path(r->t->classes, path);
        struct qn_event e;

        if (!class)
                return;
        e = qn_cmd_make(class->wallet   ? QN_EVENT_WALLET_READ
                        : class->memory ? QN_EVENT_MEMORY_READ
                                        : QN_EVENT_SECRET_READ);
        e.labels = UINT64_C(1) << class->label;
        r->info[i].labels |= e.labels;
        qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(qn_label_name(class->label)));
        qn_event_attr(&e, QN_ATTR_PATH, path);
        qn_cmd_emit(r, i, &e);
}

static bool is_name_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
}

/* $NAME, ${NAME}, $env:NAME, %NAME% in an argument. */
static void report_variables(struct qn_cmd_run *r, size_t i, struct qn_str w)
{
        for (size_t k = 0; k + 1 < w.n; k++) {
                size_t from, to;
                struct qn_event e;
                int label;

                if (w.p[k] != '$' && w.p[k] != '%')
                        continue;
                from = k + 1;
                if (w.p[from] == '{')
                        from++;
                else if (w.n - from > 4 && memcmp(w.p + from, "env:", 4) == 0)
                        from += 4;
                for (to = from; to < w.n && is_name_char(w.p[to]);)
                        to++;
                if (to == from || (w.p[k] == '%' && (to >= w.n || w.p[to] != '%')))
                        continue;
                label = qn_classify_env(r->t->classes, (struct qn_str){ w.p + from, to - from });
                if (label < 0)
                        continue;
                e = qn_cmd_make(QN_EVENT_SECRET_READ);
                e.labels = UINT64_C(1) << label;
                r->info[i].labels |= e.labels;
                qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(qn_label_name((enum qn_label)label)));
                qn_event_attr(&e, QN_ATTR_NAME, (struct qn_str){ w.p + from, to - from });
                qn_cmd_emit(r, i, &e);
        }
}

static void look_for_secrets(struct qn_cmd_run *r, size_t i)
{
        const struct qn_shell_command *c = &r->sh.commands[i];
        const struct qn_cmd_info *in = &r->info[i];

        for (size_t k = 1; k < in->argc; k++) {
                report_variables(r, i, in->argv[k]);
                if (!named(&r->t->harmless, in->program))
                        report_path(r, i, argument_path(r, in->argv[k]));
        }
        for (size_t k = 0; k < c->n_redirects; k++)
                if (c->redirects[k].op == QN_SHELL_IN)
                        report_path(r, i, tidy_home(r, c->redirects[k].target));
        /* `env` alone prints everything */
        if ((qn_str_is(in->program, "env") && in->argc == 1) ||
            (qn_str_is(in->program, "export") && in->argc == 2 && qn_str_is(in->argv[1], "-p"))) {
                struct qn_event e = qn_cmd_make(QN_EVENT_ENV_ENUMERATE);

                r->info[i].labels |= QN_LABEL_BIT(ENV);
                qn_event_attr(&e, QN_ATTR_HOW, in->program);
                qn_cmd_emit(r, i, &e);
        }
}

/* --- files written and removed --- */

/* What echo, printf or a here-document writes, also through `| tee`. */
static struct qn_str written_text(struct qn_cmd_run *r, size_t i)
{
        const struct qn_shell_command *c = &r->sh.commands[i];
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_COMMAND_MAX);
        const struct qn_cmd_info *in = &r->info[i];

        for (size_t k = 0; k < c->n_redirects; k++)
                if (c->redirects[k].op == QN_SHELL_HERE)
                        return c->redirects[k].target;
        if (c->pipe_from != QN_SHELL_NONE)
                in = &r->info[c->pipe_from];
        if (!qn_str_is(in->program, "echo") && !qn_str_is(in->program, "printf"))
                return (struct qn_str){ NULL, 0 };
        for (size_t k = 1; k < in->argc; k++) {
                qn_buf_str(&b, in->argv[k]);
                qn_buf_byte(&b, ' ');
        }
        return qn_arena_dup(r->a, qn_buf_view(&b));
}

/* What stands behind the five fields of a crontab's line. */
static struct qn_str cron_command(struct qn_str line)
{
        if (line.n && (line.p[0] == '*' || (line.p[0] >= '0' && line.p[0] <= '9')))
                for (int field = 0; field < 5; field++)
                        qn_str_cut(&line, ' ');
        return line;
}

static void write_to(struct qn_cmd_run *r, size_t i, struct qn_str path, bool copies)
{
        const struct qn_row_event *class;
        struct qn_event e;

        path = tidy_home(r, path);
        if (qn_str_starts(path, "/dev/tcp/") || qn_str_starts(path, "/dev/udp/")) {
                struct qn_str host = qn_str_skip(path, 9);

                e = qn_cmd_make(QN_EVENT_NET_CONNECT);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("reverse-shell"));
                qn_event_attr(&e, QN_ATTR_HOST, qn_str_cut(&host, '/'));
                qn_cmd_emit(r, i, &e);
                return;
        }
        class = qn_classify_write(r->t->classes, path);
        if (!class || (copies && class->kind == QN_EVENT_REGISTRY_TOKEN))
                return;
        e = qn_row_event_make(class);
        qn_event_attr(&e, QN_ATTR_PATH, path);
        qn_cmd_emit(r, i, &e);
        if (class->kind == QN_EVENT_PERSIST) /* what the system starts is run, only later */
                report_code(r, written_text(r, i), QN_STR("shell"));
}

static void look_for_writes(struct qn_cmd_run *r, size_t i)
{
        const struct qn_shell_command *c = &r->sh.commands[i];
        const struct qn_cmd_info *in = &r->info[i];
        bool copies = qn_str_is(in->program, "cp") || qn_str_is(in->program, "mv") ||
                      qn_str_is(in->program, "install") || qn_str_is(in->program, "tee") ||
                      qn_str_is(in->program, "ln") || qn_str_is(in->program, "copy");

        for (size_t k = 0; k < c->n_redirects; k++) {
                const struct qn_shell_redirect *d = &c->redirects[k];

                if (d->op == QN_SHELL_OUT || d->op == QN_SHELL_APPEND || d->op == QN_SHELL_DUP)
                        write_to(r, i, d->target, false);
        }
        if (qn_str_is(in->program, "crontab") && c->pipe_from != QN_SHELL_NONE)
                report_code(r, cron_command(written_text(r, i)), QN_STR("shell"));
        if (copies && in->argc > 1)
                write_to(r, i, in->argv[in->argc - 1], true);
        if (in->out.n)
                write_to(r, i, in->out, true);
}

static bool is_root_or_home(struct qn_str p)
{
        static const char *const places[] = {
                "/",  "/*",  "~",    "~/",   "~/*",   "~/.*",  "/home", "/home/*", "/Users",
                "C:", "C:/", "C:\\", "C:/*", "C:\\*", "/root", "/etc",  "/usr",    "/var"
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(places); i++)
                if (qn_str_is(p, places[i]))
                        return true;
        return false;
}

static bool is_recursive(const struct qn_cmd_info *in)
{
        for (size_t k = 1; k < in->argc; k++) {
                struct qn_str w = in->argv[k];

                if (qn_str_ieq(w, QN_STR("/s")) || qn_str_is(w, "--recursive") ||
                    qn_str_ieq(w, QN_STR("-recurse")))
                        return true;
                if (qn_cmd_is_option(w) && w.p[1] != '-' &&
                    (memchr(w.p, 'r', w.n) || memchr(w.p, 'R', w.n)))
                        return true;
        }
        return qn_str_is(in->program, "rimraf");
}

static void look_for_deletes(struct qn_cmd_run *r, size_t i)
{
        static const char *const programs[] = { "rm",    "rimraf", "del",        "rd",
                                                "rmdir", "erase",  "remove-item" };
        const struct qn_cmd_info *in = &r->info[i];
        bool deletes = false;

        for (size_t k = 0; k < QN_ARRAY_SIZE(programs); k++)
                deletes |= qn_str_is(in->program, programs[k]);
        if (!deletes || !is_recursive(in))
                return;
        for (size_t k = 1; k < in->argc; k++) {
                struct qn_str path = tidy_home(r, in->argv[k]);
                struct qn_event e;

                if (qn_cmd_is_option(path) || (path.n == 2 && path.p[0] == '/'))
                        continue;
                e = qn_cmd_make(is_root_or_home(path) ? QN_EVENT_SYSTEM_DESTROY
                                                      : QN_EVENT_FILE_DELETE);
                qn_event_attr(&e, QN_ATTR_PATH, path);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("recursive"));
                qn_cmd_emit(r, i, &e);
        }
}

/* --- network --- */

static bool is_output_option(struct qn_str w)
{
        return qn_str_is(w, "-o") || qn_str_is(w, "--output") || qn_str_is(w, "-O") ||
               qn_str_is(w, "--output-document") || qn_str_ieq(w, QN_STR("-outfile"));
}

/* -o FILE, and for curl and wget -fsSLo FILE, -o/tmp/x, --output=FILE; k is left at the last word of it. */
static bool take_output(struct qn_cmd_info *in, size_t *k)
{
        bool curl = qn_str_is(in->program, "curl"), wget = qn_str_is(in->program, "wget");
        /* what may stand before it in one word */
        struct qn_str flags = curl ? QN_STR("#0123468aBfgGiIjJkLlMnNOpqRsSvVZ")
                                   : QN_STR("46bcdEFhHKkLmNnpqrSvVx");
        struct qn_str w = in->argv[*k], value = w, name = qn_str_cut(&value, '=');
        size_t at = 1;

        if (value.n && name.n > 2 && is_output_option(name)) {
                in->out = value;
                return true;
        }
        if ((curl || wget) && qn_cmd_is_option(w) && w.p[1] != '-') {
                while (at < w.n && memchr(flags.p, w.p[at], flags.n))
                        at++;
                if (at == w.n || w.p[at] != (curl ? 'o' : 'O'))
                        return false;
                if (at + 1 < w.n) {
                        in->out = qn_str_skip(w, at + 1);
                        return true;
                }
        } else if (!is_output_option(w)) {
                return false;
        }
        if (*k + 1 == in->argc)
                return false;
        in->out = in->argv[++*k];
        return true;
}

static void find_address(struct qn_cmd_run *r, size_t i)
{
        struct qn_cmd_info *in = &r->info[i];
        struct qn_url url;

        for (size_t k = 1; k < in->argc; k++) {
                struct qn_str w = in->argv[k];

                if (take_output(in, &k))
                        continue;
                if (!qn_cmd_is_option(w) && !in->url.n && qn_str_chr(w, '.') > 0 &&
                    (qn_url_split(w, false, &url) || qn_url_split(w, true, &url)) &&
                    (url.scheme.n || !qn_str_is(in->argv[k - 1], "-H"))) {
                        in->url = w;
                        in->host = url.host;
                        in->class = qn_classify_host(r->t->classes, url.host, url.path);
                        if (k + 1 < in->argc && !in->out.n &&
                            (qn_str_is(in->program, "certutil") ||
                             qn_str_is(in->program, "bitsadmin")))
                                in->out = in->argv[k + 1]; /* no option before it */
                }
        }
        for (size_t k = 0; k < r->sh.commands[i].n_redirects; k++)
                if (r->sh.commands[i].redirects[k].op == QN_SHELL_OUT && in->downloads &&
                    !in->out.n)
                        in->out = r->sh.commands[i].redirects[k].target;
}

static bool uploads(const struct qn_cmd_info *in)
{
        static const char *const options[] = { "-d",
                                               "--data",
                                               "--data-binary",
                                               "--data-raw",
                                               "--data-urlencode",
                                               "-F",
                                               "--form",
                                               "-T",
                                               "--upload-file",
                                               "--json",
                                               "--post-file",
                                               "--post-data",
                                               "--body-file",
                                               "-Body",
                                               "-body",
                                               "-InFile" };

        if (!qn_str_is(in->program, "curl") && !in->downloads)
                return in->sends;
        for (size_t k = 1; k < in->argc; k++) {
                struct qn_str name = in->argv[k];

                name = qn_str_cut(&name, '=');
                for (size_t o = 0; o < QN_ARRAY_SIZE(options); o++)
                        if (qn_str_is(name, options[o]) ||
                            (strlen(options[o]) == 2 && options[o][1] != 'o' &&
                             qn_str_starts(name, options[o]) && name.n > 2 && name.p[1] != '-'))
                                return true;
                if ((qn_str_is(name, "-X") || qn_str_is(name, "--request") ||
                     qn_str_ieq(name, QN_STR("-method"))) &&
                    k + 1 < in->argc &&
                    (qn_str_ieq(in->argv[k + 1], QN_STR("POST")) ||
                     qn_str_ieq(in->argv[k + 1], QN_STR("PUT"))))
                        return true;
        }
        return false;
}

static void report_network(struct qn_cmd_run *r, size_t i)
{
        const struct qn_cmd_info *in = &r->info[i];
        bool to_net = in->sends && (uploads(in) || (in->labels & ~QN_LABEL_BIT(NETWORK)));
        struct qn_event e;

        if (!in->downloads && !in->sends)
                return;
        if (!to_net && !in->url.n)
                return;
        e = qn_cmd_make(to_net ? QN_EVENT_NET_SEND : QN_EVENT_NET_CONNECT);
        e.labels = to_net ? in->labels : 0;
        qn_cmd_add_address(&e, in);
        qn_event_attr(&e, QN_ATTR_HOW, in->program);
        qn_cmd_emit(r, i, &e);
}

/* --- all together --- */

static bool mentions(struct qn_str w, struct qn_str name)
{
        for (size_t k = 0; k + name.n < w.n; k++) {
                size_t from = k + 1 + (w.p[k + 1] == '{'), end = from + name.n;

                if (w.p[k] == '$' && end <= w.n && memcmp(w.p + from, name.p, name.n) == 0 &&
                    (end == w.n || !is_name_char(w.p[end])))
                        return true;
        }
        return false;
}

/* X=$(cat ~/.npmrc); curl -d "$X" … */
static void spread_by_variable(struct qn_cmd_run *r, size_t i, struct qn_str name)
{
        for (size_t k = i + 1; k < r->sh.n; k++)
                for (size_t n = 1; n < r->sh.commands[k].argc; n++)
                        if (mentions(r->sh.commands[k].argv[n], name))
                                r->info[k].labels |= r->info[i].labels;
}

static void spread_labels(struct qn_cmd_run *r)
{
        for (int round = 0; round < 2; round++) {
                for (size_t i = 0; i < r->sh.n; i++)
                        if (r->sh.commands[i].pipe_from != QN_SHELL_NONE)
                                r->info[i].labels |= r->info[r->sh.commands[i].pipe_from].labels;
                for (size_t i = r->sh.n; i > 0; i--) {
                        const struct qn_shell_command *c = &r->sh.commands[i - 1];

                        if (c->parent != QN_SHELL_NONE)
                                r->info[c->parent].labels |= r->info[i - 1].labels;
                }
                for (size_t i = 0, vars = 0; i < r->sh.n && vars < QN_SHELL_VARS_MAX; i++) {
                        struct qn_str name = qn_cmd_assigned(r, i);

                        if (!name.n || !r->info[i].labels)
                                continue;
                        spread_by_variable(r, i, name);
                        vars++;
                }
        }
}

static void summarise(struct qn_cmd_run *r)
{
        bool hidden = r->sh.n > 0;

        for (size_t i = 0; i < r->sh.n; i++) {
                const struct qn_shell_command *c = &r->sh.commands[i];

                if (!r->sum->program.n)
                        r->sum->program = r->info[i].program;
                if (c->depth == 0 && c->argc) {
                        hidden &= c->null_out;
                        r->sum->commands++;
                }
                r->sum->background |= r->info[i].background;
                r->sum->hides_errors |= c->hides_errors;
                r->sum->labels |= r->info[i].labels;
        }
        r->sum->hidden = hidden && r->sum->commands;
        r->sum->cut = r->sh.cut;
}

/* cmd.exe looks in the directory itself: x.bat needs no path. */
static bool is_batch_file(struct qn_str w)
{
        struct qn_str end = w.n > 4 ? qn_str_skip(w, w.n - 4) : (struct qn_str){ 0 };

        return qn_str_ieq(end, QN_STR(".bat")) || qn_str_ieq(end, QN_STR(".cmd"));
}

/* ./x, /tmp/x, scripts\x.bat and the like start a file themselves. */
static void look_for_direct_run(struct qn_cmd_run *r, const struct qn_cmd_info *in)
{
        struct qn_str w = in->argc ? in->argv[0] : (struct qn_str){ 0 };

        if (!w.n || in->interp || memchr("$-@`", w.p[0], 4) ||
            (qn_str_chr(w, '/') < 0 && qn_str_chr(w, '\\') < 0 && !is_batch_file(w)))
                return;
        report_file(r, slashes(r, w), QN_STR("exec"));
}

/* make takes its commands from a file. */
static void look_for_make(struct qn_cmd_run *r, const struct qn_cmd_info *in)
{
        static const char *const names[] = { "Makefile", "makefile", "GNUmakefile" };
        struct qn_str dir = r->dir, file = { 0 };

        if (!qn_str_is(in->program, "make") && !qn_str_is(in->program, "gmake"))
                return;
        for (size_t k = 1; k + 1 < in->argc; k++) {
                if (qn_str_is(in->argv[k], "-f") || qn_str_is(in->argv[k], "--file"))
                        file = in->argv[k + 1];
                else if ((qn_str_is(in->argv[k], "-C") || qn_str_is(in->argv[k], "--directory")) &&
                         is_relative(in->argv[k + 1]) && in->argv[k + 1].n < QN_SHELL_DIR_MAX)
                        r->dir = in_dir(r, in->argv[k + 1]);
        }
        if (file.n)
                report_file(r, file, QN_STR("make"));
        for (size_t k = 0; !file.n && k < QN_ARRAY_SIZE(names); k++)
                report_file(r, qn_str_c(names[k]), QN_STR("make"));
        r->dir = dir;
}

static int observe(struct qn_cmd_run *r)
{
        r->info = qn_arena_calloc(r->a, QN_MAX(r->sh.n, (size_t)1), sizeof *r->info);
        if (!r->info)
                return -ENOBUFS;
        for (size_t i = 0; i < r->sh.n; i++) {
                unwrap(r, i);
                look_for_secrets(r, i);
                if (r->info[i].downloads || r->info[i].sends)
                        find_address(r, i);
        }
        spread_labels(r);
        for (size_t i = 0; i < r->sh.n; i++) {
                change_directory(r, i);
                if (r->info[i].interp)
                        run_interpreter(r, i);
                look_for_direct_run(r, &r->info[i]);
                look_for_make(r, &r->info[i]);
                if (r->info[i].argc)
                        run_script(r, &r->info[i]);
                run_ai(r, i);
                look_for_writes(r, i);
                look_for_deletes(r, i);
                report_network(r, i);
                qn_cmd_look_at_pipes(r, i);
        }
        summarise(r);
        return 0;
}

/* Lists of a script are tried value by value; what was seen before is the same event again. */
int qn_command_observe(const struct qn_commands *t, struct qn_str line, struct qn_arena *a,
                       const struct qn_command_host *host, struct qn_command_sum *ret)
{
        struct qn_command_sum sum = { 0 };
        bool more = true;
        int k;

        for (unsigned pass = 0; more && pass < QN_SHELL_PASSES_MAX; pass++) {
                struct qn_cmd_run r = { .t = t, .host = host, .a = a, .sum = &sum };
                struct qn_str text;

                sum.commands = 0;
                k = qn_shell_expand(line, pass, a, &text, &more);
                if (k == 0)
                        k = qn_shell_parse(text, a, &r.sh);
                if (k == 0)
                        k = observe(&r);
                if (k < 0)
                        return k;
        }
        *ret = sum;
        return 0;
}

int qn_command_observe_argv(const struct qn_commands *t, const struct qn_str *argv, size_t argc,
                            struct qn_arena *a, const struct qn_command_host *host,
                            struct qn_command_sum *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf line = QN_BUF_INIT(QN_SCRIPT_MAX);
        struct qn_str kept;

        /* Quoted again, so that one reader serves both forms. */
        for (size_t i = 0; i < argc; i++) {
                bool plain = argv[i].n > 0;

                for (size_t k = 0; k < argv[i].n; k++)
                        plain &= is_name_char(argv[i].p[k]) ||
                                 memchr("./-:=@,+~", argv[i].p[k], 9) != NULL;
                if (i)
                        qn_buf_byte(&line, ' ');
                if (!plain)
                        qn_buf_byte(&line, '\'');
                for (size_t k = 0; k < argv[i].n; k++) {
                        if (argv[i].p[k] == '\'')
                                qn_buf_puts(&line, "'\\'");
                        qn_buf_byte(&line, argv[i].p[k]);
                }
                if (!plain)
                        qn_buf_byte(&line, '\'');
        }
        kept = qn_arena_dup(a, qn_buf_view(&line));
        if (!kept.p)
                return -ENOBUFS;
        return qn_command_observe(t, kept, a, host, ret);
}
