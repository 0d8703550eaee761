/* submit-git.c - records as commits on a branch of a clone. */
#include <ctype.h>
#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/submit-priv.h"

#define WORK_MAX     ((size_t)512 << 20)
#define MESSAGE_MAX  ((size_t)1 << 20)
#define LISTED_MAX   100u /* packages that a message names */
#define CAMPAIGN_MAX 100u

/* A branch that is being worked on. */
struct branch {
        char name[512];
        char head[QN_GIT_ID]; /* the commit to build on */
        bool there;           /* the branch stands there; else it is the default branch's */
};

/* --- names --- */

/* What a reference may be called, and more than that: "a..b", "x.lock" and the like become something else that is unique. */
static bool is_plain(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && !strchr("@/._-", s.p[i]))
                        return false;
        return s.n && qn_str_find(s, QN_STR("..")) < 0 && qn_str_find(s, QN_STR("/.")) < 0 &&
               s.p[0] != '.' && s.p[0] != '-' && !qn_str_ends(s, ".") && !qn_str_ends(s, ".lock") &&
               qn_str_find(s, QN_STR(".lock/")) < 0;
}

static int name_branch(struct qn_str of, char *ret, size_t size)
{
        uint8_t sum[QN_DIGEST_BYTES_MAX];
        int n, r;

        if (is_plain(of)) {
                n = snprintf(ret, size, "qanat/%.*s", QN_STR_ARG(of));
                return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
        }
        r = qn_digest(QN_SHA256, of.p, of.n, sum);
        n = snprintf(ret, size, "qanat/_%02x%02x%02x%02x%02x%02x%02x%02x", sum[0], sum[1], sum[2],
                     sum[3], sum[4], sum[5], sum[6], sum[7]);
        return r < 0 ? r : n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

/* --- opening --- */

static int fail(const struct qn_submit *s, int r, const struct qn_err *err)
{
        return log_err(r, "%s: %s", s->c.repository, err->msg[0] ? err->msg : strerror(-r));
}

static int read_author(struct qn_submit *s)
{
        struct qn_mal_credit author;

        if (!s->c.author)
                return log_err(-EINVAL, "who commits? name them with --author \"NAME <MAIL>\"");
        if (qn_mal_credit(qn_str_c(s->c.author), &author) < 0 ||
            qn_str_chr(author.contact, '@') < 0 || qn_str_chr(author.contact, ' ') >= 0)
                return log_err(-EINVAL, "--author: \"%s\" is not of the form \"NAME <MAIL>\"",
                               s->c.author);
        s->git.name = author.name;
        s->git.mail = author.contact;
        s->git.time = s->c.time_ms / 1000;
        return 0;
}

static bool is_campaign(struct qn_str s)
{
        return is_plain(s) && s.n <= CAMPAIGN_MAX && isalnum((unsigned char)s.p[0]) &&
               qn_str_chr(s, '/') < 0 && qn_str_chr(s, '@') < 0;
}

int qn_submit_git_open(struct qn_submit *s)
{
        struct qn_err err = { 0 };
        char index[4096];
        int r;

        if (s->c.campaign && !is_campaign(qn_str_c(s->c.campaign)))
                return log_err(-EINVAL,
                               "--campaign: \"%s\" cannot be part of a branch's name: letters, "
                               "digits, '.', '-' and '_'",
                               s->c.campaign);
        if (snprintf(index, sizeof index, "%s/report.index", s->c.state_dir) >= (int)sizeof index)
                return log_err(-ENAMETOOLONG, "the state directory's name is too long");
        r = qn_git_open(s->c.repository, index, &s->git, &err);
        if (r < 0)
                return fail(s, r, &err);
        s->place = strdup(s->git.dir);
        if (!s->place)
                return log_err(-ENOMEM, "%s", strerror(ENOMEM));
        r = read_author(s);
        if (r < 0)
                return r;
        r = qn_git_base(&s->git, s->c.base, s->base, &err);
        if (r == 0)
                r = qn_git_look(&s->git, s->base, "osv/malicious", &err);
        if (r >= 0 && r != QN_GIT_DIR)
                return log_err(-ENOENT,
                               "%s: it has no osv/malicious: it is no clone of malicious-packages",
                               s->c.repository);
        return r < 0 ? fail(s, r, &err) : 0;
}

static int open_branch(struct qn_submit *s, struct qn_str of, struct branch *b)
{
        struct qn_err err = { 0 };
        char ref[600];
        int r = name_branch(of, b->name, sizeof b->name);

        if (r < 0)
                return log_err(r, "%.*s: no branch can be named after it", QN_STR_ARG(of));
        snprintf(ref, sizeof ref, "refs/heads/%s", b->name);
        r = qn_git_commit_of(&s->git, ref, b->head, &err);
        b->there = r == 0;
        if (r == -ENOENT) {
                memcpy(b->head, s->base, sizeof b->head);
                r = 0;
        }
        if (r < 0)
                return fail(s, r, &err);
        r = qn_git_is_used(&s->git, b->name, &err);
        if (r > 0)
                return log_err(-EBUSY, "%s: the branch %s is checked out: switch to another one",
                               s->c.repository, b->name);
        return r < 0 ? fail(s, r, &err) : 0;
}

bool qn_submit_git_is_branch(struct qn_submit *s, struct qn_str name, struct qn_str branch)
{
        char ref[600], id[QN_GIT_ID], own[512];

        if (name_branch(s->c.campaign ? qn_str_c(s->c.campaign) : name, own, sizeof own) < 0 ||
            !qn_str_is(branch, own))
                return false;
        snprintf(ref, sizeof ref, "refs/heads/%.*s", QN_STR_ARG(branch));
        return qn_git_commit_of(&s->git, ref, id, NULL) == 0;
}

/* --- records that are there --- */

struct found {
        struct qn_str path, text;
        bool ours;   /* of qanat, and without an id yet */
        bool branch; /* on the branch; else on the default branch alone */
};

struct records {
        struct found *list;
        size_t n, cap;
};

static bool is_record(struct qn_str path)
{
        struct qn_str name = qn_str_base(path);

        return qn_str_starts(name, "MAL-") && qn_str_ends(name, ".json");
}

static bool has_path(const struct records *rec, struct qn_str path)
{
        for (size_t i = 0; i < rec->n; i++)
                if (qn_str_eq(rec->list[i].path, path))
                        return true;
        return false;
}

static int take_file(struct qn_submit *s, const struct qn_git_file *f, bool branch,
                     struct qn_arena *a, struct records *rec)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        struct qn_err err = { 0 };
        struct found *to;
        int r;

        if (!is_record(f->path) || has_path(rec, f->path))
                return 0;
        r = qn_git_read(&s->git, f->id, &text, &err);
        if (r == -EFBIG || r == -ENOBUFS)
                return 0; /* none of ours is that large */
        if (r < 0)
                return fail(s, r, &err);
        if (QN_ARENA_ROOM(a, rec->list, rec->n, rec->cap) < 0)
                return log_err(-ENOMEM, "out of memory");
        to = &rec->list[rec->n++];
        *to = (struct found){ .path = f->path,
                              .text = qn_arena_dup(a, qn_buf_view(&text)),
                              .ours = qn_str_starts(qn_str_base(f->path), "MAL-0000-qanat-"),
                              .branch = branch };
        return to->text.p ? 0 : log_err(-ENOMEM, "out of memory");
}

