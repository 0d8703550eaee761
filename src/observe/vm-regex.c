/* Regular expressions over text that is known, by PCRE2.  Its own limit counts anew at every place where a match may start, so
 * the work is counted here: a callout before every item of the pattern. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "observe/vm-priv.h"

#define MATCHES_MAX 50000u
#define STEPS_MAX   200000u  /* of one attempt at one place */
#define WORK_MAX    4000000u /* of all that one call does */
#define WORK_STEP   8u       /* that counts as one step of the machine */
#define GROUPS_MAX  10u

struct regex {
        pcre2_code *code;
        pcre2_match_data *data;
        pcre2_match_context *limits;
        struct qn_vm *vm;
        uint32_t work;
        bool global, utf;
};

/* Repeats of one character run without a callout: the way from the start stands for them. */
static int count_work(pcre2_callout_block *b, void *data)
{
        struct regex *re = data;

        re->work += 1 + (uint32_t)((b->current_position - b->start_match) / 16);
        return re->work > WORK_MAX ? PCRE2_ERROR_CALLOUT : 0;
}

/* Text and pattern of plain ASCII need no checks of their encoding, which would be made anew for every match. */
static bool is_plain(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((uint8_t)s.p[i] >= 0x80)
                        return false;
        return true;
}

static void regex_done(struct regex *re)
{
        pcre2_code_free(re->code);
        pcre2_match_data_free(re->data);
        pcre2_match_context_free(re->limits);
        qn_vm_spend(re->vm, re->work / WORK_STEP);
}

static bool regex_open(struct qn_vm *vm, struct qn_v v, struct qn_str subject, struct regex *re)
{
        uint32_t options = PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS |
                           PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
        struct qn_str source = v.obj->text[0], flags = v.obj->text[1];
        int error;
        PCRE2_SIZE off;

        *re = (struct regex){ .vm = vm };
        for (size_t i = 0; i < flags.n; i++) {
                options |= flags.p[i] == 'i' ? PCRE2_CASELESS : 0;
                options |= flags.p[i] == 'm' ? PCRE2_MULTILINE : 0;
                options |= flags.p[i] == 's' ? PCRE2_DOTALL : 0;
                re->global |= flags.p[i] == 'g';
        }
        if (source.n > 4096 || vm->full)
                return false;
        if (!is_plain(subject) || !is_plain(source) || qn_str_find(source, QN_STR("\\u")) >= 0)
                options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
        re->utf = options & PCRE2_UTF;
        qn_vm_charge(vm, subject.n + 16 * source.n);
        re->code = pcre2_compile((PCRE2_SPTR)source.p, source.n, options, &error, &off, NULL);
        re->data = re->code ? pcre2_match_data_create(GROUPS_MAX, NULL) : NULL;
        re->limits = pcre2_match_context_create(NULL);
        if (!re->code || !re->data || !re->limits) {
                regex_done(re);
                return false;
        }
        pcre2_set_match_limit(re->limits, STEPS_MAX);
        pcre2_set_heap_limit(re->limits, 8192);
        pcre2_set_callout(re->limits, count_work, re);
        return true;
}

struct match {
        struct qn_str all, groups[GROUPS_MAX];
        int n; /* groups, the whole one included */
        size_t next;
};

/* 1 found, 0 not, -1 given up. */
static int regex_next(struct regex *re, struct qn_str s, size_t from, struct match *m)
{
        PCRE2_SIZE *v = pcre2_get_ovector_pointer(re->data);
        int r = PCRE2_ERROR_NOMATCH;

        if (re->vm->full)
                return -1;
        if (from <= s.n)
                r = pcre2_match(re->code, (PCRE2_SPTR)s.p, s.n, from, 0, re->data, re->limits);
        if (re->utf) /* the encoding of what is left was checked */
                qn_vm_charge(re->vm, s.n - QN_MIN(from, s.n));
        if (r == PCRE2_ERROR_NOMATCH)
                return 0;
        if (r < 0)
                return -1;
        m->n = r ? r : (int)GROUPS_MAX;
        for (int i = 0; i < m->n; i++)
                m->groups[i] = v[2 * i] == PCRE2_UNSET
                                       ? (struct qn_str){ NULL, 0 }
                                       : (struct qn_str){ s.p + v[2 * i], v[2 * i + 1] - v[2 * i] };
        m->all = m->groups[0];
        m->next = v[1] > v[0] ? v[1] : v[1] + 1;
        return 1;
}

