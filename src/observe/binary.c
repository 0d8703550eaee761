/* Files that are not text: executables, and content that does not fit its name. */
#include "observe/media.h"
#include "observe/native.h"
#include "observe/nested.h"
#include "observe/observers.h"
#include "observe/recipe.h"
#include "observe/scan-priv.h"
#include "parse/binfmt.h"

static bool is_reported(enum qn_format f)
{
        return f == QN_FORMAT_WASM || qn_format_class(f) == QN_CLASS_EXECUTABLE;
}

/* Bytes of no known format may still be a program: Node reads what it is given, whatever the name and the bytes. */
bool qn_binary_observe(struct qn_scan *s, const struct qn_scan_file *f)
{
        enum qn_format format = qn_sniff(f->data, f->size);
        enum qn_misfit misfit = qn_format_misfit(f->path, format);
        struct qn_site site = { .file = s->file, .when = QN_WHEN_LOAD, .root = -1 };
        bool text = qn_format_is_text(format);
        struct qn_native native;
        struct qn_event e;

        if (is_reported(format)) {
                e = qn_observe_make(QN_EVENT_BINARY_FILE);
                qn_event_attr(&e, QN_ATTR_FORMAT, qn_str_c(qn_format_name(format)));
                qn_event_attr(&e, QN_ATTR_PATH, f->path);
                if (qn_native_read(f->data, f->size, &native) == 0)
                        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(native.kind));
                qn_site_event(s, &site, &e);
                qn_native_observe(s, f, qn_format_name(format));
        }
        if (misfit != QN_MISFIT_NONE) {
                e = qn_observe_make(QN_EVENT_BINARY_MISMATCH);
                qn_event_attr(&e, QN_ATTR_FORMAT, qn_str_c(qn_format_name(format)));
                qn_event_attr(&e, QN_ATTR_PATH, f->path);
                qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(qn_misfit_name(misfit)));
                qn_site_event(s, &site, &e);
        }
        if (qn_str_ends(f->path, ".lnk"))
                qn_shortcut_observe(s, qn_cur_rest(&f->data));
        s->archive = qn_nested_is(f, format);
        text |= qn_media_observe(s, f, format);
        if (s->file < s->graph.n_files && (text || format == QN_FORMAT_BINARY))
                s->graph.files[s->file].flags |= QN_GF_TEXT;
        return text;
}
