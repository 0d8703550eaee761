#include "observe/entropy.h"

#include <math.h>

#include "base/macro.h"

#define PIECE  ((size_t)4096)
#define PIECES 16

static void count(uint32_t counts[static 256], struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                counts[(uint8_t)s.p[i]]++;
}

unsigned qn_entropy(struct qn_str s)
{
        uint32_t counts[256] = { 0 };
        size_t n = QN_MIN(s.n, PIECE * PIECES);
        double bits = 0;

        if (s.n < 256)
                return 0;
        if (n == s.n) {
                count(counts, s);
        } else {
                for (size_t i = 0; i < PIECES; i++)
                        count(counts,
                              qn_str_take(qn_str_skip(s, (s.n - PIECE) / (PIECES - 1) * i), PIECE));
        }
        for (size_t i = 0; i < 256; i++) {
                double p = (double)counts[i] / (double)n;

                if (counts[i])
                        bits -= p * log2(p);
        }
        return (unsigned)(bits * 100);
}
