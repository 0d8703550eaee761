#include "observe/foreign.h"

#include "base/buf.h"
#include "base/limits.h"
#include "observe/scan-priv.h"

#define REGION_MAX  2048 /* bytes of a statement behind a name */
#define STRINGS_MAX 32   /* strings of one statement */
#define SENDS_MAX   64   /* places of one program that send something */
#define TEXT_MAX    4096 /* longer strings are data */
#define PLACE_MAX   200  /* longer text is no well-known place */
#define SAVED_MAX   16   /* files that a program writes and may start */

struct token {
        struct qn_str text; /* of a string: what stands between the quotes */
        bool string;
};

struct foreign {
        struct qn_scan *s;
        const struct qn_foreign_lang *l;
        struct qn_site site;
        struct qn_str text;
        uint64_t read; /* labels of what the program reads */
        struct qn_event sends[SENDS_MAX];
        struct qn_site send_sites[SENDS_MAX];
        size_t n_sends;
        struct qn_str saved[SAVED_MAX]; /* names of files that it writes */
        size_t n_saved;
};

/* --- tokens --- */

static bool is_word(const struct qn_foreign_lang *l, char c)
{
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '.' || c == ':' || c == '$' || c == '>')
                return true;
        return l->shell_words && (c == '-' || c == '\\' || c == '/' || c == '~' || c == '%');
}

static bool starts_comment(const struct qn_foreign_lang *l, struct qn_str s)
{
        return (l->hash && s.p[0] == '#') || (l->slashes && qn_str_starts(s, "//")) ||
               (l->dashes && qn_str_starts(s, "--")) || (l->quote_comment && s.p[0] == '\'');
}

static struct qn_str skip_line(struct qn_str s)
{
        ptrdiff_t nl = qn_str_chr(s, '\n');

        return qn_str_skip(s, nl < 0 ? s.n : (size_t)nl + 1);
}

static struct qn_str take_string(const struct qn_foreign_lang *l, struct qn_str *rest)
{
        char quote = rest->p[0];
        size_t n = 1, from;
        bool triple = l->triple && rest->n >= 3 && rest->p[1] == quote && rest->p[2] == quote;
        struct qn_str s;

        if (triple)
                n = 3;
        from = n;
        while (n < rest->n) {
                if (l->escape && rest->p[n] == l->escape && n + 1 < rest->n)
                        n++;
                else if (triple ? rest->n - n >= 3 && rest->p[n] == quote &&
                                          rest->p[n + 1] == quote && rest->p[n + 2] == quote
                                : rest->p[n] == quote || (rest->p[n] == '\n' && l->triple))
                        break;
                n++;
        }
        s = (struct qn_str){ rest->p + from, QN_MIN(n, rest->n) - from };
        *rest = qn_str_skip(*rest, n + (triple ? 3 : 1));
        return s;
}

/* The next word or string; false at the end.  Everything else separates. */
static bool next_token(const struct qn_foreign_lang *l, struct qn_str *rest, struct token *ret)
{
        while (rest->n) {
                size_t n = 0;

                if (starts_comment(l, *rest)) {
                        *rest = skip_line(*rest);
                        continue;
                }
                if (rest->p[0] == '"' || rest->p[0] == '\'') {
                        ret->string = true;
                        ret->text = take_string(l, rest);
                        return true;
                }
                while (n < rest->n && is_word(l, rest->p[n]))
                        n++;
                if (n) {
                        ret->string = false;
                        ret->text = qn_str_take(*rest, n);
                        *rest = qn_str_skip(*rest, n);
                        return true;
                }
                *rest = qn_str_skip(*rest, 1);
        }
        return false;
}

/* What belongs to a name: its brackets, or its line where arguments need none. */
static struct qn_str region_of(const struct foreign *f, struct qn_str rest)
{
        bool line = f->l->shell_words;
        size_t n = 0, depth = 0;

        while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t'))
                rest = qn_str_skip(rest, 1);
        rest = qn_str_take(rest, REGION_MAX);
        if (rest.n && rest.p[0] != '(' && rest.p[0] != '[') {
                if (f->l->triple)
                        return qn_str_take(rest, 0);
                line = true;
        }
        while (n < rest.n && !(line && rest.p[n] == '\n' && !depth)) {
                char c = rest.p[n];

                if (c == '"' || c == '\'') {
                        struct qn_str tail = qn_str_skip(rest, n);

                        take_string(f->l, &tail);
                        n = rest.n - tail.n;
                        continue;
                }
                depth += c == '(' || c == '[';
                depth -= (c == ')' || c == ']') && depth;
                n++;
                if (!depth && !line)
                        break;
        }
        return qn_str_take(rest, n);
}

