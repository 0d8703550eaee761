/* Signatures and provenance: what an attestation is worth, every way in which it can be wrong, and how a version was published
 * compared with those before it.  Attestations are made here, with a private authority and log (tests/tools/attest-make.h). */
#include <stdio.h>

#include "../tools/attest-make.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "event/event.h"
#include "observe/attestation.h"
#include "observe/log-proof.h"
#include "observe/provenance.h"
#include "observe/public-key.h"
#include "observe/publishing.h"
#include "parse/cert-id.h"
#include "parse/log-body.h"
#include "parse/statement.h"
#include "rule/judge.h"
#include "rule/rule.h"
#include "test.h"

#define SHA512                                                                                     \
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabb" \
        "ccddeeff00112233445566778899aabbccddeeff"
/* the same in base64 */
#define SRI                                                                       \
        "sha512-ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8AESIzRFVmd4iZqrvM3e7/" \
        "ABEiM0RVZneImaq7zN3u/w=="

static const struct make usual = {
        .name = "@scope/thing",
        .version = "1.2.3",
        .sha512 = SHA512,
        .repository = "https://github.com/owner/thing",
        .workflow = ".github/workflows/release.yml",
        .ref = "refs/heads/main",
        .trigger = "push",
        .runner = "github-hosted",
};

static struct qn_provenance *observer(void)
{
        static struct qn_provenance *p;
        struct qn_err err = { 0 };

        if (!p && qn_provenance_new(TEST_DATA, &p, &err) < 0)
                fail_msg("%s", err.msg);
        return p;
}

static struct qn_cur cur_of(const struct qn_buf *b)
{
        return qn_cur_mem(b->p, b->n);
}

/* Documents that every test needs. */
static struct qn_cur trust(void)
{
        static struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        if (!b.n)
                make_trust(&b);
        return cur_of(&b);
}

static struct qn_cur keys(void)
{
        static struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        if (!b.n)
                make_keys(&b);
        return cur_of(&b);
}

static struct qn_provenance_in input(struct qn_cur attestations)
{
        return (struct qn_provenance_in){
                .name = QN_STR("@scope/thing"),
                .version = QN_STR("1.2.3"),
                .integrity = QN_STR(SRI),
                .docs = { [QN_DOC_ATTESTATIONS] = attestations,
                          [QN_DOC_KEYS] = keys(),
                          [QN_DOC_TRUST] = trust() },
        };
}

static const struct qn_event_set *observe(const struct qn_provenance_in *in)
{
        const struct qn_event_set *set = NULL;

        ASSERT_EQ(qn_provenance_observe(observer(), in, &set), 0);
        ASSERT_NOT_NULL(set);
        return set;
}

static const struct qn_event *find(const struct qn_event_set *set, enum qn_event_kind kind,
                                   const char *what)
{
        for (size_t i = 0; i < set->n; i++)
                if (set->events[i].kind == kind &&
                    (!what || qn_str_is(qn_event_get(&set->events[i], QN_ATTR_WHAT), what)))
                        return &set->events[i];
        return NULL;
}

static void assert_only(const struct qn_event_set *set, enum qn_event_kind kind, const char *what)
{
        if (set->n != 1 || !find(set, kind, what))
                fail_msg("%zu events, the first is %.*s, not one %s", set->n,
                         QN_STR_ARG(set->n ? qn_event_get(&set->events[0], QN_ATTR_WHAT)
                                           : QN_STR("none")),
                         what);
}

/* --- one attestation --- */

static void assert_result(enum make_flaw flaw, const char *what)
{
        _cleanup_(qn_buf_done) struct qn_buf doc = QN_BUF_INIT((size_t)1 << 20);
        struct make m = usual;
        struct qn_provenance_in in;

        m.flaw = flaw;
        make_attestations(&m, &doc);
        in = input(cur_of(&doc));
        print_message("# %s\n", make_flaw_name(flaw));
        assert_only(observe(&in), QN_EVENT_PROVENANCE, what);
}

TEST(each_flaw_has_its_event)
{
        static const char *const whats[MAKE_FLAW_MAX] = {
                [MAKE_NONE] = "valid",
                [MAKE_EXPIRED] = "expired",
                [MAKE_NOT_YET] = "expired",
                [MAKE_WRONG_SUBJECT] = "wrong-subject",
                [MAKE_SWAPPED] = "other-package",
                [MAKE_WRONG_LOG] = "wrong-log",
                [MAKE_WRONG_CHECKPOINT] = "wrong-log",
                [MAKE_UNKNOWN_LOG] = "unknown-log",
                [MAKE_WRONG_PROOF] = "wrong-proof",
                [MAKE_WRONG_ENTRY] = "wrong-entry",
                [MAKE_WRONG_SIGNATURE] = "wrong-signature",
                [MAKE_UNTRUSTED] = "untrusted",
                [MAKE_UNLISTED] = "unlisted",
                [MAKE_WRONG_USE] = "untrusted",
                [MAKE_NO_LOG] = "no-log",
                [MAKE_NO_PROMISE] = "no-log",
                [MAKE_OTHER_SOURCE] = "other-source",
                [MAKE_KEY_FOR_CI] = "untrusted",
                [MAKE_OLD_FORM] = "valid",
                [MAKE_PUBLISH] = "valid",
                [MAKE_UNKNOWN_KEY] = "unknown-key",
                [MAKE_UNKNOWN_FORM] = "unsupported",
        };

        for (unsigned f = 0; f < MAKE_FLAW_MAX; f++)
                assert_result(f, whats[f]);
}

