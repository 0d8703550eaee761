/* flight.h - one artifact under way, from the first question for it to its answer.  Private to artifact.c and inspect.c. */
#pragma once

#include <fcntl.h>
#include <stdio.h>

#include "event/event.h"
#include "gate/gate-priv.h"
#include "observe/provenance.h"

struct qn_flight {
        TAILQ_ENTRY(qn_flight) link;
        struct qn_gate *g;
        struct qn_arena mem;
        struct qn_asked_list waiting;
        struct qn_str name, version, integrity, tarball;
        struct qn_package *p;               /* NULL: alone */
        const struct qn_upstream *upstream; /* until it is asked */
        uint64_t place;
        struct qn_policy_facts facts;
        struct qn_policy_decision decision;
        struct qn_failure failure; /* status 0: none */
        int64_t artifact;
        int64_t deadline; /* monotonic ms */
        bool late;        /* those that waited have been answered; it goes on for the next ones */
        bool again;       /* it was served, and is looked at once more */
        bool alone;       /* of its package nothing is known but its bytes: nobody gets it */
        bool attested, unreachable;
        bool relies;    /* its verdict, on what intelligence says at this time */
        unsigned parts; /* requests under way */
        int body, previous;
        int docs[QN_DOC_MAX];
        uint64_t size;
        bool from_shelf; /* its body is what is on disk */
        struct qn_event_set set;
        int64_t begun; /* the analysis, monotonic ms */
};

/* inspect.c: looks at the bytes; ends with qn_flight_land() or qn_flight_fail(). */
void qn_flight_analyse(struct qn_flight *fl);
/* artifact.c: facts are complete; or failure says why there are none. */
void qn_flight_land(struct qn_flight *fl);
void qn_flight_fail(struct qn_flight *fl);
