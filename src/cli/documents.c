#include "cli/documents.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "cli/args.h"
#include "event/event.h"
#include "role/documents.h"

static const char *const options[QN_DOC_MAX] = {
        [QN_DOC_PACKUMENT] = "packument",
        [QN_DOC_ATTESTATIONS] = "attestations",
        [QN_DOC_EARLIER] = "earlier-attestations",
        [QN_DOC_KEYS] = "keys",
        [QN_DOC_TRUST] = "trust",
};

bool qn_documents_given(const struct qn_args *a)
{
        return qn_args_get(a, "packument") || qn_args_get(a, "attestations") ||
               qn_args_get(a, "earlier-attestations");
}

static void none(int fds[QN_DOC_MAX])
{
        for (unsigned i = 0; i < QN_DOC_MAX; i++)
                fds[i] = -1;
}

int qn_documents_from_args(const struct qn_args *a, int ret[QN_DOC_MAX])
{
        none(ret);
        for (unsigned i = 0; i < QN_DOC_MAX; i++) {
                const char *path = qn_args_get(a, options[i]);

                if (!path)
                        continue;
                ret[i] = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
                if (ret[i] < 0)
                        return log_err(-errno, "--%s: %s: %s", options[i], path, strerror(errno));
        }
        return 0;
}

int qn_documents_beside(const char *path, int ret[QN_DOC_MAX])
{
        char name[4096];

        none(ret);
        for (unsigned i = 0; i < QN_DOC_MAX; i++) {
                if (snprintf(name, sizeof name, "%s.%s.json", path, options[i]) >= (int)sizeof name)
                        return -ENAMETOOLONG;
                ret[i] = open(name, O_RDONLY | O_CLOEXEC);
                if (ret[i] < 0 && errno != ENOENT)
                        return -errno;
        }
        return 0;
}

bool qn_documents_is_beside(const char *name)
{
        struct qn_str s = qn_str_c(name);

        if (!qn_str_ends(s, ".json"))
                return false;
        s.n -= strlen(".json");
        for (unsigned i = 0; i < QN_DOC_MAX; i++) {
                size_t n = strlen(options[i]);

                if (qn_str_ends(s, options[i]) && s.n > n && s.p[s.n - n - 1] == '.')
                        return true;
        }
        return false;
}

void qn_documents_close(int fds[QN_DOC_MAX])
{
        for (unsigned i = 0; i < QN_DOC_MAX; i++)
                qn_closep(&fds[i]);
        none(fds);
}

static int read_all(const int fds[QN_DOC_MAX], struct qn_buf *b)
{
        _cleanup_(qn_closep) int fd = -1;
        int r = qn_documents_seal(fds, &fd, NULL);

        if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        return r < 0 ? r : qn_io_read_fd(fd, b);
}

int qn_documents_observe(struct qn_provenance *p, const int fds[QN_DOC_MAX],
                         const struct qn_event_set *set, struct qn_arena *a,
                         const struct qn_event_set **ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(SIZE_MAX / 2);
        struct qn_provenance_in in = { .name = set->name,
                                       .version = set->version,
                                       .integrity = set->integrity };
        struct qn_event_set *merged = QN_ARENA_NEW(a, struct qn_event_set);
        const struct qn_event_set *seen;
        int r = merged ? read_all(fds, &b) : -ENOBUFS;

        if (r == 0)
                r = qn_documents_open(qn_cur_mem(b.p, b.n), in.docs);
        if (r == 0)
                r = qn_provenance_observe(p, &in, &seen);
        if (r == 0)
                r = qn_event_set_merge(set, seen, a, merged);
        if (r == 0)
                *ret = merged;
        return r;
}
