/* attack.h - the MITRE ATT&CK tactics and techniques that rules may name. */
#pragma once

#include "base/str.h"

/* The name of TA0001, T1195.002 …, or NULL when the table does not have it. */
const char *qn_attack_name(struct qn_str id);
/* The table, for hints and listings: NULL past its end. */
const char *qn_attack_id(unsigned i);
