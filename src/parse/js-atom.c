/* js-atom.c - names as numbers.  Open addressing; a file begins with a copy of the table of the fixed names.  The hash is keyed by the process's random bytes: nobody can prepare names that collide,
 * and no result depends on the hash. */
#include <stdlib.h>
#include <sys/auxv.h>

#include "parse/js-impl.h"

#define SLOTS_MIN 512u

static const struct qn_str fixed[QN_JS_ATOM_FIXED_MAX] = {
        [QN_JS_ATOM_NONE] = { "", 0 },
#define ATOM(id, text) [QN_JS_ATOM_##id] = { text, sizeof(text) - 1 },
#include "parse/js-atoms.def"
#undef ATOM
#define WORD(id, text, tok) [QN_JS_ATOM_W_##id] = { text, sizeof(text) - 1 },
#include "parse/js-words.def"
#undef WORD
};

/* Distance from IDENT, so that names without a token need no entry. */
const uint8_t qn_js_word_tok[QN_JS_ATOM_FIXED_MAX] = {
        [QN_JS_ATOM_DEFAULT_NAME] = QN_JS_TOK_DEFAULT - QN_JS_TOK_IDENT,
#define WORD(id, text, tok) [QN_JS_ATOM_W_##id] = QN_JS_TOK_##tok - QN_JS_TOK_IDENT,
#include "parse/js-words.def"
#undef WORD
};

static void place(struct qn_js *js, const struct qn_js_slot *s)
{
        uint64_t h = qn_js_hash16(js, s->lo, s->hi);

        for (uint32_t i = h & js->slot_mask;; i = (i + 1) & js->slot_mask) {
                if (js->slots[i].atom)
                        continue;
                js->slots[i] = *s;
                return;
        }
}

/* Doubles the table; on failure the old one stays (and is full). */
static bool rehash(struct qn_js *js)
{
        struct qn_js_slot *old = js->slots;
        uint32_t old_n = js->slot_mask + 1;

        js->slots = calloc((size_t)old_n * 2, sizeof *old);
        if (!js->slots) {
                js->slots = old;
                qn_js_fatal(js, -ENOMEM, "out of memory");
                return false;
        }
        js->slot_mask = old_n * 2 - 1;
        for (uint32_t i = 0; i < old_n; i++)
                if (old[i].atom)
                        place(js, &old[i]);
        free(old);
        return true;
}

uint32_t qn_js_atom_add(struct qn_js *js, struct qn_js_slot s, struct qn_str text)
{
        if (!QN_JS_ROOM(js, atoms))
                return 0;
        if (js->atoms.n > js->slot_mask / 2 && !rehash(js))
                return 0;
        s.atom = js->atoms.n;
        js->atoms.p[js->atoms.n++] = text;
        place(js, &s);
        return s.atom;
}

uint32_t qn_js_intern(struct qn_js *js, struct qn_str text)
{
        const uint8_t *p = (const uint8_t *)text.p;
        uint64_t k[2] = { 0, 0 }, h = js->seed[0];
        size_t i = 0;

        if (text.n <= 16) {
                if (text.n)
                        memcpy(k, p, text.n);
                return qn_js_intern_key(js, k[0], k[1], p, (uint32_t)text.n);
        }
        for (; i + 16 < text.n; i += 16) {
                memcpy(k, p + i, sizeof k);
                h = qn_js_mix(h ^ k[0], js->seed[1] ^ k[1]);
        }
        memcpy(k, p + text.n - 16, sizeof k);
        h = qn_js_mix(h ^ k[0], js->seed[1] ^ k[1]);
        return qn_js_intern_key(js, h, text.n, p, (uint32_t)text.n);
}

void qn_js_atoms_reset(struct qn_js *js)
{
        /* A large file leaves a table that would only cost cache misses. */
        if (js->slot_mask + 1 > SLOTS_MIN) {
                struct qn_js_slot *small = malloc(SLOTS_MIN * sizeof *small);

                if (!small) {
                        qn_js_fatal(js, -ENOMEM, "out of memory");
                        return;
                }
                free(js->slots);
                js->slots = small;
                js->slot_mask = SLOTS_MIN - 1;
        }
        memcpy(js->slots, js->fixed_slots, SLOTS_MIN * sizeof *js->slots);
        qn_arena_reset(&js->text, (size_t)64 << 10);
        for (unsigned i = 0; i < QN_JS_ATOM_FIXED_MAX && QN_JS_ROOM(js, atoms); i++)
                js->atoms.p[js->atoms.n++] = fixed[i];
}

/* Fills the table with the fixed names once and keeps a copy of it. */
static int place_fixed(struct qn_js *js)
{
        js->fixed_slots = calloc(SLOTS_MIN, sizeof *js->fixed_slots);
        if (!js->fixed_slots || !QN_JS_ROOM(js, atoms))
                return -ENOMEM;
        js->atoms.p[js->atoms.n++] = fixed[0];
        for (unsigned i = 1; i < QN_JS_ATOM_FIXED_MAX; i++)
                if (qn_js_intern(js, fixed[i]) != i && QN_JS_ROOM(js, atoms))
                        js->atoms.p[js->atoms.n++] =
                                fixed[i]; /* listed twice: keep the numbers right */
        memcpy(js->fixed_slots, js->slots, SLOTS_MIN * sizeof *js->slots);
        return 0;
}

int qn_js_atoms_init(struct qn_js *js)
{
        const void *random = (const void *)getauxval(AT_RANDOM);

        if (random)
                memcpy(js->seed, random, sizeof js->seed);
        js->seed[0] |= (uint64_t)1 << 63; /* no key of names is all ones in its top bits, or zero */
        js->seed[1] |= (uint64_t)1 << 63;
        js->slots = calloc(SLOTS_MIN, sizeof *js->slots);
        js->slot_mask = SLOTS_MIN - 1;
        return js->slots ? place_fixed(js) : -ENOMEM;
}

_Static_assert(QN_JS_ATOM_FIXED_MAX < SLOTS_MIN / 2,
               "the fixed names must not make the table grow");
