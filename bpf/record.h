/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file record, put together in `outgoing`: its texts as they become known, its head at the end.
 */
#ifndef FILEAUDIT_RECORD_H
#define FILEAUDIT_RECORD_H

#include "name.h"
#include "process.h"

#define TEXT_ROOM 0x1fff /* no text is longer than two limits */

static __always_inline struct file_record *record_of(struct outgoing *o)
{
    return (struct file_record *)o->bytes;
}

static __always_inline void begin_record(struct scratch *s, struct outgoing *o)
{
    __builtin_memset(record_of(o), 0, sizeof(struct file_record));
    record_of(o)->asked_bytes = ASKED_UNREADABLE;
    s->out = sizeof(struct file_record);
}

/* Appends text[from, from + length) to the record; returns how much that was. */
static __always_inline u32 append_text(struct scratch *s, struct outgoing *o, u64 from, u64 length)
{
    u64 at = bounded(s->out, 0x7fff);

    if (at > RECORD_FULL || length > TEXT_ROOM || from + length > TEXT_BYTES)
        return 0;
    length = bounded(length, TEXT_ROOM);
    if (bpf_probe_read_kernel(&o->bytes[at], length, &s->text[bounded(from, 0x3fff)]))
        return 0;
    s->out = at + length;
    return length;
}

/* Appends a text of the caller's, or of the kernel's; returns its length, ASKED_UNREADABLE if there is none. */
static __always_inline u32 append_foreign(struct scratch *s, struct outgoing *o, u64 address, bool in_kernel)
{
    u64 at = bounded(s->out, 0x7fff);
    int length;

    if (at > RECORD_FULL)
        return ASKED_UNREADABLE;
    if (in_kernel)
        length = bpf_probe_read_kernel_str(&o->bytes[at], PATH_LIMIT, (void *)address);
    else
        length = bpf_probe_read_user_str(&o->bytes[at], PATH_LIMIT, (void *)address);
    if (length < 0 || length > PATH_LIMIT)
        return ASKED_UNREADABLE;
    length -= length > 0; /* the NUL, which older kernels do not count in an empty text */
    s->out = at + length;
    return length;
}

/* PATH_DELETED if the file has no name any more. */
static __always_inline u32 deleted(struct scratch *s)
{
    u64 hashed = 0, parent = 0, dentry = (u64)s->base.dentry;
    READ(hashed, dentry, struct dentry, d_hash.pprev);
    READ(parent, dentry, struct dentry, d_parent);
    return !hashed && parent != dentry ? PATH_DELETED : 0; /* roots are never hashed */
}

static __always_inline void write_caller(struct file_record *record)
{
    u64 task = current_task();
    u64 ids = bpf_get_current_pid_tgid(), users = bpf_get_current_uid_gid();
    u64 parent = TYPED_WORD(task, struct task_struct, real_parent);
    u64 leader = TYPED_WORD(task, struct task_struct, group_leader);
    u64 cred = TYPED_WORD(task, struct task_struct, cred);

    record->time_ns = bpf_ktime_get_boot_ns();
    record->process_start_ns = TYPED(leader, struct task_struct, start_boottime);
    record->tgid = ids >> 32;
    record->tid = ids;
    record->parent_tgid = TYPED(parent, struct task_struct, tgid);
    record->uid = users;
    record->gid = users >> 32;
    record->euid = TYPED(cred, struct cred, euid.val);
    record->egid = TYPED(cred, struct cred, egid.val);
#ifdef HAVE_AUDIT
    record->login_uid = TYPED(task, struct task_struct, loginuid.val);
    record->session = TYPED(task, struct task_struct, sessionid);
#else
    record->login_uid = ~0;
    record->session = ~0;
#endif
    record->cgroup = bpf_get_current_cgroup_id();
    record->image = image_of(task);
    bpf_get_current_comm(record->comm, COMM_BYTES);
}

static __always_inline void write_file(struct file_record *record, u64 file)
{
    u64 inode = 0, super = 0;

    if (!file)
        return;
    READ(inode, file, struct file, f_inode);
    READ(record->inode, inode, struct inode, i_ino);
    READ(record->mode, inode, struct inode, i_mode);
    READ(record->owner, inode, struct inode, i_uid);
    READ(record->owner_group, inode, struct inode, i_gid);
    READ(record->size, inode, struct inode, i_size);
    READ(super, inode, struct inode, i_sb);
    READ(record->device, super, struct super_block, s_dev);
}

/* The engine never reports on itself, nor on the loader that it starts; on a child that it had before, it does. */
static __always_inline bool is_our_child(struct engine_config *config)
{
    u64 task = current_task();
    u64 parent = TYPED_WORD(task, struct task_struct, real_parent);
    u64 leader = TYPED_WORD(task, struct task_struct, group_leader);
    return config->self == TYPED(parent, struct task_struct, tgid) && !config->watch_children &&
           TYPED(leader, struct task_struct, start_boottime) > config->since_ns;
}

#endif
