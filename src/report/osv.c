#include "report/osv.h"

#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/mask.h"
#include "base/show.h"
#include "net/npmconf.h"

#define TEXT_MAX      ((size_t)1 << 20) /* bytes of one text of the record */
#define NAME_PART_MAX 214u              /* as npm's */

/* --- text that leaves the house --- */

/* What readers of Markdown make a link of although nobody wrote one, and what a scheme begins that qn_show() does not know. */
static void break_links(struct qn_buf *out, struct qn_str s)
{
        while (s.n) {
                if (qn_str_starts(s, "://") && !qn_str_ends(qn_buf_view(out), "hxxp") &&
                    !qn_str_ends(qn_buf_view(out), "hxxps")) {
                        qn_buf_puts(out, "[:]//");
                        s = qn_str_skip(s, 3);
                } else if (qn_str_ieq(qn_str_take(s, 4), QN_STR("www."))) {
                        qn_buf_add(out, s.p, 3);
                        qn_buf_puts(out, "[.]");
                        s = qn_str_skip(s, 4);
                } else {
                        qn_buf_byte(out, s.p[0]);
                        s = qn_str_skip(s, 1);
                }
        }
}

void qn_mal_prose(struct qn_buf *out, struct qn_str s)
{
        _cleanup_(qn_buf_done) struct qn_buf masked = QN_BUF_INIT(TEXT_MAX),
                                             shown = QN_BUF_INIT(TEXT_MAX),
                                             broken = QN_BUF_INIT(TEXT_MAX);

        qn_mask_secrets(&masked, s);
        qn_show(&shown, qn_buf_view(&masked), 0, QN_SHOW_DEFANG);
        break_links(&broken, qn_buf_view(&shown));
        qn_buf_str(out, qn_buf_view(&broken));
}

/* --- details --- */

static bool same_version(const struct qn_mal_package *p, size_t i)
{
        return i > 0 && qn_str_eq(p->versions[i].version, p->versions[i - 1].version);
}

/* What a rule found is told once, as it was in the first of the versions. */
static bool is_told(const struct qn_mal_package *p, size_t version, size_t finding)
{
        const struct qn_mal_finding *f = &p->versions[version].findings[finding];

        for (size_t i = 0; i <= version; i++)
                for (size_t k = 0; k < (i == version ? finding : p->versions[i].n_findings); k++) {
                        const struct qn_mal_finding *g = &p->versions[i].findings[k];

                        if (qn_str_eq(f->rule, g->rule))
                                return true;
                }
        return false;
}

static void put_finding(struct qn_buf *out, const struct qn_mal_finding *f)
{
        qn_buf_puts(out, "\n- ");
        qn_mal_prose(out, f->title);
        qn_buf_puts(out, " (rule ");
        qn_mal_prose(out, f->rule);
        qn_buf_printf(out, ", when: %s).", f->phase);
        if (f->explain.n) {
                qn_buf_byte(out, ' ');
                qn_mal_prose(out, f->explain);
        }
}

/* Letters and digits alone (parse/wallet.h): nothing to escape, and masking would take them for tokens. */
static void put_wallets(struct qn_buf *out, const struct qn_mal_package *p)
{
        size_t n = 0;

        for (size_t i = 0; i < p->n_iocs; i++) {
                if (p->iocs[i].kind != QN_IOC_WALLET)
                        continue;
                qn_buf_puts(out, n++ ? ", " : "\n- Wallets that its files name: ");
                qn_buf_str(out, p->iocs[i].value);
        }
        if (n)
                qn_buf_byte(out, '.');
}

static void put_names(struct qn_buf *out, const struct qn_mal_package *p)
{
        qn_mal_prose(out, p->name);
        for (size_t i = 0; i < p->n; i++)
                if (!same_version(p, i)) {
                        qn_buf_puts(out, i ? ", " : " ");
                        qn_mal_prose(out, p->versions[i].version);
                }
}

static bool has_findings(const struct qn_mal_package *p)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->versions[i].n_findings)
                        return true;
        return false;
}

