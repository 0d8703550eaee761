/* replay.c - runs a fuzz target over the files and directories named, without the fuzzing engine: the corpus as a test.
 * Prints TAP, one line per file. */
#include <dirent.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned done;

static void replay_file(const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);
        int r = qn_io_read(path, &b);

        if (r == 0)
                LLVMFuzzerTestOneInput((const uint8_t *)b.p, b.n);
        printf("%s %u - %s\n", r == 0 ? "ok" : "not ok", ++done, path);
}

static void replay_dir(const char *path)
{
        struct dirent **list = NULL;
        int n = scandir(path, &list, NULL, alphasort);

        for (int i = 0; i < n; i++) {
                char full[4096];

                if (list[i]->d_name[0] != '.' &&
                    snprintf(full, sizeof full, "%s/%s", path, list[i]->d_name) < (int)sizeof full)
                        replay_file(full);
                free(list[i]);
        }
        free(list);
}

int main(int argc, char **argv)
{
        struct stat st;

        for (int i = 1; i < argc; i++) {
                if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
                        replay_dir(argv[i]);
                else
                        replay_file(argv[i]);
        }
        printf("1..%u\n", done);
        return done == 0;
}
