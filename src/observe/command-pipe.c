/* What a command's bytes become: a download that is piped, substituted or saved into a program. */
#include "base/limits.h"
#include "observe/classify.h"
#include "observe/command-priv.h"

/* The command whose bytes reach i through a pipe, past filters. */
static size_t pipe_source(const struct qn_cmd_run *r, size_t i)
{
        for (int k = 0; k < 16; k++) {
                uint32_t from = r->sh.commands[i].pipe_from;

                if (from == QN_SHELL_NONE)
                        return i;
                i = from;
                if (!r->info[i].filter)
                        return i;
        }
        return i;
}

static bool decodes_on_the_way(const struct qn_cmd_run *r, size_t i)
{
        for (int k = 0; k < 16; k++) {
                uint32_t from = r->sh.commands[i].pipe_from;

                if (from == QN_SHELL_NONE)
                        return false;
                i = from;
                if (qn_str_is(r->info[i].program, "base64") ||
                    qn_str_is(r->info[i].program, "xxd") ||
                    qn_str_is(r->info[i].program, "openssl"))
                        return true;
        }
        return false;
}

static bool is_decode_option(struct qn_str w)
{
        if (qn_str_is(w, "--decode"))
                return true;
        for (size_t k = 1; qn_cmd_is_option(w) && w.p[1] != '-' && k < w.n; k++)
                if (memchr("dDr", w.p[k], 3)) /* xxd -r */
                        return true;
        return false;
}

/* base64 -d and its like: what comes out was meant to be unreadable. */
static bool decodes(const struct qn_cmd_info *in)
{
        bool openssl = qn_str_is(in->program, "openssl");

        if (!openssl && !qn_str_is(in->program, "base64") && !qn_str_is(in->program, "xxd"))
                return false;
        for (size_t k = 1; k < in->argc; k++)
                if (openssl ? qn_str_is(in->argv[k], "-d") : is_decode_option(in->argv[k]))
                        return true;
        return false;
}

static void report_decoded(struct qn_cmd_run *r, size_t run)
{
        struct qn_event e = qn_cmd_make(QN_EVENT_CODE_DECODE);

        qn_event_attr(&e, QN_ATTR_ENCODING, QN_STR("base64"));
        qn_event_attr(&e, QN_ATTR_INTO, QN_STR("shell"));
        qn_cmd_emit(r, run, &e);
}

static bool runs_input(const struct qn_cmd_info *in)
{
        if (!in->interp)
                return qn_str_is(in->program, "iex") ||
                       qn_str_is(in->program, "invoke-expression") ||
                       qn_shell_is_shell(in->program);
        for (size_t k = 1; k < in->argc; k++) /* a file or text of its own: the pipe is only data */
                if ((!qn_cmd_is_option(in->argv[k]) && in->argv[k].n > 1 &&
                     !qn_str_is(in->argv[k - 1], "-s") && !qn_str_is(in->argv[k - 1], "--")) ||
                    qn_cmd_list_has(in->interp->eval, in->argv[k]))
                        return false;
        return true;
}

static void report_download_run(struct qn_cmd_run *r, size_t run, const struct qn_cmd_info *from,
                                const char *how)
{
        struct qn_event e = qn_cmd_make(QN_EVENT_DOWNLOAD_RUN);

        qn_cmd_add_address(&e, from);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_cmd_emit(r, run, &e);
        if (qn_str_is(from->class, "runtime")) {
                e = qn_cmd_make(QN_EVENT_RUNTIME_FETCH);
                qn_event_attr(&e, QN_ATTR_WHAT,
                              qn_str_cut(&(struct qn_str){ from->host.p, from->host.n }, '.'));
                qn_event_attr(&e, QN_ATTR_URL, from->url);
                qn_cmd_emit(r, run, &e);
        }
}

