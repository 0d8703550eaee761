/* What the document says of the artifact: hooks, sizes and commits beside those of the version before. */
#include "observe/meta-priv.h"

#define JUMP_BYTES  UINT64_C(300000)
#define JUMP_TIMES  3u
#define COMMITS_MIN 3u /* earlier versions that all name their commit make a habit */

static void tell_hooks(const struct qn_meta *m)
{
        if (m->doc->abbreviated) { /* it does not list scripts */
                if (m->now->has_install_script && !m->before->has_install_script)
                        qn_meta_tell(m->s, "hook-added", "added", "install script");
                return;
        }
        for (size_t i = 0; i < QN_META_HOOKS; i++) {
                struct qn_str now = qn_meta_script(&m->now->scripts, qn_meta_hooks[i]),
                              before = qn_meta_script(&m->before->scripts, qn_meta_hooks[i]);

                if (now.n && !qn_str_eq(now, before))
                        qn_meta_tell(m->s, "hook-added", before.n ? "changed" : "added", "%s: %.*s",
                                     qn_meta_hooks[i], QN_STR_ARG(now));
        }
}

static void tell_growth(const struct qn_meta *m)
{
        uint64_t now = m->now->unpacked_size, before = m->before->unpacked_size;

        if (now == UINT64_MAX || before == UINT64_MAX || now < before)
                return;
        if (now - before >= JUMP_BYTES && now / JUMP_TIMES >= before)
                qn_meta_tell(m->s, "size-jump", "", "%llu bytes, before: %llu",
                             (unsigned long long)now, (unsigned long long)before);
}

static void tell_commit(const struct qn_meta *m)
{
        size_t n = QN_MIN(m->earlier.n, (size_t)COMMITS_MIN);

        if (m->now->git_head.n || m->doc->abbreviated || m->earlier.n < COMMITS_MIN)
                return;
        for (size_t i = 0; i < n; i++)
                if (!m->earlier.list[i]->git_head.n)
                        return;
        qn_meta_tell(m->s, "commit-lost", "", "%.*s", QN_STR_ARG(m->now->version));
}

void qn_meta_artifact(const struct qn_meta *m)
{
        if (m->now->deprecated.n)
                qn_meta_tell(m->s, "deprecated", "", "%.*s", QN_STR_ARG(m->now->deprecated));
        qn_meta_manifest(m);
        if (!m->before)
                return;
        tell_hooks(m);
        tell_growth(m);
        tell_commit(m);
}