/* --- text of strings --- */

static bool is_plain(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == ':';
}

/* How long the variable is that stands at `at`: {x} ${x} $(x) #{x} %s $x $env:x $x{y}; 0: none does. */
static size_t variable(struct qn_str s, size_t at)
{
        size_t n = at;

        if (s.p[at] == '%')
                return at + 1 < s.n && (s.p[at + 1] == 's' || s.p[at + 1] == 'd') ? 2 : 0;
        if (s.p[at] == '$' || (s.p[at] == '#' && at + 1 < s.n && s.p[at + 1] == '{'))
                for (n++; n < s.n && is_plain(s.p[n]);)
                        n++;
        else if (s.p[at] != '{')
                return 0;
        if (n < s.n && (s.p[n] == '{' || (s.p[n] == '(' && n == at + 1)))
                while (n < s.n && s.p[n] != '}' && s.p[n] != ')')
                        n++;
        return QN_MIN(n + (n < s.n && (s.p[n] == '}' || s.p[n] == ')')), s.n) - at;
}

static bool is_home(struct qn_str v)
{
        static const char *const names[] = { "USERPROFILE", "HOME", "home", "HOMEPATH" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                if (qn_str_find(v, qn_str_c(names[i])) >= 0)
                        return true;
        return false;
}

/* Variables become *, those of the home directory ~; a back-slash a slash. */
static struct qn_str tidy(struct foreign *f, struct qn_str s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(TEXT_MAX + 64);
        size_t i = 0;

        if (s.n > TEXT_MAX)
                return (struct qn_str){ s.p, 0 };
        while (i < s.n) {
                size_t n = variable(s, i);

                if (n > 1 || (n && s.p[i] == '{')) {
                        struct qn_str name = qn_str_take(qn_str_skip(s, i), n);

                        qn_buf_puts(&b, is_home(name)                                ? "~"
                                        : qn_str_ifind(name, QN_STR("APPDATA")) >= 0 ? "~/AppData"
                                                                                     : "*");
                        i += n;
                } else {
                        qn_buf_byte(&b, s.p[i] == '\\' ? '/' : s.p[i]);
                        i++;
                }
        }
        return qn_arena_dup(&f->s->tmp, qn_buf_view(&b));
}

/* --- reporting --- */

static struct qn_site place(const struct foreign *f, struct qn_str at)
{
        struct qn_site site = f->site;
        uint32_t off = (uint32_t)(at.p - f->text.p), line, column;

        qn_place_of(f->text, off, &line, &column);
        site.off += off;
        if (site.line <= 1) { /* the whole file, not code in a string */
                site.line = line;
                site.column = column;
        }
        site.text = qn_str_take(at, 80);
        return site;
}

static void report_path(struct foreign *f, struct qn_str at, struct qn_str raw)
{
        const struct qn_path_class *class;
        struct qn_site site;
        struct qn_event e;
        struct qn_str path;

        if (raw.n < 4 || raw.n > PLACE_MAX || qn_str_chr(raw, '\n') >= 0)
                return;
        path = tidy(f, raw);
        class = path.n ? qn_classify_path(&f->s->o->classes, path) : NULL;
        if (!class || qn_str_is(path, "*") || (path.p[0] == '*' && path.n < 6))
                return;
        e = qn_observe_make(class->wallet   ? QN_EVENT_WALLET_READ
                            : class->memory ? QN_EVENT_MEMORY_READ
                                            : QN_EVENT_SECRET_READ);
        e.labels = UINT64_C(1) << class->label;
        f->read |= e.labels;
        qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(qn_label_name(class->label)));
        qn_event_attr(&e, QN_ATTR_PATH, path);
        site = place(f, at);
        qn_site_event(f->s, &site, &e);
}

static bool add_address(struct foreign *f, struct qn_event *e, struct qn_str text)
{
        struct qn_url url;

        if (!qn_url_split(text, false, &url))
                return false;
        qn_event_attr(e, QN_ATTR_URL, text);
        qn_event_attr(e, QN_ATTR_HOST, url.host);
        qn_event_attr(e, QN_ATTR_CLASS, qn_classify_host(&f->s->o->classes, url.host, url.path));
        return true;
}

