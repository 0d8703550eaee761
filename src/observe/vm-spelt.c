/* Texts that the program puts together or decodes: at the end they are looked at as if they stood in the source. */
#include <stdio.h>

#include "base/hash.h"
#include "observe/literal-shape.h"
#include "observe/literal.h"
#include "observe/observers.h"
#include "observe/vm-priv.h"
#include "parse/wallet.h"

#define SHORTEST  8u
#define LONGEST   4096u
#define PAIR_MAX  200u
#define BYTES_MAX ((size_t)256 << 10) /* of one package */

struct qn_vm_spelt {
        struct qn_vat at;
        struct qn_str text;
        uint32_t order;
        bool load;
};

/* A text that is built sign by sign is the last of all its beginnings. */
static bool goes_on(const struct qn_vm_spelt *last, struct qn_vat at, struct qn_str text)
{
        return last->at.m == at.m && last->text.n < text.n &&
               memcmp(last->text.p, text.p, last->text.n) == 0;
}

static bool is_known(struct qn_vm *vm, struct qn_vat at, struct qn_str text)
{
        uint64_t h = qn_hash64(text.p, text.n) ^ (uint64_t)at.m->index * 2 ^ vm->load;
        int r = qn_hashset_add(&vm->spelt_known, &vm->a, h);

        vm->full |= r < 0;
        return r != 0;
}

void qn_vm_note_spelt(struct qn_vm *vm, struct qn_vat at, struct qn_v v)
{
        struct qn_vm_spelt *last = vm->n_spelt ? &vm->spelt[vm->n_spelt - 1] : NULL;
        struct qn_str text = { v.p, v.n };

        if (!qn_v_exact(v) || v.flags & QN_VF_LITERAL || v.n < SHORTEST || v.n > LONGEST)
                return;
        if (last && last->load == vm->load && goes_on(last, at, text)) {
                vm->spelt_bytes += text.n - last->text.n;
                last->text = text;
                return;
        }
        if (vm->spelt_bytes + text.n > BYTES_MAX || is_known(vm, at, text))
                return;
        if (QN_ARENA_ROOM(&vm->a, vm->spelt, vm->n_spelt, vm->spelt_cap) < 0) {
                vm->full = true;
                return;
        }
        vm->spelt[vm->n_spelt++] =
                (struct qn_vm_spelt){ at, text, (uint32_t)vm->n_spelt, vm->load };
        vm->spelt_bytes += text.n;
}

void qn_vm_note_pair(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v v)
{
        struct qn_str name = qn_vm_key_text(vm, key);
        char text[PAIR_MAX + 8];
        int n;

        if (!qn_v_exact(v) || v.n < SHORTEST || name.n + v.n > PAIR_MAX)
                return;
        n = snprintf(text, sizeof text, "%.*s: '%.*s'", QN_STR_ARG(name), QN_STR_ARG(qn_v_text(v)));
        qn_vm_note_spelt(vm, at, qn_vm_dup(vm, (struct qn_str){ text, (size_t)n }));
}

struct addresses {
        size_t count[QN_WALLET_BITCOIN + 1];
        struct qn_site first[QN_WALLET_BITCOIN + 1];
};

static void look_at(struct qn_scan *s, const struct qn_site *site, struct qn_str text,
                    struct addresses *found)
{
        enum qn_wallet_address wallet = qn_wallet_address(text);
        struct qn_event e;

        qn_literal_observe(s, site, text);
        qn_text_observe(s, site, text);
        qn_known_observe(s, site, text);
        if (qn_url_of_interest(&s->o->classes, text, &e)) {
                e.count = 0;
                qn_site_event(s, site, &e);
        }
        if (wallet != QN_WALLET_NONE && !found->count[wallet]++)
                found->first[wallet] = *site;
}

static void tell_addresses(struct qn_scan *s, const struct addresses *found)
{
        static const char *const names[] = {
                [QN_WALLET_ETHEREUM] = "ethereum", [QN_WALLET_BITCOIN] = "bitcoin"
        };

        for (unsigned i = QN_WALLET_ETHEREUM; i <= QN_WALLET_BITCOIN; i++) {
                struct qn_event e = qn_observe_make(QN_EVENT_CRYPTO_ADDRESS);
                char number[24];

                if (!found->count[i])
                        continue;
                snprintf(number, sizeof number, "%zu", found->count[i]);
                qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(names[i]));
                qn_event_attr(&e, QN_ATTR_COUNT, qn_str_c(number));
                qn_site_event(s, &found->first[i], &e);
        }
}

/* By module, then as they came. */
static int cmp_spelt(const void *pa, const void *pb)
{
        const struct qn_vm_spelt *a = pa, *b = pb;

        if (a->at.m->index != b->at.m->index)
                return a->at.m->index < b->at.m->index ? -1 : 1;
        return (a->order > b->order) - (a->order < b->order);
}

void qn_vm_look_at_spelt(struct qn_vm *vm, struct qn_scan *s)
{
        struct addresses found = { 0 };

        if (vm->n_spelt)
                qsort(vm->spelt, vm->n_spelt, sizeof *vm->spelt, cmp_spelt);
        for (size_t i = 0; i < vm->n_spelt; i++) {
                const struct qn_vm_spelt *t = &vm->spelt[i];
                struct qn_site site;

                if (!i || vm->spelt[i - 1].at.m != t->at.m) {
                        s->file = t->at.m->file;
                        s->path = s->graph.files[s->file].path;
                        qn_sink_file(&s->sink, s->path);
                }
                vm->load = t->load;
                site = qn_vm_site(vm, t->at);
                site.made = true;
                look_at(s, &site, t->text, &found);
                if (i + 1 == vm->n_spelt || vm->spelt[i + 1].at.m != t->at.m) {
                        tell_addresses(s, &found);
                        found = (struct addresses){ 0 };
                }
        }
}
