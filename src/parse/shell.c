/* Commands are read left to right; text that holds further commands (substitutions, strings for a shell) goes to a queue
 * and is read later as a line of its own, so that nesting costs no stack. */
#include "parse/shell.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

#define NEST_MAX 64 /* brackets and quotes inside one substitution */

struct todo {
        struct qn_str text;
        uint32_t parent;
        uint8_t via, depth;
};

struct here {
        struct qn_str end;
        uint32_t command; /* index, once the command is in the list */
        uint32_t redirect;
        bool strip_tabs;
};

struct sh {
        struct qn_arena *a;
        struct qn_shell *ret;
        struct todo *todo;
        size_t n_todo, todo_cap, next_todo;

        /* the line being read */
        const char *p, *end;
        const struct todo *now;
        struct qn_buf word;
        bool word_quoted; /* the word just read had quotes or escapes */

        /* the command being read */
        struct qn_shell_command c;
        size_t argv_cap, assign_cap, redir_cap;
        const char *from;
        bool skip_words; /* inside `for x in …`, `case x in` */
        uint32_t group_first;

        struct here *here;
        size_t n_here, here_cap;
        size_t todo_base; /* substitutions of the current command start here */
        bool full;        /* no room for another command */
        int error;
};

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

static bool is_meta(char c)
{
        return c == ';' || c == '|' || c == '&' || c == '<' || c == '>' || c == '(' || c == ')' ||
               c == '\n';
}

static bool is_name(char c, bool first)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               (!first && c >= '0' && c <= '9');
}

static void queue(struct sh *s, struct qn_str text, uint32_t parent, uint8_t via)
{
        uint8_t depth = (uint8_t)(s->now->depth + 1);

        if (depth > QN_COMMAND_DEPTH_MAX || s->n_todo >= QN_SHELL_COMMANDS_MAX) {
                s->ret->cut = true;
                return;
        }
        if (qn_str_trim(text).n == 0)
                return;
        if (QN_ARENA_ROOM(s->a, s->todo, s->n_todo, s->todo_cap) < 0) {
                s->error = -ENOBUFS;
                return;
        }
        s->todo[s->n_todo++] = (struct todo){ text, parent, via, depth };
}

/* --- finding the end of nested text --- */

/* p stands behind an opening bracket: returns where its closing one is, or end.  Quotes and further brackets nest. */
static const char *skip_nested(const char *p, const char *end, char open, char close)
{
        char stack[NEST_MAX];
        size_t n = 0;

        stack[n++] = close;
        for (; p < end; p++) {
                char top = stack[n - 1];

                if (*p == top) {
                        if (--n == 0)
                                return p;
                } else if (top == '\'') {
                        continue;
                } else if (*p == '\\' && p + 1 < end) {
                        p++;
                } else if (*p == '"' || (*p == '\'' && top != '"')) {
                        if (n == NEST_MAX)
                                return end;
                        stack[n++] = *p;
                } else if (*p == open && (top != '"' || p[-1] == '$')) {
                        if (n == NEST_MAX)
                                return end;
                        stack[n++] = close;
                }
        }
        return end;
}

static const char *skip_backtick(const char *p, const char *end)
{
        for (; p < end && *p != '`'; p++)
                if (*p == '\\' && p + 1 < end)
                        p++;
        return p;
}

/* --- words --- */

static void put(struct sh *s, const char *p, const char *end)
{
        qn_buf_add(&s->word, p, (size_t)(end - p));
}

/* `$` at s->p: a variable or parameter stays as text, a substitution is queued and stays as text too. */
static void read_dollar(struct sh *s)
{
        const char *from = s->p, *inner, *close;

        s->p++;
        if (s->p < s->end && *s->p == '(') {
                inner = s->p + 1;
                close = skip_nested(inner, s->end, '(', ')');
                if (inner < s->end && *inner != '(') /* not $((arithmetic)) */
                        queue(s, (struct qn_str){ inner, (size_t)(close - inner) }, QN_SHELL_NONE,
                              QN_SHELL_SUBSTITUTION);
                s->p = close < s->end ? close + 1 : close;
        } else if (s->p < s->end && *s->p == '{') {
                close = skip_nested(s->p + 1, s->end, '{', '}');
                s->p = close < s->end ? close + 1 : close;
        }
        put(s, from, s->p);
}

static void read_backtick(struct sh *s)
{
        const char *from = s->p, *close = skip_backtick(s->p + 1, s->end);

        queue(s, (struct qn_str){ from + 1, (size_t)(close - from - 1) }, QN_SHELL_NONE,
              QN_SHELL_SUBSTITUTION);
        s->p = close < s->end ? close + 1 : close;
        put(s, from, s->p);
}

