/* components.h - the packages of one source, each version once: items at several places of a tree become one component.
 * Sorted by name and version. */
#pragma once

#include "inventory/scan.h"

struct qn_component {
        struct qn_bom_item
                it; /* dev, optional, peer, bundled, extraneous: true of all its items; direct, scripts: of one */
        struct qn_str *paths; /* where it lies, in the order of the document */
        size_t n_paths;
        uint32_t *dependents; /* other components of the source that need it */
        size_t n_dependents;
        uint32_t *
                chain; /* a shortest way from the project to it, itself included; empty: nothing leads to it */
        size_t n_chain;
};

struct qn_components {
        struct qn_component *v;
        size_t n;
        uint32_t *of; /* each item's component */
};

/* 0 or -ENOBUFS; lives in the arena. */
QN_MUST int qn_components_make(const struct qn_bom *bom, struct qn_arena *a,
                               struct qn_components *ret);
/* A URL without the user and password that lock files of private registries may hold. */
struct qn_str qn_component_url(struct qn_str url, struct qn_arena *a);
