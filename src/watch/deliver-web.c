/* deliver-web.c - webhooks, issues and mail: what travels through the fetch role. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "role/fetch.h"
#include "role/webhook.h"
#include "watch/deliver-priv.h"
#include "watch/mail.h"

#define AFTER_MAX_S 86400u /* what a receiver may put off at a time */

/* --- results --- */

/* Where the client's own sentence speaks of npm. */
static const struct {
        enum qn_http_code code;
        const char *text;
} sentences[] = {
        { QN_HTTP_TLS_CERT,
          "its certificate is not trusted; if it is your own authority's, name that "
          "with `ca`" },
        { QN_HTTP_URL, "its address cannot be used; correct `url`" },
        { QN_HTTP_TIMEOUT, "it does not answer in time; try again later" },
        { QN_HTTP_AUTH, "401, it wants credentials; correct the token" },
        { QN_HTTP_CONFIG, "the request cannot be made of its configuration; correct it" },
};

static const char *sentence(const struct qn_http_result *res)
{
        if (res->status >= 300 && res->status < 400)
                return "it leads elsewhere, and redirects are not followed; correct `url`";
        for (size_t i = 0; i < QN_ARRAY_SIZE(sentences); i++)
                if (sentences[i].code == res->code)
                        return sentences[i].text;
        return qn_http_code_text(res->code);
}

/* Addresses of webhooks are secrets often: the client's message, which has it, is not passed on. */
static void on_result(struct qn_http_result *res, void *user)
{
        struct qn_parcel *p = user;
        struct qn_delivered d = { .sent = res->code == QN_HTTP_OK };
        uint64_t seconds;

        p->courier->open--;
        p->courier->finished++;
        if (d.sent)
                snprintf(d.what, sizeof d.what, "status %d", res->status);
        else if (res->status)
                snprintf(d.what, sizeof d.what, "status %d: %s", res->status, sentence(res));
        else
                snprintf(d.what, sizeof d.what, "%s", sentence(res));
        if (!d.sent && res->retry_after.p &&
            qn_str_u64(qn_str_trim(res->retry_after), &seconds) == 0)
                d.after_ms = (int64_t)QN_MIN(seconds, (uint64_t)AFTER_MAX_S) * 1000;
        p->done(&d, p->user);
        free(p);
}

static struct qn_parcel *parcel(struct qn_courier *c, const struct qn_delivery *d)
{
        struct qn_parcel *p = calloc(1, sizeof *p);

        if (p)
                *p = (struct qn_parcel){ c, d->done, d->user };
        return p;
}

static int sent(struct qn_courier *c, struct qn_parcel *p, int r)
{
        if (r < 0)
                free(p);
        else
                c->open++;
        return r;
}

/* --- webhooks --- */

int qn_deliver_webhook(struct qn_courier *c, const struct qn_delivery *d)
{
        _cleanup_(qn_buf_done) struct qn_buf body = QN_BUF_INIT(QN_NOTIFY_MESSAGE_MAX);
        struct qn_webhook w = { .url = d->channel->url,
                                .secret = d->channel->secret,
                                .id = d->message->uid,
                                .time_ms = d->now,
                                .total_ms = d->channel->timeout_ms };
        struct qn_parcel *p;
        int r = qn_notice_json(d->message, &body);

        if (r < 0)
                return r;
        p = parcel(c, d);
        if (!p)
                return -ENOMEM;
        w.body = qn_buf_view(&body);
        return sent(c, p, qn_webhook_post(c->fetch, &w, on_result, p));
}

/* --- issues --- */

static int write_issue_file(const struct qn_delivery *d, struct qn_str title, struct qn_str body)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(4096),
                                             text = QN_BUF_INIT(QN_NOTIFY_MESSAGE_MAX);
        int r;

        qn_buf_printf(&path, "%.*s/%.*s.md", QN_STR_ARG(d->channel->directory),
                      QN_STR_ARG(d->message->uid));
        qn_buf_puts(&text, "# ");
        qn_buf_str(&text, title);
        qn_buf_puts(&text, "\n\n");
        qn_buf_str(&text, body);
        r = qn_buf_error(&path);
        if (r == 0)
                r = qn_buf_error(&text);
        return r < 0 ? r : qn_io_replace(path.p, qn_buf_view(&text));
}

