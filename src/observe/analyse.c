#include "observe/analyse.h"

#include <errno.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "observe/archive.h"
#include "observe/diff.h"
#include "observe/imprint.h"
#include "observe/names.h"
#include "observe/previous.h"
#include "observe/scan.h"
#include "parse/binfmt.h"
#include "parse/gz.h"
#include "parse/sri.h"

struct qn_analyser {
        const struct qn_observers *observers;
        struct qn_scan *scan;
        struct qn_gz *gz;
        struct qn_archive archive;
        struct qn_previous *previous; /* made when there is something to compare with */
        struct qn_diff *diff; /* of the package at hand; NULL: there is nothing to compare with */
        struct qn_imprinter *imprinter; /* made when an imprint is wanted */
        struct qn_imprint imprint;
        bool wants_imprint;
        struct qn_names names;
        struct qn_buf sri; /* of the artifact at hand */
        uint64_t files;
        bool has_manifest;
        bool names_full; /* duplicates can no longer be told */
};

void qn_analyser_stats(const struct qn_analyser *an, struct qn_scan_stats *ret)
{
        qn_scan_stats(an->scan, ret);
}

int qn_analyser_new(const struct qn_observers *o, struct qn_analyser **ret)
{
        _cleanup_(qn_analyser_freep) struct qn_analyser *an = calloc(1, sizeof *an);
        int r;

        if (!an)
                return -ENOMEM;
        an->observers = o;
        qn_names_init(&an->names);
        an->sri = QN_BUF_INIT(256);
        an->gz = qn_gz_new();
        if (!an->gz)
                return -ENOMEM;
        r = qn_scan_new(o, &an->scan);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(an);
        return 0;
}

struct qn_analyser *qn_analyser_free(struct qn_analyser *an)
{
        if (!an)
                return NULL;
        qn_archive_done(&an->archive);
        qn_previous_free(an->previous);
        qn_imprinter_free(an->imprinter);
        qn_names_done(&an->names);
        qn_buf_done(&an->sri);
        qn_gz_free(an->gz);
        qn_scan_free(an->scan);
        free(an);
        return NULL;
}

void qn_analyser_freep(struct qn_analyser **an)
{
        *an = qn_analyser_free(*an);
}

static const struct qn_str no_path = { "", 0 };

/* An oddity of the archive because of which the package cannot be clean. */
static int odd_and_open(struct qn_analyser *an, const char *what, struct qn_str path,
                        const char *detail)
{
        int r = qn_scan_odd(an->scan, what, path);

        return r < 0 ? r : qn_scan_unanalysed(an->scan, what, path, detail);
}

/* --- integrity --- */

/* Hashes the artifact once, whatever it is to be compared with. */
static int hash_artifact(struct qn_analyser *an, struct qn_cur bytes, uint8_t *sha512)
{
        int r = qn_digest(QN_SHA512, bytes.p, qn_cur_left(&bytes), sha512);

        qn_buf_reset(&an->sri);
        return r < 0 ? r : qn_sri_format(QN_SHA512, sha512, &an->sri);
}

/* 0 it is what was asked for, 1 not, and that is reported; negative -ENOMEM. */
static int check_integrity(struct qn_analyser *an, struct qn_cur bytes, const uint8_t *sha512,
                           struct qn_str wanted)
{
        struct qn_sri sri;
        const char *detail = "the integrity to check against names no hash that qanat knows";
        int r;

        if (wanted.n == 0)
                return 0;
        r = qn_sri_parse(wanted, &sri);
        if (r == 0) {
                detail = "the bytes are not those that the integrity names";
                r = sri.algorithm == QN_SHA512 ? qn_sri_check_digest(&sri, sha512)
                                               : qn_sri_check(&sri, bytes);
        }
        if (r == 0 || r == -ENOMEM)
                return r;
        r = qn_scan_unanalysed(an->scan, "integrity", no_path, detail);
        return r < 0 ? r : 1;
}

/* --- entries --- */

