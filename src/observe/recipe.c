#include "observe/recipe.h"

#include "base/buf.h"
#include "base/limits.h"
#include "observe/scan-priv.h"
#include "parse/json.h"

#define LINES_MAX 20000
#define LINE_MAX_ ((size_t)16 << 10)

struct recipe {
        struct qn_scan *s;
        struct qn_site site;
        struct qn_str text;
};

static void run(struct recipe *r, struct qn_str command, size_t off)
{
        struct qn_command_sum sum;

        command = qn_str_trim(command);
        if (!command.n)
                return;
        r->site.off = (uint32_t)off;
        qn_place_of(r->text, r->site.off, &r->site.line, &r->site.column);
        r->site.text = qn_str_take(command, QN_ATTR_MAX);
        qn_site_command(r->s, &r->site, command, &sum);
}

/* The system starts the command once the file is where it belongs. */
static void start(struct recipe *r, const char *how, struct qn_str command, size_t off)
{
        struct qn_event e = qn_observe_make(QN_EVENT_TRIGGER);

        if (!qn_str_trim(command).n)
                return;
        r->site.off = (uint32_t)off;
        r->site.text = qn_str_take(command, QN_ATTR_MAX);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_event_attr(&e, QN_ATTR_COMMAND, command);
        qn_site_event(r->s, &r->site, &e);
        run(r, command, off);
}

/* The next line, those put together that end with a back-slash; in the file's arena when there are several. */
static struct qn_str next_line(struct recipe *r, struct qn_str *rest, size_t *ret_off)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(LINE_MAX_);
        struct qn_str line;

        *ret_off = (size_t)(rest->p - r->text.p);
        line = qn_str_cut(rest, '\n');
        if (line.n && line.p[line.n - 1] == '\r')
                line.n--;
        if (!line.n || line.p[line.n - 1] != '\\')
                return line;
        do {
                qn_buf_str(&b, qn_str_take(line, line.n - 1));
                qn_buf_byte(&b, ' ');
                line = qn_str_cut(rest, '\n');
                if (line.n && line.p[line.n - 1] == '\r')
                        line.n--;
        } while (line.n && line.p[line.n - 1] == '\\');
        qn_buf_str(&b, line);
        return qn_arena_dup(&r->s->tmp, qn_buf_view(&b)); /* a longer one is cut */
}

/* --- Dockerfile --- */

/* RUN ["a", "b"] */
static struct qn_str plain_command(struct recipe *r, struct qn_str args)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(LINE_MAX_);
        struct qn_node *list = NULL;

        if (!args.n || args.p[0] != '[' ||
            qn_json_parse(qn_cur_str(args), &r->s->tmp, &list, NULL) < 0)
                return args;
        for (size_t i = 0; qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++) {
                if (i)
                        qn_buf_byte(&b, ' ');
                qn_buf_str(&b, qn_node_text(list->items[i]));
        }
        return qn_arena_dup(&r->s->tmp, qn_buf_view(&b));
}

static void report_add(struct recipe *r, struct qn_str args, size_t off)
{
        struct qn_event e = qn_observe_make(QN_EVENT_NET_CONNECT);
        struct qn_url url;
        struct qn_str word = qn_str_cut(&args, ' ');

        while (args.n && qn_str_starts(word, "--"))
                word = qn_str_cut(&args, ' ');
        if (!qn_url_split(word, false, &url))
                return;
        r->site.off = (uint32_t)off;
        qn_event_attr(&e, QN_ATTR_URL, word);
        qn_event_attr(&e, QN_ATTR_HOST, url.host);
        qn_event_attr(&e, QN_ATTR_CLASS, qn_classify_host(&r->s->o->classes, url.host, url.path));
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("docker"));
        qn_site_event(r->s, &r->site, &e);
}

static void docker_line(struct recipe *r, struct qn_str line, size_t off)
{
        static const char *const words[] = { "RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK" };
        struct qn_str args = qn_str_trim(line), word = qn_str_cut(&args, ' ');

        args = qn_str_trim(args);
        if (qn_str_ieq(word, QN_STR("ONBUILD"))) {
                word = qn_str_cut(&args, ' ');
                args = qn_str_trim(args);
        }
        if (qn_str_ieq(word, QN_STR("ADD"))) {
                report_add(r, args, off);
                return;
        }
        for (size_t i = 0; i < QN_ARRAY_SIZE(words); i++) {
                if (!qn_str_ieq(word, qn_str_c(words[i])))
                        continue;
                while (qn_str_starts(args, "--")) { /* --mount=… --network=… */
                        qn_str_cut(&args, ' ');
                        args = qn_str_trim(args);
                }
                run(r, plain_command(r, args), off);
        }
}

