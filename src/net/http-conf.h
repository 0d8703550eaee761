/* http-conf.h - how npm's configuration wants transfers to be made: proxies, authorities, patience. */
#pragma once

#include "net/http.h"

struct qn_npmconf;

/* Texts are those of conf. */
struct qn_http_opts qn_http_opts_of(const struct qn_npmconf *conf);
