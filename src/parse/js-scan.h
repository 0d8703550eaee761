/* js-scan.h - the lexer's inner loops.  All may read QN_JS_PAD bytes past where they stop, see js-impl.h. */
#pragma once

#include <stdint.h>

#include "base/macro.h"

#if defined(__SSE2__) && defined(__x86_64__)
#include <emmintrin.h>

/* First byte from p on that is a, b, c, or a control character up to carriage return (zero, tab and line ends among them). */
static inline const uint8_t *qn_js_scan(const uint8_t *p, char a, char b, char c)
{
        const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b), vc = _mm_set1_epi8(c);
        const __m128i low = _mm_set1_epi8(0x0d), zero = _mm_setzero_si128();

        for (;; p += 16) {
                __m128i v = _mm_loadu_si128((const __m128i_u *)p);
                __m128i hit =
                        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, va), _mm_cmpeq_epi8(v, vb)),
                                     _mm_or_si128(_mm_cmpeq_epi8(v, vc),
                                                  _mm_cmpeq_epi8(_mm_subs_epu8(v, low), zero)));
                unsigned m = (unsigned)_mm_movemask_epi8(hit);

                if (m)
                        return p + __builtin_ctz(m);
        }
}

/* First byte from p on that is not a space. */
static inline const uint8_t *qn_js_scan_spaces(const uint8_t *p)
{
        const __m128i space = _mm_set1_epi8(' ');

        for (;; p += 16) {
                __m128i v = _mm_loadu_si128((const __m128i_u *)p);
                unsigned m = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, space)) ^ 0xffffu;

                if (m)
                        return p + __builtin_ctz(m);
        }
}

/* Length, up to 16, of the run of ASCII name characters at p; ret_key: those bytes, zero-filled. */
static inline unsigned qn_js_scan_name(const uint8_t *p, uint64_t ret_key[2])
{
        static const uint8_t window[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
        __m128i v = _mm_loadu_si128((const __m128i_u *)p);
        /* x is in lo..hi when x - lo - 128 < hi - lo - 127, signed */
        __m128i letter = _mm_cmplt_epi8(_mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)),
                                                     _mm_set1_epi8((char)('a' + 128))),
                                        _mm_set1_epi8('z' - 'a' - 127));
        __m128i digit = _mm_cmplt_epi8(_mm_sub_epi8(v, _mm_set1_epi8((char)('0' + 128))),
                                       _mm_set1_epi8('9' - '0' - 127));
        __m128i sign = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('_')),
                                    _mm_cmpeq_epi8(v, _mm_set1_epi8('$')));
        unsigned other =
                (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(letter, digit), sign)) ^
                0xffffu;
        unsigned n = other ? (unsigned)__builtin_ctz(other) : 16;

        v = _mm_and_si128(v, _mm_loadu_si128((const __m128i_u *)(window + 16 - n)));
        ret_key[0] = (uint64_t)_mm_cvtsi128_si64(v);
        ret_key[1] = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(v, v));
        return n;
}

#else

static inline const uint8_t *qn_js_scan(const uint8_t *p, char a, char b, char c)
{
        while (*p > 0x0d && *p != (uint8_t)a && *p != (uint8_t)b && *p != (uint8_t)c)
                p++;
        return p;
}

static inline const uint8_t *qn_js_scan_spaces(const uint8_t *p)
{
        while (*p == ' ')
                p++;
        return p;
}

static inline unsigned qn_js_scan_name(const uint8_t *p, uint64_t ret_key[2])
{
        unsigned n = 0;

        while (n < 16 && ((uint8_t)((p[n] | 0x20) - 'a') < 26 || (uint8_t)(p[n] - '0') < 10 ||
                          p[n] == '_' || p[n] == '$'))
                n++;
        ret_key[0] = ret_key[1] = 0;
        memcpy(ret_key, p, n);
        return n;
}

#endif
