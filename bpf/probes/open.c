/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls that open a file by name, at their exit. Thin hooks; the body is in open.h. */
#include "../open.h"

/* long sys_open(const char __user *filename, int flags, umode_t mode)                 all, not on arm64 */
int on_open(struct trace_event_raw_sys_exit *ctx)
{
    u64 registers = task_registers(current_task());
    return emit_open(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .flags = ARGUMENT(1),
                                          .directory = CURRENT_DIRECTORY,
                                          .call = CALL_OPEN});
}

/* long sys_openat(int dfd, const char __user *filename, int flags, umode_t mode)                 2.6.16+ */
int on_openat(struct trace_event_raw_sys_exit *ctx)
{
    u64 registers = task_registers(current_task());
    return emit_open(
        ctx, &(struct asked){
                 .path = ARGUMENT(1), .flags = ARGUMENT(2), .directory = ARGUMENT(0), .call = CALL_OPENAT});
}

/* An open that must not wait, of a name alone (O_PATH), or with the answer to try again. Nothing was opened that
 * could be read, and nothing denied. That is how engines like this one follow links; two of them on a host would
 * else look at each other's looks for ever. */
static __always_inline bool is_mere_look(const struct open_how *how, s64 result)
{
    return how->resolve & RESOLVE_CACHED && (how->flags & OPEN_PATH || result == -ERROR_AGAIN);
}

/* long sys_openat2(int dfd, const char __user *filename, struct open_how __user *how, size_t usize)  5.6+
 * The flags are in the caller's memory and may have changed since, so the access mode comes from the file;
 * RESOLVE_IN_ROOT makes the asked path relative to the directory. */
int on_openat2(struct trace_event_raw_sys_exit *ctx)
{
    u64 registers = task_registers(current_task());
    struct open_how how = {};
    u32 granted = 0;

    bpf_probe_read_user(&how, sizeof(how), (void *)ARGUMENT(2));
    if (ctx->ret >= 0) {
        READ(granted, file_of(ctx->ret), struct file, f_flags);
        how.flags = (how.flags & ~ACCESS_FLAGS) | (granted & ACCESS_FLAGS);
    }
    if (is_mere_look(&how, ctx->ret))
        return 0;
    return emit_open(ctx, &(struct asked){.path = ARGUMENT(1),
                                          .flags = how.flags,
                                          .directory = ARGUMENT(0),
                                          .in_root = (how.resolve & RESOLVE_IN_ROOT) != 0,
                                          .call = CALL_OPENAT2});
}

/* long sys_creat(const char __user *pathname, umode_t mode)                           all, not on arm64 */
int on_creat(struct trace_event_raw_sys_exit *ctx)
{
    u64 registers = task_registers(current_task());
    return emit_open(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .flags = OPEN_CREATE_FLAGS,
                                          .directory = CURRENT_DIRECTORY,
                                          .call = CALL_CREAT});
}

/* long sys_open_by_handle_at(int mountdirfd, struct file_handle __user *handle, int flags)             2.6.39+
 * There is no name; the file has one. */
int on_open_by_handle_at(struct trace_event_raw_sys_exit *ctx)
{
    u64 registers = task_registers(current_task());
    return emit_open(ctx, &(struct asked){.flags = ARGUMENT(2), .call = CALL_OPEN_BY_HANDLE_AT});
}
