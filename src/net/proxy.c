#include "net/proxy.h"

#include "net/url.h"

/* Each noproxy entry names a domain with everything below it, segment by segment. */
static bool names_host(struct qn_str entry, struct qn_str host)
{
        entry = qn_str_trim(entry);
        while (qn_str_starts(entry, "."))
                entry = qn_str_skip(entry, 1);
        while (qn_str_ends(entry, "."))
                entry.n--;
        if (!entry.n || entry.n > host.n || !qn_str_eq(entry, qn_str_skip(host, host.n - entry.n)))
                return false;
        return entry.n == host.n || host.p[host.n - entry.n - 1] == '.';
}

const char *qn_proxy_for(const struct qn_proxies *p, const struct qn_url *url)
{
        struct qn_str proxy = p->all.n ? p->all : url->tls ? p->https : p->http;
        struct qn_str rest = p->none;

        if (!proxy.n)
                return NULL;
        while (rest.p)
                if (names_host(qn_str_cut(&rest, ','), url->host))
                        return NULL;
        return proxy.p;
}
