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

#include "cgroup.h"
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

/* Whether a program was started with 32-bit addresses: its memory ends where those end. Its calls go another
 * way into the kernel, where no system call tracepoint is. */
static __always_inline bool is_compat(u64 mm)
{
    u64 end = 0;
    READ(end, mm, struct mm_struct, task_size);
    return end <= 1ULL << 32;
}

static __always_inline void write_process(struct process_record *record, u16 kind, u64 task)
{
    u64 parent = parent_of(task), cred = 0;

    record->kind = kind;
    record->path_bytes = 0;
    record->args_bytes = 0;
    record->cwd_bytes = 0;
    record->cgroup_bytes = 0;
    record->args_truncated = 0;
    record->state = 0;
    record->cwd_state = 0;
    record->compat = 0;
    record->unused[0] = record->unused[1] = 0;
    READ(cred, task, struct task_struct, real_cred);
    READ(record->uid, cred, struct cred, uid.val);
    READ(record->gid, cred, struct cred, gid.val);
    record->cgroup = cgroup_id(task);
    record->tgid = group_of(task);
    record->parent_tgid = group_of(parent);
    record->start_ns = start_of(task);
    record->parent_start_ns = start_of(parent);
    record->image = 0;
    bpf_probe_read_kernel(record->comm, COMM_BYTES, (void *)member_at(task, struct task_struct, comm));
}

/* Copies what `walk` has left, or the end of it, behind the record at `at`; returns its length. */
static __always_inline u32 append_walked(struct scratch *s, u32 at, u32 limit)
{
    u64 start = s->start, length = TEXT_MIDDLE - start;
    if (start > TEXT_MIDDLE || length > PATH_LIMIT)
        return 0;
    if (length > limit) {
        start = TEXT_MIDDLE - limit;
        length = limit;
    }
    u64 place = bounded(at, 0x3fff); /* compared when it is bounded: older verifiers forget what was before */
    if (place > sizeof(struct process_record) + PATH_LIMIT + ARGS_LIMIT)
        return 0;
    bpf_probe_read_kernel(&s->record[place], bounded(length, 0x1fff), &s->text[bounded(start, 0x1fff)]);
    return length;
}

/* Appends the working directory of the task at `at`; returns its length. It belongs to the thread that is
 * asked for: nearly always all threads of a process have the same one. Where it finds too little room, its end
 * is told: whatever somebody does to his path and arguments, there is room for the names of his cgroups. */
static __always_inline u32 append_cwd(struct scratch *s, struct engine_config *config, u64 task, u32 at)
{
    struct process_record *record = (struct process_record *)s->record;
    u64 fs = 0;

    READ(fs, task, struct task_struct, fs);
    if (!fs)
        return 0;
    READ(s->base, fs, struct fs_struct, pwd);
    u32 state = walk(s, config, false, 0) & 0xff;
    if (s->start == TEXT_MIDDLE && !state) { /* the root itself */
        s->start = TEXT_MIDDLE - 1;
        s->text[TEXT_MIDDLE - 1] = '/';
    }
    u32 room = sizeof(s->record) - CGROUP_BYTES - at;
    if (TEXT_MIDDLE - s->start > room)
        state |= PATH_TRUNCATED;
    record->cwd_state = state | reachable(s, config);
    record->cwd_bytes = append_walked(s, at, room);
    return record->cwd_bytes;
}

static __always_inline void send_process(struct scratch *s, u32 size)
{
    u32 zero = 0;
    struct engine_counters *counters = engine_counters.lookup(&zero);
    u64 bytes = bounded(size, 0x3fff);
    if (!counters || bytes > sizeof(s->record))
        return;
    u8 *record = s->record; /* BCC looks at this argument's type, and an array is too much for it */
    if (events.ringbuf_output(record, bytes, 0))
        counters->lost_process_records++;
    else
        counters->process_records++;
}

#endif