static int list_dir(struct qn_submit *s, const char *commit, struct qn_str dir, bool branch,
                    struct qn_arena *a, struct records *rec)
{
        struct qn_git_file *files;
        struct qn_err err = { 0 };
        size_t n = 0;
        int r = qn_git_files(&s->git, commit, dir, a, &files, &n, &err);

        if (r < 0)
                return fail(s, r, &err);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = take_file(s, &files[i], branch, a, rec);
        return r;
}

/* Those of a package on the branch, then those that only the default branch has. */
static int find_records(struct qn_submit *s, const struct branch *b, struct qn_str name,
                        bool withdrawn, struct qn_arena *a, struct records *rec)
{
        _cleanup_(qn_buf_done) struct qn_buf dir = QN_BUF_INIT(4096);
        int r = qn_mal_dir(name, withdrawn, &dir);

        if (r < 0)
                return log_err(r, "%.*s: its name cannot be a directory of a repository",
                               QN_STR_ARG(name));
        r = list_dir(s, b->head, qn_buf_view(&dir), b->there, a, rec);
        return r < 0 || !b->there ? r : list_dir(s, s->base, qn_buf_view(&dir), false, a, rec);
}

static int look(struct qn_submit *s, const struct found *f, struct qn_str name,
                struct qn_str version, struct qn_arena *a, struct qn_record_answer *ret)
{
        const struct qn_record_job job = { .work = QN_RECORD_FIND,
                                           .name = name,
                                           .version = version,
                                           .record = qn_cur_str(f->text) };
        struct qn_err err = { 0 };
        int r = qn_record_ask(s->pool, &job, a, ret, &err);

