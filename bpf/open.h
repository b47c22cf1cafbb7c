/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open, seen where it returns: what the probes in probes/open.c share.
 *
 * A hook is the fast half: whose call is it, does any rule ask for such a call, is the path remembered as
 * one that no rule can match? Nearly every open ends there. What does not goes on in behind.h.
 *
 * One program a call suffices, for the caller's arguments are still in its saved registers. A successful
 * open has a file, and the file has the true path, whatever was asked. A failed one has no file: where there
 * is none (ENOENT) its path is the asked text, made absolute; any other error may have come from behind a
 * link, so the path stays unresolved and untested.
 */
#ifndef FILEAUDIT_OPEN_H
#define FILEAUDIT_OPEN_H

#include "behind.h"

#define OPEN_CREATE_FLAGS 01101 /* creat(2): O_CREAT | O_WRONLY | O_TRUNC */
#define OPEN_CREATE 0100 /* O_CREAT */
#define OPEN_TRUNCATE 01000 /* O_TRUNC */
#define OPEN_PATH 010000000 /* O_PATH */
#define OPEN_TMPFILE 020000000 /* __O_TMPFILE */
#define ACCESS_FLAGS (3ULL | OPEN_PATH)
#define RESOLVE_IN_ROOT 0x10 /* openat2: an absolute path begins at the directory, too */
#define RESOLVE_CACHED 0x20 /* openat2: fail rather than wait; 5.12+ */
#define FILE_CREATED 0x100000 /* FMODE_CREATED: this open has made the file; 4.19+ */

/* What the caller may do with the file. Emptying it (O_TRUNC) is writing, whatever else was asked for.
 * Without a branch: each would be a state of its own to the verifier, all the way down. */
static __always_inline u32 access_of(u32 flags)
{
    u32 access = flags & 3;
    u32 path = flags / OPEN_PATH & 1;
    u32 truncates = flags / OPEN_TRUNCATE & 1;
    access -= access & access >> 1; /* 3 asks for both rights (ioctl only): ACCESS_READ_WRITE */
    access |= (truncates & ~access & ~(access >> 1)) << 1;
    return access | path * ACCESS_PATH;
}

/* What the fast half reads of an open file. */
struct opened_file {
    u64 file; /* 0: another thread has closed the descriptor before the call returned */
    struct path path;
    u64 root; /* what its mount shows */
    u64 created;
    u64 number; /* tells files apart that have had one name after the other */
};

#ifdef TYPED_LOADS
static __always_inline void look_at_file(struct opened_file *opened)
{
    u64 file = rdonly_cast(opened->file, TYPE_FILE);

    opened->path.dentry = (struct dentry *)TYPED_WORD(file, struct file, f_path.dentry);
    opened->path.mnt = (struct vfsmount *)TYPED_WORD(file, struct file, f_path.mnt);
    opened->root = TYPED_WORD(opened->path.mnt, struct vfsmount, mnt_root);
    opened->created = TYPED(file, struct file, f_mode) & FILE_CREATED;
#ifdef TEST_FILE
    u64 inode = TYPED_WORD(file, struct file, f_inode);
    u64 super = TYPED_WORD(inode, struct inode, i_sb);
    opened->number = TYPED_WORD(inode, struct inode, i_ino) ^ (u64)TYPED(super, struct super_block, s_dev)
                                                                  << 32;
#endif
}
#else
static __always_inline void look_at_file(struct opened_file *opened)
{
    u32 mode = 0;

    READ(opened->path, opened->file, struct file, f_path);
    READ(mode, opened->file, struct file, f_mode);
    READ(opened->root, opened->path.mnt, struct vfsmount, mnt_root);
    opened->created = mode & FILE_CREATED;
#ifdef TEST_FILE
    u64 inode = 0, super = 0;
    u32 device = 0;
    READ(inode, opened->file, struct file, f_inode);
    READ(super, inode, struct inode, i_sb);
    READ(device, super, struct super_block, s_dev);
    READ(opened->number, inode, struct inode, i_ino);
    opened->number ^= (u64)device << 32;
#endif
}
#endif

/*
 * Begins a fingerprint with all that a decision depends on beside the path: the rules, the operation, which
 * mount it is and what it shows (the same text may be a name of the host's or not), and which file.
 */
static __always_inline u64 first_hash(struct scratch *s, struct engine_config *config, u32 selector,
                                      const struct opened_file *opened)
{
    u64 hash = first_fingerprint(config, selector);
    *(volatile u64 *)&s->first_hash = (u64)opened->path.mnt; /* out of map memory, an address is a number */
    hash = finish_level(hash, *(volatile u64 *)&s->first_hash, config->keys[2]);
    *(volatile u64 *)&s->first_hash = opened->root;
    hash = finish_level(hash, *(volatile u64 *)&s->first_hash, config->keys[0]);
#ifdef TEST_FILE
    hash = finish_level(hash, opened->number, config->keys[3]);
#endif
    return hash;
}

/* The fast half, at every hook. */
static __always_inline int emit_open(struct trace_event_raw_sys_exit *ctx, const struct asked *asked)
{
    u32 zero = 0;
    s64 result = ctx->ret;
    struct engine_config *config = engine_config.lookup(&zero);
    struct engine_counters *counters = engine_counters.lookup(&zero);
    struct opened_file opened = {};

    if (!config || !counters || !is_seen(config, counters, result))
        return 0;

    u32 operation = OPERATION_OPEN;
    if (result >= 0) {
        opened.file = file_of(result);
        if (opened.file)
            look_at_file(&opened);
        if (opened.created && asked->flags & (OPEN_CREATE | OPEN_TMPFILE))
            operation = OPERATION_CREATE;
    }
    u32 access = access_of(asked->flags);
    u32 selector = operation * 8 + access * 2 + (result < 0);
    struct clause_set *selected = selectors.lookup(&selector);
    struct scratch *s = scratch.lookup(&zero);
    if (!s || !selected)
        return 0;
    s->selected = *selected;
    if (result >= 0)
        add_transfers(&s->selected, access);
    if (config->epoch && !any_clause(&s->selected)) {
        counters->filtered++;
        return 0;
    }
    u64 hash = first_hash(s, config, selector, &opened);
    if (opened.file && config->epoch &&
        remembered(fingerprint(hash, config, (u64)opened.path.dentry, (u64)opened.path.mnt))) {
        counters->filtered++;
        return 0;
    }
    s->asked = *asked;
    s->asked.operation = operation;
    s->asked.access = access;
    s->selector = selector;
    s->result = result;
    s->missing = result == -ERROR_NO_ENTRY;
    s->first_hash = hash;
    s->remembers = 1;
    s->second = 0;
    s->base = opened.path;
    s->file = opened.file;
    set_candidates(s, 0);
    behind.call((void *)ctx, opened.file ? BEHIND_FILE : BEHIND_NAME);
    return lose(s);
}

#endif