static void make_details(const struct qn_mal_package *p, struct qn_buf *out)
{
        if (!has_findings(p)) {
                qn_buf_puts(out, "A person has reviewed ");
                put_names(out, p);
                qn_buf_puts(out, " and confirmed that it is malicious; no rule of qanat found "
                                 "anything in it.\n");
                return;
        }
        qn_buf_puts(out, "qanat found malicious behaviour in ");
        put_names(out, p);
        qn_buf_puts(out, ":\n");
        for (size_t i = 0; i < p->n; i++)
                for (size_t k = 0; k < p->versions[i].n_findings; k++)
                        if (!is_told(p, i, k))
                                put_finding(out, &p->versions[i].findings[k]);
        put_wallets(out, p);
        qn_buf_byte(out, '\n');
}

/* --- the package --- */

static void put_versions(struct qn_jsonw *w, const struct qn_mal_package *p,
                         const struct qn_mal_conf *conf)
{
        if (conf->every_version) {
                qn_jsonw_array(w, "ranges");
                qn_jsonw_object(w, NULL);
                qn_jsonw_cstr(w, "type", "SEMVER");
                qn_jsonw_array(w, "events");
                qn_jsonw_object(w, NULL);
                qn_jsonw_cstr(w, "introduced", "0");
                qn_jsonw_end_object(w);
                qn_jsonw_end_array(w);
                qn_jsonw_end_object(w);
                qn_jsonw_end_array(w);
                return;
        }
        qn_jsonw_array(w, "versions");
        for (size_t i = 0; i < p->n; i++)
                if (!same_version(p, i))
                        qn_jsonw_str(w, NULL, p->versions[i].version);
        qn_jsonw_end_array(w);
}

static void put_cwe(struct qn_jsonw *w)
{
        qn_jsonw_array(w, "cwes");
        qn_jsonw_object(w, NULL);
        qn_jsonw_cstr(w, "cweId", "CWE-506");
        qn_jsonw_cstr(w, "name", "Embedded Malicious Code");
        qn_jsonw_cstr(w, "description",
                      "The product contains code that appears to be malicious in nature.");
        qn_jsonw_end_object(w);
        qn_jsonw_end_array(w);
}

static void put_place(struct qn_jsonw *w, const struct qn_mal_place *at)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "rule", at->rule);
        qn_jsonw_cstr(w, "event", at->event);
        qn_jsonw_u64(w, "offset", at->off);
        if (at->line)
                qn_jsonw_u64(w, "line", at->line);
        qn_jsonw_end_object(w);
}

/* The places of one file, from the i-th on; the index behind them. */
static size_t put_file(struct qn_jsonw *w, const struct qn_mal_version *v, size_t i)
{
        struct qn_str file = v->places[i].file;

        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "path", file);
        if (v->places[i].sha256.n)
                qn_jsonw_str(w, "sha256", v->places[i].sha256);
        qn_jsonw_str(w, "version", v->version);
        qn_jsonw_array(w, "evidence");
        for (; i < v->n_places && qn_str_eq(v->places[i].file, file); i++)
                put_place(w, &v->places[i]);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
        return i;
}

static void put_files(struct qn_jsonw *w, const struct qn_mal_package *p)
{
        qn_jsonw_array(w, "evidence_files");
        for (size_t i = 0; i < p->n; i++)
                for (size_t k = 0; k < p->versions[i].n_places;)
                        if (p->versions[i].places[k].file.n)
                                k = put_file(w, &p->versions[i], k);
                        else
                                k++; /* the package as a whole: the details tell */
        qn_jsonw_end_array(w);
}

/* Archives are called after the part of the name behind the scope. */
static void put_archive(struct qn_jsonw *w, struct qn_str name, const struct qn_mal_version *v)
{
        _cleanup_(qn_buf_done) struct qn_buf file = QN_BUF_INIT(TEXT_MAX);

        qn_buf_str(&file, qn_str_base(name));
        qn_buf_byte(&file, '-');
        qn_buf_str(&file, v->version);
        qn_buf_puts(&file, ".tgz");
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "filename", qn_buf_view(&file));
        qn_jsonw_object(w, "hashes");
        if (v->sha1.n)
                qn_jsonw_str(w, "sha1", v->sha1);
        if (v->sha512.n)
                qn_jsonw_str(w, "sha512_sri", v->sha512);
        qn_jsonw_end_object(w);
        qn_jsonw_end_object(w);
}

