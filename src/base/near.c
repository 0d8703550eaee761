#include "base/near.h"

static bool same(char a, char b)
{
        return (a | 0x20) == (b | 0x20);
}

unsigned qn_near(struct qn_str a, struct qn_str b)
{
        unsigned row[3][QN_NEAR_MAX + 1];

        if (a.n > QN_NEAR_MAX || b.n > QN_NEAR_MAX)
                return QN_NEAR_MAX;
        for (size_t j = 0; j <= b.n; j++)
                row[0][j] = (unsigned)j;
        for (size_t i = 1; i <= a.n; i++) {
                unsigned *now = row[i % 3], *up = row[(i - 1) % 3], *up2 = row[(i + 1) % 3];

                now[0] = (unsigned)i;
                for (size_t j = 1; j <= b.n; j++) {
                        unsigned best = up[j - 1] + !same(a.p[i - 1], b.p[j - 1]);

                        best = QN_MIN(best, QN_MIN(up[j], now[j - 1]) + 1);
                        if (i > 1 && j > 1 && same(a.p[i - 1], b.p[j - 2]) &&
                            same(a.p[i - 2], b.p[j - 1]))
                                best = QN_MIN(best, up2[j - 2] + 1);
                        now[j] = best;
                }
        }
        return row[a.n % 3][b.n];
}
