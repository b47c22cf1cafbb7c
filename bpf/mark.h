/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks on open files of which some rule wants to know what is read from them or written; see transfer.h. Without
 * such rules there is nothing here.
 */
#ifndef FILEAUDIT_MARK_H
#define FILEAUDIT_MARK_H

#include "process.h"

#ifdef TEST_TRANSFER
static __always_inline void add_selected(struct clause_set *result, u32 operation, u32 access)
{
    u32 selector = operation * 8 + access * 2;
    struct clause_set *done = selectors.lookup(&selector);
    selector++;
    struct clause_set *failed = selectors.lookup(&selector);
    for (u32 i = 0; i < CLAUSE_WORDS && done && failed; i++)
        result->words[i] |= done->words[i] | failed->words[i];
}

/* Adds the clauses about reading and writing a file that was opened so. */
static __always_inline void add_transfers(struct clause_set *result, u32 access)
{
    add_selected(result, OPERATION_READ, access);
    add_selected(result, OPERATION_WRITE, access);
}

/* Leaves a mark on a file that was opened, if some rule may want to know what is read from it or written. */
static __always_inline void mark_file(struct scratch *s)
{
    u32 access = s->asked.access, zero = 0;
    struct engine_config *config = engine_config.lookup(&zero);
    u64 wanted = 0;

    if (s->asked.operation > OPERATION_CREATE || !s->file || !config)
        return;
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        s->tried.words[i] = 0;
    add_transfers(&s->tried, access);
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        wanted |= s->tried.words[i] & s->candidates.words[i];
    if (config->epoch && !wanted)
        return;
    struct mark mark = {.dentry = (u64)s->base.dentry, .access = access};
    mark.use = bpf_ktime_get_ns() << 8 ^ bpf_get_smp_processor_id();
    READ(mark.inode, s->file, struct file, f_inode);
    marks.update(&s->file, &mark);
}

/* By what the sums of the current process go. */
static __always_inline struct use_key use_key_of(u64 use, u32 operation)
{
    return (struct use_key){.use = use,
                            .image = image_of(current_task()),
                            .tgid = bpf_get_current_pid_tgid() >> 32,
                            .uid = bpf_get_current_uid_gid(),
                            .operation = operation};
}

/* The record of a transfer found no room: the next one tells of both. */
static __always_inline void tell_again(struct scratch *s)
{
    if (s->asked.operation != OPERATION_READ && s->asked.operation != OPERATION_WRITE)
        return;
    struct use_key key = use_key_of(s->asked.details[2], s->asked.operation);
    struct use *known = uses.lookup(&key);
    if (known)
        known->told = 0;
}
#else
#define add_transfers(result, access)
#define mark_file(s)
#define tell_again(s)
#endif

#endif