static void put_archives(struct qn_jsonw *w, const struct qn_mal_package *p)
{
        size_t n = 0;

        for (size_t i = 0; i < p->n; i++) {
                if (!p->versions[i].sha1.n && !p->versions[i].sha512.n)
                        continue;
                if (n++ == 0)
                        qn_jsonw_array(w, "package_integrity");
                put_archive(w, p->name, &p->versions[i]);
        }
        if (n)
                qn_jsonw_end_array(w);
}

static void put_affected(struct qn_jsonw *w, const struct qn_mal_package *p,
                         const struct qn_mal_conf *conf)
{
        qn_jsonw_array(w, "affected");
        qn_jsonw_object(w, NULL);
        qn_jsonw_object(w, "package");
        qn_jsonw_cstr(w, "ecosystem", "npm");
        qn_jsonw_str(w, "name", p->name);
        qn_jsonw_end_object(w);
        put_versions(w, p, conf);
        qn_jsonw_object(w, "database_specific");
        put_cwe(w);
        qn_jsonw_object(w, "indicators");
        put_files(w, p);
        put_archives(w, p);
        qn_jsonw_end_object(w);
        qn_jsonw_end_object(w);
        qn_jsonw_end_object(w);
        qn_jsonw_end_array(w);
}

/* --- the rest --- */

static void put_references(struct qn_jsonw *w, const struct qn_mal_package *p,
                           const struct qn_mal_conf *conf)
{
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(TEXT_MAX);

        if (!conf->page.n)
                return;
        qn_buf_str(&url, conf->page);
        if (!qn_str_ends(conf->page, "/"))
                qn_buf_byte(&url, '/');
        qn_buf_str(&url, p->name);
        qn_jsonw_array(w, "references");
        qn_jsonw_object(w, NULL);
        qn_jsonw_cstr(w, "type", "PACKAGE");
        qn_jsonw_str(w, "url", qn_buf_view(&url));
        qn_jsonw_end_object(w);
        qn_jsonw_end_array(w);
}