TEST(a_valid_one_tells_from_where)
{
        static const enum make_flaw forms[] = { MAKE_NONE, MAKE_OLD_FORM };

        for (size_t i = 0; i < QN_ARRAY_SIZE(forms); i++) {
                _cleanup_(qn_buf_done) struct qn_buf doc = QN_BUF_INIT((size_t)1 << 20);
                struct make m = usual;
                struct qn_provenance_in in;
                const struct qn_event *e;

                m.flaw = forms[i];
                make_attestations(&m, &doc);
                in = input(cur_of(&doc));
                e = find(observe(&in), QN_EVENT_PROVENANCE, "valid");
                ASSERT_NOT_NULL(e);
                ASSERT_STR(qn_event_get(e, QN_ATTR_URL), usual.repository);
                ASSERT_STR(qn_event_get(e, QN_ATTR_TARGET), usual.workflow);
                ASSERT_STR(qn_event_get(e, QN_ATTR_VALUE), usual.ref);
                ASSERT_STR(qn_event_get(e, QN_ATTR_HOW), usual.trigger);
                ASSERT_STR(qn_event_get(e, QN_ATTR_WHICH), "provenance");
        }
}

TEST(nothing_is_trusted_without_the_private_root)
{
        _cleanup_(qn_buf_done) struct qn_buf doc = QN_BUF_INIT((size_t)1 << 20);
        struct qn_provenance_in in;

        make_attestations(&usual, &doc);
        in = input(cur_of(&doc));
        in.docs[QN_DOC_TRUST] = (struct qn_cur){ 0 };
        assert_only(observe(&in), QN_EVENT_PROVENANCE, "unknown-log");
}

TEST(other_bytes_are_another_subject)
{
        _cleanup_(qn_buf_done) struct qn_buf doc = QN_BUF_INIT((size_t)1 << 20);
        struct qn_provenance_in in;

        make_attestations(&usual, &doc);
        in = input(cur_of(&doc));
        in.integrity = QN_STR("sha512-"
                              "BBEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8AESIzRFVmd4iZqrvM3e7/"
                              "ABEiM0RVZneImaq7zN3u/w==");
        assert_only(observe(&in), QN_EVENT_PROVENANCE, "wrong-subject");
        in.integrity = QN_STR(SRI);
        in.version = QN_STR("1.2.4");
        assert_only(observe(&in), QN_EVENT_PROVENANCE, "other-package");
}

TEST(cut_documents_are_malformed)
{
        _cleanup_(qn_buf_done) struct qn_buf doc = QN_BUF_INIT((size_t)1 << 20);
        struct qn_provenance_in in;

        make_attestations(&usual, &doc);
        for (size_t n = 1; n < doc.n; n += 1 + doc.n / 97) {
                in = input(qn_cur_mem(doc.p, n));
                assert_only(observe(&in), QN_EVENT_PROVENANCE, "malformed");
        }
        in = input(CUR("{\"attestations\":[{\"bundle\":{}},7,null,{}]}"));
        ASSERT_NULL(find(observe(&in), QN_EVENT_PROVENANCE, "valid"));
        ASSERT_NOT_NULL(find(observe(&in), QN_EVENT_PROVENANCE, "malformed"));
}

/* Whatever one changes: the answer may be another one, but no longer valid with another content. */
TEST(changed_bytes_are_never_valid_with_another_content)
{
        _cleanup_(qn_buf_done) struct qn_buf doc = QN_BUF_INIT((size_t)1 << 20),
                                             changed = QN_BUF_INIT((size_t)1 << 20);
        unsigned valid = 0, all = 0;

        make_attestations(&usual, &doc);
        for (size_t i = 0; i < doc.n; i += 1 + doc.n / 1500, all++) {
                struct qn_provenance_in in;
                const struct qn_event *e;

                qn_buf_reset(&changed);
                qn_buf_str(&changed, qn_buf_view(&doc));
                changed.p[i] = (char)(changed.p[i] == 'A' ? 'B' : 'A');
                in = input(cur_of(&changed));
                e = find(observe(&in), QN_EVENT_PROVENANCE, "valid");
                if (!e)
                        continue;
                valid++; /* a member that nothing reads: kindVersion, keyid, the names of members */
                ASSERT_STR(qn_event_get(e, QN_ATTR_URL), usual.repository);
                ASSERT_STR(qn_event_get(e, QN_ATTR_VALUE), usual.ref);
        }
        ASSERT_TRUE(valid < all / 10);
}