static void report_url(struct foreign *f, struct qn_str text)
{
        struct qn_event e = qn_observe_make(QN_EVENT_URL_LITERAL);
        struct qn_site site = place(f, text);

        qn_known_observe(f->s, &site, text);
        if (text.n > TEXT_MAX || !add_address(f, &e, text) || !qn_event_get(&e, QN_ATTR_CLASS).n ||
            qn_str_is(qn_event_get(&e, QN_ATTR_CLASS), "private"))
                return;
        if (qn_str_is(qn_event_get(&e, QN_ATTR_CLASS), "cloud-metadata"))
                f->read |= QN_LABEL_BIT(CLOUD_METADATA);
        qn_site_event(f->s, &site, &e);
}

static void report_env(struct foreign *f, struct qn_str at, struct qn_str name)
{
        int label = qn_classify_env(&f->s->o->classes, name);
        struct qn_event e = qn_observe_make(QN_EVENT_SECRET_READ);
        struct qn_site site = place(f, at);
        struct qn_str probe = qn_classify_probe(&f->s->o->classes, name);

        if (label >= 0) {
                e.labels = UINT64_C(1) << label;
                f->read |= e.labels;
                qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(qn_label_name((enum qn_label)label)));
        } else {
                e = qn_observe_make(probe.n ? QN_EVENT_ENV_PROBE : QN_EVENT_ENV_READ);
                qn_event_attr(&e, QN_ATTR_WHAT, probe);
        }
        qn_event_attr(&e, QN_ATTR_NAME, name);
        qn_site_event(f->s, &site, &e);
}

static void report_env_all(struct foreign *f, struct qn_str at, struct qn_str how)
{
        struct qn_event e = qn_observe_make(QN_EVENT_ENV_ENUMERATE);
        struct qn_site site = place(f, at);

        f->read |= QN_LABEL_BIT(ENV);
        qn_event_attr(&e, QN_ATTR_HOW, how);
        qn_site_event(f->s, &site, &e);
}

/* --- what is fetched, saved and started --- */

static struct qn_str base_name(struct qn_str p)
{
        ptrdiff_t slash = QN_MAX(qn_str_rchr(p, '/'), qn_str_rchr(p, '\\'));

        return qn_str_skip(p, slash < 0 ? 0 : (size_t)slash + 1);
}

static void note_saved(struct foreign *f, struct qn_str path)
{
        struct qn_str name = path.n ? base_name(path) : path;

        if (name.n >= 3 && f->n_saved < SAVED_MAX && qn_str_chr(name, ' ') < 0)
                f->saved[f->n_saved++] = name;
}

static bool is_saved(const struct foreign *f, struct qn_str path)
{
        struct qn_str name;

        if (!path.n)
                return false;
        name = base_name(path);
        for (size_t i = 0; i < f->n_saved; i++)
                if (qn_str_eq(name, f->saved[i]))
                        return true;
        return false;
}

/* A command that starts a file which the program wrote, after it had fetched something. */
static void look_for_saved(struct foreign *f, const struct qn_site *site, struct qn_str line,
                           struct qn_str target)
{
        static const enum qn_attr address[] = { QN_ATTR_URL, QN_ATTR_HOST, QN_ATTR_CLASS };
        struct qn_event e = qn_observe_make(QN_EVENT_DOWNLOAD_RUN);
        struct qn_str rest = line;

        if (!f->n_sends || !(is_saved(f, qn_str_cut(&rest, ' ')) || is_saved(f, target)))
                return;
        qn_event_attr(&e, QN_ATTR_HOW,
                      qn_str_is(f->l->name, "wsh") ? QN_STR("lolbin") : QN_STR("saved"));
        qn_event_attr(&e, QN_ATTR_COMMAND, line);
        for (size_t i = 0; i < QN_ARRAY_SIZE(address); i++)
                qn_event_attr(&e, address[i], qn_event_get(&f->sends[0], address[i]));
        qn_site_event(f->s, site, &e);
}

/* --- calls --- */

struct call {
        const struct qn_foreign_call *row;
        struct qn_str word, region;
        struct qn_str strings[STRINGS_MAX];
        size_t n;
        uint64_t labels; /* of the calls among its arguments */
};

static uint64_t labels_of(const struct qn_foreign_call *c)
{
        if (!c->has_event)
                return 0;
        switch (c->event.kind) {
        case QN_EVENT_NET_CONNECT:
        case QN_EVENT_NET_SEND:
                return QN_LABEL_BIT(NETWORK);
        case QN_EVENT_CODE_DECODE:
                return QN_LABEL_BIT(DECODED);
        case QN_EVENT_SYSINFO_READ:
                return QN_LABEL_BIT(SYSINFO);
        case QN_EVENT_ENV_ENUMERATE:
                return QN_LABEL_BIT(ENV);
        case QN_EVENT_CLIPBOARD_READ:
                return QN_LABEL_BIT(CLIPBOARD);
        default:
                return c->event.labels;
        }
}

