/* http-guard.c - requests that go to public addresses only.  What decides is the address that is connected to, at each
 * connection and after each redirect: who has a name may let it point elsewhere a moment after it was looked up. */
#include <unistd.h>

#include "net/address.h"
#include "net/http-job.h"

/* Behind a proxy the connection says nothing: an address that is written out still does. */
bool qn_http_job_strays(const struct qn_http_job *j)
{
        return j->q.public_only && qn_address_place(j->url.host) == QN_PLACE_INSIDE;
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
        struct qn_http_job *j = user;

        if (purpose == CURLSOCKTYPE_IPCXN && (j->proxied || qn_address_is_public(&to->addr)))
                return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
        j->inside = true;
        return CURL_SOCKET_BAD;
}

/* The connection may be one that another request has made. */
static int on_connection(void *user, char *address, char *own, int port, int own_port)
{
        struct qn_http_job *j = user;

        (void)own, (void)port, (void)own_port;
        if (j->proxied || qn_address_place(qn_str_c(address)) == QN_PLACE_PUBLIC)
                return CURL_PREREQFUNC_OK;
        j->failed = QN_HTTP_PRIVATE;
        return CURL_PREREQFUNC_ABORT;
}

void qn_http_job_guard(struct qn_http_job *j)
{
        if (!j->q.public_only)
                return;
        curl_easy_setopt(j->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
        curl_easy_setopt(j->easy, CURLOPT_OPENSOCKETDATA, j);
        curl_easy_setopt(j->easy, CURLOPT_PREREQFUNCTION, on_connection);
        curl_easy_setopt(j->easy, CURLOPT_PREREQDATA, j);
}