TEST(limits)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)16 << 20);
        struct qn_provenance_in in;

        qn_buf_puts(&b, "{\"attestations\":[{}");
        for (unsigned i = 0; i < QN_ATTESTATIONS_COUNT_MAX; i++)
                qn_buf_puts(&b, ",{}");
        qn_buf_puts(&b, "]}");
        in = input(cur_of(&b));
        assert_only(observe(&in), QN_EVENT_PROVENANCE, "malformed");
        qn_buf_reset(&b);
        qn_buf_fill(&b, ' ', QN_ATTESTATIONS_MAX + 1);
        in = input(cur_of(&b));
        assert_only(observe(&in), QN_EVENT_PROVENANCE, "malformed");
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"keys\":[");
        for (unsigned i = 0; i <= QN_TRUST_ENTRIES_MAX; i++)
                qn_buf_puts(&b, i ? ",{\"keyid\":\"a\",\"key\":\"AA==\"}"
                                  : "{\"keyid\":\"a\",\"key\":\"AA==\"}");
        qn_buf_puts(&b, "]}");
        in = input((struct qn_cur){ 0 });
        in.docs[QN_DOC_KEYS] = cur_of(&b);
        assert_only(observe(&in), QN_EVENT_SIGNATURE, "not-looked-at");
}

/* Writes `one` n times, with commas. */
static void repeat(struct qn_buf *b, const char *one, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                qn_buf_printf(b, "%s%s", i ? "," : "", one);
}

static const char *why_broken(const char *before, const char *one, unsigned n, const char *after)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_attestations list;

        qn_buf_puts(&b, "{\"attestations\":[{\"bundle\":{\"mediaType\":\"application/"
                        "vnd.dev.sigstore.bundle.v0.3+json\","
                        "\"verificationMaterial\":{\"publicKey\":{\"hint\":\"x\"},");
        qn_buf_puts(&b, before);
        repeat(&b, one, n);
        qn_buf_puts(&b, after);
        qn_buf_puts(&b, "},\"dsseEnvelope\":{\"payload\":\"AA==\",\"payloadType\":\"t\","
                        "\"signatures\":[{\"sig\":\"AA==\"}]}}}]}");
        ASSERT_EQ(qn_attestations_read(cur_of(&b), &a, &list, NULL), 0);
        ASSERT_EQ(list.n, 1);
        return list.list[0].broken; /* a literal */
}

TEST(limits_of_a_bundle)
{
        static const struct {
                const char *before, *one, *after, *why;
                unsigned max;
        } rows[] = {
                { "\"x509CertificateChain\":{\"certificates\":[", "{\"rawBytes\":\"AA==\"}", "]}",
                  "too many certificates", QN_BUNDLE_CERTS_MAX },
                { "\"tlogEntries\":[", "{}", "]", "too many log entries", QN_BUNDLE_ENTRIES_MAX },
                { "\"tlogEntries\":[{\"inclusionProof\":{\"hashes\":[", "\"AA==\"", "]}}]",
                  "too many hashes", QN_BUNDLE_PROOF_MAX },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(rows); i++) {
                const char *why =
                        why_broken(rows[i].before, rows[i].one, rows[i].max + 1, rows[i].after);

                ASSERT_NULL(why_broken(rows[i].before, rows[i].one, rows[i].max, rows[i].after));
                if (!why || !strstr(why, rows[i].why))
                        fail_msg("\"%s\" does not say \"%s\"", why ? why : "nothing", rows[i].why);
        }
}

TEST(limits_of_a_statement)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_statement s;

        for (unsigned more = 0; more < 2; more++) {
                qn_buf_reset(&b);
                qn_buf_puts(&b, "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[");
                repeat(&b, "{}", QN_STATEMENT_SUBJECTS_MAX + more);
                qn_buf_puts(&b, "]}");
                ASSERT_EQ(qn_statement_read(cur_of(&b), &a, &s, NULL), more ? -EFBIG : 0);
        }
        ASSERT_EQ(qn_statement_read(CUR("{\"_type\":\"x\"}"), &a, &s, NULL), -EINVAL);
        ASSERT_EQ(qn_statement_read(
                          CUR("{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[]}"), &a,
                          &s, NULL),
                  -EINVAL);
}

TEST(limits_of_a_checkpoint)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_checkpoint cp;

        for (unsigned more = 0; more < 2; more++) {
                qn_buf_reset(&b);
                qn_buf_puts(&b, "log\n3\nAAAA\n\n");
                for (unsigned i = 0; i < QN_CHECKPOINT_LINES_MAX + more; i++)
                        qn_buf_puts(&b, "\xe2\x80\x94 log AAAAAAAA\n");
                ASSERT_EQ(qn_checkpoint_read(qn_buf_view(&b), &a, &cp), more ? -EINVAL : 0);
        }
        ASSERT_EQ(qn_checkpoint_read(QN_STR("log\n3\nAAAA\n"), &a, &cp), -EINVAL);
        ASSERT_EQ(qn_checkpoint_read(QN_STR("log\n-3\nAAAA\n\n"), &a, &cp), -EINVAL);
}

