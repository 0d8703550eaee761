/* Sockets that the gate listens on. */
#include "gate/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "test.h"

static void read_congestion(int fd, char ret[32])
{
        socklen_t n = 31;

        memset(ret, 0, 32);
        ASSERT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, ret, &n), 0);
}

/* What connections to this address are sent with. */
static void expect_congestion(const char *address, const char *want)
{
        _cleanup_(qn_closep) int fd = -1;
        struct qn_err err = { 0 };
        char got[32];

        ASSERT_EQ(qn_listen_open(qn_str_c(address), &fd, &err), 0);
        read_congestion(fd, got);
        ASSERT_STR(qn_str_c(got), want);
}

TEST(no_address)
{
        static const char *const bad[] = { "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:123456",
                                           "localhost:x" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++) {
                struct qn_err err = { 0 };
                int fd = -2;

                ASSERT_EQ(qn_listen_open(qn_str_c(bad[i]), &fd, &err), -EINVAL);
                ASSERT_EQ(fd, -2);
                ASSERT_TRUE(err.msg[0]);
        }
}

TEST(loopback_is_not_paced)
{
        expect_congestion("127.0.0.1:0", "reno");
        expect_congestion("127.9.9.9:0", "reno");
}

TEST(elsewhere_the_system_chooses)
{
        _cleanup_(qn_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char usual[32];

        ASSERT_TRUE(fd >= 0);
        read_congestion(fd, usual);
        expect_congestion("0.0.0.0:0", usual);
}

TEST(name_of_an_address)
{
        _cleanup_(qn_closep) int fd = -1;
        struct qn_err err = { 0 };
        char name[64];

        ASSERT_EQ(qn_listen_open(QN_STR("127.0.0.1:0"), &fd, &err), 0);
        qn_listen_name(fd, name);
        ASSERT_TRUE(qn_str_starts(qn_str_c(name), "127.0.0.1:"));
}