/* --- Makefile: lines behind a tab; $$ is the shell's $ --- */

static void make_line(struct recipe *r, struct qn_str line, size_t off)
{
        struct qn_str copy;
        size_t n = 0;

        if (!line.n || line.p[0] != '\t')
                return;
        line = qn_str_trim(line);
        while (line.n && memchr("@-+", line.p[0], 3))
                line = qn_str_skip(line, 1);
        copy = qn_arena_dup(&r->s->tmp, line);
        if (!copy.p)
                return;
        for (size_t i = 0; i < line.n; i++) {
                ((char *)(uintptr_t)copy.p)[n++] = line.p[i];
                i += line.p[i] == '$' && i + 1 < line.n && line.p[i + 1] == '$';
        }
        run(r, (struct qn_str){ copy.p, n }, off);
}

/* --- units and desktop entries: Key=command --- */

static void unit_line(struct recipe *r, struct qn_str line, size_t off)
{
        struct qn_str value = line, key = qn_str_trim(qn_str_cut(&value, '='));

        if (!qn_str_starts(key, "Exec") || !value.n)
                return;
        value = qn_str_trim(value);
        while (value.n && memchr("@-:+!", value.p[0], 5)) /* systemd's prefixes */
                value = qn_str_skip(value, 1);
        start(r, "unit", value, off);
}

/* --- registry files: [HKEY…\Run], then "name"="command" --- */

static struct qn_str unescape(struct recipe *r, struct qn_str s)
{
        struct qn_str copy = qn_arena_dup(&r->s->tmp, s);
        size_t n = 0;

        for (size_t i = 0; copy.p && i < s.n; i++) {
                i += s.p[i] == '\\' && i + 1 < s.n;
                ((char *)(uintptr_t)copy.p)[n++] = s.p[i];
        }
        return (struct qn_str){ copy.p, n };
}

static bool is_run_key(struct qn_str key)
{
        static const char *const keys[] = { "\\CurrentVersion\\Run", "\\Winlogon",
                                            "\\Image File Execution Options",
                                            "\\Policies\\Explorer\\Run" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(keys); i++)
                if (qn_str_ifind(key, qn_str_c(keys[i])) >= 0)
                        return true;
        return false;
}

static void registry(struct recipe *r)
{
        struct qn_str rest = r->text, key = { NULL, 0 };
        struct qn_event e;
        size_t off;

        for (int i = 0; rest.n && i < LINES_MAX; i++) {
                struct qn_str line = qn_str_trim(next_line(r, &rest, &off)), value;
                ptrdiff_t at = qn_str_find(line, QN_STR("=\""));

                if (line.n && line.p[0] == '[')
                        key = line;
                if (at < 0 || !is_run_key(key))
                        continue;
                value = qn_str_skip(line, (size_t)at + 2);
                value = unescape(r, qn_str_take(value, value.n - (qn_str_ends(value, "\""))));
                e = qn_observe_make(QN_EVENT_PERSIST);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("registry"));
                qn_event_attr(&e, QN_ATTR_COMMAND, value);
                r->site.off = (uint32_t)off;
                r->site.text = line;
                qn_site_event(r->s, &r->site, &e);
                start(r, "registry", value, off);
        }
}

/* --- launchd: <key>ProgramArguments</key><array><string>… --- */

static void plist(struct recipe *r)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(LINE_MAX_);
        ptrdiff_t at = qn_str_find(r->text, QN_STR("<key>ProgramArguments</key>")), end;
        struct qn_str list;

        if (at < 0)
                return;
        list = qn_str_skip(r->text, (size_t)at);
        end = qn_str_find(list, QN_STR("</array>"));
        list = qn_str_take(list, end < 0 ? list.n : (size_t)end);
        while ((end = qn_str_find(list, QN_STR("<string>"))) >= 0) {
                struct qn_str word;

                list = qn_str_skip(list, (size_t)end + 8);
                end = qn_str_find(list, QN_STR("</string>"));
                word = qn_str_take(list, end < 0 ? list.n : (size_t)end);
                if (b.n)
                        qn_buf_byte(&b, ' ');
                if (qn_str_chr(word, ' ') >= 0 && qn_str_chr(word, '\'') < 0)
                        qn_buf_printf(&b, "'%.*s'", QN_STR_ARG(word));
                else
                        qn_buf_str(&b, word);
        }
        start(r, "unit", qn_arena_dup(&r->s->tmp, qn_buf_view(&b)), (size_t)at);
}