        if (r == 0 || r == -EPIPE)
                return r;
        /* what nobody can read says nothing */
        qn_submit_say(s, f->path, (struct qn_str){ 0 }, "cannot be read: %s", err.msg);
        *ret = (struct qn_record_answer){ 0 };
        return 0;
}

/* Leaves out versions that other records speak of.  own: the record that is to be extended, NULL: none. */
static int drop_known(struct qn_submit *s, struct qn_mal_package *p, const struct records *rec,
                      const struct found *own, struct qn_arena *a)
{
        bool *gone = qn_arena_calloc(a, p->n + 1, sizeof *gone);
        int r = gone ? 0 : log_err(-ENOMEM, "out of memory");

        for (size_t i = 0; r == 0 && i < p->n; i++)
                for (size_t k = 0; r == 0 && k < rec->n && !gone[i]; k++) {
                        const struct found *f = &rec->list[k];
                        struct qn_record_answer says;

                        if (f == own)
                                continue;
                        r = look(s, f, p->name, p->versions[i].version, a, &says);
                        if (r < 0 || !says.speaks)
                                continue;
                        gone[i] = true;
                        qn_submit_say(s, p->name, p->versions[i].version,
                                      says.withdrawn ? "not reported, %.*s was withdrawn"
                                                     : "not reported again, %.*s says it",
                                      QN_STR_ARG(f->path));
                }
        if (r == 0)
                qn_submit_drop(p, gone);
        return r;
}

/* --- one package --- */

/* A record that is new, or longer than it was: 1; 0: there is nothing new to be said. */
static int extend(struct qn_submit *s, const struct found *own, struct qn_submit_record *rec,
                  struct qn_arena *a)
{
        const struct qn_record_job job = { .work = QN_RECORD_EXTEND,
                                           .flags = QN_MAL_UNASSIGNED | QN_MAL_CREDITED,
                                           .name = rec->p->name,
                                           .record = qn_cur_str(own->text),
                                           .more = qn_cur_str(rec->text) };
        struct qn_record_answer answer;
        struct qn_err err = { 0 };
        int r = qn_record_ask(s->pool, &job, a, &answer, &err);

        if (r < 0)
                return log_err(r, "%.*s: cannot be extended: %s", QN_STR_ARG(own->path), err.msg);
        rec->path = own->path;
        rec->text = answer.text;
        rec->taken = !own->branch;
        return answer.outcome != QN_MAL_SAME;
}