static struct qn_v lost(struct qn_v text)
{
        return (struct qn_v){ .kind = QN_V_UNKNOWN, .flags = QN_VF_LOST, .taint = text.taint };
}

/* "$1-$2" */
static struct qn_v expand(struct qn_vm *vm, struct qn_v by, const struct match *m)
{
        struct qn_str t = qn_v_text(by);
        struct qn_v r = qn_v_str(QN_STR(""));

        while (t.n) {
                ptrdiff_t at = qn_str_chr(t, '$');
                int g = at >= 0 && (size_t)at + 1 < t.n ? t.p[at + 1] - '0' : -1;

                if (at < 0)
                        break;
                r = qn_vm_concat(vm, r, qn_v_str(qn_str_take(t, (size_t)at)));
                if (g >= 1 && g < m->n)
                        r = qn_vm_concat(vm, r,
                                         qn_v_str(m->groups[g].p ? m->groups[g] : QN_STR("")));
                else if (g == '&' - '0')
                        r = qn_vm_concat(vm, r, qn_v_str(m->all));
                else
                        r = qn_vm_concat(vm, r,
                                         qn_v_str(qn_str_take(qn_str_skip(t, (size_t)at), 2)));
                t = qn_str_skip(t, (size_t)at + 2);
        }
        return qn_vm_concat(vm, r, qn_v_str(t.p ? t : QN_STR("")));
}

static struct qn_v replacement(struct qn_vm *vm, struct qn_vat at, struct qn_v by,
                               const struct match *m)
{
        struct qn_v list[GROUPS_MAX];
        struct qn_vargs args = { list, (uint32_t)m->n, false };

        if (!qn_v_callable(by))
                return qn_v_exact(by) ? expand(vm, by, m) : qn_vm_to_text(vm, by);
        for (int i = 0; i < m->n; i++)
                list[i] = m->groups[i].p ? qn_v_str(m->groups[i]) : qn_v_undef();
        return qn_vm_to_text(vm, qn_vm_call(vm, at, by, qn_v_undef(), &args));
}

struct qn_v qn_vm_regex_replace(struct qn_vm *vm, struct qn_vat at, struct qn_v text,
                                struct qn_v regex, struct qn_v by)
{
        struct qn_str s = qn_v_text(text);
        struct qn_v r = qn_v_str(QN_STR(""));
        struct regex re;
        struct match m;
        size_t from = 0, done = 0;
        int found = 0;

        if (!regex_open(vm, regex, s, &re))
                return qn_v_tainted(text.taint);
        for (unsigned i = 0;
             i < MATCHES_MAX && !vm->full && (found = regex_next(&re, s, from, &m)) == 1; i++) {
                size_t start = (size_t)(m.all.p - s.p);

                r = qn_vm_concat(vm, r, qn_v_str((struct qn_str){ s.p + done, start - done }));
                r = qn_vm_concat(vm, r, replacement(vm, at, by, &m));
                done = start + m.all.n;
                from = m.next;
                if (!re.global)
                        break;
        }
        regex_done(&re);
        if (found < 0)
                return lost(text);
        return qn_vm_concat(vm, r, qn_v_str(qn_str_skip(s, done)));
}

