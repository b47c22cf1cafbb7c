/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls that read and write, at their exit. Thin hooks; the body is in transfer.h. */
#include "../transfer.h"

/* A hook of a call that moves as many bytes as it returns, through the descriptor that is argument `n`. */
#define TRANSFER_HOOK(name, n, operation, call)                            \
    int on_##name(struct trace_event_raw_sys_exit *ctx)                    \
    {                                                                      \
        u64 registers = task_registers(current_task());                    \
        return emit_transfer(ctx, ARGUMENT(n), operation, call, ctx->ret); \
    }

/* long sys_read(unsigned int fd, char __user *buf, size_t count)                                      all */
TRANSFER_HOOK(read, 0, OPERATION_READ, CALL_READ)
/* long sys_pread64(unsigned int fd, char __user *buf, size_t count, loff_t pos)                       all */
TRANSFER_HOOK(pread64, 0, OPERATION_READ, CALL_PREAD64)
/* long sys_readv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)                all */
TRANSFER_HOOK(readv, 0, OPERATION_READ, CALL_READV)
/* long sys_preadv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, …)        2.6.30+ */
TRANSFER_HOOK(preadv, 0, OPERATION_READ, CALL_PREADV)
/* long sys_preadv2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, …)          4.6+ */
TRANSFER_HOOK(preadv2, 0, OPERATION_READ, CALL_PREADV2)
/* long sys_write(unsigned int fd, const char __user *buf, size_t count)                               all */
TRANSFER_HOOK(write, 0, OPERATION_WRITE, CALL_WRITE)
/* long sys_pwrite64(unsigned int fd, const char __user *buf, size_t count, loff_t pos)                all */
TRANSFER_HOOK(pwrite64, 0, OPERATION_WRITE, CALL_PWRITE64)
/* long sys_writev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)               all */
TRANSFER_HOOK(writev, 0, OPERATION_WRITE, CALL_WRITEV)
/* long sys_pwritev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, …)       2.6.30+ */
TRANSFER_HOOK(pwritev, 0, OPERATION_WRITE, CALL_PWRITEV)
/* long sys_pwritev2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, …)         4.6+ */
TRANSFER_HOOK(pwritev2, 0, OPERATION_WRITE, CALL_PWRITEV2)

/* long sys_sendfile64(int out_fd, int in_fd, loff_t __user *offset, size_t count)      all; both are files */
TRANSFER_HOOK(sendfile_in, 1, OPERATION_READ, CALL_SENDFILE)
TRANSFER_HOOK(sendfile_out, 0, OPERATION_WRITE, CALL_SENDFILE)
/* long sys_splice(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out, …)        2.6.17+ */
TRANSFER_HOOK(splice_in, 0, OPERATION_READ, CALL_SPLICE)
TRANSFER_HOOK(splice_out, 2, OPERATION_WRITE, CALL_SPLICE)
/* long sys_copy_file_range(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out, …)   4.5+ */
TRANSFER_HOOK(copy_file_range_in, 0, OPERATION_READ, CALL_COPY_FILE_RANGE)
TRANSFER_HOOK(copy_file_range_out, 2, OPERATION_WRITE, CALL_COPY_FILE_RANGE)

/* long sys_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
 *               unsigned long fd, unsigned long off)                                                  all
 * Memory that is the file: what is written to it is no call. It counts as one write, of no bytes. */
int on_mmap(struct trace_event_raw_sys_exit *ctx)
{
    u64 registers = task_registers(current_task());
    if (!(ARGUMENT(2) & PROT_WRITE) || !(ARGUMENT(3) & MAP_SHARED))
        return 0;
    return emit_transfer(ctx, ARGUMENT(4), OPERATION_WRITE, CALL_MMAP,
                         ctx->ret < 0 && ctx->ret > -4096 ? ctx->ret : 0);
}

/* long sys_close(unsigned int fd)                                                                     all */
int on_close(struct trace_event_raw_sys_exit *ctx)
{
    u64 registers = task_registers(current_task());
    return emit_closed(ARGUMENT(0));
}