static unsigned hex_digits(const char **p, const char *end, unsigned most)
{
        unsigned v = 0;

        for (; most && *p < end; most--, (*p)++) {
                char c = **p;

                if (c >= '0' && c <= '9')
                        v = v * 16 + (unsigned)(c - '0');
                else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
                        v = v * 16 + (unsigned)((c | 0x20) - 'a' + 10);
                else
                        break;
        }
        return v;
}

/* $'…' with C escapes: \xHH and \NNN are how commands are hidden. */
static void read_c_quoted(struct sh *s)
{
        s->p += 2;
        while (s->p < s->end && *s->p != '\'') {
                if (*s->p != '\\' || s->p + 1 >= s->end) {
                        qn_buf_byte(&s->word, *s->p++);
                        continue;
                }
                s->p += 2;
                switch (s->p[-1]) {
                case 'n':
                        qn_buf_byte(&s->word, '\n');
                        break;
                case 't':
                        qn_buf_byte(&s->word, '\t');
                        break;
                case 'x':
                        qn_buf_byte(&s->word, (char)hex_digits(&s->p, s->end, 2));
                        break;
                case 'u':
                        qn_buf_utf8(&s->word, hex_digits(&s->p, s->end, 4));
                        break;
                case '0' ... '7': {
                        unsigned v = (unsigned)(s->p[-1] - '0');

                        for (int i = 0; i < 2 && s->p < s->end && *s->p >= '0' && *s->p <= '7'; i++)
                                v = v * 8 + (unsigned)(*s->p++ - '0');
                        qn_buf_byte(&s->word, (char)v);
                        break;
                }
                default:
                        qn_buf_byte(&s->word, s->p[-1]);
                }
        }
        if (s->p < s->end)
                s->p++;
}

static void read_double(struct sh *s)
{
        for (s->p++; s->p < s->end && *s->p != '"';) {
                if (*s->p == '\\' && s->p + 1 < s->end) {
                        if (!memchr("$`\"\\\n", s->p[1], 5))
                                qn_buf_byte(&s->word, '\\');
                        if (s->p[1] != '\n')
                                qn_buf_byte(&s->word, s->p[1]);
                        s->p += 2;
                } else if (*s->p == '$') {
                        read_dollar(s);
                } else if (*s->p == '`') {
                        read_backtick(s);
                } else {
                        qn_buf_byte(&s->word, *s->p++);
                }
        }
        if (s->p < s->end)
                s->p++;
}

static void read_single(struct sh *s)
{
        const char *close = memchr(s->p + 1, '\'', (size_t)(s->end - s->p - 1));

        if (!close)
                close = s->end;
        put(s, s->p + 1, close);
        s->p = close < s->end ? close + 1 : close;
}

/* Whether the word at hand ends as programs of Windows do, and scripts. */
static bool ends_as_windows(const struct sh *s)
{
        static const char *const ends[] = { ".bat", ".cmd", ".exe", ".ps1", ".vbs", ".js",
                                            ".mjs", ".cjs", ".ts",  ".py",  ".sh" };
        struct qn_str w = { s->p, 0 };

        while (w.p + w.n < s->end && w.n < 256 && !is_blank(w.p[w.n]) && !is_meta(w.p[w.n]))
                w.n++;
        for (size_t i = 0; i < QN_ARRAY_SIZE(ends); i++)
                if (qn_str_ends(w, ends[i]))
                        return true;
        return false;
}

/* A back-slash that joins the parts of a path, as on Windows: `.\a`, `C:\a`, `%TEMP%\a`, `a\b.bat`. */
static bool is_path_slash(const struct sh *s)
{
        struct qn_str w = qn_buf_view(&s->word);
        bool drive = w.n >= 2 && w.p[1] == ':';

        return s->p + 1 < s->end && (is_name(s->p[1], false) || s->p[1] == '.') && w.n &&
               (w.p[0] == '.' || w.p[0] == '%' || drive || memchr(w.p, '/', w.n) ||
                ends_as_windows(s));
}

static void read_backslash(struct sh *s)
{
        if (is_path_slash(s))
                qn_buf_byte(&s->word, '/');
        else if (s->p + 1 < s->end && s->p[1] == '\r' && s->p + 2 < s->end && s->p[2] == '\n')
                s->p++;
        else if (s->p + 1 < s->end && s->p[1] != '\n')
                qn_buf_byte(&s->word, *++s->p);
        else
                s->p++;
        s->p = QN_MIN(s->p + 1, s->end);
}