/* A DER element around what is in b. */
static void wrap(struct qn_buf *b, uint8_t tag)
{
        _cleanup_(qn_buf_done) struct qn_buf inner = QN_BUF_INIT((size_t)1 << 20);

        qn_buf_str(&inner, qn_buf_view(b));
        qn_buf_reset(b);
        qn_buf_add(b, (uint8_t[]){ tag, 0x82, (uint8_t)(inner.n >> 8), (uint8_t)inner.n }, 4);
        qn_buf_str(b, qn_buf_view(&inner));
}

TEST(limits_of_a_certificate)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_cert_id id = { 0 };

        for (unsigned more = 0; more < 2; more++) {
                qn_buf_reset(&b);
                for (unsigned i = 0; i < QN_CERT_EXTENSIONS_MAX + more;
                     i++) /* OID 2.5.29.1, an empty string */
                        qn_buf_add(&b, "\x30\x07\x06\x03\x55\x1d\x01\x04\x00", 9);
                wrap(&b, 0x30);
                wrap(&b, 0xa3);
                wrap(&b, 0x30);
                wrap(&b, 0x30);
                ASSERT_EQ(qn_cert_id_read(cur_of(&b), &id), more ? -EBADMSG : 0);
                qn_buf_reset(&b);
                for (unsigned i = 0; i < QN_CERT_PARTS_MAX + more; i++)
                        qn_buf_add(&b, "\x05\x00", 2);
                wrap(&b, 0x30);
                wrap(&b, 0x30);
                ASSERT_EQ(qn_cert_id_read(cur_of(&b), &id), more ? -EBADMSG : 0);
        }
}

TEST(identities_of_cut_certificates)
{
        _cleanup_(qn_buf_done) struct qn_buf der = QN_BUF_INIT((size_t)1 << 16);
        struct qn_cert_id id = { 0 };

        make_certificate(&usual, &der);
        for (size_t n = 0; n < der.n; n++)
                ASSERT_EQ(qn_cert_id_read(qn_cur_mem(der.p, n), &id), -EBADMSG);
        ASSERT_NULL(id.repository.p);
        ASSERT_EQ(qn_cert_id_read(cur_of(&der), &id), 0);
        ASSERT_STR(id.repository, usual.repository);
        ASSERT_STR(id.trigger, usual.trigger);
        ASSERT_STR(id.runner, usual.runner);
}

TEST(no_more_than_so_many_earlier_versions)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_published_before before;
        struct qn_packument *doc;

        qn_buf_puts(&b, "{\"name\":\"x\",\"versions\":{");
        for (unsigned i = 0; i <= QN_PUBLISHED_BEFORE_MAX + 5; i++)
                qn_buf_printf(&b, "%s\"1.%u.0\":{}", i ? "," : "", i);
        qn_buf_puts(&b, "}}");
        ASSERT_EQ(qn_packument_read(cur_of(&b), &a, &doc, NULL), 0);
        qn_published_before(doc, &doc->versions[doc->n - 1], &before);
        ASSERT_EQ(before.n, QN_PUBLISHED_BEFORE_MAX);
        ASSERT_STR(before.list[0]->version, "1.68.0");
        ASSERT_STR(before.list[before.n - 1]->version, "1.5.0");
}

TEST(broken_roots_are_told)
{
        static const char *const docs[] = {
                "{",
                "[]",
                "{}",
                "{\"certificateAuthorities\":7}",
                "{\"certificateAuthorities\":[{}]}",
                "{\"certificateAuthorities\":[],\"tlogs\":[{\"logId\":{\"keyId\":\"AA==\"},"
                "\"publicKey\":{\"rawBytes\":\"!\"}}]}",
                "{\"certificateAuthorities\":[],\"tlogs\":[{\"logId\":{\"keyId\":\"AA==\"},"
                "\"publicKey\":{\"rawBytes\":\"AA==\","
                "\"validFor\":{\"end\":\"soon\"}}}]}",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(docs); i++) {
                struct qn_provenance_in in = input((struct qn_cur){ 0 });

                in.docs[QN_DOC_TRUST] = qn_cur_mem(docs[i], strlen(docs[i]));
                assert_only(observe(&in), QN_EVENT_PROVENANCE, "not-looked-at");
        }
}

/* --- the log's proof, against trees that are built the plain way --- */

static void hash(uint8_t prefix, const void *a, size_t na, const void *b, size_t nb, uint8_t *ret)
{
        uint8_t in[1 + 64], out[QN_DIGEST_BYTES_MAX];

        in[0] = prefix;
        memcpy(in + 1, a, na);
        if (nb)
                memcpy(in + 1 + na, b, nb);
        ASSERT_EQ(qn_digest(QN_SHA256, in, 1 + na + nb, out), 0);
        memcpy(ret, out, 32);
}

