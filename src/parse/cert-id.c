#include "parse/cert-id.h"

#include "base/limits.h"
#include "parse/der.h"

static const uint8_t fulcio_arc[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01 };
static const uint8_t alternative_name[] = { 0x55, 0x1d, 0x11 };

/* Up to the sixth the text stands in the extension as it is, later ones are UTF8String. */
#define RAW_UP_TO 6

static const struct {
        uint8_t arc;
        size_t field;
} fields[] = {
        { 1, offsetof(struct qn_cert_id, issuer) },
        { 2, offsetof(struct qn_cert_id, trigger) },
        { 3, offsetof(struct qn_cert_id, commit) },
        { 5, offsetof(struct qn_cert_id, old_repository) },
        { 6, offsetof(struct qn_cert_id, ref) },
        { 8, offsetof(struct qn_cert_id, issuer) },
        { 9, offsetof(struct qn_cert_id, builder) },
        { 11, offsetof(struct qn_cert_id, runner) },
        { 12, offsetof(struct qn_cert_id, repository) },
        { 13, offsetof(struct qn_cert_id, commit) },
        { 14, offsetof(struct qn_cert_id, ref) },
        { 18, offsetof(struct qn_cert_id, workflow) },
        { 20, offsetof(struct qn_cert_id, trigger) },
        { 21, offsetof(struct qn_cert_id, run) },
};

static bool is_bytes(struct qn_cur c, const uint8_t *p, size_t n)
{
        return qn_cur_left(&c) == n && memcmp(c.p, p, n) == 0;
}

/* The number below Fulcio's arc, 0 for any other object identifier. */
static uint8_t fulcio_number(struct qn_cur oid)
{
        size_t n = sizeof fulcio_arc;

        if (qn_cur_left(&oid) != n + 1 || memcmp(oid.p, fulcio_arc, n) != 0 || oid.p[n] > 0x7f)
                return 0;
        return oid.p[n];
}

/* The later extension of two that say the same wins: its number is higher, and it is the one that is still written. */
static int take_fulcio(uint8_t number, struct qn_cur value, struct qn_cert_id *id)
{
        struct qn_cur text = value;

        if (number > RAW_UP_TO &&
            (qn_der_take(&value, QN_DER_UTF8, &text) < 0 || qn_cur_left(&value)))
                return -EBADMSG;
        for (size_t i = 0; i < QN_ARRAY_SIZE(fields); i++)
                if (fields[i].arc == number)
                        *(struct qn_str *)((char *)id + fields[i].field) = qn_cur_rest(&text);
        return 0;
}

static int take_name(struct qn_cur value, struct qn_cert_id *id)
{
        struct qn_cur names, name;
        uint8_t tag;

        if (qn_der_take(&value, QN_DER_SEQUENCE, &names) < 0)
                return -EBADMSG;
        while (qn_cur_left(&names)) {
                if (qn_der_next(&names, &tag, &name) < 0)
                        return -EBADMSG;
                if (!id->name.p && (tag == QN_DER_URI || tag == QN_DER_EMAIL))
                        id->name = qn_cur_rest(&name);
        }
        return 0;
}

/* Extension: SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING } */
static int take_extension(struct qn_cur *list, struct qn_cert_id *id)
{
        struct qn_cur ext, oid, value;
        uint8_t number;

        if (qn_der_take(list, QN_DER_SEQUENCE, &ext) < 0 ||
            qn_der_take(&ext, QN_DER_OID, &oid) < 0 || qn_der_pass(&ext, QN_DER_BOOLEAN) < 0 ||
            qn_der_take(&ext, QN_DER_OCTETS, &value) < 0)
                return -EBADMSG;
        number = fulcio_number(oid);
        if (number)
                return take_fulcio(number, value, id);
        return is_bytes(oid, alternative_name, sizeof alternative_name) ? take_name(value, id) : 0;
}

/* The list of extensions; an empty cursor when there are none. */
static int find_extensions(struct qn_cur der, struct qn_cur *ret)
{
        struct qn_cur cert, tbs, part;
        uint8_t tag;

        *ret = (struct qn_cur){ der.end, der.end };
        if (qn_der_take(&der, QN_DER_SEQUENCE, &cert) < 0 ||
            qn_der_take(&cert, QN_DER_SEQUENCE, &tbs) < 0)
                return -EBADMSG;
        for (unsigned i = 0; qn_cur_left(&tbs); i++) {
                if (i == QN_CERT_PARTS_MAX || qn_der_next(&tbs, &tag, &part) < 0)
                        return -EBADMSG;
                if (tag == QN_DER_EXTENSIONS)
                        return qn_der_take(&part, QN_DER_SEQUENCE, ret);
        }
        return 0;
}

int qn_cert_id_read(struct qn_cur der, struct qn_cert_id *ret)
{
        struct qn_cert_id id = { 0 };
        struct qn_cur list;
        int r = find_extensions(der, &list);

        for (unsigned i = 0; r == 0 && qn_cur_left(&list); i++)
                r = i < QN_CERT_EXTENSIONS_MAX ? take_extension(&list, &id) : -EBADMSG;
        if (r == 0)
                *ret = id;
        return r;
}