static void put_credits(struct qn_jsonw *w, const struct qn_mal_conf *conf)
{
        if (!conf->n_credits)
                return;
        qn_jsonw_array(w, "credits");
        for (size_t i = 0; i < conf->n_credits; i++) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_str(w, "name", conf->credits[i].name);
                qn_jsonw_cstr(w, "type", "FINDER");
                if (conf->credits[i].contact.n) {
                        qn_jsonw_array(w, "contact");
                        qn_jsonw_str(w, NULL, conf->credits[i].contact);
                        qn_jsonw_end_array(w);
                }
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

static void put_iocs(struct qn_jsonw *w, const struct qn_mal_package *p)
{
        static const struct {
                enum qn_indicator_kind kind;
                const char *key;
        } lists[] = {
                { QN_IOC_DOMAIN, "domains" },
                { QN_IOC_IP, "ips" },
                { QN_IOC_URL, "urls" },
        };

        qn_jsonw_object(w, "database_specific");
        qn_jsonw_object(w, "iocs");
        for (size_t i = 0; i < QN_ARRAY_SIZE(lists); i++) {
                size_t n = 0;

                for (size_t k = 0; k < p->n_iocs; k++) {
                        if (p->iocs[k].kind != lists[i].kind)
                                continue;
                        if (n++ == 0)
                                qn_jsonw_array(w, lists[i].key);
                        qn_jsonw_str(w, NULL, p->iocs[k].value);
                }
                if (n)
                        qn_jsonw_end_array(w);
        }
        qn_jsonw_end_object(w);
        qn_jsonw_end_object(w);
}

int qn_mal_write(const struct qn_mal_package *p, const struct qn_mal_conf *conf, struct qn_buf *out)
{
        _cleanup_(qn_buf_done) struct qn_buf details = QN_BUF_INIT(QN_OSV_MAX);
        struct qn_jsonw w = QN_JSONW_INIT(out, 2);
        int r;

        make_details(p, &details);
        r = qn_buf_error(&details);
        if (r < 0)
                return r;
        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema_version", QN_MAL_SCHEMA_VERSION);
        qn_jsonw_str(&w, "modified", conf->time);
        qn_jsonw_str(&w, "published", conf->time);
        qn_jsonw_str(&w, "details", qn_buf_view(&details));
        put_affected(&w, p, conf);
        put_references(&w, p, conf);
        put_credits(&w, conf);
        put_iocs(&w, p);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
        return qn_buf_error(out);
}

/* --- names --- */

/* Git refuses names of its own directory, and those that file systems take for it. */
static bool is_dir_name(struct qn_str s)
{
        static const char *const never[] = { "", ".", "..", ".git", "git~1" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(never); i++)
                if (qn_str_ieq(s, qn_str_c(never[i])))
                        return false;
        return s.n <= NAME_PART_MAX;
}

int qn_mal_dir(struct qn_str name, bool withdrawn, struct qn_buf *out)
{
        struct qn_str rest = name, part;

        if (!qn_npm_name_ok(name))
                return -EINVAL;
        while (rest.p) {
                part = qn_str_cut(&rest, '/');
                if (!is_dir_name(part))
                        return -EINVAL;
        }
        qn_buf_puts(out, withdrawn ? "osv/withdrawn/npm/" : "osv/malicious/npm/");
        for (size_t i = 0; i < name.n; i++)
                qn_buf_byte(out, (char)tolower((unsigned char)name.p[i]));
        return qn_buf_error(out);
}

int qn_mal_path(const struct qn_mal_package *p, const struct qn_mal_conf *conf, struct qn_buf *out)
{
        _cleanup_(qn_buf_done) struct qn_buf what = QN_BUF_INIT((size_t)64 << 20);
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        int r;

        qn_buf_str(&what, p->name);
        qn_buf_byte(&what, conf->every_version ? '*' : '\n');
        for (size_t i = 0; i < p->n; i++) {
                qn_buf_str(&what, p->versions[i].version);
                qn_buf_byte(&what, ' ');
                qn_buf_str(&what, p->versions[i].integrity);
                qn_buf_byte(&what, '\n');
        }
        r = qn_buf_error(&what);
        if (r == 0)
                r = qn_digest(QN_SHA256, what.p, what.n, digest);
        if (r < 0)
                return r;
        r = qn_mal_dir(p->name, false, out);
        if (r < 0)
                return r;
        qn_buf_puts(out, "/MAL-0000-qanat-");
        qn_hex_encode(out, digest, 8);
        qn_buf_puts(out, ".json");
        return qn_buf_error(out);
}

/* As it is written in commits: "Name <mail@host>". */
int qn_mal_credit(struct qn_str text, struct qn_mal_credit *ret)
{
        ptrdiff_t open = qn_str_chr(text, '<');
        struct qn_mal_credit c = { .name = qn_str_trim(text) };

        for (size_t i = 0; i < text.n; i++)
                if (iscntrl((unsigned char)text.p[i]))
                        return -EINVAL;
        if (open >= 0) {
                if (!qn_str_ends(c.name, ">"))
                        return -EINVAL;
                c.contact = qn_str_trim(qn_str_skip(text, (size_t)open + 1));
                c.contact = qn_str_trim(qn_str_take(c.contact, c.contact.n - 1));
                c.name = qn_str_trim(qn_str_take(text, (size_t)open));
                if (!c.contact.n || qn_str_chr(c.contact, '<') >= 0 ||
                    qn_str_chr(c.contact, '>') >= 0)
                        return -EINVAL;
        }
        if (!c.name.n || qn_str_chr(c.name, '>') >= 0)
                return -EINVAL;
        *ret = c;
        return 0;
}