/* RFC 6962, 2.1: the root of leaves [from, to), each leaf one byte; and the path to one of them. */
static void tree(unsigned from, unsigned to, uint8_t *ret)
{
        uint8_t left[32], right[32];
        unsigned half = 1;

        if (to - from == 1) {
                uint8_t leaf = (uint8_t)from;

                hash(0, &leaf, 1, NULL, 0, ret);
                return;
        }
        while (half * 2 < to - from)
                half *= 2;
        tree(from, from + half, left);
        tree(from + half, to, right);
        hash(1, left, 32, right, 32, ret);
}

static size_t path(unsigned leaf, unsigned from, unsigned to, uint8_t (*ret)[32])
{
        unsigned half = 1;
        size_t n;

        if (to - from == 1)
                return 0;
        while (half * 2 < to - from)
                half *= 2;
        if (leaf < from + half) {
                n = path(leaf, from, from + half, ret);
                tree(from + half, to, ret[n]);
        } else {
                n = path(leaf, from + half, to, ret);
                tree(from, from + half, ret[n]);
        }
        return n + 1;
}

TEST(proofs_of_all_small_trees)
{
        for (unsigned size = 1; size <= 33; size++) {
                uint8_t root[32], hashes[8][32];

                tree(0, size, root);
                for (unsigned at = 0; at < size; at++) {
                        uint8_t leaf = (uint8_t)at;
                        struct qn_str text = { (const char *)&leaf, 1 };
                        struct qn_log_proof p = { .index = at,
                                                  .size = size,
                                                  .root = { (const char *)root, 32 } };

                        p.n = path(at, 0, size, hashes);
                        for (size_t i = 0; i < p.n; i++)
                                p.hashes[i] = (struct qn_str){ (const char *)hashes[i], 32 };
                        ASSERT_TRUE(qn_log_included(text, &p));
                        p.index = (at + 1) % size;
                        ASSERT_TRUE(size == 1 || !qn_log_included(text, &p));
                        p.index = at;
                        ASSERT_FALSE(qn_log_included(QN_STR("~"), &p));
                        hashes[0][5] ^= 4;
                        ASSERT_TRUE(size == 1 || !qn_log_included(text, &p));
                        hashes[0][5] ^= 4;
                        p.n = p.n ? p.n - 1 : 1;
                        p.hashes[0] = p.n == 1 && size == 1 ? p.root : p.hashes[0];
                        ASSERT_FALSE(qn_log_included(text, &p));
                }
        }
}

TEST(odd_proofs)
{
        uint8_t zero[32] = { 0 };
        struct qn_log_proof p = { .size = 0, .root = { (const char *)zero, 32 } };

        ASSERT_FALSE(qn_log_included(QN_STR("x"), &p));
        p = (struct qn_log_proof){ .size = UINT64_MAX,
                                   .index = UINT64_MAX - 1,
                                   .root = { (const char *)zero, 32 } };
        ASSERT_FALSE(qn_log_included(QN_STR("x"), &p));
        p = (struct qn_log_proof){ .size = 2,
                                   .n = 1,
                                   .hashes = { { (const char *)zero, 31 } },
                                   .root = { (const char *)zero, 32 } };
        ASSERT_FALSE(qn_log_included(QN_STR("x"), &p));
}

TEST(keys_that_are_none)
{
        ASSERT_EQ(qn_public_key_verify(QN_STR(""), QN_STR("x"), QN_STR("y")), -EINVAL);
        ASSERT_EQ(qn_public_key_verify(QN_STR("\x30\x03\x02\x01\x01"), QN_STR("x"), QN_STR("y")),
                  -EINVAL);
        ASSERT_EQ(
                qn_public_key_verify(QN_STR("\x30\x84\xff\xff\xff\xff"), QN_STR("x"), QN_STR("y")),
                -EINVAL);
}

/* --- the registry's signature --- */

static struct qn_str signed_on(struct qn_buf *b, const char *day, const char *keyid,
                               const char *sig)
{
        qn_buf_reset(b);
        qn_buf_printf(
                b,
                "{\"name\":\"@scope/thing\",\"versions\":{\"1.2.3\":{\"dist\":{\"integrity\":\"" SRI
                "\",\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"%s\"}]}}},\"time\":{\"1.2.3\":\"%"
                "sT00:00:00.000Z\"}}",
                keyid, sig, day);
        return qn_buf_view(b);
}

static void assert_signature(const char *day, const char *text, const char *keyid, bool old,
                             const char *what)
{
        _cleanup_(qn_buf_done) struct qn_buf sig = QN_BUF_INIT(1000), doc = QN_BUF_INIT(10000);
        struct qn_provenance_in in = input((struct qn_cur){ 0 });

        make_signature(text, old, &sig);
        in.docs[QN_DOC_PACKUMENT] = qn_cur_str(signed_on(&doc, day, keyid, sig.p));
        assert_only(observe(&in), QN_EVENT_SIGNATURE, what);
}

