/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who does it: the identity of the current process, and the records that the process table is made of.
 *
 * A process is known by its thread group and the start of its leader on the boot clock, for process ids are
 * used again. Fork, exec and exit go into the same ring as file events, in order: when an event arrives,
 * the exec record of its process has arrived, and /proc is never asked for one that may be gone already.
 */
#ifndef FILEAUDIT_PROCESS_H
#define FILEAUDIT_PROCESS_H

#include "path.h"

#define ARGS_LIMIT 4096 /* more arguments are cut off and flagged */

static __always_inline u64 start_of(u64 task)
{
    u64 leader = 0, start = 0;
    READ(leader, task, struct task_struct, group_leader);
    READ(start, leader, struct task_struct, start_boottime);
    return start;
}

static __always_inline u32 group_of(u64 task)
{
    u32 tgid = 0;
    READ(tgid, task, struct task_struct, tgid);
    return tgid;
}

static __always_inline u64 parent_of(u64 task)
{
    u64 parent = 0;
    READ(parent, task, struct task_struct, real_parent);
    return parent;
}

/* The inode number of a program's file. A process whose exec record found no room in the ring runs another
 * one than the table believes, and must not be taken for what it was. */
static __always_inline u64 image_of(u64 task)
{
    u64 mm = 0, file = 0, inode = 0, number = 0;
    READ(mm, task, struct task_struct, mm);
    if (!mm)
        return 0;
    READ(file, mm, struct mm_struct, exe_file);
    READ(inode, file, struct file, f_inode);
    READ(number, inode, struct inode, i_ino);
    return number;
}

static __always_inline void write_process(struct process_record *record, u16 kind, u64 task)
{
    u64 parent = parent_of(task);

    record->kind = kind;
    record->path_bytes = 0;
    record->args_bytes = 0;
    record->cwd_bytes = 0;
    record->cgroup_bytes = 0;
    record->args_truncated = 0;
    record->state = 0;
    record->cwd_state = 0;
    record->unused[0] = record->unused[1] = record->unused[2] = 0;
    record->uid = 0;
    record->gid = 0;
    record->cgroup = 0;
    record->tgid = group_of(task);
    record->parent_tgid = group_of(parent);
    record->start_ns = start_of(task);
    record->parent_start_ns = start_of(parent);
    record->image = 0;
    bpf_probe_read_kernel(record->comm, COMM_BYTES, (void *)member_at(task, struct task_struct, comm));
}

static __always_inline void send_process(struct scratch *s, u32 size)
{
    u32 zero = 0;
    struct engine_counters *counters = engine_counters.lookup(&zero);
    if (!counters || size > sizeof(s->record))
        return;
    u8 *record = s->record; /* BCC looks at this argument's type, and an array is too much for it */
    if (events.ringbuf_output(record, size, 0))
        counters->lost_process_records++;
    else
        counters->process_records++;
}

#endif