static const struct found *own_of(struct qn_submit *s, const struct qn_mal_package *p,
                                  const struct records *rec, struct qn_arena *a)
{
        for (size_t i = 0; i < rec->n; i++) {
                const struct qn_record_job job = { .work = QN_RECORD_CHECK,
                                                   .flags = QN_MAL_UNASSIGNED,
                                                   .name = p->name,
                                                   .record = qn_cur_str(rec->list[i].text) };
                struct qn_record_answer answer;

                if (rec->list[i].ours && qn_record_ask(s->pool, &job, a, &answer, NULL) == 0)
                        return &rec->list[i];
        }
        return NULL;
}

/* Whether a file may be made there: neither it nor anything but directories on the way to it is there. */
static int is_free(struct qn_submit *s, const struct branch *b, struct qn_str path)
{
        struct qn_err err = { 0 };
        char part[4096];

        for (size_t i = 1; i <= path.n; i++) {
                int r;

                if (i < path.n && path.p[i] != '/')
                        continue;
                snprintf(part, sizeof part, "%.*s", (int)i, path.p);
                r = qn_git_look(&s->git, b->head, part, &err);
                if (r < 0)
                        return fail(s, r, &err);
                if (r == QN_GIT_NOTHING)
                        return 0;
                if (r == QN_GIT_OTHER || i == path.n)
                        return log_err(-EEXIST,
                                       "%s: something else is there already: look at both, and "
                                       "remove one",
                                       part);
        }
        return 0;
}

static int path_of(struct qn_submit *s, const struct branch *b, struct qn_mal_package *p,
                   const struct qn_mal_conf *conf, struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(4000);
        int r = qn_mal_path(p, conf, &path);

        if (r < 0)
                return log_err(r, "%.*s: %s", QN_STR_ARG(p->name), strerror(-r));
        r = is_free(s, b, qn_buf_view(&path));
        if (r < 0)
                return r;
        *ret = qn_arena_dup(a, qn_buf_view(&path));
        return ret->p ? 0 : log_err(-ENOMEM, "out of memory");
}

/* 1: there is something to commit; 0: nothing, and rec->path says where all is said, or is empty. */
static int prepare(struct qn_submit *s, const struct branch *b, struct qn_mal_package *p,
                   const struct qn_mal_conf *conf, struct qn_arena *a, struct qn_submit_record *rec)
{
        struct records there = { 0 }, gone = { 0 };
        const struct found *own;
        int r = find_records(s, b, p->name, false, a, &there);

        *rec = (struct qn_submit_record){ .p = p };
        if (r < 0)
                return r;
        own = own_of(s, p, &there, a);
        if (!s->c.force) {
                r = drop_known(s, p, &there, own, a);
                if (r == 0)
                        r = find_records(s, b, p->name, true, a, &gone);
                if (r == 0)
                        r = drop_known(s, p, &gone, NULL, a);
        }
        if (r < 0 || !p->n)
                return r;
        r = qn_submit_make(s, p, conf, a, &rec->text);
        if (r < 0)
                return r;
        if (own)
                return extend(s, own, rec, a);
        r = path_of(s, b, p, conf, a, &rec->path);
        return r < 0 ? r : 1;
}

/* --- commits --- */

static void put_versions(struct qn_buf *b, const struct qn_mal_package *p)
{
        qn_buf_printf(b, "- %.*s:", QN_STR_ARG(p->name));
        for (size_t i = 0; i < p->n; i++)
                if (i == 0 || !qn_str_eq(p->versions[i].version, p->versions[i - 1].version))
                        qn_buf_printf(b, "%s %.*s", i ? "," : "",
                                      QN_STR_ARG(p->versions[i].version));
        qn_buf_byte(b, '\n');
}

static void sign(const struct qn_submit *s, struct qn_buf *b)
{
        if (s->c.sign_off)
                qn_buf_printf(b, "\nSigned-off-by: %.*s <%.*s>\n", QN_STR_ARG(s->git.name),
                              QN_STR_ARG(s->git.mail));
}