/* One word at s->p; it is in s->word afterwards. */
static struct qn_str read_word(struct sh *s)
{
        struct qn_str w;

        qn_buf_reset(&s->word);
        s->word_quoted = false;
        while (s->p < s->end && !is_blank(*s->p) && !is_meta(*s->p)) {
                bool special = true;

                if (*s->p == '\'')
                        read_single(s);
                else if (*s->p == '"')
                        read_double(s);
                else if (*s->p == '$' && s->p + 1 < s->end && s->p[1] == '\'')
                        read_c_quoted(s);
                else if (*s->p == '$')
                        read_dollar(s), special = false;
                else if (*s->p == '`')
                        read_backtick(s), special = false;
                else if (*s->p == '\\')
                        read_backslash(s);
                else if (*s->p == '^' && s->p + 1 < s->end && memchr("&|<>^%()\"", s->p[1], 9))
                        qn_buf_byte(&s->word, s->p[1]), s->p += 2;
                else
                        qn_buf_byte(&s->word, *s->p++), special = false;
                s->word_quoted |= special;
        }
        w = qn_arena_dup(s->a, qn_buf_view(&s->word));
        if (!w.p || qn_buf_error(&s->word) < 0)
                s->error = -ENOBUFS;
        return w.p ? w : (struct qn_str){ "", 0 };
}

/* --- commands --- */

static bool is_assignment(struct qn_str w)
{
        size_t i = 0;

        while (i < w.n && is_name(w.p[i], i == 0))
                i++;
        return i > 0 && i < w.n && w.p[i] == '=';
}

/* Words that introduce a command rather than being one. */
static bool is_keyword(struct qn_str w)
{
        static const char *const words[] = { "if",    "then", "elif", "else", "fi", "while",
                                             "until", "do",   "done", "{",    "}",  "!",
                                             "time",  "exec", "esac", "call" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(words); i++)
                if (qn_str_is(w, words[i]))
                        return true;
        return false;
}

static void push_word(struct sh *s, struct qn_str w)
{
        if (QN_ARENA_ROOM(s->a, s->c.argv, s->c.argc, s->argv_cap) < 0) {
                s->error = -ENOBUFS;
                return;
        }
        s->c.argv[s->c.argc++] = w;
}

static void push_assign(struct sh *s, struct qn_str w)
{
        if (QN_ARENA_ROOM(s->a, s->c.assigns, s->c.n_assigns, s->assign_cap) < 0) {
                s->error = -ENOBUFS;
                return;
        }
        s->c.assigns[s->c.n_assigns++] = w;
}

static void take_word(struct sh *s, struct qn_str w)
{
        if (s->skip_words)
                return;
        if (s->c.argc == 0 && !s->word_quoted) {
                if (qn_str_is(w, "for") || qn_str_is(w, "case") || qn_str_is(w, "select") ||
                    qn_str_is(w, "function")) {
                        s->skip_words = true;
                        return;
                }
                if (is_keyword(w))
                        return;
        }
        if (s->c.argc == 0 && is_assignment(w))
                push_assign(s, w);
        else
                push_word(s, w);
}

static void start_command(struct sh *s, uint8_t join)
{
        s->c = (struct qn_shell_command){ .pipe_from = QN_SHELL_NONE,
                                          .parent = s->now->parent,
                                          .join = join,
                                          .via = s->now->via,
                                          .depth = s->now->depth };
        s->argv_cap = s->assign_cap = s->redir_cap = 0;
        s->from = s->p;
        s->skip_words = false;
        s->todo_base = s->n_todo;
}

static bool is_null_device(struct qn_str t)
{
        return qn_str_is(t, "/dev/null") || qn_str_ieq(t, QN_STR("nul")) || qn_str_is(t, "$null");
}

static void note_null(struct qn_shell_command *c)
{
        for (size_t i = 0; i < c->n_redirects; i++) {
                const struct qn_shell_redirect *r = &c->redirects[i];

                if ((r->op == QN_SHELL_OUT || r->op == QN_SHELL_APPEND) &&
                    is_null_device(r->target)) {
                        c->null_out |= r->fd != 2;
                        c->null_err |= r->fd != 1;
                } else if (r->op == QN_SHELL_DUP && r->fd == 2 && qn_str_is(r->target, "1")) {
                        c->null_err |= c->null_out;
                }
        }
}

