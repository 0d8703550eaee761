/* What is worth a deeper look: files that are run with partly known values (vm.h). */
#include "observe/diff.h"
#include "observe/scan-priv.h"
#include "observe/vm.h"

#define K(kind) (UINT64_C(1) << QN_EVENT_##kind)
_Static_assert(QN_EVENT_MAX <= 64, "kinds are bits of a uint64_t");

/* What somebody could want, ways out or into the system, and code whose meaning is not plain. */
#define SOURCES                                                                    \
        (K(SECRET_READ) | K(ENV_ENUMERATE) | K(SYSINFO_READ) | K(CLIPBOARD_READ) | \
         K(WALLET_READ) | K(MEMORY_READ) | K(CODE_DECODE) | K(CRYPTO_ADDRESS))
#define SINKS                                                                        \
        (K(PROC_EXEC) | K(NET_CONNECT) | K(NET_SEND) | K(DNS_QUERY) | K(CODE_EVAL) | \
         K(CODE_LOAD) | K(BROWSER_HOOK) | K(DOM_OVERWRITE) | K(REGISTRY_PUBLISH))
#define DARK \
        (K(CODE_EVAL) | K(CODE_LOAD) | K(MODULE_LOAD_DYNAMIC) | K(OBFUSCATION) | K(TEXT_HIDDEN))

#define SMALL ((size_t)64 << 10) /* bytes of programs in a package that is run whatever it does */

/* What obfuscators leave behind. */
static bool is_obfuscated(const struct qn_event *e)
{
        static const char *const list[] = { "string-array", "hex-names", "string-array-rotation",
                                            "jsfuck",       "jjencode",  "packer" };
        bool made = false;

        for (size_t i = 0; i < QN_ARRAY_SIZE(list); i++)
                made |= qn_str_is(qn_event_get(e, QN_ATTR_WHAT), list[i]);
        return made && e->kind == QN_EVENT_OBFUSCATION;
}

/* Code that came out of a decoder. */
static bool is_decoded(const struct qn_event *e)
{
        return (e->kind == QN_EVENT_CODE_EVAL || e->kind == QN_EVENT_CODE_LOAD ||
                e->kind == QN_EVENT_MODULE_LOAD_DYNAMIC) &&
               qn_str_is(qn_event_get(e, QN_ATTR_VALUE), "decoded");
}

/* Of the events of the file in hand. */
static uint64_t kinds_of_file(const struct qn_scan *s)
{
        uint64_t kinds = 0;

        for (size_t i = s->sink.file_first; i < s->sink.n; i++)
                kinds |= UINT64_C(1) << s->sink.list[i].e.kind;
        return kinds;
}

static bool has_new_code(const struct qn_scan *s)
{
        return s->diff && qn_diff_has_code(s->diff, s->path);
}

bool qn_worth_keeping(const struct qn_scan *s)
{
        return s->stats.js_bytes <= SMALL || kinds_of_file(s) & (SOURCES | SINKS | DARK) ||
               (s->diff && qn_diff_may_have_code(s->diff, s->path));
}

void qn_worth_note(struct qn_scan *s)
{
        uint16_t *flags = &s->graph.files[s->file].flags;
        uint64_t kinds = kinds_of_file(s);
        bool obfuscated = false, dark = false;

        for (size_t i = s->sink.file_first; i < s->sink.n; i++) {
                const struct qn_event *e = &s->sink.list[i].e;

                obfuscated |= is_obfuscated(e);
                dark |= is_decoded(e);
        }
        s->obfuscated |= obfuscated;
        if (!s->nested) /* nothing in an archive is run with partly known values */
                s->kinds |= kinds;
        if (obfuscated)
                *flags |= QN_GF_OBFUSCATED;
        if (dark || obfuscated)
                *flags |= QN_GF_DARK;
        if (kinds & (SOURCES | SINKS | DARK))
                *flags |= QN_GF_DEEP;
        if (*flags & QN_GF_JS && has_new_code(s)) {
                *flags |= QN_GF_DEEP | QN_GF_CHANGED;
                s->changed = true;
        }
}

enum qn_vm_reach qn_worth_reach(const struct qn_scan *s)
{
        bool source = s->kinds & SOURCES || s->named_secret;

        if (s->stats.js_bytes <= SMALL)
                return QN_VM_ALL;
        if (s->kinds & DARK || (source && s->kinds & SINKS))
                return QN_VM_MARKED;
        return s->changed ? QN_VM_CHANGED : QN_VM_INSTALL;
}
