#include "net/http-conf.h"

#include "net/npmconf.h"

struct qn_http_opts qn_http_opts_of(const struct qn_npmconf *conf)
{
        return (struct qn_http_opts){
                .user_agent = conf->user_agent.p ? conf->user_agent : QN_STR("qanat"),
                .ca = conf->ca,
                .extra_ca = conf->extra_ca,
                .insecure = !conf->strict_ssl,
                .sockets = conf->sockets,
                .tries = conf->retries_set ? QN_MIN(conf->retries, 10u) + 1 : 0,
                .retry_min_ms = conf->retry_min_ms,
                .retry_max_ms = conf->retry_max_ms,
                .retry_factor = conf->retry_factor,
                .idle_ms = conf->timeout_ms,
                .proxies = qn_npmconf_proxies(conf),
        };
}
