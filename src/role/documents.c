#include "role/documents.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"

static const struct {
        const char *what;
        size_t max;
} documents[QN_DOC_MAX] = {
        [QN_DOC_PACKUMENT] = { "the registry's document", QN_PACKUMENT_MAX },
        [QN_DOC_ATTESTATIONS] = { "the document of attestations", QN_ATTESTATIONS_MAX },
        [QN_DOC_EARLIER] = { "the earlier document of attestations", QN_ATTESTATIONS_MAX },
        [QN_DOC_KEYS] = { "the list of the registry's keys", QN_TRUST_MAX },
        [QN_DOC_TRUST] = { "the trusted root", QN_TRUST_MAX },
};

static int size_of(int fd, enum qn_document d, uint64_t *ret, struct qn_err *reterr)
{
        struct stat st;

        *ret = 0;
        if (fd < 0)
                return 0;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return qn_fail(reterr, -EINVAL, 0, "%s is not a file", documents[d].what);
        if ((uint64_t)st.st_size > documents[d].max)
                return qn_fail(reterr, -EFBIG, 0, "%s is too large", documents[d].what);
        *ret = (uint64_t)st.st_size;
        return 0;
}

int qn_documents_seal(const int fds[QN_DOC_MAX], int *ret, struct qn_err *reterr)
{
        _cleanup_(qn_closep) int out =
                memfd_create("qanat-documents", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        uint64_t sizes[QN_DOC_MAX];
        int r = out < 0 ? -errno : 0;

        for (unsigned i = 0; r == 0 && i < QN_DOC_MAX; i++)
                r = size_of(fds[i], i, &sizes[i], reterr);
        if (r == 0)
                r = qn_io_write_fd(out, (struct qn_str){ (const char *)sizes, sizeof sizes });
        for (unsigned i = 0; r == 0 && i < QN_DOC_MAX; i++)
                r = sizes[i] ? qn_io_copy(fds[i], out, sizes[i]) : 0;
        if (r == 0 &&
            fcntl(out, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
                r = -errno;
        if (r == 0)
                *ret = TAKE_FD(out);
        return r;
}

int qn_documents_open(struct qn_cur in, struct qn_cur ret[QN_DOC_MAX])
{
        uint64_t sizes[QN_DOC_MAX];

        for (unsigned i = 0; i < QN_DOC_MAX; i++)
                if (qn_cur_le64(&in, &sizes[i]) < 0)
                        return -EBADMSG;
        for (unsigned i = 0; i < QN_DOC_MAX; i++)
                if (qn_cur_take(&in, sizes[i], &ret[i]) < 0)
                        return -EBADMSG;
        return qn_cur_left(&in) ? -EBADMSG : 0;
}
