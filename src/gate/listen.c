#include "gate/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"

#define FIRST_INHERITED 3
#define BACKLOG         4096

static int split(struct qn_str address, char host[256], char port[16])
{
        ptrdiff_t colon = qn_str_rchr(address, ':');
        struct qn_str h = qn_str_take(address, colon < 0 ? 0 : (size_t)colon);
        struct qn_str p = qn_str_skip(address, (size_t)(colon + 1));

        if (colon < 0 || p.n == 0 || p.n > 5 || h.n > 250)
                return -EINVAL;
        if (qn_str_starts(h, "[") && qn_str_ends(h, "]"))
                h = qn_str_take(qn_str_skip(h, 1), h.n - 2);
        snprintf(host, 256, "%.*s", QN_STR_ARG(h));
        snprintf(port, 16, "%.*s", QN_STR_ARG(p));
        return 0;
}

static bool is_loopback(int fd)
{
        struct sockaddr_storage at = { 0 };
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&at;
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&at;
        socklen_t n = sizeof at;

        if (getsockname(fd, (struct sockaddr *)&at, &n) < 0)
                return false;
        if (at.ss_family == AF_INET6)
                return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
        return at.ss_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Inside one machine nothing is congested, but BBR, which many systems choose, paces by timers: a large answer takes twice its time.
 * Connections inherit what is set here. */
static void do_not_pace(int fd)
{
        static const char reno[] = "reno"; /* every kernel has it, for everybody */

        if (is_loopback(fd))
                (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, reno, sizeof reno - 1);
}

static int open_one(const struct addrinfo *at, int *ret)
{
        int on = 1, r = 0;
        int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (at->ai_family == AF_INET6)
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
                r = -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        do_not_pace(fd);
        *ret = fd;
        return 0;
}

int qn_listen_open(struct qn_str address, int *ret, struct qn_err *reterr)
{
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                        .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
        struct addrinfo *all = NULL;
        char host[256], port[16];
        int r = split(address, host, port);

        if (r < 0)
                return qn_fail(reterr, r, 0,
                               "%.*s: this is no address to listen on; write HOST:PORT",
                               QN_STR_ARG(address));
        r = getaddrinfo(host[0] ? host : NULL, port, &hints, &all);
        if (r != 0)
                return qn_fail(reterr, -EINVAL, 0, "%.*s: %s", QN_STR_ARG(address),
                               gai_strerror(r));
        r = open_one(all, ret);
        freeaddrinfo(all);
        return r < 0 ? qn_fail(reterr, r, 0, "%.*s: cannot listen: %s", QN_STR_ARG(address),
                               strerrordesc_np(-r))
                     : 0;
}

static uint64_t number_in(const char *name)
{
        const char *value = getenv(name);
        uint64_t n;

        return value && qn_str_u64(qn_str_c(value), &n) == 0 ? n : 0;
}

size_t qn_listen_inherited(int ret[QN_LISTEN_MAX])
{
        uint64_t n = number_in("LISTEN_FDS");

        if (number_in("LISTEN_PID") != (uint64_t)getpid() || n > QN_LISTEN_MAX)
                return 0;
        for (size_t i = 0; i < n; i++) {
                ret[i] = FIRST_INHERITED + (int)i;
                fcntl(ret[i], F_SETFD, FD_CLOEXEC);
                fcntl(ret[i], F_SETFL, O_NONBLOCK);
                do_not_pace(ret[i]);
        }
        return n;
}

void qn_listen_name(int fd, char name[64])
{
        struct sockaddr_storage at = { 0 };
        socklen_t n = sizeof at;
        char host[INET6_ADDRSTRLEN] = "";

        snprintf(name, 64, "?");
        if (getsockname(fd, (struct sockaddr *)&at, &n) < 0)
                return;
        if (at.ss_family == AF_INET) {
                const struct sockaddr_in *in = (const struct sockaddr_in *)&at;

                inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
                snprintf(name, 64, "%s:%u", host, ntohs(in->sin_port));
        } else if (at.ss_family == AF_INET6) {
                const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&at;

                inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
                snprintf(name, 64, "[%s]:%u", host, ntohs(in->sin6_port));
        }
}

void qn_listen_notify(const char *state)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        int fd;

        if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof to.sun_path)
                return;
        memcpy(to.sun_path, path, strlen(path) + 1);
        if (to.sun_path[0] == '@')
                to.sun_path[0] = 0;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return;
        (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
        close(fd);
}
