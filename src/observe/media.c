#include "observe/media.h"

#include "observe/entropy.h"
#include "observe/literal.h"
#include "observe/scan-priv.h"
#include "parse/media.h"

#define APPENDED_MIN 64 /* fewer bytes behind the end are a newline or an editor's mark */
#define RANDOM       780
#define RANDOM_MIN   1024
#define CODE_MAX     ((size_t)4 << 20) /* bytes that are searched for code */

struct media {
        struct qn_scan *s;
        struct qn_site site;
        struct qn_str bytes;
        enum qn_format format;
};

static void report(struct media *m, const char *what, struct qn_str value, size_t off)
{
        struct qn_event e = qn_observe_make(QN_EVENT_BINARY_ODD);

        m->site.off = (uint32_t)off;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_FORMAT, qn_str_c(qn_format_name(m->format)));
        qn_event_attr(&e, QN_ATTR_PATH, m->s->path);
        qn_event_attr(&e, QN_ATTR_VALUE, value);
        qn_site_event(m->s, &m->site, &e);
}

/* --- behind the end --- */

static const char *kind_of(struct qn_str rest)
{
        enum qn_format f = qn_sniff(qn_cur_str(rest), rest.n);

        return f == QN_FORMAT_BINARY && rest.n >= RANDOM_MIN && qn_entropy(rest) >= RANDOM
                       ? "random"
                       : qn_format_name(f);
}

static void look_behind(struct media *m)
{
        uint64_t end = qn_media_end(m->format, qn_cur_str(m->bytes));
        struct qn_str rest = qn_str_skip(m->bytes, end);

        while (rest.n && (!rest.p[0] || rest.p[0] == '\n' || rest.p[0] == '\r' || rest.p[0] == ' '))
                rest = qn_str_skip(rest, 1);
        if (rest.n < APPENDED_MIN)
                return;
        report(m, "appended", qn_str_c(kind_of(rest)), m->bytes.n - rest.n);
        qn_literal_observe(m->s, &m->site, rest);
}

/* --- code between the bytes --- */

static void look_for_code(struct media *m)
{
        static const char *const marks[] = {
                "child_process",  "process.env",         "eval(atob(",     "eval(Buffer",
                "new Function(",  "require('http",       "require(\"http", "<script",
                "<?php",          "powershell -",        "#!/bin/sh",      "#!/bin/bash",
                "#!/usr/bin/env", "String.fromCharCode("
        };
        struct qn_str text = qn_str_take(m->bytes, CODE_MAX);

        for (size_t i = 0; i < QN_ARRAY_SIZE(marks); i++) {
                ptrdiff_t at = qn_str_find(text, qn_str_c(marks[i]));

                if (at < 0)
                        continue;
                report(m, "code", qn_str_c(marks[i]), (size_t)at);
                return;
        }
}

static bool is_looked_at(enum qn_format f)
{
        enum qn_format_class c = qn_format_class(f);

        return c == QN_CLASS_IMAGE || c == QN_CLASS_FONT || c == QN_CLASS_MEDIA;
}

/* Text behind a magic number (6 bytes), behind the header of a sound (44) or of a font (48). */
static bool is_text_inside(struct qn_str s, enum qn_format *ret)
{
        static const size_t heads[] = { 6, 44, 48 };

        for (size_t i = 0; i < QN_ARRAY_SIZE(heads); i++) {
                struct qn_str rest = qn_str_skip(s, heads[i]);

                *ret = qn_sniff(qn_cur_str(rest), rest.n);
                if (rest.n >= APPENDED_MIN && qn_format_is_text(*ret) && *ret != QN_FORMAT_UTF16)
                        return true;
        }
        return false;
}

bool qn_media_observe(struct qn_scan *s, const struct qn_scan_file *f, enum qn_format format)
{
        struct media m = { .s = s,
                           .site = { .file = s->file, .when = QN_WHEN_LOAD, .root = -1 },
                           .bytes = qn_cur_rest(&f->data),
                           .format = format };
        enum qn_format inside;

        if (f->size != m.bytes.n) /* only the head is here */
                return false;
        if (format == QN_FORMAT_PDF)
                look_behind(&m);
        if (format == QN_FORMAT_BINARY && m.bytes.n >= RANDOM_MIN && qn_entropy(m.bytes) >= RANDOM)
                report(&m, "random", (struct qn_str){ 0 }, 0);
        if (!is_looked_at(format))
                return false;
        if (is_text_inside(m.bytes, &inside)) {
                report(&m, "text", qn_str_c(qn_format_name(inside)), 0);
                qn_literal_observe(s, &m.site, m.bytes);
                return true;
        }
        look_behind(&m);
        look_for_code(&m);
        return false;
}
