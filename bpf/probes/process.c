/* SPDX-License-Identifier: GPL-2.0-only */
/* Births, changes and deaths of processes, for the table that gives events their image and arguments. */
#include "../process.h"

/* trace_sched_process_fork(struct task_struct *parent, struct task_struct *child)                      2.6+
 * Threads are made by the same call; only a child that leads a thread group of its own is a process. */
int on_fork(struct bpf_raw_tracepoint_args *ctx)
{
    u64 child = ctx->args[1];
    u32 zero = 0, pid = 0;
    struct scratch *s = scratch.lookup(&zero);

    READ(pid, child, struct task_struct, pid);
    if (!s || pid != group_of(child))
        return 0;
    write_process((struct process_record *)s->record, RECORD_FORK, child);
    send_process(s, sizeof(struct process_record));
    return 0;
}

/* Appends up to ARGS_LIMIT bytes of the new program's arguments to the record. */
static __always_inline u32 append_args(struct scratch *s, struct process_record *record, u64 mm, u32 at)
{
    u64 from = 0, to = 0;
    READ(from, mm, struct mm_struct, arg_start);
    READ(to, mm, struct mm_struct, arg_end);

    u64 length = to - from;
    if (length > ARGS_LIMIT) {
        length = ARGS_LIMIT;
        record->args_truncated = 1;
    }
    if (at > sizeof(struct process_record) + PATH_LIMIT)
        return 0;
    if (bpf_probe_read_user(&s->record[bounded(at, 0x1fff)], bounded(length, 0x1fff), (void *)from))
        return 0;
    return length;
}

/* trace_sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)             3.4+
 * Runs in the new program's memory; its arguments are there and its pages are present. Three programs, one behind
 * the other, so that older verifiers reach the end of each. */
int on_exec(struct bpf_raw_tracepoint_args *ctx)
{
    u64 task = ctx->args[0], mm = 0, file = 0;
    u32 zero = 0, size = sizeof(struct process_record);
    struct scratch *s = scratch.lookup(&zero);
    struct engine_config *config = engine_config.lookup(&zero);

    if (!s || !config)
        return 0;
    struct process_record *record = (struct process_record *)s->record;
    write_process(record, RECORD_EXEC, task);
    READ(s->exec_descriptor, ctx->args[2], struct linux_binprm, fdpath);
    record->image = image_of(task);
    READ(mm, task, struct task_struct, mm);
    record->compat = is_compat(mm);
    READ(file, mm, struct mm_struct, exe_file);
    if (file) {
        READ(s->base, file, struct file, f_path);
        record->state = (walk(s, config, false, 0) & 0xff) | reachable(s, config);
        if (record->state & PATH_UNREACHABLE)
            behind_exec.call(ctx, BEHIND_HOST_IMAGE);
        record->path_bytes = append_walked(s, size, PATH_LIMIT);
    }
    behind_exec.call(ctx, BEHIND_EXEC_REST);
    return 0;
}

/* The image of a process in other mounts than the host's: there anything may be called /usr/bin/su, and no rule
 * may take it for the host's. It gets the host's name, or none that could be taken for one. */
int on_host_image(struct bpf_raw_tracepoint_args *ctx)
{
    u32 zero = 0;
    struct scratch *s = scratch.lookup(&zero);
    struct engine_config *config = engine_config.lookup(&zero);

    if (!s || !config)
        return 0;
    struct process_record *record = (struct process_record *)s->record;
    look_at_base(s);
    if (walk_file_system(s, config))
        record->state &= PATH_TRUNCATED;
    else
        record->state |= PATH_FOREIGN;
    record->path_bytes = append_walked(s, sizeof(struct process_record), PATH_LIMIT);
    behind_exec.call(ctx, BEHIND_EXEC_REST);
    return 0;
}

int on_exec_rest(struct bpf_raw_tracepoint_args *ctx)
{
    u64 task = ctx->args[0], mm = 0;
    u32 zero = 0;
    struct scratch *s = scratch.lookup(&zero);
    struct engine_config *config = engine_config.lookup(&zero);

    if (!s || !config)
        return 0;
    struct process_record *record = (struct process_record *)s->record;
    u32 size = sizeof(struct process_record) + record->path_bytes;
    READ(mm, task, struct task_struct, mm);
    record->args_bytes = append_args(s, record, mm, size);
    size += record->args_bytes;
    size += append_cwd(s, config, task, size);
    record->cgroup_bytes = append_cgroups(s, task, size);
    send_process(s, size + record->cgroup_bytes);
    return 0;
}

/* long sys_chdir(const char __user *filename)                                                           all
 * long sys_fchdir(unsigned int fd)                                                                      all
 * long sys_setns(int fd, int flags)                                                                    3.0+
 * long sys_pivot_root(const char __user *new_root, const char __user *put_old)                          all
 * What the working directory is now does not depend on what was asked for. Entering a mount namespace leads
 * to its root; pivot_root takes along everybody whose directory was the old root, and reports the caller. */
int on_chdir(struct trace_event_raw_sys_exit *ctx)
{
    u64 task = current_task();
    u32 zero = 0, size = sizeof(struct process_record);
    struct scratch *s = scratch.lookup(&zero);
    struct engine_config *config = engine_config.lookup(&zero);

    if (!s || !config || ctx->ret)
        return 0;
    write_process((struct process_record *)s->record, RECORD_CHDIR, task);
    send_process(s, size + append_cwd(s, config, task, size));
    return 0;
}

/* trace_sched_process_exit(struct task_struct *p)                                                      2.6+
 * Every thread comes by; the last one finds the group's count of live threads at zero already. */
int on_exit(struct bpf_raw_tracepoint_args *ctx)
{
    u64 task = ctx->args[0], signal = 0;
    u32 zero = 0;
    int live = 0;
    struct scratch *s = scratch.lookup(&zero);

    READ(signal, task, struct task_struct, signal);
    READ(live, signal, struct signal_struct, live.counter);
    if (!s || live)
        return 0;
    write_process((struct process_record *)s->record, RECORD_EXIT, task);
    send_process(s, sizeof(struct process_record));
    return 0;
}
