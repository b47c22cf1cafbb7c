/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that are started, and those that could not be. */
#include "../call.h"

/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm), sched_process_exec          3.4+
 * The caller's memory is gone, and with it what it asked for; the kernel has kept the text, and which call it
 * was shows only where a descriptor was passed (`on_exec` has seen it). Of a script, the file is its
 * interpreter. */
int on_executed(struct trace_event_raw_sched_process_exec *ctx)
{
    u64 task = current_task(), mm = 0, file = 0;
    u32 at = ctx->__data_loc_filename & 0xffff, zero = 0;
    struct scratch *s = scratch.lookup(&zero);
    bool by_descriptor = s && s->exec_descriptor;

    READ(mm, task, struct task_struct, mm);
    READ(file, mm, struct mm_struct, exe_file);
    return emit_opened(ctx, 0, file,
                       &(struct asked){.path = (u64)ctx + at,
                                       .in_kernel = 1,
                                       .operation = OPERATION_EXEC,
                                       .call = by_descriptor ? CALL_EXECVEAT : CALL_EXECVE});
}

/* long sys_execve(const char __user *filename, const char __user *const __user *argv,
 *                 const char __user *const __user *envp)                                              all
 * One that succeeds has become another program by now. */
int on_execve(struct trace_event_raw_sys_exit *ctx)
{
    u64 registers = task_registers(current_task());
    if (ctx->ret >= 0)
        return 0;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .operation = OPERATION_EXEC,
                                          .call = CALL_EXECVE});
}

/* long sys_execveat(int dfd, const char __user *filename, const char __user *const __user *argv,
 *                   const char __user *const __user *envp, int flags)                                3.19+ */
int on_execveat(struct trace_event_raw_sys_exit *ctx)
{
    u64 registers = task_registers(current_task());
    u32 flags = ARGUMENT(4);
    if (ctx->ret >= 0)
        return 0;
    return emit_at(ctx, &(struct asked){.path = ARGUMENT(1),
                                        .directory = ARGUMENT(0),
                                        .hints = unless_followed(flags),
                                        .empty = (flags & AT_EMPTY_PATH) != 0,
                                        .flags = flags,
                                        .operation = OPERATION_EXEC,
                                        .call = CALL_EXECVEAT});
}