/* What clients do differently with such a path; NULL: odd, but the same for all that matters. */
static const char *const path_details[QN_TAR_ODD_BITS] = {
        "an absolute path, which clients change each in their own way",
        "a path with \"..\", which npm leaves out and other clients may follow",
        "a path with control characters or backslashes",
        "a file outside the package directory, which only some clients unpack",
        "a header that clients understand each in their own way",
        NULL,
};

static int report_path(struct qn_analyser *an, const struct qn_tar_entry *e)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < QN_TAR_ODD_BITS; i++) {
                if (!(e->odd >> i & 1))
                        continue;
                if (path_details[i])
                        r = odd_and_open(an, qn_tar_odd_name(i), e->full, path_details[i]);
                else
                        r = qn_scan_odd(an->scan, qn_tar_odd_name(i), e->full);
        }
        return r;
}

static int report_type(struct qn_analyser *an, const struct qn_tar_entry *e)
{
        static const char *const details[QN_TAR_TYPE_MAX] = {
                [QN_TAR_SYMLINK] =
                        "a symbolic link, which npm leaves out and other clients may create",
                [QN_TAR_HARDLINK] =
                        "a hard link, which npm leaves out and other clients may create",
                [QN_TAR_DEVICE] = "a device or fifo, which npm leaves out",
                [QN_TAR_OTHER] = "an entry of a kind that npm passes over and others unpack",
        };

        return details[e->type]
                       ? odd_and_open(an, qn_tar_type_name(e->type), e->full, details[e->type])
                       : 0;
}

/* 0 go on with the file, 1 its twin was already observed. */
static int check_name(struct qn_analyser *an, const struct qn_tar_entry *e,
                      const struct qn_content *c)
{
        struct qn_name_content content = { .size = e->size };
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        int r;

        if (an->names_full)
                return 0;
        if (!an->archive.streaming)
                content.data = e->data;
        else if (c->whole) {
                r = qn_digest(QN_SHA256, c->data.p, qn_cur_left(&c->data), digest);
                if (r == 0)
                        content.digest = digest;
        }
        r = qn_names_add(&an->names, e->path, &content);
        switch (r) {
        case QN_NAME_AGAIN:
                return 1;
        case QN_NAME_CONFLICT:
                return odd_and_open(
                        an, "duplicate", e->path,
                        "a path that is there twice with different content: which one is installed "
                        "depends on the client");
        case QN_NAME_CASE:
                return qn_scan_odd(an->scan, "case-duplicate", e->path);
        case -ENOBUFS:
                an->names_full = true;
                return qn_scan_unanalysed(an->scan, "limit", e->path,
                                          "too many file names to look for duplicates among them");
        default:
                return r;
        }
}

/* Of a file too large to be read whole only text matters: a picture or binary is judged by its head.  Source maps are text,
 * but nothing runs them, and when something does the scan asks for them again. */
static bool large_matters(const struct qn_tar_entry *e, const struct qn_content *c)
{
        enum qn_format f = qn_sniff(c->data, e->size);

        if (qn_str_ends(e->path, ".map"))
                return false;
        return qn_format_is_text(f) || qn_format_misfit(e->path, f) == QN_MISFIT_BINARY;
}

static int hand_over(struct qn_analyser *an, const struct qn_tar_entry *e,
                     const struct qn_content *c)
{
        const struct qn_scan_file f = {
                .path = e->path,
                .mode = e->mode,
                .size = e->size,
                .stays = !an->archive.streaming,
                .data = c->data,
                .tail = c->tail,
        };

        return qn_scan_file(an->scan, &f);
}

static int report_large(struct qn_analyser *an, const struct qn_tar_entry *e)
{
        return qn_scan_unanalysed(an->scan, "file-too-large", e->path,
                                  "a text file too large to be analysed whole");
}

/* First walk.  What goes wrong with the archive itself ends the walk: then ret_broken is set and err tells. */
static int first_look(struct qn_analyser *an, const struct qn_tar_entry *e, bool *ret_broken,
                      struct qn_err *err)
{
        struct qn_content c;
        int r = report_path(an, e);

