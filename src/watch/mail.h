/* mail.h - a message as mail: MIME, UTF-8, quoted-printable.  Nothing in a text can begin a header, end the message or lengthen a
 * line beyond what mail servers take.  The same message gives the same bytes. */
#pragma once

#include "base/buf.h"

struct qn_mail {
        struct qn_str from, to; /* checked mailboxes (net/http.h) */
        struct qn_str uid;      /* of the message: its Message-ID */
        struct qn_str topic;    /* messages of one topic are one thread */
        struct qn_str subject, text;
        int64_t time; /* milliseconds since 1970 */
};

QN_MUST int qn_mail_write(const struct qn_mail *m, struct qn_buf *out);