TEST(registry_signatures)
{
        const char *text = "@scope/thing@1.2.3:" SRI, *other = "@scope/thing@1.2.4:" SRI;

        assert_signature("2025-06-15", text, make_key_id(false), false, "valid");
        assert_signature("2025-06-15", other, make_key_id(false), false, "wrong");
        assert_signature("2025-06-15", text, make_key_id(false), true, "wrong");
        assert_signature("2025-06-15", text, make_key_id(true), true, "expired");
        assert_signature("2025-04-15", text, make_key_id(true), true, "valid");
        assert_signature("2025-06-15", text, "SHA256:somebody", false, "unknown-key");
        assert_signature("2025-06-15", text, "", false, "malformed");
}

TEST(signatures_of_other_bytes_are_wrong)
{
        _cleanup_(qn_buf_done) struct qn_buf sig = QN_BUF_INIT(1000), doc = QN_BUF_INIT(10000);
        struct qn_provenance_in in = input((struct qn_cur){ 0 });

        make_signature("@scope/thing@1.2.3:" SRI, false, &sig);
        in.docs[QN_DOC_PACKUMENT] =
                qn_cur_str(signed_on(&doc, "2025-06-15", make_key_id(false), sig.p));
        in.integrity = QN_STR("sha512-AAAA");
        assert_only(observe(&in), QN_EVENT_SIGNATURE, "wrong");
        in.docs[QN_DOC_PACKUMENT] =
                qn_cur_str(signed_on(&doc, "2025-06-15", make_key_id(false), "%%%%"));
        assert_only(observe(&in), QN_EVENT_SIGNATURE, "malformed");
}

TEST(packuments_that_are_none_are_told)
{
        struct qn_provenance_in in = input((struct qn_cur){ 0 });

        in.docs[QN_DOC_PACKUMENT] = CUR("{\"name\":\"@scope/thing\",\"versions\":");
        assert_only(observe(&in), QN_EVENT_SIGNATURE, "not-looked-at");
        in.docs[QN_DOC_PACKUMENT] = CUR("{\"name\":\"other\",\"versions\":{\"1.2.3\":{}}}");
        assert_only(observe(&in), QN_EVENT_SIGNATURE, "not-looked-at");
        in.docs[QN_DOC_PACKUMENT] = CUR("{\"name\":\"@scope/thing\",\"versions\":{\"9.0.0\":{}}}");
        ASSERT_EQ(observe(&in)->n, 0);
}

TEST(attestations_that_were_not_fetched_are_told)
{
        struct qn_provenance_in in = input((struct qn_cur){ 0 });

        in.docs[QN_DOC_PACKUMENT] = CUR(
                "{\"name\":\"@scope/thing\",\"versions\":{\"1.2.3\":{\"dist\":{\"attestations\":{"
                "\"url\":\"https://registry.invalid/x\"}}}}}");
        assert_only(observe(&in), QN_EVENT_PROVENANCE, "not-given");
        in.unreachable = true;
        assert_only(observe(&in), QN_EVENT_PROVENANCE, "unreachable");
}

/* --- compared with earlier versions --- */

/* Versions in order of their publication: a letter each: a attested, t trusted publisher, b both, p a person. */
static const struct qn_event_set *history(const char *const *versions, const char *how,
                                          const char *own)
{
        static struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_provenance_in in = { .name = QN_STR("x"),
                                       .version = qn_str_c(own),
                                       .integrity = QN_STR(SRI) };

        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"name\":\"x\",\"versions\":{");
        for (size_t i = 0; how[i]; i++)
                qn_buf_printf(&b, "%s\"%s\":{\"dist\":{%s},\"_npmUser\":{\"name\":\"%s\"%s}}",
                              i ? "," : "", versions[i],
                              strchr("ab", how[i]) ? "\"attestations\":{\"url\":\"u\"}" : "",
                              how[i] == 'p' ? "ann" : "ci",
                              strchr("tb", how[i]) ? ",\"trustedPublisher\":{\"id\":\"github\"}"
                                                   : "");
        qn_buf_puts(&b, "},\"time\":{");
        for (size_t i = 0; how[i]; i++)
                qn_buf_printf(&b, "%s\"%s\":\"2025-01-%02zuT00:00:00.000Z\"", i ? "," : "",
                              versions[i], i + 1);
        qn_buf_puts(&b, "}}");
        in.docs[QN_DOC_PACKUMENT] = cur_of(&b);
        return observe(&in);
}

static bool has_meta(const struct qn_event_set *set, const char *what)
{
        return find(set, QN_EVENT_META, what) != NULL;
}