        if (r == 0)
                r = report_type(an, e);
        if (r < 0 || e->type != QN_TAR_FILE)
                return r;
        r = qn_archive_content(&an->archive, e, &c, err);
        if (r < 0) {
                *ret_broken = r != -ENOMEM;
                return r;
        }
        an->files++;
        if (an->diff)
                qn_diff_now(an->diff, e->path, e->size, qn_cur_rest(&c.data));
        if (qn_str_is(e->path, "package.json") && !(e->odd & QN_TAR_ODD_OUTSIDE))
                an->has_manifest = true;
        r = check_name(an, e, &c);
        if (r != 0)
                return r < 0 ? r : 0;
        if (an->wants_imprint && c.whole)
                r = qn_imprinter_file(an->imprinter, e->path, qn_cur_rest(&c.data));
        if (r == 0 && !c.whole && large_matters(e, &c))
                r = report_large(an, e);
        return r < 0 ? r : hand_over(an, e, &c);
}

static int report_broken(struct qn_analyser *an, int code, const struct qn_err *err)
{
        const char *what = code == -EFBIG ? "limit" : code == -ENODATA ? "truncated" : "corrupt";

        return qn_scan_unanalysed(an->scan, what, no_path, err->msg);
}

static int walk_first(struct qn_analyser *an)
{
        struct qn_tar_entry e;
        struct qn_err err = { 0 };
        bool broken = false;
        int r = qn_archive_rewind(&an->archive);

        if (r < 0)
                return r;
        while ((r = qn_archive_next(&an->archive, &e, &err)) == 1) {
                r = first_look(an, &e, &broken, &err);
                if (broken)
                        break;
                if (r < 0)
                        return r;
        }
        if (r == -ENOMEM)
                return r;
        return r < 0 ? report_broken(an, r, &err) : 0;
}

/* What the first walk says about the archive as a whole. */
static int report_whole(struct qn_analyser *an)
{
        unsigned notes = qn_tar_notes(an->archive.tar);
        int r = 0;

        if (an->files == 0)
                return qn_scan_unanalysed(an->scan, "empty", no_path,
                                          "no file could be read from the archive");
        if (!an->has_manifest)
                r = qn_scan_unanalysed(an->scan, "no-manifest", no_path,
                                       "there is no package.json");
        if (r == 0 && notes & QN_TAR_NOTE_SKIPPED)
                r = odd_and_open(an, "invalid-header", no_path,
                                 "headers that npm passes over and other clients refuse");
        if (r == 0 && notes & QN_TAR_NOTE_TRAILING)
                r = odd_and_open(an, "trailing-data", no_path,
                                 "data behind the end of the archive, which some clients read");
        return r;
}

static int look_again(struct qn_analyser *an, const struct qn_tar_entry *e, size_t *found)
{
        struct qn_content c;
        int r;

        if (e->type != QN_TAR_FILE || !qn_scan_wants(an->scan, e->path))
                return 0;
        r = qn_archive_content(&an->archive, e, &c, NULL);
        if (r < 0)
                return r;
        ++*found;
        r = c.whole ? 0 : report_large(an, e);
        return r < 0 ? r : hand_over(an, e, &c);
}

/* A further walk for files that turned out to be code, up to the last of those that are wanted: how many were handed over. */
static int walk_again(struct qn_analyser *an, size_t wanted, size_t *ret)
{
        struct qn_tar_entry e;
        size_t found = 0;
        int r = qn_archive_rewind(&an->archive);

        while (r == 0 && found < wanted && (r = qn_archive_next(&an->archive, &e, NULL)) == 1)
                r = look_again(an, &e, &found);
        *ret = found;
        /* Damage was reported by the first walk; this one came as far as that. */
        return r == -ENOMEM ? r : 0;
}

/* Files that turned out to be code, until there are no more; *rounds are left. */
static int follow_references(struct qn_analyser *an, unsigned *rounds)
{
        size_t found = 1, wanted;
        int r = 0;

        while (r == 0 && *rounds && found > 0 && (wanted = qn_scan_pending(an->scan)) > 0) {
                r = walk_again(an, wanted, &found);
                if (r == 0 && --*rounds == 0)
                        r = qn_scan_unanalysed(an->scan, "limit", no_path,
                                               "code refers to ever more files");
        }
        return r;
}

