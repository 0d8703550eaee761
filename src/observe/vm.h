/* vm.h - runs a package's JavaScript with values that are only partly known: what is constant is worked out, what is not
 * carries taint labels; every branch that may be taken is taken.  Nothing outside is touched: interfaces of the host are
 * rows of data/apis.yaml, and calling one is an event.  HOSTILE INPUT, run in the analyse role.
 *
 * It knows what a walk over the syntax cannot: text that the program puts together or decodes, aliases, what flows through
 * functions, closures, callbacks, promises and from file to file.  Steps, memory and depth are bounded: past the bounds
 * each function is still looked at once, with less known. */
#pragma once

#include "base/str.h"

struct qn_js_ast;
struct qn_observers;
struct qn_scan;
struct qn_site;
struct qn_vm;

QN_MUST int qn_vm_new(const struct qn_observers *o, struct qn_vm **ret);
struct qn_vm *qn_vm_free(struct qn_vm *vm);
void qn_vm_freep(struct qn_vm **vm);

/* Forgets the last package. */
void qn_vm_begin(struct qn_vm *vm);
/* Offers a file of the package (its number in the graph) whose source stays where it is until qn_vm_run() is done.  tree: it
 * parsed, copied if there is room, so that it need not be parsed once more; or NULL.  A file offered again takes the old
 * one's place. */
void qn_vm_add(struct qn_vm *vm, uint32_t file, struct qn_str path, struct qn_str source,
               const struct qn_js_ast *tree);
/* The same for a source that does not stay: it is copied. */
void qn_vm_add_copy(struct qn_vm *vm, uint32_t file, struct qn_str path, struct qn_str source);
/* Offers code that stood in a text or command, which stay where they are; it runs when its site says. */
void qn_vm_add_code(struct qn_vm *vm, uint32_t file, struct qn_str path, struct qn_str code,
                    const struct qn_site *site);

enum qn_vm_reach {
        QN_VM_INSTALL, /* what runs at install time */
        QN_VM_CHANGED, /* that and the files marked QN_GF_CHANGED */
        QN_VM_MARKED,  /* that and the files marked QN_GF_DEEP */
        QN_VM_ALL,
};

/* Runs what was offered (and what that loads); events go to the scan's sink. */
void qn_vm_run(struct qn_vm *vm, struct qn_scan *s, enum qn_vm_reach reach);
/* Reports code that hides what it does, or runs at install time, and could not be followed to its end. */
void qn_vm_note_limits(struct qn_vm *vm, struct qn_scan *s);
