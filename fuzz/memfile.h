/* memfile.h - bytes as a file, for what reads only from paths. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct memfile {
        int fd;
        char path[64];
};

static struct memfile memfile_open(const uint8_t *data, size_t size)
{
        struct memfile m = { .fd = memfd_create("fuzz", MFD_CLOEXEC) };

        if (m.fd < 0 || write(m.fd, data, size) != (ssize_t)size)
                abort();
        snprintf(m.path, sizeof m.path, "/proc/self/fd/%d", m.fd);
        return m;
}

static void memfile_close(struct memfile *m)
{
        close(m->fd);
}
