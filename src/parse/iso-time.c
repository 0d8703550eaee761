#include "parse/packument.h"

#include <time.h>

/* n digits, or -1. */
static int64_t take_digits(struct qn_str *s, size_t n)
{
        uint64_t v;

        if (s->n < n || qn_str_u64(qn_str_take(*s, n), &v) < 0)
                return -1;
        *s = qn_str_skip(*s, n);
        return (int64_t)v;
}

static bool take_char(struct qn_str *s, char c)
{
        if (s->n == 0 || s->p[0] != c)
                return false;
        *s = qn_str_skip(*s, 1);
        return true;
}

/* Days from 1970-01-01 in the Gregorian calendar; years count from March, so that leap days come last. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
        int64_t y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;

        return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static bool take_date(struct qn_str *s, int64_t *ret_days)
{
        int64_t year = take_digits(s, 4), month, day;

        if (year < 1 || !take_char(s, '-'))
                return false;
        month = take_digits(s, 2);
        if (month < 1 || month > 12 || !take_char(s, '-'))
                return false;
        day = take_digits(s, 2);
        if (day < 1 || day > 31)
                return false;
        *ret_days = days_from_date(year, month, day);
        return true;
}

/* Fractions past milliseconds are cut off. */
static int64_t take_fraction(struct qn_str *s)
{
        int64_t ms = 0, scale = 100;

        if (!take_char(s, '.'))
                return 0;
        if (s->n == 0 || s->p[0] < '0' || s->p[0] > '9')
                return -1;
        for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; *s = qn_str_skip(*s, 1)) {
                ms += (s->p[0] - '0') * scale;
                scale /= 10;
        }
        return ms;
}

static bool take_clock(struct qn_str *s, int64_t *ret_ms)
{
        int64_t hour = take_digits(s, 2), minute, second = 0, fraction = 0;

        if (hour < 0 || hour > 24 || !take_char(s, ':'))
                return false;
        minute = take_digits(s, 2);
        if (minute < 0 || minute > 59)
                return false;
        if (take_char(s, ':')) {
                second = take_digits(s, 2);
                fraction = take_fraction(s);
        }
        if (second < 0 || second > 59 || fraction < 0)
                return false;
        *ret_ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
        return true;
}

/* "Z", "+02:00" or nothing (which is taken for UTC). */
static bool take_zone(struct qn_str *s, int64_t *ret_ms)
{
        int64_t hour, minute, sign;

        if (s->n == 0 || take_char(s, 'Z'))
                return true;
        sign = take_char(s, '-') ? 1 : take_char(s, '+') ? -1 : 0;
        hour = take_digits(s, 2);
        take_char(s, ':');
        minute = take_digits(s, 2);
        if (sign == 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59)
                return false;
        *ret_ms = sign * (hour * 60 + minute) * 60000;
        return true;
}

int64_t qn_time_parse(struct qn_str iso)
{
        int64_t days, clock = 0, zone = 0;

        if (!take_date(&iso, &days))
                return QN_TIME_NONE;
        if (iso.n && ((!take_char(&iso, 'T') && !take_char(&iso, ' ')) ||
                      !take_clock(&iso, &clock) || !take_zone(&iso, &zone)))
                return QN_TIME_NONE;
        return iso.n ? QN_TIME_NONE : days * 86400000 + clock + zone;
}

struct qn_str qn_time_format(int64_t ms, char buffer[QN_TIME_TEXT])
{
        time_t t = (time_t)(ms / 1000);
        struct tm tm;

        if (ms == QN_TIME_NONE || !gmtime_r(&t, &tm))
                return QN_STR("");
        return (struct qn_str){ buffer, strftime(buffer, QN_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) };
}
