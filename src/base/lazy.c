#include "base/lazy.h"

#include <dlfcn.h>
#include <stdatomic.h>

enum { NOT_TRIED, THERE, MISSING };

static unsigned load(struct qn_lazy *l)
{
        void *library = dlopen(l->library, RTLD_NOW | RTLD_LOCAL);

        for (size_t i = 0; i < l->n; i++) {
                l->functions[i] = library ? dlsym(library, l->names[i]) : NULL;
                if (!l->functions[i])
                        return MISSING;
        }
        return THERE;
}

bool qn_lazy_load(struct qn_lazy *l)
{
        unsigned state = atomic_load_explicit(&l->state, memory_order_acquire);

        if (state == NOT_TRIED) {
                pthread_mutex_lock(&l->lock);
                state = atomic_load_explicit(&l->state, memory_order_relaxed);
                if (state == NOT_TRIED) {
                        state = load(l);
                        atomic_store_explicit(&l->state, state, memory_order_release);
                }
                pthread_mutex_unlock(&l->lock);
        }
        return state == THERE;
}