static void make_message(const struct qn_submit *s, const struct qn_submit_record *recs, size_t n,
                         struct qn_buf *b)
{
        if (n == 1)
                qn_buf_printf(b, "Report malicious npm package %.*s", QN_STR_ARG(recs[0].p->name));
        else
                qn_buf_printf(b, "Report %zu malicious npm packages", n);
        if (s->c.campaign)
                qn_buf_printf(b, " (campaign %s)", s->c.campaign);
        qn_buf_puts(b, "\n\n");
        for (size_t i = 0; i < n && i < LISTED_MAX; i++)
                put_versions(b, recs[i].p);
        if (n > LISTED_MAX)
                qn_buf_printf(b, "- and %zu more\n", n - LISTED_MAX);
        qn_buf_puts(b, "\nFound by qanat.\n");
        sign(s, b);
}

/* One commit, and the branch on it. */
static int commit(struct qn_submit *s, struct branch *b, const struct qn_git_change *changes,
                  size_t n, struct qn_str message)
{
        struct qn_err err = { 0 };
        char id[QN_GIT_ID];
        int r = qn_git_make(&s->git, b->head, changes, n, message, id, &err);

        if (r == 0)
                r = qn_git_move(&s->git, b->name, b->there ? b->head : NULL, id, &err);
        if (r != 0)
                return r < 0 ? fail(s, r, &err) : 0;
        b->there = true;
        memcpy(b->head, id, sizeof b->head);
        return 0;
}

static int note(struct qn_submit *s, const struct branch *b, const struct qn_submit_record *rec)
{
        const struct qn_reported how = { .branch = qn_str_c(b->name),
                                         .commit = qn_str_c(b->head),
                                         .path = rec->path,
                                         .state = rec->taken ? QN_REPORT_SENT : QN_REPORT_WRITTEN };

        return qn_submit_note(s, rec->p, &how);
}

static int commit_batch(struct qn_submit *s, struct branch *b, const struct qn_submit_record *recs,
                        size_t n, struct qn_submit_done *done)
{
        _cleanup_(qn_buf_done) struct qn_buf message = QN_BUF_INIT(MESSAGE_MAX);
        struct qn_git_change changes[QN_MAL_BATCH_MAX];
        int r;

        if (!n)
                return 0;
        for (size_t i = 0; i < n; i++)
                changes[i] = (struct qn_git_change){ recs[i].path, recs[i].text };
        make_message(s, recs, n, &message);
        r = qn_buf_error(&message);
        if (r < 0)
                return log_err(r, "the message of the commit is too long");
        r = commit(s, b, changes, n, qn_buf_view(&message));
        for (size_t i = 0; r == 0 && i < n; i++) {
                r = note(s, b, &recs[i]);
                done->written++;
        }
        if (r == 0 && !s->c.quiet)
                log_note("%s: branch %s: %zu %s committed (%.12s); to be pushed by you",
                         s->c.repository, b->name, n, n == 1 ? "record" : "records", b->head);
        return r;
}

/* Packages that are ready for the next commit. */
struct batch {
        struct qn_submit_record recs[QN_MAL_BATCH_MAX];
        size_t n;
        struct qn_arena a; /* of what is ready */
};

/* 0, or the error of this package alone: the others go on. */
static int add_to_batch(struct qn_submit *s, struct branch *b, struct qn_mal_package *p,
                        const struct qn_mal_conf *conf, struct batch *batch,
                        struct qn_submit_done *done)
{
        struct qn_submit_record *rec = &batch->recs[batch->n];
        int r = prepare(s, b, p, conf, &batch->a, rec);

        if (r < 0)
                return r;
        if (r > 0) {
                batch->n++;
                return 0;
        }
        if (!rec->path.n) {
                done->known++;
                return 0;
        }
        done->there++;
        if (rec->taken)
                qn_submit_say(s, p->name, (struct qn_str){ 0 }, "is in the default branch already");
        else
                qn_submit_say(s, p->name, (struct qn_str){ 0 }, "is on branch %s already", b->name);
        return note(s, b, rec);
}

