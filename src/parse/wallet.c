#include "parse/wallet.h"

#include <string.h>

#include "base/hash.h"

static bool all_of(struct qn_str s, const char *set)
{
        for (size_t i = 0; i < s.n; i++)
                if (!strchr(set, s.p[i]) || !s.p[i])
                        return false;
        return true;
}

static const char hex[] = "0123456789abcdefABCDEF";
static const char base58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* An Ethereum address that is more than a pattern: enough different digits. */
static bool is_ethereum(struct qn_str s)
{
        unsigned seen = 0;

        if (s.n != 42 || s.p[0] != '0' || s.p[1] != 'x' || !all_of(qn_str_skip(s, 2), hex))
                return false;
        for (size_t i = 2; i < s.n; i++)
                seen |= 1u << (strchr(hex, s.p[i]) - hex);
        return __builtin_popcount(seen) >= 9;
}

/* Base58Check: the last four bytes are a checksum of the rest. */
static bool is_base58check(struct qn_str s)
{
        uint8_t raw[25] = { 0 }, sum[QN_DIGEST_BYTES_MAX];

        for (size_t i = 0; i < s.n; i++) {
                const char *d = strchr(base58, s.p[i]);
                unsigned carry = d && *d ? (unsigned)(d - base58) : 0;

                if (!d || !*d)
                        return false;
                for (size_t k = sizeof raw; k > 0; k--) {
                        carry += (unsigned)raw[k - 1] * 58;
                        raw[k - 1] = (uint8_t)carry;
                        carry >>= 8;
                }
                if (carry)
                        return false;
        }
        return qn_digest(QN_SHA256, raw, 21, sum) == 0 && qn_digest(QN_SHA256, sum, 32, sum) == 0 &&
               memcmp(sum, raw + 21, 4) == 0;
}

static bool is_bitcoin(struct qn_str s)
{
        if (s.n >= 42 && s.n <= 62 && (qn_str_starts(s, "bc1q") || qn_str_starts(s, "bc1p")))
                return all_of(qn_str_skip(s, 4), "023456789acdefghjklmnpqrstuvwxyz");
        if (s.n < 26 || s.n > 35 || (s.p[0] != '1' && s.p[0] != '3' && s.p[0] != 'T'))
                return false;
        return is_base58check(s);
}

enum qn_wallet_address qn_wallet_address(struct qn_str s)
{
        if (s.n < 26 || s.n > 62)
                return QN_WALLET_NONE;
        if (is_ethereum(s))
                return QN_WALLET_ETHEREUM;
        return is_bitcoin(s) ? QN_WALLET_BITCOIN : QN_WALLET_NONE;
}
