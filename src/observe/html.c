/* Scripts of a web page: those in it are code, those that it names are loaded in a browser. */
#include "observe/observers.h"
#include "observe/scan-priv.h"

#define SCRIPTS_MAX   64
#define HANDLERS_MAX  16
#define HANDLER_BYTES ((size_t)64 << 10)

static struct qn_str attribute(struct qn_str tag, const char *name)
{
        ptrdiff_t at = qn_str_ifind(tag, qn_str_c(name));
        struct qn_str v;
        char quote;

        if (at < 0)
                return (struct qn_str){ NULL, 0 };
        v = qn_str_trim(qn_str_skip(tag, (size_t)at + strlen(name)));
        if (!v.n || v.p[0] != '=')
                return (struct qn_str){ NULL, 0 };
        v = qn_str_trim(qn_str_skip(v, 1));
        if (!v.n)
                return v;
        quote = v.p[0];
        if (quote == '"' || quote == '\'') {
                v = qn_str_skip(v, 1);
                return qn_str_cut(&v, quote);
        }
        return qn_str_cut(&v, ' ');
}

static bool is_data(struct qn_str tag)
{
        struct qn_str type = attribute(tag, " type");

        return type.n && !qn_str_is(type, "module") &&
               qn_str_ifind(type, QN_STR("javascript")) < 0 &&
               qn_str_ifind(type, QN_STR("babel")) < 0;
}

/* The next "<script", in any case. */
static ptrdiff_t find_script(struct qn_str s)
{
        size_t from = 0;

        for (;;) {
                ptrdiff_t at = qn_str_chr(qn_str_skip(s, from), '<');

                if (at < 0)
                        return -1;
                from += (size_t)at;
                if (s.n - from > 8 &&
                    qn_str_ieq(qn_str_take(qn_str_skip(s, from), 7), QN_STR("<script")))
                        return (ptrdiff_t)from;
                from++;
        }
}

static size_t script_end(struct qn_str s)
{
        size_t from = 0;

        for (;;) {
                ptrdiff_t at = qn_str_find(qn_str_skip(s, from), QN_STR("</"));

                if (at < 0)
                        return s.n;
                from += (size_t)at;
                if (qn_str_ieq(qn_str_take(qn_str_skip(s, from), 8), QN_STR("</script")))
                        return from;
                from += 2;
        }
}

/* An SVG without a script is shown, and that is all. */
static bool is_idle_picture(struct qn_str path, struct qn_str text)
{
        return qn_str_ends(path, ".svg") && find_script(text) < 0;
}

/* Handlers that run without anybody's doing; whether there are any. */
static bool look_for_handlers(struct qn_scan *s, const struct qn_site *site, struct qn_str text)
{
        bool found = false;

        static const char *const names[] = { " onload", " onerror", " onbegin", " onpageshow" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++) {
                struct qn_str rest = text;
                ptrdiff_t at;

                for (int k = 0;
                     k < HANDLERS_MAX && (at = qn_str_find(rest, qn_str_c(names[i]))) >= 0; k++) {
                        struct qn_site here = *site;
                        struct qn_str code;

                        rest = qn_str_skip(rest, (size_t)at);
                        code = attribute(qn_str_take(rest, HANDLER_BYTES), names[i]);
                        here.off = (uint32_t)(rest.p - text.p);
                        if (code.n)
                                qn_site_code(s, &here, code, QN_STR("js"));
                        found |= code.n > 0;
                        rest = qn_str_skip(rest, strlen(names[i]));
                }
        }
        return found;
}

void qn_html_observe(struct qn_scan *s, struct qn_str text)
{
        struct qn_site site = { .file = s->file, .when = QN_WHEN_LOAD, .root = -1 };
        struct qn_str rest = text;
        bool acts;

        acts = look_for_handlers(s, &site, text) || !is_idle_picture(s->path, text);
        if (s->file < s->graph.n_files && !s->nested && acts)
                s->graph.files[s->file].phases |= 1u << QN_PHASE_BROWSER;
        for (int i = 0; i < SCRIPTS_MAX; i++) {
                ptrdiff_t at = find_script(rest), close;
                struct qn_str tag, src, body;

                if (at < 0)
                        return;
                rest = qn_str_skip(rest, (size_t)at);
                close = qn_str_chr(rest, '>');
                if (close < 0)
                        return;
                tag = qn_str_take(rest, (size_t)close);
                rest = qn_str_skip(rest, (size_t)close + 1);
                src = attribute(tag, " src");
                if (src.n && qn_str_find(src, QN_STR("//")) < 0)
                        qn_site_file(s, &site, src, true);
                body = qn_str_take(rest, script_end(rest));
                if (!src.n && !is_data(tag) && qn_str_trim(body).n) {
                        site.off = (uint32_t)(body.p - text.p);
                        qn_site_code(s, &site, body, QN_STR("js"));
                }
                rest = qn_str_skip(rest, body.n);
        }
}
