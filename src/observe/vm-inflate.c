/* What a program unpacks from constants: gzip, zlib and raw deflate, under a cap. */
#include <zlib.h>

#include "observe/vm-priv.h"

#define OUT_MAX ((size_t)4 << 20)

/* Any of the three, told by trying: 32 is "gzip or zlib", -15 raw. */
static struct qn_str inflate_as(struct qn_vm *vm, struct qn_str in, int bits)
{
        z_stream z = { 0 };
        size_t room = QN_MIN(QN_MAX(in.n * 8, (size_t)4096), OUT_MAX);
        char *out = qn_vm_bytes(vm, room);
        int r;

        if (!out || inflateInit2(&z, bits) != Z_OK)
                return (struct qn_str){ NULL, 0 };
        z.next_in = (Bytef *)(uintptr_t)in.p;
        z.avail_in = (uInt)in.n;
        for (;;) {
                z.next_out = (Bytef *)out + z.total_out;
                z.avail_out = (uInt)(room - z.total_out);
                r = inflate(&z, Z_NO_FLUSH);
                if (r != Z_OK || z.avail_out || room >= OUT_MAX)
                        break;
                char *more = qn_vm_bytes(vm, QN_MIN(room * 2, OUT_MAX));

                if (!more)
                        break;
                memcpy(more, out, z.total_out);
                out = more;
                room = QN_MIN(room * 2, OUT_MAX);
        }
        inflateEnd(&z);
        return r == Z_STREAM_END ? (struct qn_str){ out, z.total_out } : (struct qn_str){ NULL, 0 };
}

struct qn_v qn_vm_inflate(struct qn_vm *vm, struct qn_v v)
{
        struct qn_vobj *o;
        struct qn_str out = { NULL, 0 };
        struct qn_v r;

        v = qn_vm_first(v);
        if (qn_v_is_obj(v, QN_VC_BUFFER) && !v.obj->open) {
                struct qn_str in = { v.obj->bytes, v.obj->n };

                out = inflate_as(vm, in, 15 + 32);
                if (!out.p)
                        out = inflate_as(vm, in, -15);
        }
        if (!out.p) {
                r = qn_v_tainted(qn_vm_deep_taint(vm, v));
                r.flags = QN_VF_DECODED | (v.flags & QN_VF_LOST);
                return r;
        }
        o = qn_vm_buffer(vm, out);
        r = qn_v_obj(o);
        r.flags |= QN_VF_DECODED;
        return qn_vm_with(vm, r, qn_vm_deep_taint(vm, v));
}