/* --- which file is which --- */

static bool is_dockerfile(struct qn_str name)
{
        return qn_str_starts(name, "Dockerfile") || qn_str_is(name, "Containerfile") ||
               qn_str_ends(name, ".dockerfile");
}

static bool is_makefile(struct qn_str name)
{
        return qn_str_is(name, "Makefile") || qn_str_is(name, "makefile") ||
               qn_str_is(name, "GNUmakefile") || qn_str_ends(name, ".mk");
}

static bool is_unit(struct qn_str name)
{
        return qn_str_ends(name, ".service") || qn_str_ends(name, ".desktop");
}

typedef void (*line_fn)(struct recipe *r, struct qn_str line, size_t off);

static void each_line(struct recipe *r, line_fn fn)
{
        struct qn_str rest = r->text;

        for (int i = 0; rest.n && i < LINES_MAX; i++) {
                size_t off;
                struct qn_str line = next_line(r, &rest, &off);

                if (line.n && line.p[0] != '#')
                        fn(r, line, off);
        }
}

bool qn_recipe_observe(struct qn_scan *s, struct qn_str path, struct qn_str text)
{
        struct recipe r = { .s = s,
                            .site = { .file = s->file, .when = QN_WHEN_LOAD, .root = -1 },
                            .text = text };
        struct qn_str name = qn_str_base(path);
        line_fn fn = is_dockerfile(name) ? docker_line
                     : is_makefile(name) ? make_line
                     : is_unit(name)     ? unit_line
                                         : NULL;

        if (fn)
                each_line(&r, fn);
        else if (qn_str_ends(name, ".reg"))
                registry(&r);
        else if (qn_str_ends(name, ".plist"))
                plist(&r);
        else
                return false;
        s->graph.files[s->file].flags |= QN_GF_OTHER;
        return true;
}

/* --- shortcuts (MS-SHLLINK): strings behind their lengths --- */

#define LINK_HEAD 76

static uint32_t le16(struct qn_str s, size_t at)
{
        return at + 2 <= s.n ? (uint32_t)(uint8_t)s.p[at] | (uint32_t)(uint8_t)s.p[at + 1] << 8 : 0;
}

/* One string: its characters counted, one or two bytes each. */
static struct qn_str link_text(struct qn_scan *s, struct qn_str bytes, size_t *at, bool wide)
{
        size_t n = le16(bytes, *at), each = wide ? 2 : 1;
        struct qn_str raw = qn_str_take(qn_str_skip(bytes, *at + 2), n * each);
        char *out = qn_arena_alloc(&s->tmp, n + 1);

        *at += 2 + n * each;
        for (size_t i = 0; out && i * each < raw.n; i++)
                out[i] = wide && i * 2 + 1 < raw.n && raw.p[i * 2 + 1] ? '?' : raw.p[i * each];
        return (struct qn_str){ out, out ? raw.n / each : 0 };
}

/* Name, relative path, working directory, arguments, icon: each is there when its bit is set. */
void qn_shortcut_observe(struct qn_scan *s, struct qn_str bytes)
{
        enum { IDS = 1, INFO = 2, FIRST = 4, RELATIVE = 8, ARGUMENTS = 32, UNICODE = 128 };
        struct recipe r = { .s = s,
                            .site = { .file = s->file, .when = QN_WHEN_LOAD, .root = -1 },
                            .text = bytes };
        _cleanup_(qn_buf_done) struct qn_buf line = QN_BUF_INIT(LINE_MAX_);
        uint32_t flags = le16(bytes, 20);
        size_t at = LINK_HEAD;

        if (bytes.n < LINK_HEAD || memcmp(bytes.p, "L\0\0\0\1\24\2\0", 8) != 0)
                return;
        if (flags & IDS)
                at += 2 + le16(bytes, at);
        if (flags & INFO)
                at += le16(bytes, at);
        for (uint32_t bit = FIRST; bit <= ARGUMENTS && at < bytes.n; bit <<= 1) {
                struct qn_str text;

                if (!(flags & bit))
                        continue;
                text = link_text(s, bytes, &at, flags & UNICODE);
                if (bit == RELATIVE)
                        qn_buf_str(&line, qn_str_skip(text, (size_t)(qn_str_rchr(text, '\\') + 1)));
                else if (bit == ARGUMENTS)
                        qn_buf_printf(&line, "%s%.*s", line.n ? " " : "", QN_STR_ARG(text));
        }
        start(&r, "shortcut", qn_arena_dup(&s->tmp, qn_buf_view(&line)), 0);
}
