/* tell.h - a version's campaign as an event, so that the judge can give it as a reason. */
#pragma once

#include "store/campaigns.h"

struct qn_event_set;

/* Adds the event "meta" with what=campaign when the version is in one.  1 added; 0 it is in none; -errno.
 * How many packages it has is rounded down, so that a verdict does not change with each of them. */
QN_MUST int qn_campaign_tell(struct qn_db *db, int64_t version, struct qn_event_set *set);
