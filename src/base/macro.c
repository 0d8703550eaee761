#include "base/macro.h"

#include <stdlib.h>
#include <unistd.h>

void qn_freep(void *p)
{
        free(*(void **)p);
}

void qn_closep(int *fd)
{
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}