/* `cmd || true` */
static bool is_no_op(const struct qn_shell_command *c)
{
        if (c->argc == 0)
                return false;
        return qn_str_is(c->argv[0], "true") || qn_str_is(c->argv[0], ":") ||
               qn_str_is(c->argv[0], "echo") ||
               (qn_str_is(c->argv[0], "exit") && c->argc == 2 && qn_str_is(c->argv[1], "0"));
}

static void hide_errors_before(struct sh *s)
{
        for (size_t i = s->ret->n; i > s->group_first; i--) {
                struct qn_shell_command *c = &s->ret->commands[i - 1];

                if (c->parent == s->now->parent)
                        c->hides_errors = true;
                if (c->join == QN_SHELL_SEQ || c->join == QN_SHELL_FIRST || c->join == QN_SHELL_AMP)
                        break;
        }
}

static struct qn_str join_words(struct sh *s, const struct qn_shell_command *c, size_t from)
{
        qn_buf_reset(&s->word);
        for (size_t i = from; i < c->argc; i++) {
                if (i > from)
                        qn_buf_byte(&s->word, ' ');
                qn_buf_str(&s->word, c->argv[i]);
        }
        return qn_arena_dup(s->a, qn_buf_view(&s->word));
}

/* Which argument of a shell is a command line; c->argc when none is. */
static size_t string_argument(const struct qn_shell_command *c, size_t prog)
{
        bool cmd = qn_str_is(qn_shell_program(c->argv[prog]), "cmd");

        for (size_t i = prog + 1; i < c->argc; i++) {
                struct qn_str w = c->argv[i];

                if (cmd && (qn_str_ieq(w, QN_STR("/c")) || qn_str_ieq(w, QN_STR("/k"))))
                        return i + 1;
                if (!cmd && w.n >= 2 && w.p[0] == '-' && w.p[1] != '-' && w.p[w.n - 1] == 'c')
                        return i + 1;
                if (w.n && w.p[0] != '-' && w.p[0] != '/' && w.p[0] != '+')
                        break;
        }
        return c->argc;
}

/* Position of a shell in argv: first, or behind sudo, env and the like. */
static size_t shell_word(const struct qn_shell_command *c)
{
        for (size_t i = 0; i < c->argc && i < 4; i++) {
                if (qn_shell_is_shell(qn_shell_program(c->argv[i])))
                        return i;
                if (i == 0 && qn_str_is(qn_shell_program(c->argv[0]), "su"))
                        return 0;
        }
        return c->argc;
}

static void queue_strings(struct sh *s, const struct qn_shell_command *c, uint32_t self)
{
        size_t prog = shell_word(c), at;

        if (c->argc && qn_str_is(c->argv[0], "eval") && c->argc > 1) {
                queue(s, join_words(s, c, 1), self, QN_SHELL_STRING);
                return;
        }
        if (prog == c->argc)
                return;
        at = string_argument(c, prog);
        if (at < c->argc) {
                bool cmd = qn_str_is(qn_shell_program(c->argv[prog]), "cmd");

                queue(s, cmd ? join_words(s, c, at) : c->argv[at], self, QN_SHELL_STRING);
                return;
        }
        for (size_t i = 0; i < c->n_redirects; i++)
                if (c->redirects[i].op == QN_SHELL_HERESTR)
                        queue(s, c->redirects[i].target, self, QN_SHELL_HEREDOC);
}

/* Adds the command that was read, if it is one. */
static void finish_command(struct sh *s)
{
        uint32_t self = (uint32_t)s->ret->n;

        if (s->c.argc == 0 && s->c.n_assigns == 0 && s->c.n_redirects == 0)
                return;
        if (s->ret->n >= QN_SHELL_COMMANDS_MAX) {
                s->ret->cut = s->full = true;
                return;
        }
        if (QN_ARENA_ROOM(s->a, s->ret->commands, s->ret->n, s->ret->cap) < 0) {
                s->error = -ENOBUFS;
                return;
        }
        s->c.source = qn_str_trim((struct qn_str){ s->from, (size_t)(s->p - s->from) });
        note_null(&s->c);
        for (size_t i = s->todo_base; i < s->n_todo; i++)
                s->todo[i].parent = self;
        s->ret->commands[s->ret->n++] = s->c;
        if (s->c.join == QN_SHELL_OR && is_no_op(&s->c)) {
                s->ret->n--;
                hide_errors_before(s);
                s->ret->n++;
        }
        queue_strings(s, &s->c, self);
}

