#include "net/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/macro.h"

const char *const qn_foreign_names[] = { "public", "any", "refuse", NULL };

#define NET(a, b, c, d) \
        ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct {
        uint32_t net;
        unsigned bits;
} inside4[] = {
        { NET(0, 0, 0, 0), 8 },
        { NET(10, 0, 0, 0), 8 },
        { NET(100, 64, 0, 0), 10 }, /* of providers, and of some clouds */
        { NET(127, 0, 0, 0), 8 },
        { NET(168, 63, 129, 16), 32 }, /* of one cloud, for its machines */
        { NET(169, 254, 0, 0), 16 },   /* link-local: who am I, of most clouds */
        { NET(172, 16, 0, 0), 12 },
        { NET(192, 0, 0, 0), 24 },
        { NET(192, 0, 2, 0), 24 },
        { NET(192, 88, 99, 0), 24 },
        { NET(192, 168, 0, 0), 16 },
        { NET(198, 18, 0, 0), 15 },
        { NET(198, 51, 100, 0), 24 },
        { NET(203, 0, 113, 0), 24 },
        { NET(224, 0, 0, 0), 4 },
        { NET(240, 0, 0, 0), 4 },
};

/* The first row that fits decides. */
static const struct {
        uint8_t net[16];
        unsigned bits;
        enum { INSIDE, PUBLIC, AS_IPV4 } is;
} six[] = {
        { { [10] = 0xff, 0xff }, 96, AS_IPV4 },
        { { 0x00, 0x64, 0xff, 0x9b }, 96, AS_IPV4 }, /* NAT64 (RFC 6052) */
        { { 0x20, 0x01, 0x00 }, 23, INSIDE },        /* protocols, Teredo among them */
        { { 0x20, 0x01, 0x0d, 0xb8 }, 32, INSIDE },
        { { 0x20, 0x02 }, 16, INSIDE }, /* 6to4 leads to any IPv4 address */
        { { 0x3f, 0xff, 0x00 }, 20, INSIDE },
        { { 0x20 }, 3, PUBLIC },
        { { 0 }, 0, INSIDE },
};

static bool is_public4(uint32_t a)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(inside4); i++)
                if ((a ^ inside4[i].net) >> (32 - inside4[i].bits) == 0)
                        return false;
        return true;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
        return memcmp(a, b, bits / 8) == 0 &&
               (bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0);
}

static bool is_public6(const uint8_t *a)
{
        size_t i = 0;

        while (!same_bits(a, six[i].net, six[i].bits))
                i++;
        return six[i].is == AS_IPV4 ? is_public4(NET(a[12], a[13], a[14], a[15]))
                                    : six[i].is == PUBLIC;
}

bool qn_address_is_public(const struct sockaddr *address)
{
        struct sockaddr_in in;
        struct sockaddr_in6 in6;

        switch (address->sa_family) {
        case AF_INET:
                memcpy(&in, address, sizeof in);
                return is_public4(ntohl(in.sin_addr.s_addr));
        case AF_INET6:
                memcpy(&in6, address, sizeof in6);
                return is_public6(in6.sin6_addr.s6_addr);
        default:
                return false;
        }
}

enum qn_place qn_address_place(struct qn_str host)
{
        char text[INET6_ADDRSTRLEN];
        struct in6_addr six_raw;
        struct in_addr four;

        if (qn_str_starts(host, "[") && qn_str_ends(host, "]"))
                host = qn_str_take(qn_str_skip(host, 1), host.n - 2);
        host = qn_str_cut(&host, '%');
        if (qn_str_ends(host, "."))
                host.n--;
        if (qn_str_is(host, "localhost") || qn_str_ends(host, ".localhost"))
                return QN_PLACE_INSIDE;
        if (!host.n || host.n >= sizeof text)
                return QN_PLACE_NAME;
        memcpy(text, host.p, host.n);
        text[host.n] = '\0';
        if (inet_pton(AF_INET, text, &four) == 1)
                return is_public4(ntohl(four.s_addr)) ? QN_PLACE_PUBLIC : QN_PLACE_INSIDE;
        if (inet_pton(AF_INET6, text, &six_raw) == 1)
                return is_public6(six_raw.s6_addr) ? QN_PLACE_PUBLIC : QN_PLACE_INSIDE;
        return QN_PLACE_NAME;
}

bool qn_address_may_know(struct qn_str host, bool tls)
{
        return tls || qn_address_place(host) == QN_PLACE_INSIDE;
}