static void read_arguments(const struct foreign *f, struct call *c)
{
        struct qn_str rest = c->region;
        struct token t;

        while (next_token(f->l, &rest, &t)) {
                const struct qn_foreign_call *inner =
                        t.string ? NULL : qn_foreign_find(f->l, t.text);

                if (inner && inner->role == QN_FOREIGN_ENV && rest.n && rest.p[0] == '[')
                        continue; /* one variable, not all of them */
                if (inner)
                        c->labels |= labels_of(inner);
                else if (c->n < STRINGS_MAX && t.text.n <= TEXT_MAX &&
                         (t.string || f->l->shell_words))
                        c->strings[c->n++] = t.text;
        }
}

/* The known parts of a path, behind a directory that may not be known. */
static struct qn_str joined(struct foreign *f, const struct call *c)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(PLACE_MAX);

        qn_buf_puts(&b, "*");
        for (size_t i = 0; i < c->n; i++) {
                qn_buf_byte(&b, '/');
                qn_buf_str(&b, c->strings[i]);
        }
        return qn_buf_error(&b) < 0 ? (struct qn_str){ NULL, 0 }
                                    : qn_arena_dup(&f->s->tmp, qn_buf_view(&b));
}

static void run_command(struct foreign *f, const struct call *c, struct qn_event *e)
{
        struct qn_site site = place(f, c->word);
        struct qn_command_sum sum = { 0 };
        struct qn_str line;
        bool list = qn_str_starts(c->region, "([") || qn_str_starts(c->region, "[");

        if (!c->n)
                return;
        if (f->l->shell_words) {
                line = c->region;
                qn_site_command(f->s, &site, line, &sum);
        } else if (list) {
                line = tidy(f, c->strings[0]);
                qn_site_argv(f->s, &site, c->strings, c->n, &sum);
        } else {
                line = tidy(f, c->strings[0]);
                qn_site_command(f->s, &site, line, &sum);
        }
        qn_event_attr(e, QN_ATTR_COMMAND, line);
        qn_event_attr(e, QN_ATTR_PROGRAM, sum.program);
        qn_event_attr(e, QN_ATTR_TARGET, sum.target);
        f->read |= sum.labels;
        look_for_saved(f, &site, line, sum.target);
}

/* open(path, mode): "w", "a" and "x" write. */
static bool is_writing(const struct call *c)
{
        struct qn_str mode = c->n > 1 ? c->strings[1] : (struct qn_str){ 0 };

        return mode.n && mode.n < 5 && memchr("wax", mode.p[0], 3);
}

static void write_path(struct foreign *f, const struct call *c, struct qn_event *e)
{
        struct qn_str path = c->n ? tidy(f, c->strings[0]) : (struct qn_str){ 0 };
        const struct qn_row_event *class =
                path.n ? qn_classify_write(&f->s->o->classes, path) : NULL;
        struct qn_site site = place(f, c->word);

        *e = qn_observe_make(QN_EVENT_FILE_WRITE);
        qn_event_attr(e, QN_ATTR_PATH, path);
        note_saved(f, path);
        if (class) {
                struct qn_event more = qn_row_event_make(class);

                qn_event_attr(&more, QN_ATTR_PATH, path);
                qn_site_event(f->s, &site, &more);
        }
}

static void delete_path(struct foreign *f, const struct call *c, struct qn_event *e)
{
        struct qn_str path = c->n ? tidy(f, c->strings[0]) : (struct qn_str){ 0 };

        qn_event_attr(e, QN_ATTR_PATH, path);
        if (qn_str_is(path, "~") || qn_str_is(path, "~/") || qn_str_is(path, "/"))
                e->kind = QN_EVENT_SYSTEM_DESTROY;
}