TEST(provenance_is_missed)
{
        static const char *const v[] = { "1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1" };
        const struct qn_event_set *set = history(v, "bbbbp", "1.2.1");
        const struct qn_event *e = find(set, QN_EVENT_META, "provenance-lost");

        ASSERT_NOT_NULL(e);
        ASSERT_STR(qn_event_get(e, QN_ATTR_VALUE), "4");
        ASSERT_STR(qn_event_get(e, QN_ATTR_NAME), "1.2.0");
        ASSERT_STR(qn_event_get(e, QN_ATTR_DETAIL), "ann");
        ASSERT_TRUE(has_meta(set, "trusted-publisher-lost"));
        ASSERT_TRUE(has_meta(set, "ci-only-left"));
        set = history(v, "pbbbp", "1.2.1");
        ASSERT_TRUE(has_meta(set, "provenance-lost"));
        ASSERT_FALSE(has_meta(set, "ci-only-left"));
        set = history(v, "bbbba", "1.2.1");
        ASSERT_FALSE(has_meta(set, "provenance-lost"));
        ASSERT_TRUE(has_meta(set, "trusted-publisher-lost"));
        ASSERT_EQ(history(v, "bbbbb", "1.2.1")->n -
                          (find(history(v, "bbbbb", "1.2.1"), QN_EVENT_PROVENANCE, NULL) != NULL),
                  0);
        ASSERT_EQ(history(v, "ppppp", "1.2.1")->n, 0);
        ASSERT_EQ(history(v, "bbbpp", "1.2.1")->n, 0); /* it was lost before */
        ASSERT_EQ(history(v, "p", "1.0.0")->n, 0);
}

TEST(versions_are_compared_with_their_like)
{
        static const char *const lines[] = { "1.0.0", "2.0.0", "2.1.0", "1.0.1" };
        static const char *const nightly[] = { "1.0.0", "1.1.0-dev.1", "1.1.0-dev.2", "1.1.0" };

        ASSERT_FALSE(has_meta(history(lines, "pbbp", "1.0.1"),
                              "provenance-lost")); /* an old line, kept by hand */
        ASSERT_TRUE(has_meta(history(lines, "bppp", "1.0.1"), "provenance-lost"));
        ASSERT_FALSE(has_meta(history(nightly, "pbbp", "1.1.0"), "provenance-lost"));
        ASSERT_TRUE(has_meta(history(nightly, "bppp", "1.1.0"), "provenance-lost"));
        ASSERT_TRUE(has_meta(history(nightly, "pbpp", "1.1.0-dev.2"), "provenance-lost"));
        ASSERT_TRUE(has_meta(history(lines, "bbp", "2.1.0"), "provenance-lost"));
}

TEST(what_came_later_does_not_count)
{
        static const char *const v[] = { "1.0.0", "1.0.1", "1.0.2" };

        ASSERT_EQ(history(v, "ppb", "1.0.1")->n, 0);
        ASSERT_FALSE(has_meta(history(v, "bbb", "1.0.0"), "provenance-lost"));
}

static const struct qn_event_set *compared(const struct make *now, const struct make *before,
                                           const char *manifest)
{
        static struct qn_buf own = QN_BUF_INIT(1 << 20), earlier = QN_BUF_INIT(1 << 20),
                             doc = QN_BUF_INIT(1 << 20);
        struct make m = *before;
        struct qn_provenance_in in;

        m.version = "1.2.2";
        qn_buf_reset(&own);
        qn_buf_reset(&earlier);
        qn_buf_reset(&doc);
        make_attestations(now, &own);
        make_attestations(&m, &earlier);
        qn_buf_printf(
                &doc,
                "{\"name\":\"@scope/thing\",\"versions\":{\"1.2.2\":{\"dist\":{\"integrity\":\"" SRI
                "\",\"attestations\":{"
                "\"url\":\"u\"}}},\"1.2.3\":{\"repository\":{\"url\":\"%s\"},\"dist\":{"
                "\"attestations\":{\"url\":\"u\"}}}}}",
                manifest);
        in = input(cur_of(&own));
        in.docs[QN_DOC_EARLIER] = cur_of(&earlier);
        in.docs[QN_DOC_PACKUMENT] = cur_of(&doc);
        return observe(&in);
}

static void assert_changed(const struct make *now, const struct make *before, const char *what)
{
        const struct qn_event_set *set = compared(now, before, "");

        ASSERT_NOT_NULL(find(set, QN_EVENT_PROVENANCE, "valid"));
        ASSERT_EQ(set->n, what ? 2 : 1);
        if (what)
                ASSERT_TRUE(has_meta(set, what));
}

TEST(a_source_that_changed)
{
        struct make m = usual;

        assert_changed(&m, &usual, NULL);
        m.repository = "https://github.com/Owner/Thing";
        assert_changed(&m, &usual, NULL);
        m.repository = "https://github.com/owner/other";
        assert_changed(&m, &usual, "provenance-repository-changed");
        m.repository = "https://github.com/stranger/thing";
        assert_changed(&m, &usual, "provenance-owner-changed");
        m = usual;
        m.workflow = ".github/workflows/test.yml";
        assert_changed(&m, &usual, "provenance-workflow-changed");
        m = usual;
        m.ref = "refs/heads/patch-1";
        assert_changed(&m, &usual, "provenance-branch-changed");
        m.ref = "refs/tags/v1.2.3";
        assert_changed(&m, &usual, "provenance-branch-changed");
        m = usual;
        m.trigger = "pull_request_target";
        assert_changed(&m, &usual, "provenance-trigger-changed");
        m = usual;
        m.runner = "self-hosted";
        assert_changed(&m, &usual, "provenance-runner-changed");
}