struct qn_v qn_vm_regex_split(struct qn_vm *vm, struct qn_v text, struct qn_v regex)
{
        struct qn_str s = qn_v_text(text);
        struct qn_vobj *o = qn_vm_array(vm, NULL, 0);
        struct regex re;
        struct match m;
        size_t from = 0, done = 0;
        int found = 0;

        if (!o || !regex_open(vm, regex, s, &re))
                return qn_v_tainted(text.taint);
        for (unsigned i = 0; i < MATCHES_MAX && (found = regex_next(&re, s, from, &m)) == 1; i++) {
                size_t start = (size_t)(m.all.p - s.p);

                from = m.next;
                if (!m.all.n && (start == 0 || start >= s.n))
                        continue;
                qn_vm_push(vm, o, qn_v_str((struct qn_str){ s.p + done, start - done }));
                done = start + m.all.n;
        }
        regex_done(&re);
        qn_vm_push(vm, o, qn_v_str(qn_str_skip(s, done)));
        return found < 0 ? lost(text) : qn_v_obj(o);
}

static struct qn_v groups(struct qn_vm *vm, const struct match *m)
{
        struct qn_vobj *o = qn_vm_array(vm, NULL, 0);

        for (int i = 0; o && i < m->n; i++)
                qn_vm_push(vm, o, m->groups[i].p ? qn_v_str(m->groups[i]) : qn_v_undef());
        return qn_v_obj(o);
}

struct qn_v qn_vm_regex_match(struct qn_vm *vm, struct qn_v text, struct qn_v regex, bool all)
{
        struct qn_str s = qn_v_text(text);
        struct qn_vobj *o;
        struct regex re;
        struct match m;
        size_t from = 0;
        int found;

        if (!qn_v_is_obj(regex, QN_VC_REGEX) || !regex_open(vm, regex, s, &re))
                return qn_v_tainted(text.taint);
        found = regex_next(&re, s, 0, &m);
        if (found == 1 && !re.global && !all) {
                struct qn_v r = groups(vm, &m);

                regex_done(&re);
                return r;
        }
        o = qn_vm_array(vm, NULL, 0);
        for (unsigned i = 0; o && found == 1 && i < MATCHES_MAX; i++) {
                qn_vm_push(vm, o, all ? groups(vm, &m) : qn_v_str(m.all));
                from = m.next;
                found = regex_next(&re, s, from, &m);
        }
        regex_done(&re);
        if (found < 0)
                return lost(text);
        return o && o->n ? qn_v_obj(o) : (struct qn_v){ .kind = QN_V_NULL };
}

struct qn_v qn_vm_regex_method(struct qn_vm *vm, uint32_t key, struct qn_v self,
                               struct qn_vargs *args)
{
        struct qn_v text = qn_vm_to_text(vm, qn_vm_arg(args, 0)), r;
        double last;
        struct qn_vprop *at = qn_vm_own(self.obj, QN_K_LAST_INDEX);
        struct regex re;
        struct match m;
        int found;

        if (key == QN_K_SOURCE)
                return qn_v_str(self.obj->text[0]);
        if (!qn_v_exact(text) || !regex_open(vm, self, qn_v_text(text), &re))
                return qn_v_tainted(text.taint);
        /* exec() in a loop goes on where it ended: counted in bytes here, which only ASCII text shares with the language. */
        last = re.global && at && at->v.kind == QN_V_NUM ? at->v.num : 0;
        found = regex_next(&re, qn_v_text(text), (size_t)last, &m);
        if (re.global)
                qn_vm_define(vm, self.obj, QN_K_LAST_INDEX,
                             qn_v_num(found == 1 ? (double)m.next : 0), false);
        if (found < 0)
                r = lost(text);
        else if (key == QN_K_TEST)
                r = qn_v_bool(found);
        else
                r = found ? groups(vm, &m) : (struct qn_v){ .kind = QN_V_NULL };
        regex_done(&re);
        return qn_vm_with(vm, r, text.taint);
}