static void send(struct foreign *f, const struct call *c, struct qn_event *e)
{
        for (size_t i = 0; i < c->n; i++)
                if (!qn_event_get(e, QN_ATTR_URL).n && add_address(f, e, c->strings[i]))
                        continue;
                else if (memchr(c->strings[i].p, '.', c->strings[i].n) ||
                         memchr(c->strings[i].p, '/', c->strings[i].n))
                        note_saved(f, c->strings[i]);
        e->labels |= c->labels & ~QN_LABEL_BIT(NETWORK);
        if (e->kind == QN_EVENT_NET_CONNECT && qn_str_ifind(c->region, QN_STR("post")) >= 0)
                e->kind = QN_EVENT_NET_SEND;
        if (f->n_sends == SENDS_MAX)
                return;
        f->send_sites[f->n_sends] = place(f, c->word);
        f->sends[f->n_sends++] = *e;
}

static void see_call(struct foreign *f, struct call *c)
{
        struct qn_event e = qn_row_event_make(&c->row->event);
        struct qn_site site = place(f, c->word);

        read_arguments(f, c);
        f->read |= labels_of(c->row) &
                   ~(QN_LABEL_BIT(NETWORK) | QN_LABEL_BIT(DECODED) | QN_LABEL_BIT(ENV));
        switch (c->row->role) {
        case QN_FOREIGN_COMMAND:
                run_command(f, c, &e);
                break;
        case QN_FOREIGN_CODE:
                e.labels |= c->labels & (QN_LABEL_BIT(NETWORK) | QN_LABEL_BIT(DECODED));
                break;
        case QN_FOREIGN_URL:
                send(f, c, &e);
                return;
        case QN_FOREIGN_ENV:
                if (c->n)
                        report_env(f, c->word, c->strings[0]);
                else if (c->region.n && c->row->has_event)
                        report_env_all(f, c->word, QN_STR("call"));
                return;
        case QN_FOREIGN_JOIN:
                report_path(f, c->word, joined(f, c));
                return;
        case QN_FOREIGN_DUMP:
                if (c->labels & QN_LABEL_BIT(ENV))
                        report_env_all(f, c->word, QN_STR("stringify"));
                return;
        case QN_FOREIGN_OPEN:
                if (is_writing(c))
                        write_path(f, c, &e);
                break;
        case QN_FOREIGN_TO:
                write_path(f, c, &e);
                break;
        case QN_FOREIGN_PATH:
                delete_path(f, c, &e);
                break;
        default:
                break;
        }
        if (c->row->has_event || e.kind == QN_EVENT_FILE_WRITE)
                qn_site_event(f->s, &site, &e);
}

/* $env:NAME of PowerShell is a word of its own. */
static bool see_variable(struct foreign *f, struct qn_str word)
{
        if (word.n < 6 || !qn_str_ieq(qn_str_take(word, 5), QN_STR("$env:")))
                return false;
        if (qn_str_chr(word, '\\') >= 0 || qn_str_chr(word, '/') >= 0)
                report_path(f, word, word);
        else
                report_env(f, word, qn_str_skip(word, 5));
        return true;
}

static void see_token(struct foreign *f, const struct token *t, struct qn_str rest)
{
        struct call c = { .word = t->text };

        if (t->string) {
                if (t->text.n > 10 && t->text.p[0] == 'h')
                        report_url(f, t->text);
                report_path(f, t->text, t->text);
                return;
        }
        c.row = qn_foreign_find(f->l, t->text);
        if (c.row) {
                c.region = region_of(f, rest);
                see_call(f, &c);
        } else if (!see_variable(f, t->text) && f->l->shell_words) {
                report_path(f, t->text, t->text);
        }
}

/* What is sent carries what was read; all of it is known only now. */
static void report_sends(struct foreign *f)
{
        for (size_t i = 0; i < f->n_sends; i++) {
                struct qn_event *e = &f->sends[i];
                uint64_t read = f->read;

                if (e->kind == QN_EVENT_NET_CONNECT)
                        read &= ~QN_LABEL_BIT(ENV) & ~QN_LABEL_BIT(SYSINFO);
                e->labels |= read;
                if (e->labels)
                        e->kind = QN_EVENT_NET_SEND;
                qn_site_event(f->s, &f->send_sites[i], e);
        }
}

void qn_foreign_observe(struct qn_scan *s, const struct qn_site *site,
                        const struct qn_foreign_lang *l, struct qn_str text)
{
        struct foreign f = { .s = s, .l = l, .site = *site, .text = text };
        struct qn_str rest = text;
        struct token t;

        if (text.n > QN_SCRIPT_MAX) {
                if (qn_scan_unanalysed(s, "size", s->path, "the script is too large to be read") <
                    0)
                        s->graph.full = true;
                return;
        }
        while (next_token(l, &rest, &t))
                see_token(&f, &t, rest);
        report_sends(&f);
}