/* Ends the current command; the next one is joined to it by join. */
static void end_command(struct sh *s, uint8_t join)
{
        size_t before = s->ret->n;
        uint32_t last;

        finish_command(s);
        if (join == QN_SHELL_AMP && s->ret->n > before)
                s->ret->commands[s->ret->n - 1].background = true;
        last = s->ret->n > s->group_first ? (uint32_t)(s->ret->n - 1) : QN_SHELL_NONE;
        start_command(s, join);
        if (join == QN_SHELL_PIPE)
                s->c.pipe_from = last;
}

/* --- redirections --- */

static void push_redirect(struct sh *s, uint8_t op, int fd, struct qn_str target)
{
        if (QN_ARENA_ROOM(s->a, s->c.redirects, s->c.n_redirects, s->redir_cap) < 0) {
                s->error = -ENOBUFS;
                return;
        }
        s->c.redirects[s->c.n_redirects++] = (struct qn_shell_redirect){ op, fd, target };
}

static void skip_blanks(struct sh *s)
{
        while (s->p < s->end && is_blank(*s->p))
                s->p++;
}

static void note_heredoc(struct sh *s, struct qn_str mark, bool strip)
{
        push_redirect(s, QN_SHELL_HERE, 0, (struct qn_str){ "", 0 });
        if (s->error < 0 || QN_ARENA_ROOM(s->a, s->here, s->n_here, s->here_cap) < 0) {
                s->error = -ENOBUFS;
                return;
        }
        s->here[s->n_here++] =
                (struct here){ mark, (uint32_t)s->ret->n, (uint32_t)(s->c.n_redirects - 1), strip };
}

/* s->p stands on < or >; fd is the number before it, or -2 when there was none. */
static void read_redirect(struct sh *s, int fd)
{
        char first = *s->p++;
        char second = s->p < s->end ? *s->p : '\0';
        uint8_t op = first == '<' ? QN_SHELL_IN : QN_SHELL_OUT;
        bool strip = false;

        if (second == '(' && fd == -2) { /* process substitution: a word */
                const char *inner = s->p + 1, *close = skip_nested(inner, s->end, '(', ')');

                queue(s, (struct qn_str){ inner, (size_t)(close - inner) }, QN_SHELL_NONE,
                      QN_SHELL_PROCESS);
                s->word_quoted = true;
                close = close < s->end ? close + 1 : close;
                take_word(s, (struct qn_str){ inner - 2, (size_t)(close - inner + 2) });
                s->p = close;
                return;
        }
        if (second == first) {
                s->p++;
                op = first == '<' ? QN_SHELL_HERE : QN_SHELL_APPEND;
                if (op == QN_SHELL_HERE && s->p < s->end && *s->p == '<')
                        op = QN_SHELL_HERESTR, s->p++;
                else if (op == QN_SHELL_HERE && s->p < s->end && *s->p == '-')
                        strip = true, s->p++;
        } else if (second == '&') {
                op = QN_SHELL_DUP, s->p++;
        } else if (second == '|') {
                s->p++;
        }
        if (fd == -2)
                fd = first == '<' ? 0 : 1;
        skip_blanks(s);
        if (op == QN_SHELL_HERE)
                note_heredoc(s, read_word(s), strip);
        else
                push_redirect(s, op, fd, read_word(s));
}

/* The bodies of the here-documents that were announced on the line which just ended. */
static void read_heredocs(struct sh *s)
{
        for (size_t i = 0; i < s->n_here; i++) {
                const struct here *h = &s->here[i];
                const char *from = s->p, *to = s->end;

                while (s->p < s->end) {
                        const char *nl = memchr(s->p, '\n', (size_t)(s->end - s->p));
                        const char *eol = nl ? nl : s->end;
                        struct qn_str l = { s->p, (size_t)(eol - s->p) };
                        const char *start = s->p;

                        while (h->strip_tabs && l.n && l.p[0] == '\t')
                                l = qn_str_skip(l, 1);
                        if (l.n && l.p[l.n - 1] == '\r')
                                l.n--;
                        s->p = nl ? nl + 1 : s->end;
                        if (qn_str_eq(l, h->end)) {
                                to = start;
                                break;
                        }
                }
                if (h->command < s->ret->n) {
                        struct qn_shell_command *c = &s->ret->commands[h->command];
                        struct qn_str body = { from, (size_t)(to - from) };

                        if (h->redirect < c->n_redirects)
                                c->redirects[h->redirect].target = body;
                        if (shell_word(c) < c->argc)
                                queue(s, body, h->command, QN_SHELL_HEREDOC);
                }
        }
        s->n_here = 0;
}

