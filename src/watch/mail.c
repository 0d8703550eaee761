#include "watch/mail.h"

#include <inttypes.h>

#include "base/hash.h"
#include "parse/packument.h"

#define LINE_MAX_QP 74u /* RFC 2045, 6.7: 76 with the soft break */
#define WORD_BYTES  36u /* of an encoded word, which base64 makes 48 of: RFC 2047 allows 75 in all */
#define DAY_S       INT64_C(86400)

/* --- headers --- */

static bool is_ascii(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < ' ' || s.p[i] > '~')
                        return false;
        return true;
}

/* How much of s makes one encoded word: characters are not cut. */
static size_t word_of(struct qn_str s)
{
        size_t n = QN_MIN(s.n, (size_t)WORD_BYTES);

        while (n > 1 && n < s.n && ((uint8_t)s.p[n] & 0xc0) == 0x80)
                n--;
        return n;
}

static void subject(struct qn_buf *out, struct qn_str s)
{
        qn_buf_puts(out, "Subject: ");
        if (is_ascii(s) && qn_str_find(s, QN_STR("=?")) < 0 && s.n < 900) {
                qn_buf_str(out, s);
                qn_buf_puts(out, "\r\n");
                return;
        }
        while (s.n) {
                size_t n = word_of(s);

                qn_buf_puts(out, "=?utf-8?B?");
                qn_base64_encode(out, s.p, n);
                s = qn_str_skip(s, n);
                qn_buf_puts(out, s.n ? "?=\r\n " : "?=");
        }
        qn_buf_puts(out, "\r\n");
}

/* RFC 5322, 3.3 */
static void date(struct qn_buf *out, int64_t ms)
{
        static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        char text[QN_TIME_TEXT];
        struct qn_str iso = qn_time_format(ms < 0 ? 0 : ms, text);
        uint64_t month = 1;

        /* "2026-11-30T07:17:00Z" */
        if (iso.n < 19 || qn_str_u64(qn_str_take(qn_str_skip(iso, 5), 2), &month) < 0 ||
            month < 1 || month > 12)
                return;
        qn_buf_printf(out, "Date: %s, %.2s %s %.4s %.8s +0000\r\n",
                      days[(ms < 0 ? 0 : ms / 1000 / DAY_S) % 7], iso.p + 8, months[month - 1],
                      iso.p, iso.p + 11);
}

static struct qn_str host_of(struct qn_str mailbox)
{
        return qn_str_skip(mailbox, (size_t)(qn_str_rchr(mailbox, '@') + 1));
}

static void headers(const struct qn_mail *m, struct qn_buf *out)
{
        struct qn_str host = host_of(m->from);

        qn_buf_printf(out, "From: qanat <%.*s>\r\nTo: <%.*s>\r\n", QN_STR_ARG(m->from),
                      QN_STR_ARG(m->to));
        subject(out, m->subject);
        date(out, m->time);
        qn_buf_printf(out, "Message-ID: <%.*s@%.*s>\r\n", QN_STR_ARG(m->uid), QN_STR_ARG(host));
        qn_buf_printf(out, "References: <topic-%016" PRIx64 "@%.*s>\r\n",
                      qn_hash64(m->topic.p, m->topic.n), QN_STR_ARG(host));
        qn_buf_puts(out, "Auto-Submitted: auto-generated\r\n"
                         "MIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

/* --- the text --- */

static bool is_literal(struct qn_str line, size_t at)
{
        char c = line.p[at];

        if (c == ' ')
                return at + 1 < line.n; /* none at the end of a line */
        return c > ' ' && c <= '~' && c != '=' && !(c == '.' && at == 0);
}

static void quoted_line(struct qn_buf *out, struct qn_str line)
{
        size_t column = 0;

        for (size_t i = 0; i < line.n; i++) {
                bool literal = is_literal(line, i);
                size_t width = literal ? 1 : 3;

                if (column + width > LINE_MAX_QP) {
                        qn_buf_puts(out, "=\r\n");
                        column = 0;
                }
                /* A dot that a soft break brings to the begin of a line is a dot at the begin of a line. */
                if (literal && !(line.p[i] == '.' && column == 0))
                        qn_buf_byte(out, line.p[i]);
                else
                        qn_buf_printf(out, "=%02X", (unsigned)(uint8_t)line.p[i]);
                column += width;
        }
        qn_buf_puts(out, "\r\n");
}

int qn_mail_write(const struct qn_mail *m, struct qn_buf *out)
{
        struct qn_str rest = m->text;

        headers(m, out);
        while (rest.n)
                quoted_line(out, qn_str_cut(&rest, '\n'));
        return qn_buf_error(out);
}
