/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is read and written: summed here, by process and open file, and told now and then.
 *
 * An open whose path some rule about reading or writing may accept leaves a mark on its file. A read of any other
 * file costs one look-up. The first transfer of a process is told at once, as an event with its path; from then on
 * bytes and calls are only added up, and user space tells them: every few seconds, when the process ends, and when
 * it closes the descriptor, of which a short record tells.
 */
#ifndef FILEAUDIT_TRANSFER_H
#define FILEAUDIT_TRANSFER_H

#include "open.h"

#define PROT_WRITE 2
#define MAP_SHARED 1 /* set in MAP_SHARED_VALIDATE, too */
#define ERROR_INTERRUPTED 4 /* EINTR */

/* Whether the mark is that file's: the address may have been another's when it was made. */
static __always_inline bool is_marked(const struct mark *mark, u64 file)
{
    u64 dentry = 0, inode = 0;
    READ(dentry, file, struct file, f_path.dentry);
    READ(inode, file, struct file, f_inode);
    return mark->dentry == dentry && mark->inode == inode;
}

/* Whether some rule about the operation may be about this caller; else it is none of the sums. */
static __always_inline bool asked_for(struct scratch *s, struct engine_config *config, u32 operation,
                                      u32 access)
{
    u32 selector = operation * 8 + access * 2;
    struct clause_set *selected = selectors.lookup(&selector);
    if (!selected || !config->epoch)
        return true;
    s->tried = *selected;
    classify_caller(&s->tried);
    return any_clause(&s->tried);
}

/* Adds to what was done with the file; whether that is to be told at once, since nothing of it was, or other rules
 * want to know now. Else more will be told later. */
static __always_inline bool add_up(struct use_key *key, u64 bytes, u32 epoch, s64 *totals)
{
    struct use first = {.bytes = bytes, .calls = 1, .told = 1, .epoch = epoch};

    totals[0] = bytes;
    totals[1] = 1;
    struct use *known = uses.lookup(key);
    if (!known) {
        if (!uses.insert(key, &first))
            return true;
        known = uses.lookup(key); /* another thread was first */
        if (!known)
            return true;
    }
    __sync_fetch_and_add(&known->bytes, bytes);
    __sync_fetch_and_add(&known->calls, 1);
    if (known->told && known->epoch == epoch)
        return false;
    totals[0] = known->bytes;
    totals[1] = known->calls;
    known->told = totals[1];
    known->epoch = epoch;
    return true;
}

/* A read or write of `result` bytes through a descriptor; of none is none. */
static __always_inline int emit_transfer(struct trace_event_raw_sys_exit *ctx, u32 descriptor, u32 operation,
                                         u32 call, s64 result)
{
    u32 zero = 0;
    struct engine_config *config = engine_config.lookup(&zero);
    struct scratch *s = scratch.lookup(&zero);
    u64 file = file_of(descriptor);
    struct mark *mark = file ? marks.lookup(&file) : 0;

    if (!config || !s || !mark || !is_marked(mark, file))
        return 0;
    if (result == -ERROR_INTERRUPTED || result == -ERROR_AGAIN)
        return 0;
    if (!result && call != CALL_MMAP) /* the end of the file, or nothing asked for */
        return 0;
    struct asked asked = {.operation = operation, .access = mark->access, .call = call};
    if (result >= 0) {
        struct use_key key = use_key_of(mark->use, operation);
        struct slot_key slot = {.tgid = key.tgid, .descriptor = descriptor};
        if (!asked_for(s, config, operation, mark->access) ||
            !add_up(&key, result, config->epoch, asked.details))
            return 0;
        asked.details[2] = key.use;
        slots.update(&slot, &key.use);
    }
    return emit_opened(ctx, result, file, &asked);
}

/* Tells user space that a descriptor is closed, if something is still to be told of what went through it. */
static __always_inline int emit_closed(u32 descriptor)
{
    u32 tgid = bpf_get_current_pid_tgid() >> 32;
    struct slot_key slot = {.tgid = tgid, .descriptor = descriptor};
    u64 *use = slots.lookup(&slot);
    if (!use)
        return 0;
    struct used_record record = {
        .kind = RECORD_USED, .tgid = tgid, .use = *use, .time_ns = bpf_ktime_get_boot_ns()};
    struct use_key key = use_key_of(record.use, OPERATION_READ);
    struct use *read = uses.lookup(&key);
    key.operation = OPERATION_WRITE;
    struct use *written = uses.lookup(&key);
    bool more = (read && read->calls != read->told) || (written && written->calls != written->told);

    slots.delete(&slot);
    if (more)
        events.ringbuf_output(&record, sizeof(record), 0); /* without room, the timer tells it */
    return 0;
}

#endif