TEST(tags_differ_by_nature)
{
        struct make now = usual, before = usual;

        now.ref = "refs/tags/v1.2.3";
        before.ref = "refs/tags/v1.2.2";
        assert_changed(&now, &before, NULL);
}

TEST(an_earlier_one_that_does_not_hold_is_nothing_to_compare_with)
{
        struct make now = usual, before = usual;

        now.repository = "https://github.com/stranger/thing";
        before.flaw = MAKE_WRONG_SIGNATURE;
        assert_changed(&now, &before, NULL);
}

TEST(the_package_names_another_repository)
{
        static const char *const same[] = { "git+https://github.com/owner/thing.git",
                                            "git@github.com:owner/thing.git",
                                            "github:owner/thing",
                                            "owner/thing",
                                            "git+ssh://git@github.com/Owner/thing.git#main",
                                            "https://github.com/owner/thing/",
                                            "" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(same); i++)
                if (has_meta(compared(&usual, &usual, same[i]), "provenance-repository-differs"))
                        fail_msg("%s", same[i]);
        ASSERT_TRUE(has_meta(compared(&usual, &usual, "https://github.com/owner/other"),
                             "provenance-repository-differs"));
        ASSERT_EQ(qn_repository_path(QN_STR("nothing")).n, 0);
        ASSERT_EQ(qn_repository_path(QN_STR("https://example.invalid")).n, 0);
        ASSERT_EQ(qn_repository_path(QN_STR("/x")).n, 0);
        ASSERT_EQ(qn_repository_path(QN_STR("github.com/")).n, 0);
}

/* --- it earns nothing --- */

static struct qn_verdict judged(struct qn_arena *a, const struct qn_rules *rules,
                                const struct qn_event_set *set)
{
        struct qn_verdict v = { 0 };

        ASSERT_EQ(qn_judge(rules, set, a, &v), 0);
        return v;
}

static struct qn_event_set facts(struct qn_arena *a, const char *ndjson)
{
        struct qn_cur in = qn_cur_mem(ndjson, strlen(ndjson));
        struct qn_event_set set;
        struct qn_err err = { 0 };

        if (qn_event_set_read_json(&in, a, &set, &err) < 0)
                fail_msg("%s", err.msg);
        return set;
}

#define HEAD "{\"schema\":\"qanat.events/1\",\"name\":\"@scope/thing\",\"version\":\"1.2.3\"}\n"

TEST(a_valid_provenance_never_lowers_a_verdict)
{
        static const char *const sets[] = {
                HEAD,
                HEAD "{\"event\":\"unanalysed\",\"layer\":\"static\",\"phase\":\"never\",\"attrs\":"
                     "{\"what\":\"corrupt\"}}\n",
                HEAD "{\"event\":\"download.run\",\"layer\":\"static\",\"phase\":\"install\","
                     "\"attrs\":{\"how\":\"shell\"}}\n",
                HEAD "{\"event\":\"download.run\",\"layer\":\"static\",\"phase\":\"install\","
                     "\"attrs\":{\"class\":\"tunnel\"}}\n",
                HEAD "{\"event\":\"meta\",\"layer\":\"metadata\",\"phase\":\"never\",\"attrs\":{"
                     "\"what\":\"provenance-lost\"}}\n",
        };
        static const enum qn_verdict_kind kinds[] = { QN_CLEAN, QN_UNKNOWN, QN_SUSPICIOUS,
                                                      QN_MALICIOUS, QN_CLEAN };
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        _cleanup_(qn_buf_done) struct qn_buf doc = QN_BUF_INIT((size_t)1 << 20);
        const char *dirs[] = { TEST_DATA "/rules" };
        struct qn_provenance_in in;
        struct qn_err err = { 0 };

        if (qn_rules_load(dirs, 1, &rules, &err) < 0)
                fail_msg("%s", err.msg);
        make_attestations(&usual, &doc);
        in = input(cur_of(&doc));
        ASSERT_NOT_NULL(find(observe(&in), QN_EVENT_PROVENANCE, "valid"));
        for (size_t i = 0; i < QN_ARRAY_SIZE(sets); i++) {
                struct qn_event_set set = facts(&a, sets[i]), both;
                struct qn_verdict without = judged(&a, rules, &set), with;

                ASSERT_EQ(without.kind, kinds[i]);
                ASSERT_EQ(qn_event_set_merge(&set, observe(&in), &a, &both), 0);
                ASSERT_TRUE(both.n > set.n);
                with = judged(&a, rules, &both);
                ASSERT_EQ(with.kind, without.kind);
                ASSERT_EQ(with.score, without.score);
                ASSERT_EQ(with.n, without.n);
        }
}
