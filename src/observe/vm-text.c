/* Methods of text.  Text is UTF-8 inside; indices are UTF-16 code units, as the language counts. */
#include <math.h>

#include "base/buf.h"
#include "observe/vm-priv.h"

/* --- code units --- */

static uint32_t decode(struct qn_str s, size_t off, uint32_t *len)
{
        const uint8_t *p = (const uint8_t *)s.p + off;
        size_t left = s.n - off;

        *len = 1;
        if (p[0] < 0x80)
                return p[0];
        if (p[0] >= 0xc2 && p[0] < 0xe0 && left > 1 && (p[1] & 0xc0) == 0x80) {
                *len = 2;
                return (p[0] & 0x1fu) << 6 | (p[1] & 0x3f);
        }
        if (p[0] >= 0xe0 && p[0] < 0xf0 && left > 2 && (p[1] & 0xc0) == 0x80 &&
            (p[2] & 0xc0) == 0x80) {
                *len = 3;
                return (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3f);
        }
        if (p[0] >= 0xf0 && p[0] < 0xf5 && left > 3 && (p[1] & 0xc0) == 0x80 &&
            (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80) {
                *len = 4;
                return (p[0] & 7u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 |
                       (p[3] & 0x3f);
        }
        return p[0];
}

static size_t encode(char *to, uint32_t c)
{
        if (c < 0x80) {
                to[0] = (char)c;
                return 1;
        }
        if (c < 0x800) {
                to[0] = (char)(0xc0 | c >> 6);
                to[1] = (char)(0x80 | (c & 0x3f));
                return 2;
        }
        if (c < 0x10000) {
                to[0] = (char)(0xe0 | c >> 12);
                to[1] = (char)(0x80 | (c >> 6 & 0x3f));
                to[2] = (char)(0x80 | (c & 0x3f));
                return 3;
        }
        to[0] = (char)(0xf0 | (c >> 18 & 7));
        to[1] = (char)(0x80 | (c >> 12 & 0x3f));
        to[2] = (char)(0x80 | (c >> 6 & 0x3f));
        to[3] = (char)(0x80 | (c & 0x3f));
        return 4;
}

struct qn_v qn_vm_code_unit(struct qn_vm *vm, uint32_t c)
{
        char *p = qn_vm_bytes(vm, 4);

        return p ? qn_v_str((struct qn_str){ p, encode(p, c) }) : qn_v_unknown();
}

static struct qn_vwalk *walk(struct qn_vm *vm, struct qn_str s)
{
        struct qn_vwalk *w = vm->walks;
        uint32_t len;

        for (size_t i = 0; i < QN_ARRAY_SIZE(vm->walks); i++)
                if (w[i].p == s.p && w[i].n == s.n)
                        return &w[i];
        w = &vm->walks[vm->next_walk++ % QN_ARRAY_SIZE(vm->walks)];
        *w = (struct qn_vwalk){ .p = s.p, .n = (uint32_t)s.n, .ascii = true };
        for (size_t i = 0; i < s.n; i += len) {
                uint32_t c = decode(s, i, &len);

                w->ascii &= c < 0x80;
                w->units += c >= 0x10000 ? 2 : 1;
        }
        qn_vm_charge(vm, s.n);
        return w;
}

/* Byte offset of a code unit; s.n when behind the end. */
static size_t offset_of(struct qn_vm *vm, struct qn_str s, uint32_t unit)
{
        struct qn_vwalk *w = walk(vm, s);
        uint32_t len;

        if (w->ascii)
                return QN_MIN(unit, s.n);
        if (unit < w->i)
                w->i = w->off = 0;
        qn_vm_charge(vm, unit - w->i);
        while (w->i < unit && w->off < s.n) {
                uint32_t c = decode(s, w->off, &len);

                if (c >= 0x10000 && w->i + 1 == unit)
                        return w->off; /* the second half of a pair */
                w->off += len;
                w->i += c >= 0x10000 ? 2 : 1;
        }
        return w->off;
}

uint32_t qn_vm_length(struct qn_vm *vm, struct qn_v text)
{
        return walk(vm, qn_v_text(text))->units;
}

struct qn_v qn_vm_char_at(struct qn_vm *vm, struct qn_v text, double index, bool code, bool point)
{
        struct qn_str s = qn_v_text(text);
        size_t off;
        uint32_t len, c;
        bool second;

        if (!(index >= 0) || index > s.n)
                return code ? point ? qn_v_undef() : qn_v_num(NAN) : qn_v_undef();
        off = offset_of(vm, s, (uint32_t)index);
        if (off >= s.n)
                return code ? point ? qn_v_undef() : qn_v_num(NAN) : qn_v_undef();
        c = decode(s, off, &len);
        second = c >= 0x10000 && walk(vm, s)->i < (uint32_t)index;
        if (!code)
                return c < 0x10000 || point ? qn_v_str((struct qn_str){ s.p + off, len })
                                            : qn_vm_code_unit(vm, second ? 0xdc00 | (c & 0x3ff)
                                                                         : 0xd7c0 + (c >> 10));
        if (c < 0x10000 || (point && !second))
                return qn_v_num(c);
        return qn_v_num(second ? 0xdc00 | (c & 0x3ff) : 0xd7c0 + (c >> 10));
}

struct qn_v qn_vm_slice_text(struct qn_vm *vm, struct qn_v text, double from, double to)
{
        struct qn_str s = qn_v_text(text);
        size_t a, b;

        if (from < 0)
                from = 0;
        if (to > s.n)
                to = s.n;
        if (!(from < to))
                return qn_v_str(QN_STR(""));
        a = offset_of(vm, s, (uint32_t)from);
        b = offset_of(vm, s, (uint32_t)to);
        return qn_v_str((struct qn_str){ s.p + a, b - a });
}

struct qn_v qn_vm_split_chars(struct qn_vm *vm, struct qn_v text, bool points)
{
        struct qn_str s = qn_v_text(text);
        struct qn_vobj *o = qn_vm_array(vm, NULL, 0);
        uint32_t len;

        for (size_t i = 0; o && i < s.n; i += len) {
                uint32_t c = decode(s, i, &len);

                if (c >= 0x10000 && !points) {
                        qn_vm_push(vm, o, qn_vm_code_unit(vm, 0xd7c0 + (c >> 10)));
                        qn_vm_push(vm, o, qn_vm_code_unit(vm, 0xdc00 | (c & 0x3ff)));
                } else if (!qn_vm_push(vm, o,
                                       qn_vm_with(vm, qn_v_str((struct qn_str){ s.p + i, len }),
                                                  text.taint))) {
                        break;
                }
        }
        return qn_v_obj(o);
}

/* --- parts --- */

static struct qn_v slice(struct qn_vm *vm, uint32_t key, struct qn_v self,
                         const struct qn_vargs *args)
{
        double len = qn_vm_length(vm, self), a = trunc(qn_vm_int_arg(args, 0, 0)), b;

        if (key == QN_K_SUBSTR) {
                a = a < 0 ? fmax(0, len + a) : a;
                return qn_vm_slice_text(vm, self, a, fmin(len, a + qn_vm_int_arg(args, 1, len)));
        }
        b = trunc(qn_vm_int_arg(args, 1, len));
        if (key == QN_K_SLICE) {
                a = a < 0 ? fmax(0, len + a) : a;
                b = b < 0 ? len + b : b;
        } else if (fmax(0, a) > fmax(0, b)) { /* substring() takes its ends in any order */
                double t = a;

                a = b;
                b = t;
        }
        return qn_vm_slice_text(vm, self, a, b);
}

static struct qn_v split(struct qn_vm *vm, struct qn_v self, struct qn_v by)
{
        struct qn_str s = qn_v_text(self), sep;
        struct qn_vobj *o;

        if (qn_v_is_obj(by, QN_VC_REGEX))
                return qn_vm_regex_split(vm, self, by);
        if (by.kind == QN_V_UNDEF)
                return qn_v_obj(qn_vm_array(vm, &self, 1));
        if (!qn_v_exact(by))
                return qn_v_tainted(self.taint);
        sep = qn_v_text(by);
        if (!sep.n)
                return qn_vm_split_chars(vm, self, false);
        o = qn_vm_array(vm, NULL, 0);
        while (o) {
                ptrdiff_t at = qn_str_find(s, sep);
                struct qn_v part = qn_v_str(at < 0 ? s : qn_str_take(s, (size_t)at));

                part.flags = self.flags;
                if (!qn_vm_push(vm, o, qn_vm_with(vm, part, self.taint)) || at < 0)
                        break;
                s = qn_str_skip(s, (size_t)at + sep.n);
        }
        return qn_v_obj(o);
}

static struct qn_v replaced_by(struct qn_vm *vm, struct qn_vat at, struct qn_v by,
                               struct qn_str match)
{
        struct qn_v arg = qn_v_str(match);
        struct qn_vargs args = { &arg, 1, false };

        if (qn_v_callable(by))
                return qn_vm_to_text(vm, qn_vm_call(vm, at, by, qn_v_undef(), &args));
        return qn_vm_to_text(vm, by);
}

static struct qn_v replace(struct qn_vm *vm, struct qn_vat at, struct qn_v self,
                           struct qn_vargs *args, bool all)
{
        struct qn_v what = qn_vm_arg(args, 0), by = qn_vm_arg(args, 1), r = qn_v_str(QN_STR(""));
        struct qn_str s = qn_v_text(self), w;

        if (qn_v_is_obj(what, QN_VC_REGEX))
                return qn_vm_regex_replace(vm, at, self, what, by);
        if (!qn_v_exact(what))
                return qn_vm_vague(vm, at, self, args);
        w = qn_v_text(what);
        for (unsigned i = 0; s.n || i == 0; i++) {
                ptrdiff_t found = qn_str_find(s, w);

                if (found < 0 || (i && !all) || !w.n)
                        break;
                r = qn_vm_concat(vm, r, qn_v_str(qn_str_take(s, (size_t)found)));
                r = qn_vm_concat(vm, r, replaced_by(vm, at, by, w));
                s = qn_str_skip(s, (size_t)found + w.n);
        }
        return qn_vm_concat(vm, r, qn_v_str(s));
}

static struct qn_v change_case(struct qn_vm *vm, struct qn_v self, bool upper)
{
        struct qn_v r = qn_vm_dup(vm, qn_v_text(self));

        if (r.kind != QN_V_STR)
                return r;
        for (uint32_t i = 0; i < r.n; i++) {
                char c = r.p[i];

                if (upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z')
                        ((char *)(uintptr_t)r.p)[i] = (char)(c ^ 0x20);
        }
        return r;
}

static struct qn_v repeat(struct qn_vm *vm, struct qn_v self, double times)
{
        struct qn_str s = qn_v_text(self);
        char *p;

        if (!(times >= 0) || times * (double)s.n > QN_VM_TEXT_MAX / 8)
                return (struct qn_v){ .kind = QN_V_UNKNOWN, .flags = QN_VF_LOST };
        p = qn_vm_bytes(vm, s.n * (size_t)times);
        for (size_t i = 0; p && s.n && i < (size_t)times; i++)
                memcpy(p + i * s.n, s.p, s.n);
        return p ? qn_v_str((struct qn_str){ p, s.n * (size_t)times }) : qn_v_unknown();
}

static struct qn_v pad(struct qn_vm *vm, struct qn_v self, const struct qn_vargs *args, bool start)
{
        double want = qn_vm_int_arg(args, 0, 0) - qn_vm_length(vm, self);
        struct qn_v with = args->n > 1 && qn_v_exact(args->v[1]) ? args->v[1]
                                                                 : qn_v_str(QN_STR(" ")),
                    fill;

        if (want <= 0 || !with.n)
                return self;
        fill = repeat(vm, with, ceil(want / with.n));
        if (fill.kind != QN_V_STR)
                return fill;
        fill = qn_vm_slice_text(vm, fill, 0, want);
        return start ? qn_vm_concat(vm, fill, self) : qn_vm_concat(vm, self, fill);
}

static struct qn_v find(struct qn_vm *vm, uint32_t key, struct qn_v self,
                        const struct qn_vargs *args)
{
        struct qn_str s = qn_v_text(self), w = qn_v_text(qn_vm_arg(args, 0));
        size_t from =
                key == QN_K_INDEX_OF
                        ? offset_of(vm, s, (uint32_t)fmax(0, fmin(qn_vm_int_arg(args, 1, 0), s.n)))
                        : 0;
        ptrdiff_t at = -1;

        if (!qn_v_exact(qn_vm_arg(args, 0)))
                return qn_v_unknown();
        switch (key) {
        case QN_K_STARTS_WITH:
                return qn_v_bool(s.n >= w.n && memcmp(s.p, w.p, w.n) == 0);
        case QN_K_ENDS_WITH:
                return qn_v_bool(s.n >= w.n && memcmp(s.p + s.n - w.n, w.p, w.n) == 0);
        case QN_K_LAST_INDEX_OF:
                for (struct qn_str rest = s; w.n; rest = qn_str_skip(s, (size_t)at + 1)) {
                        ptrdiff_t next = qn_str_find(rest, w);

                        if (next < 0 || vm->full)
                                break;
                        at = rest.p - s.p + next;
                        qn_vm_charge(vm, w.n + (size_t)next);
                }
                if (!w.n)
                        at = (ptrdiff_t)s.n;
                break;
        default:
                at = qn_str_find(qn_str_skip(s, from), w);
                at = at < 0 ? at : at + (ptrdiff_t)from;
        }
        if (key == QN_K_INCLUDES)
                return qn_v_bool(at >= 0);
        return qn_v_num(at < 0 ? -1
                               : (double)qn_vm_length(vm, qn_v_str(qn_str_take(s, (size_t)at))));
}

static struct qn_v trim(struct qn_v self, uint32_t key)
{
        struct qn_str s = qn_v_text(self), t = qn_str_trim(s);

        if (key == QN_K_TRIM_START)
                t.n = (size_t)(s.p + s.n - t.p);
        if (key == QN_K_TRIM_END)
                t = (struct qn_str){ s.p, (size_t)(t.p + t.n - s.p) };
        return qn_v_str(t);
}

static struct qn_v known(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                         struct qn_vargs *args)
{
        double i = qn_vm_int_arg(args, 0, 0);
        struct qn_v r;

        switch (key) {
        case QN_K_CHAR_AT:
                r = qn_vm_char_at(vm, self, i, false, false);
                return r.kind == QN_V_UNDEF ? qn_v_str(QN_STR("")) : r;
        case QN_K_AT:
                return qn_vm_char_at(vm, self, i < 0 ? qn_vm_length(vm, self) + i : i, false,
                                     false);
        case QN_K_CHAR_CODE_AT:
        case QN_K_CODE_POINT_AT:
                return qn_vm_char_at(vm, self, i, true, key == QN_K_CODE_POINT_AT);
        case QN_K_SLICE:
        case QN_K_SUBSTRING:
        case QN_K_SUBSTR:
                return slice(vm, key, self, args);
        case QN_K_SPLIT:
                return split(vm, self, qn_vm_arg(args, 0));
        case QN_K_REPLACE:
        case QN_K_REPLACE_ALL:
                return replace(vm, at, self, args, key == QN_K_REPLACE_ALL);
        case QN_K_TO_LOWER:
        case QN_K_TO_UPPER:
                return change_case(vm, self, key == QN_K_TO_UPPER);
        case QN_K_TRIM:
        case QN_K_TRIM_START:
        case QN_K_TRIM_END:
                return trim(self, key);
        case QN_K_PAD_START:
        case QN_K_PAD_END:
                return pad(vm, self, args, key == QN_K_PAD_START);
        case QN_K_REPEAT:
                return repeat(vm, self, i);
        case QN_K_INDEX_OF:
        case QN_K_LAST_INDEX_OF:
        case QN_K_INCLUDES:
        case QN_K_STARTS_WITH:
        case QN_K_ENDS_WITH:
                return find(vm, key, self, args);
        case QN_K_MATCH:
        case QN_K_MATCH_ALL:
        case QN_K_SEARCH:
                return qn_vm_regex_match(vm, self, qn_vm_arg(args, 0), key == QN_K_MATCH_ALL);
        default:
                return qn_vm_vague(vm, at, self, args);
        }
}

struct qn_v qn_vm_text_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                              struct qn_vargs *args)
{
        struct qn_v r;

        switch (key) {
        case QN_K_CONCAT:
                for (uint32_t i = 0; i < args->n; i++)
                        self = qn_vm_concat(vm, self, args->v[i]);
                return self;
        case QN_K_TO_STRING:
        case QN_K_VALUE_OF:
        case QN_K_NORMALIZE:
                return self;
        default:
                break;
        }
        if (!qn_v_exact(self)) {
                if (key == QN_K_TRIM || key == QN_K_TO_LOWER)
                        return self;
                return qn_vm_vague(vm, at, self, args);
        }
        r = known(vm, at, key, self, args);
        r.flags |= self.flags & (QN_VF_DECODED | QN_VF_LOST);
        return qn_vm_with(vm, r, self.taint);
}
