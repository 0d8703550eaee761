/* digests.h - what tells others which bytes are meant: hashes of an archive and of some of its files, and the wallets that these
 * files name.  HOSTILE INPUT.  Of a path that is twice in an archive the last one counts, as for npm. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "parse/content.h"

struct qn_gz;

struct qn_file_digest {
        struct qn_str path;
        struct qn_str
                sha256; /* hexadecimal; empty: there is no such file, or it is larger than QN_FILE_MAX */
        struct qn_str *wallets; /* sorted, each once; at most QN_DIGEST_WALLETS_MAX */
        size_t n_wallets;
};

struct qn_digests {
        struct qn_str sha1, sha512; /* of the archive: hexadecimal, and as SRI; empty: not known */
        struct qn_file_digest *files; /* sorted by path */
        size_t n;
};

/* Of these paths; an archive that breaks off gives what came before.  -ENOBUFS, -ENOMEM, -EIO.  Lives in the arena. */
QN_MUST int qn_digests_read(struct qn_gz *gz, struct qn_cur in, const struct qn_str *paths,
                            size_t n, struct qn_arena *a, struct qn_digests *ret);
/* NULL: none of that path. */
const struct qn_file_digest *qn_digests_find(const struct qn_digests *d, struct qn_str path);