static void look_at_pipe(struct qn_cmd_run *r, size_t i)
{
        const struct qn_cmd_info *in = &r->info[i];
        size_t from = pipe_source(r, i);

        if (from == i || !runs_input(in))
                return;
        if (r->info[from].downloads) {
                report_download_run(r, i, &r->info[from], "pipe");
        } else if (qn_str_is(r->info[from].program, "nc") ||
                   qn_str_is(r->info[from].program, "ncat")) {
                struct qn_event e = qn_cmd_make(QN_EVENT_NET_CONNECT);

                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("reverse-shell"));
                qn_cmd_emit(r, i, &e);
        } else if (decodes_on_the_way(r, i)) {
                report_decoded(r, i);
        }
}

static bool is_substituted(struct qn_str w)
{
        return w.n > 1 && (w.p[0] == '`' || qn_str_starts(w, "$("));
}

/* bash <(…), bash -c "$(…)", eval "$(…)", $(…): whether a command runs what the one in its words prints. */
static bool runs_its_words(const struct qn_cmd_run *r, size_t i)
{
        const struct qn_shell_command *c = &r->sh.commands[i];
        const struct qn_cmd_info *in = &r->info[i];

        if (qn_str_is(in->program, "eval") || (c->argc && is_substituted(c->argv[0])))
                return true;
        for (size_t k = 1; in->interp && k + 1 < in->argc; k++)
                if (qn_cmd_list_has(in->interp->eval, in->argv[k]) &&
                    is_substituted(in->argv[k + 1]))
                        return true;
        return false;
}

/* X=$(…), export X=$(…) */
struct qn_str qn_cmd_assigned(const struct qn_cmd_run *r, size_t i)
{
        const struct qn_shell_command *c = &r->sh.commands[i];
        struct qn_str program = r->info[i].program, value = { 0 }, name;

        if (!c->argc && c->n_assigns == 1)
                value = c->assigns[0];
        else if (c->argc == 2 && (qn_str_is(program, "export") || qn_str_is(program, "local") ||
                                  qn_str_is(program, "readonly") || qn_str_is(program, "declare")))
                value = c->argv[1];
        name = qn_str_cut(&value, '=');
        return is_substituted(value) ? name : (struct qn_str){ 0 };
}

/* $NAME or ${NAME}, and nothing else */
static bool is_variable(struct qn_str w, struct qn_str name)
{
        if (w.n < 2 || w.p[0] != '$')
                return false;
        w = qn_str_skip(w, 1);
        if (w.p[0] == '{' && w.p[w.n - 1] == '}')
                w = qn_str_take(qn_str_skip(w, 1), w.n - 2);
        return qn_str_eq(w, name);
}

static bool has_variable(const struct qn_cmd_info *in, struct qn_str name)
{
        for (size_t k = 1; k < in->argc && k < 8; k++) /* "$X" stands among the first */
                if (is_variable(in->argv[k], name))
                        return true;
        return false;
}

/* X=$(…), then eval "$X", sh -c "$X" or echo "$X" | sh: the command that runs it, or how many there are. */
static size_t runs_variable(const struct qn_cmd_run *r, size_t from, struct qn_str name)
{
        size_t i;

        for (i = from; i < r->sh.n; i++) {
                const struct qn_shell_command *c = &r->sh.commands[i];
                const struct qn_cmd_info *in = &r->info[i];
                uint32_t up = c->pipe_from;

                if (c->argc == 1 && is_variable(c->argv[0], name))
                        return i;
                if (qn_str_is(in->program, "eval") && has_variable(in, name))
                        return i;
                if (up != QN_SHELL_NONE && runs_input(in) && has_variable(&r->info[up], name))
                        return i;
        }
        return i;
}

static void look_at_substitution(struct qn_cmd_run *r, size_t i)
{
        const struct qn_shell_command *c = &r->sh.commands[i];
        const struct qn_cmd_info *parent;
        struct qn_str name;
        bool fetched = r->info[i].downloads, runs;
        size_t run = c->parent;

        if ((!fetched && !decodes(&r->info[i])) || c->parent == QN_SHELL_NONE ||
            (c->via != QN_SHELL_SUBSTITUTION && c->via != QN_SHELL_PROCESS))
                return;
        parent = &r->info[c->parent];
        name = qn_cmd_assigned(r, c->parent);
        runs = runs_its_words(r, c->parent);
        if (fetched || c->via == QN_SHELL_PROCESS)
                runs |= parent->interp || qn_shell_is_shell(parent->program);
        if (!runs && name.n) {
                run = runs_variable(r, c->parent + 1, name);
                runs = run < r->sh.n;
        }
        if (runs && fetched)
                report_download_run(r, run, &r->info[i], "substitution");
        else if (runs)
                report_decoded(r, run);
}

