#include "observe/registry-signature.h"

#include <errno.h>

#include "base/buf.h"
#include "base/hash.h"
#include "event/event.h"
#include "observe/public-key.h"

#define SIGNATURES_MAX 16u /* that are looked at of one version */

struct signed_text {
        struct qn_str text; /* name@version:integrity */
        int64_t time;       /* when it was published */
};

/* The best that the keys of this name say: NULL while none has it. */
static int verify(const struct qn_packument_signature *s, const struct signed_text *t,
                  const struct qn_registry_keys *keys, struct qn_arena *a, const char **ret)
{
        struct qn_str sig;
        int r = 0;

        *ret = "malformed";
        if (!s->keyid.n || !s->sig.n || qn_base64_decode(s->sig, a, &sig) < 0)
                return 0;
        *ret = "unknown-key";
        for (size_t i = 0; i < keys->n; i++) {
                const struct qn_registry_key *k = &keys->list[i];

                if (!qn_str_eq(k->id, s->keyid))
                        continue;
                r = qn_public_key_verify(k->key, t->text, sig);
                if (r == -ENOMEM)
                        return r;
                *ret = r < 0 ? "wrong" : qn_trust_covers(&k->valid, t->time) ? "valid" : "expired";
                if (r == 0 && **ret == 'v')
                        break;
        }
        return 0;
}

static void add(struct qn_event_set *set, const char *what, struct qn_str keyid)
{
        struct qn_event e = qn_event_make(QN_EVENT_SIGNATURE, QN_LAYER_METADATA, QN_FILE_NONE);

        e.phase = QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_NAME, keyid);
        (void)qn_event_add(set, &e);
}

int qn_registry_signature_observe(const struct qn_packument_version *v, struct qn_str integrity,
                                  const struct qn_registry_keys *keys, struct qn_arena *a,
                                  struct qn_event_set *set)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 10);
        struct signed_text t = { .time = v->time };
        const char *what;

        qn_buf_str(&b, v->name);
        qn_buf_byte(&b, '@');
        qn_buf_str(&b, v->version);
        qn_buf_byte(&b, ':');
        qn_buf_str(&b, integrity);
        if (qn_buf_error(&b) < 0)
                return qn_buf_error(&b) == -ENOMEM ? -ENOMEM : 0;
        t.text = qn_buf_view(&b);
        for (size_t i = 0; i < v->n_signatures && i < SIGNATURES_MAX; i++) {
                int r = verify(&v->signatures[i], &t, keys, a, &what);

                if (r < 0)
                        return r;
                add(set, what, v->signatures[i].keyid);
        }
        return 0;
}
