#include "measure.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "parse/binfmt.h"
#include "parse/tar.h"

uint64_t bench_cpu_ns(void)
{
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct qn_cur bench_map(const char *path)
{
        _cleanup_(qn_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        void *p;

        if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
                return (struct qn_cur){ NULL, NULL };
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        return p == MAP_FAILED ? (struct qn_cur){ NULL, NULL } : qn_cur_mem(p, (size_t)st.st_size);
}

void bench_unmap(struct qn_cur c)
{
        if (c.p)
                munmap((void *)(uintptr_t)c.p, qn_cur_left(&c));
}

static int by_number(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

double bench_percentile_ms(uint64_t *ns, size_t n, double share)
{
        if (!n)
                return 0;
        qsort(ns, n, sizeof *ns, by_number);
        return (double)ns[QN_MIN((size_t)(share * (double)n), n - 1)] / 1e6;
}

bool bench_is_searched(const struct qn_tar_entry *e)
{
        static const char *const others[] = { ".map", ".d.ts", ".d.mts", ".d.cts" };
        struct qn_cur head = qn_cur_mem(e->data.p, QN_MIN(qn_cur_left(&e->data), (size_t)4096));

        for (size_t i = 0; i < QN_ARRAY_SIZE(others); i++)
                if (qn_str_ends(e->path, others[i]))
                        return false;
        return qn_format_is_text(qn_sniff(head, e->size));
}

void bench_put(struct qn_buf *b, const char *s, size_t number)
{
        for (; *s; s++)
                if (*s == '#')
                        qn_buf_printf(b, "%zu", number);
                else
                        qn_buf_byte(b, *s);
}