/* --- a line --- */

static void read_operator(struct sh *s)
{
        char c = *s->p, next = s->p + 1 < s->end ? s->p[1] : '\0';

        switch (c) {
        case '\n':
                end_command(s, QN_SHELL_SEQ);
                s->p++;
                if (s->n_here)
                        read_heredocs(s);
                break;
        case ';':
                end_command(s, QN_SHELL_SEQ);
                s->p += next == ';' ? 2 : 1;
                break;
        case '&':
                if (next == '>') { /* &> file */
                        s->p++;
                        read_redirect(s, -1);
                        return;
                }
                end_command(s, next == '&' ? QN_SHELL_AND : QN_SHELL_AMP);
                s->p += next == '&' ? 2 : 1;
                break;
        case '|':
                end_command(s, next == '|' ? QN_SHELL_OR : QN_SHELL_PIPE);
                s->p += next == '|' || next == '&' ? 2 : 1;
                break;
        default: /* ( or ): groups, functions, case patterns all separate commands */
                if (c == ')' && s->c.join == QN_SHELL_FIRST && s->c.argc == 0)
                        s->c.join = QN_SHELL_SEQ;
                end_command(s, s->c.argc || c == ')' ? QN_SHELL_SEQ : s->c.join);
                s->p++;
        }
        s->from = s->p;
}

static bool is_fd_redirect(const struct sh *s)
{
        return s->p + 1 < s->end && *s->p >= '0' && *s->p <= '9' &&
               (s->p[1] == '>' || s->p[1] == '<');
}

static void skip_comment(struct sh *s)
{
        const char *nl = memchr(s->p, '\n', (size_t)(s->end - s->p));

        s->p = nl ? nl : s->end;
}

static void read_line(struct sh *s, const struct todo *t)
{
        s->now = t;
        s->p = t->text.p;
        s->end = t->text.p + t->text.n;
        s->group_first = (uint32_t)s->ret->n;
        s->n_here = 0;
        start_command(s, QN_SHELL_FIRST);
        while (s->p < s->end && s->error == 0 && !s->full) {
                if (is_blank(*s->p)) {
                        s->p++;
                } else if (*s->p == '<' || *s->p == '>') {
                        read_redirect(s, -2);
                } else if (is_meta(*s->p)) {
                        read_operator(s);
                } else if (is_fd_redirect(s)) {
                        int fd = *s->p++ - '0';

                        read_redirect(s, fd);
                } else if (*s->p == '#') {
                        skip_comment(s);
                } else {
                        struct qn_str w = read_word(s);

                        take_word(s, w);
                }
        }
        finish_command(s);
}

int qn_shell_parse(struct qn_str line, struct qn_arena *a, struct qn_shell *ret)
{
        struct sh s = { .a = a, .ret = ret };
        struct todo first = { line, QN_SHELL_NONE, QN_SHELL_PLAIN, 0 };

        *ret = (struct qn_shell){ 0 };
        if (line.n > QN_SCRIPT_MAX) {
                first.text.n = QN_SCRIPT_MAX;
                ret->cut = true;
        }
        s.word = QN_BUF_INIT(QN_SCRIPT_MAX);
        read_line(&s, &first);
        while (s.next_todo < s.n_todo && s.error == 0 && !s.full) {
                struct todo t = s.todo[s.next_todo++];

                read_line(&s, &t);
        }
        qn_buf_done(&s.word);
        return s.error;
}

/* --- helpers for readers of the list --- */

struct qn_str qn_shell_program(struct qn_str w)
{
        static const char *const suffixes[] = { ".exe", ".cmd", ".bat", ".ps1", ".com" };

        for (size_t i = w.n; i > 0; i--)
                if (w.p[i - 1] == '/' || w.p[i - 1] == '\\') {
                        w = qn_str_skip(w, i);
                        break;
                }
        for (size_t i = 0; i < QN_ARRAY_SIZE(suffixes); i++)
                if (w.n > 4 && qn_str_ieq(qn_str_skip(w, w.n - 4), qn_str_c(suffixes[i])))
                        return qn_str_take(w, w.n - 4);
        return w;
}

bool qn_shell_is_shell(struct qn_str program)
{
        static const char *const shells[] = { "sh",  "bash", "zsh", "dash",   "ash",
                                              "ksh", "fish", "cmd", "busybox" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(shells); i++)
                if (qn_str_is(program, shells[i]))
                        return true;
        return false;
}