/* Packages of one branch, in commits of at most so many.  A commit that fails ends it. */
static int send_all(struct qn_submit *s, struct qn_str branch, struct qn_mal_package *list,
                    size_t n, const struct qn_mal_conf *conf, struct qn_submit_done *done)
{
        struct batch *batch = calloc(1, sizeof *batch);
        struct branch b = { 0 };
        int first = 0, r = batch ? open_branch(s, branch, &b) : log_err(-ENOMEM, "out of memory");

        if (batch)
                batch->a = QN_ARENA_INIT(WORK_MAX);
        for (size_t i = 0; r == 0 && i < n; i++) {
                int e = add_to_batch(s, &b, &list[i], conf, batch, done);

                first = first ? first : e;
                if (batch->n == QN_MAL_BATCH_MAX || i + 1 == n) {
                        r = commit_batch(s, &b, batch->recs, batch->n, done);
                        batch->n = 0;
                }
                if (!batch->n)
                        qn_arena_reset(&batch->a, 1 << 20);
        }
        if (batch)
                qn_arena_done(&batch->a);
        free(batch);
        return first ? first : r;
}

int qn_submit_git_send(struct qn_submit *s, struct qn_mal *m, const struct qn_mal_conf *conf,
                       struct qn_submit_done *ret)
{
        int first = 0;

        if (s->c.campaign)
                return send_all(s, qn_str_c(s->c.campaign), m->packages, m->n, conf, ret);
        for (size_t i = 0; i < m->n; i++) {
                int r = send_all(s, m->packages[i].name, &m->packages[i], 1, conf, ret);

                first = first ? first : r;
        }
        return first;
}

/* --- taking back --- */

/* The record that speaks of the version: ours first, else the only one. */
static int find_one(struct qn_submit *s, const struct qn_submit_withdrawal *w,
                    const struct records *rec, struct qn_arena *a, const struct found **ret)
{
        size_t n = 0;

        *ret = NULL;
        for (size_t i = 0; i < rec->n; i++) {
                struct qn_record_answer says;
                int r = look(s, &rec->list[i], w->name, w->version, a, &says);

                if (r < 0)
                        return r;
                if (!says.speaks || (*ret && (*ret)->ours))
                        continue;
                n = rec->list[i].ours ? 1 : n + 1;
                *ret = &rec->list[i];
        }
        if (n > 1)
                return log_err(-EEXIST,
                               "%.*s@%.*s: %zu records of others speak of it: withdraw "
                               "it there",
                               QN_STR_ARG(w->name), QN_STR_ARG(w->version), n);
        return 0;
}

static int rewrite(struct qn_submit *s, const struct qn_submit_withdrawal *w, struct qn_str note,
                   const struct found *f, struct qn_arena *a, struct qn_record_answer *ret)
{
        const struct qn_record_job job = { .work = QN_RECORD_WITHDRAW,
                                           .flags = f->ours ? QN_MAL_UNASSIGNED : 0,
                                           .name = w->name,
                                           .version = w->version,
                                           .time = w->time,
                                           .note = note,
                                           .record = qn_cur_str(f->text) };
        struct qn_err err = { 0 };
        int r = qn_record_ask(s->pool, &job, a, ret, &err);

        return r < 0 ? log_err(r, "%.*s: cannot be withdrawn: %s", QN_STR_ARG(f->path), err.msg)
                     : 0;
}

/* Where a record belongs that was withdrawn: the same name below another directory. */
static int path_of_gone(struct qn_str name, struct qn_str path, struct qn_buf *ret)
{
        int r = qn_mal_dir(name, true, ret);

        qn_buf_byte(ret, '/');
        qn_buf_str(ret, qn_str_base(path));
        return r < 0 ? r : qn_buf_error(ret);
}

