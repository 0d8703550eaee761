/* sim.h - a made-up day at the registry: thousands of ordinary updates, and campaigns among them.  All of it inert: events and
 * sketches, no code; hosts are *.invalid.  The same plan gives the same day.
 *   ordinary   updates of known packages, some with new dependencies, hooks, hosts; monorepos that release all at once;
 *              first versions out of templates, forks, families of platform packages that download at their installation
 *   worm       patches of packages in many scopes, by their own accounts, faster and faster; each with the same new hook and
 *              deeds, every third with a payload that is written anew
 *   farm       generated names, dependencies on each other, a few wallets, thirty accounts, all day
 *   elf        a burst of new packages from many accounts that act when they are installed, each sending elsewhere
 *   takeover   a clean version of packages that were asleep, hours later one that acts
 *   bait       new packages with a payload, malicious by themselves, and code and installers copied from the next ones
 *   copied     innocents: a popular package and one that is not, a new one, one that is seen only after the baits; their updates
 *              change next to nothing, and some download something new at their installation */
#pragma once

#include <stdint.h>

#include "campaign/track.h"

enum sim_kind {
        SIM_QUIET,
        SIM_WORM,
        SIM_FARM,
        SIM_ELF,
        SIM_TAKEOVER,
        SIM_BAIT,
        SIM_COPIED,
        SIM_KINDS
};

extern const char *const sim_names[SIM_KINDS];

struct sim_plan {
        const char *data; /* the data directory */
        size_t n[SIM_KINDS];
        size_t restart_at; /* after so many versions; 0: never */
        bool times;        /* measure each addition */
};

struct sim_found {
        size_t total, inside; /* versions; of a takeover: those that act */
        size_t campaigns;     /* in which they are */
        size_t others;        /* versions of another kind in them */
        size_t by_then;       /* published when the first of them became one */
        double minutes;       /* from the first version to that */
        char id[QN_CAMPAIGN_ID_BYTES];
        char rule[64];
};

struct sim_result {
        struct sim_found found[SIM_KINDS];
        size_t versions, campaigns;
        uint64_t digest;                   /* of all ids and members */
        uint64_t *ns;                      /* of each addition; the caller frees it */
        size_t bytes;                      /* of the tracker at the end */
        double load_s, load_cpu_s, load_n; /* a start: by the clock, of the processor, versions */
};

/* dir: an empty directory for the store. */
int sim_run(const struct sim_plan *plan, const char *dir, struct sim_result *ret);
