/* Who published a version, compared with those before it. */
#include "observe/meta-priv.h"

#define DIGITS_MIN 3u

static bool has_published(const struct qn_meta *m, struct qn_str name)
{
        for (size_t i = 0; i < m->earlier.n; i++)
                if (qn_str_eq(m->earlier.list[i]->publisher.name, name))
                        return true;
        return false;
}

static const struct qn_packument_person *find_person(const struct qn_packument_person *list,
                                                     size_t n, struct qn_str name)
{
        for (size_t i = 0; i < n; i++)
                if (qn_str_eq(list[i].name, name))
                        return &list[i];
        return NULL;
}

static void tell_publisher(const struct qn_meta *m)
{
        const struct qn_packument_person *now = &m->now->publisher, *before = &m->before->publisher;
        const char *how = "maintainer";

        if (!now->name.n || !before->name.n || qn_published_by_service(m->now))
                return;
        if (qn_str_eq(now->name, before->name)) {
                if (now->email.n && before->email.n && !qn_str_eq(now->email, before->email))
                        qn_meta_tell(m->s, "publisher-mail-changed", "", "%.*s",
                                     QN_STR_ARG(now->name));
                return;
        }
        if (has_published(m, now->name))
                return;
        if (!find_person(m->before->maintainers, m->before->n_maintainers, now->name))
                how = "newcomer";
        qn_meta_tell(m->s, "publisher-changed", how, "%.*s, before: %.*s", QN_STR_ARG(now->name),
                     QN_STR_ARG(before->name));
}

static void tell_maintainers(const struct qn_meta *m)
{
        size_t kept = 0;

        for (size_t i = 0; i < m->before->n_maintainers; i++) {
                const struct qn_packument_person *old = &m->before->maintainers[i], *now;

                now = find_person(m->now->maintainers, m->now->n_maintainers, old->name);
                kept += now != NULL;
                if (now && now->email.n && old->email.n && !qn_str_eq(now->email, old->email))
                        qn_meta_tell(m->s, "maintainer-mail-changed", "", "%.*s",
                                     QN_STR_ARG(old->name));
        }
        if (m->before->n_maintainers && m->now->n_maintainers && !kept)
                qn_meta_tell(m->s, "maintainers-replaced", "", "%zu before, %zu now",
                             m->before->n_maintainers, m->now->n_maintainers);
}

/* Accounts that are made one after the other are counted: word-1234, and so is their mail. */
static void tell_numbered(const struct qn_meta *m)
{
        struct qn_str name = m->now->publisher.name;
        size_t digits = 0;

        while (digits < name.n && name.p[name.n - 1 - digits] >= '0' &&
               name.p[name.n - 1 - digits] <= '9')
                digits++;
        if (digits >= DIGITS_MIN && !qn_published_by_service(m->now))
                qn_meta_tell(m->s, "numbered-account", "", "%.*s", QN_STR_ARG(name));
}

void qn_meta_people(const struct qn_meta *m)
{
        tell_numbered(m);
        if (!m->before)
                return;
        tell_publisher(m);
        tell_maintainers(m);
}