static int commit_withdrawal(struct qn_submit *s, struct branch *b,
                             const struct qn_submit_withdrawal *w, const struct found *f,
                             const struct qn_record_answer *answer)
{
        _cleanup_(qn_buf_done) struct qn_buf message = QN_BUF_INIT(MESSAGE_MAX),
                                             path = QN_BUF_INIT(4096);
        bool moves = answer->outcome == QN_MAL_GONE;
        struct qn_git_change changes[2] = { { f->path, answer->text },
                                            { f->path, (struct qn_str){ 0 } } };
        int r = path_of_gone(w->name, f->path, &path);

        if (moves)
                changes[0].path = qn_buf_view(&path);
        qn_buf_printf(&message, "Withdraw the report of npm package %.*s %.*s\n\n",
                      QN_STR_ARG(w->name), QN_STR_ARG(w->version));
        qn_mal_prose(&message, qn_str_c(w->reason));
        qn_buf_puts(&message, "\n\nWithdrawn by ");
        qn_mal_prose(&message, qn_str_c(w->by));
        qn_buf_puts(&message, ".\n");
        sign(s, &message);
        if (r == 0)
                r = qn_buf_error(&message);
        if (r < 0)
                return log_err(r, "the message of the commit is too long");
        return commit(s, b, changes, moves ? 2 : 1, qn_buf_view(&message));
}

/* The branch that has the report, else one that is named after the package. */
static int open_its_branch(struct qn_submit *s, const struct qn_submit_withdrawal *w,
                           struct qn_arena *a, struct branch *b)
{
        struct qn_reported old;
        struct qn_str of = qn_str_c(s->c.campaign);

        if (!of.n &&
            qn_reports_find(&s->db, w->name, w->version, qn_str_c(s->place), a, &old) == 0 &&
            old.campaign.n)
                of = old.campaign;
        return open_branch(s, of.n ? of : w->name, b);
}

static int is_gone(struct qn_submit *s, const struct branch *b,
                   const struct qn_submit_withdrawal *w, struct qn_arena *a)
{
        struct records rec = { 0 };
        int r = find_records(s, b, w->name, true, a, &rec);

        for (size_t i = 0; r == 0 && i < rec.n; i++) {
                struct qn_record_answer says;

                r = look(s, &rec.list[i], w->name, w->version, a, &says);
                if (r == 0 && says.speaks)
                        return 1;
        }
        return r;
}

int qn_submit_git_withdraw(struct qn_submit *s, const struct qn_submit_withdrawal *w,
                           struct qn_str note, struct qn_arena *a, struct qn_reported *row)
{
        struct records rec = { 0 };
        struct qn_record_answer answer;
        const struct found *f = NULL;
        struct branch b;
        int r = open_its_branch(s, w, a, &b);

        if (r == 0)
                r = find_records(s, &b, w->name, false, a, &rec);
        if (r == 0)
                r = find_one(s, w, &rec, a, &f);
        if (r < 0)
                return r;
        if (!f || !f->branch) {
                r = is_gone(s, &b, w, a);
                if (r < 0)
                        return r;
                if (r == 0 && !f)
                        return log_err(-ENOENT, "%.*s@%.*s: no record speaks of it",
                                       QN_STR_ARG(w->name), QN_STR_ARG(w->version));
                if (r > 0) {
                        qn_submit_say(s, w->name, w->version, "was withdrawn before");
                        return 0;
                }
        }
        r = rewrite(s, w, note, f, a, &answer);
        if (r < 0)
                return r;
        if (answer.outcome == QN_MAL_SAME) {
                qn_submit_say(s, w->name, w->version, "was withdrawn before");
                return 0;
        }
        r = commit_withdrawal(s, &b, w, f, &answer);
        row->branch = qn_arena_dup(a, qn_str_c(b.name));
        row->commit = qn_arena_dup(a, qn_str_c(b.head));
        row->path = f->path;
        if (r == 0 && !s->c.quiet)
                log_note("%s: branch %s: withdrawn (%.12s); to be pushed by you", s->c.repository,
                         b.name, b.head);
        return r;
}