static int observe(struct qn_analyser *an)
{
        unsigned rounds = QN_SCAN_ROUNDS_MAX;
        int r = walk_first(an);

        if (r == 0)
                r = report_whole(an);
        if (r == 0)
                r = follow_references(an, &rounds);
        if (r == 0 && an->diff)
                r = qn_previous_learn(an->previous, an->scan);
        if (r < 0)
                return r;
        qn_scan_deepen(an->scan);
        return follow_references(an, &rounds); /* to files whose names were put together */
}

static int look_at_previous(struct qn_analyser *an, const struct qn_analyse_in *in,
                            struct qn_diff **ret)
{
        struct qn_err err = { 0 };
        struct qn_sri sri;
        int r = 0;

        *ret = NULL;
        if (!qn_cur_left(&in->previous))
                return 0;
        if (in->previous_integrity.n)
                r = qn_sri_parse(in->previous_integrity, &sri);
        if (r == 0 && in->previous_integrity.n)
                r = qn_sri_check(&sri, in->previous);
        if (r == 0 && !an->previous)
                r = qn_previous_new(an->observers, &an->previous);
        return r < 0 ? r : qn_previous_open(an->previous, in->previous, ret, &err);
}

/* Begins the scan; when there is a version before, it was looked at first. */
static int begin(struct qn_analyser *an, const struct qn_analyse_in *in)
{
        struct qn_diff *diff;
        int r = look_at_previous(an, in, &diff);

        if (r == -ENOMEM)
                return r;
        qn_scan_begin(an->scan);
        if (r < 0)
                return qn_scan_unanalysed(an->scan, "previous", no_path,
                                          "the version before, to compare with, cannot be read");
        qn_scan_compare(an->scan, diff);
        an->diff = diff;
        return 0;
}

static int look_at(struct qn_analyser *an, const struct qn_analyse_in *in)
{
        uint8_t sha512[QN_DIGEST_BYTES_MAX];
        int r = qn_archive_open(&an->archive, an->gz, in->archive);

        if (r == 0)
                r = begin(an, in);
        if (r == 0)
                qn_scan_packument(an->scan, in->packument, in->version);
        if (r == 0)
                r = qn_scan_known(an->scan, in->known);
        if (r == 0)
                r = hash_artifact(an, in->archive, sha512);
        if (r == 0)
                r = check_integrity(an, in->archive, sha512, in->integrity);
        if (r == 0)
                r = observe(an);
        return r == 0 && an->diff ? qn_previous_observe(an->previous, an->scan) : r;
}

static int begin_imprint(struct qn_analyser *an, bool wanted)
{
        int r = 0;

        an->wants_imprint = wanted;
        if (wanted && !an->imprinter)
                r = qn_imprinter_new(an->observers, &an->imprinter);
        if (wanted && r == 0)
                qn_imprinter_begin(an->imprinter);
        return r;
}

static int finish(struct qn_analyser *an, const struct qn_event_set **ret)
{
        int r = qn_scan_finish(an->scan, qn_buf_view(&an->sri), ret);

        if (r == 0 && an->wants_imprint)
                qn_imprinter_finish(an->imprinter, *ret, qn_scan_manifest(an->scan), &an->imprint);
        return r;
}

const struct qn_imprint *qn_analyser_imprint(const struct qn_analyser *an)
{
        return &an->imprint;
}

int qn_analyse(struct qn_analyser *an, const struct qn_analyse_in *in,
               const struct qn_event_set **ret)
{
        int r = begin_imprint(an, in->imprint);

        if (r < 0)
                return r;
        qn_names_reset(&an->names);
        an->files = 0;
        an->diff = NULL;
        an->has_manifest = an->names_full = false;
        r = look_at(an, in);
        qn_archive_close(&an->archive);
        qn_previous_close(an->previous);
        return r < 0 ? r : finish(an, ret);
}