static struct qn_str base_name(struct qn_str p)
{
        ptrdiff_t slash = QN_MAX(qn_str_rchr(p, '/'), qn_str_rchr(p, '\\'));

        return slash < 0 ? p : qn_str_skip(p, (size_t)slash + 1);
}

/* The file that a download writes when it is not told (the address's last part). */
static struct qn_str saved_as(const struct qn_cmd_info *in)
{
        struct qn_str url = in->url;

        if (in->out.n)
                return base_name(in->out);
        url = qn_str_cut(&url, '?');
        return base_name(url);
}

/* curl -o x … && chmod +x x && ./x */
static void look_at_saved(struct qn_cmd_run *r, size_t i)
{
        struct qn_str name = saved_as(&r->info[i]);

        if (!r->info[i].downloads || !r->info[i].url.n || name.n < 1 || qn_str_is(name, "-"))
                return;
        for (size_t k = i + 1; k < r->sh.n; k++) {
                const struct qn_cmd_info *in = &r->info[k];

                if (!in->argc)
                        continue;
                if (qn_str_eq(base_name(in->argv[0]), name) ||
                    (in->interp && in->argc > 1 && qn_str_eq(base_name(in->argv[1]), name))) {
                        report_download_run(
                                r, k, &r->info[i],
                                qn_str_is(r->info[i].program, "certutil") ||
                                                qn_str_is(r->info[i].program, "bitsadmin")
                                        ? "lolbin"
                                        : "saved");
                        return;
                }
        }
}

/* iex (iwr …), Start-Process after DownloadFile: PowerShell is looked at as text. */
static void look_at_powershell(struct qn_cmd_run *r, size_t i)
{
        static const char *const runs[] = { "iex", "invoke-expression", "start-process",
                                            "invoke-item", "-computerdefaults" };
        static const char *const fetches[] = {
                "iwr",          "invoke-webrequest", "downloadstring", "downloadfile",
                "downloaddata", "invoke-restmethod", "irm ",           "bitstransfer"
        };
        const struct qn_cmd_info *in = &r->info[i];
        struct qn_str text = r->sh.commands[i].source;
        bool run = false, get = false;

        if (!in->interp || !qn_str_is(in->interp->lang, "powershell") || text.n > QN_COMMAND_MAX)
                return;
        for (size_t k = 0; k < QN_ARRAY_SIZE(runs); k++)
                run |= qn_str_ifind(text, qn_str_c(runs[k])) >= 0;
        for (size_t k = 0; k < QN_ARRAY_SIZE(fetches); k++)
                get |= qn_str_ifind(text, qn_str_c(fetches[k])) >= 0;
        if (run && get) {
                struct qn_cmd_info from = *in;
                ptrdiff_t at = qn_str_ifind(text, QN_STR("http"));
                struct qn_url url;

                if (at >= 0) {
                        from.url = qn_str_skip(text, (size_t)at);
                        for (size_t k = 0; k < from.url.n; k++)
                                if (memchr("'\" );|", from.url.p[k], 6)) {
                                        from.url.n = k;
                                        break;
                                }
                        if (qn_url_split(from.url, false, &url)) {
                                from.host = url.host;
                                from.class = qn_classify_host(r->t->classes, url.host, url.path);
                        }
                }
                report_download_run(r, i, &from, "powershell");
        }
}

void qn_cmd_look_at_pipes(struct qn_cmd_run *r, size_t i)
{
        look_at_pipe(r, i);
        look_at_substitution(r, i);
        look_at_saved(r, i);
        look_at_powershell(r, i);
}