static int issue_json(const struct qn_channel *ch, struct qn_str title, struct qn_str body,
                      struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_str(&w, "title", title);
        qn_jsonw_str(&w, "body", body);
        if (ch->labels.n) {
                qn_jsonw_array(&w, "labels");
                for (size_t i = 0; i < ch->labels.n; i++)
                        qn_jsonw_str(&w, NULL, ch->labels.v[i]);
                qn_jsonw_end_array(&w);
        }
        qn_jsonw_end_object(&w);
        return qn_buf_error(out);
}

static int post_issue(struct qn_courier *c, const struct qn_delivery *d, struct qn_str title,
                      struct qn_str body)
{
        _cleanup_(qn_buf_done) struct qn_buf json = QN_BUF_INIT(QN_NOTIFY_MESSAGE_MAX),
                                             bearer = QN_BUF_INIT(4096);
        struct qn_http_request q = { .url = d->channel->url,
                                     .method = QN_STR("POST"),
                                     .accept = QN_STR("application/vnd.github+json"),
                                     .content_type = QN_STR("application/json"),
                                     .max = 1 << 20,
                                     .total_ms = d->channel->timeout_ms };
        struct qn_parcel *p;
        int r = issue_json(d->channel, title, body, &json);

        if (d->channel->token.p) {
                qn_buf_printf(&bearer, "Bearer %.*s", QN_STR_ARG(d->channel->token));
                q.authorization = qn_buf_view(&bearer);
        }
        if (r == 0)
                r = qn_buf_error(&bearer);
        if (r < 0)
                return r;
        p = parcel(c, d);
        if (!p)
                return -ENOMEM;
        return sent(c, p, qn_fetch_send(c->fetch, &q, qn_cur_mem(json.p, json.n), on_result, p));
}

int qn_deliver_issue(struct qn_courier *c, const struct qn_delivery *d)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_NOTIFY_ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf body = QN_BUF_INIT(QN_NOTIFY_MESSAGE_MAX),
                                             title = QN_BUF_INIT(4096);
        int r = qn_notice_title(d->message, &title);

        if (r == 0)
                r = qn_notice_text(d->message, true, &a, &body);
        if (r == 0 && d->channel->directory.p)
                r = write_issue_file(d, qn_buf_view(&title), qn_buf_view(&body));
        if (r == 0 && d->channel->url.p)
                return post_issue(c, d, qn_buf_view(&title), qn_buf_view(&body));
        if (r == 0)
                qn_deliver_tell(d->done, d->user, true, QN_STR("written"));
        return r;
}

/* --- mail --- */

static int mail_of(const struct qn_delivery *d, struct qn_buf *out)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_NOTIFY_ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_NOTIFY_MESSAGE_MAX),
                                             title = QN_BUF_INIT(4096);
        struct qn_mail m = { .from = d->channel->from,
                             .to = d->message->recipient,
                             .uid = d->message->uid,
                             .topic = d->message->topic,
                             .time = d->message->created };
        int r = qn_notice_title(d->message, &title);

        if (r == 0)
                r = qn_notice_text(d->message, false, &a, &text);
        if (r < 0)
                return r;
        m.subject = qn_buf_view(&title);
        m.text = qn_buf_view(&text);
        return qn_mail_write(&m, out);
}

int qn_deliver_mail(struct qn_courier *c, const struct qn_delivery *d)
{
        _cleanup_(qn_buf_done) struct qn_buf mail = QN_BUF_INIT(QN_NOTIFY_MESSAGE_MAX);
        struct qn_http_request q = { .url = d->channel->url,
                                     .method = QN_STR("MAIL"),
                                     .mail_from = d->channel->from,
                                     .mail_to = d->message->recipient,
                                     .mail_user = d->channel->password.p ? d->channel->user
                                                                         : (struct qn_str){ 0 },
                                     .mail_password = d->channel->password,
                                     .mail_plain = d->channel->plain,
                                     .max = 1 << 16,
                                     .total_ms = d->channel->timeout_ms };
        struct qn_parcel *p;
        int r = mail_of(d, &mail);

        if (r < 0)
                return r;
        p = parcel(c, d);
        if (!p)
                return -ENOMEM;
        return sent(c, p, qn_fetch_send(c->fetch, &q, qn_cur_mem(mail.p, mail.n), on_result, p));
}
