/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open, seen where it returns: what the probes in probes/open.c share.
 *
 * A hook is the fast half: whose call is it, does any rule ask for such a call, is the path remembered as
 * one that no rule can match? Nearly every open ends there. The slow half puts the path together and tests
 * it; it is a program of its own behind all hooks, so that it is compiled and proven only once.
 *
 * One program a call suffices, for the caller's arguments are still in its saved registers. A successful
 * open has a file, and the file has the true path, whatever was asked. A failed one has no file: with
 * EACCES or EPERM it may have been denied behind a link, so its path stays unresolved and untested; with
 * any other error its path is the asked text, made absolute.
 */
#ifndef FILEAUDIT_OPEN_H
#define FILEAUDIT_OPEN_H

#include "classify.h"
#include "process.h"
#include "room.h"

#define ERROR_PERMISSION 1 /* EPERM */
#define ERROR_ACCESS 13 /* EACCES */
#define FIRST_RESTART 512 /* ERESTARTSYS and its kin: the kernel runs the call again, or says EINTR */
#define LAST_RESTART 516
#define CURRENT_DIRECTORY (-100) /* AT_FDCWD */
#define OPEN_CREATE_FLAGS 01101 /* creat(2): O_CREAT | O_WRONLY | O_TRUNC */
#define OPEN_TRUNCATE 01000 /* O_TRUNC */
#define OPEN_PATH 010000000 /* O_PATH */
#define ACCESS_FLAGS (3ULL | OPEN_PATH)
#define RESOLVE_IN_ROOT 0x10 /* openat2: an absolute path begins at the directory, too */

#if defined(__x86_64__)
#define ARGUMENT_0 di
#define ARGUMENT_1 si
#define ARGUMENT_2 dx
#define ARGUMENT(n) TYPED(registers, struct pt_regs, ARGUMENT_##n)
#elif defined(__aarch64__)
/* x0 holds the result by now; the first argument was kept beside it. */
#define ARGUMENT_0 orig_x0
#define ARGUMENT_1 regs[1]
#define ARGUMENT_2 regs[2]
#define ARGUMENT(n) TYPED(registers, struct pt_regs, ARGUMENT_##n)
#else
#error "system call arguments of this architecture are not known"
#endif

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

/* The file behind a descriptor of the current process, 0 if there is none. */
static __always_inline u64 file_of(u32 descriptor)
{
    u64 files = TYPED_WORD(current_task(), struct task_struct, files);
    u64 table = TYPED_WORD(files, struct files_struct, fdt);
    u64 slots = TYPED_WORD(table, struct fdtable, fd);
    u64 file = 0;

    if (descriptor >= TYPED(table, struct fdtable, max_fds))
        return 0;
    bpf_probe_read_kernel(&file, sizeof(file), (void *)(slots + descriptor * 8ULL));
    return file;
}

/* Where a failed open began: the directory of a relative path, or the caller's root. */
static __always_inline bool base_of(const struct asked *asked, bool absolute, struct path *base)
{
    bool from_descriptor = asked->directory != CURRENT_DIRECTORY && (!absolute || asked->in_root);
    if (from_descriptor) {
        u64 file = file_of(asked->directory);
        return file && !READ(*base, file, struct file, f_path);
    }
    u64 fs = TYPED_WORD(current_task(), struct task_struct, fs);
    return absolute && !asked->in_root ? !READ(*base, fs, struct fs_struct, root)
                                       : !READ(*base, fs, struct fs_struct, pwd);
}

/*
 * Puts the asked text behind TEXT_MIDDLE, with the slash that joins it to its base. Returns its length
 * without that slash, or a negative number if it cannot be read.
 */
static __always_inline int read_asked(struct scratch *s, u64 address, bool *absolute)
{
    u8 first = 0;
    int length;

    if (bpf_probe_read_user(&first, 1, (void *)address))
        return -1;
    *absolute = first == '/';
    s->text[TEXT_MIDDLE] = '/';
    /* two calls: a variable offset would have to be proven */
    if (*absolute)
        length = bpf_probe_read_user_str(&s->text[TEXT_MIDDLE], PATH_LIMIT, (void *)address);
    else
        length = bpf_probe_read_user_str(&s->text[TEXT_MIDDLE + 1], PATH_LIMIT, (void *)address);
    return length - 1;
}

/* Reads the asked text of a failed open, and into s->base where it begins; zeros follow the text. */
static __always_inline bool begin_text(struct scratch *s)
{
    bool absolute = false;
    int length = read_asked(s, s->asked.path, &absolute);
    if (length < 0 || length > PATH_LIMIT)
        return false;
    s->end = TEXT_MIDDLE + length + (absolute ? 0 : 1);
    end_text(s);
    return base_of(&s->asked, absolute, &s->base);
}

static __always_inline bool denied(s32 result)
{
    return result == -ERROR_ACCESS || result == -ERROR_PERMISSION;
}

/* Another thread has closed the descriptor before the call returned: the asked text is all there is. */
static __always_inline bool stolen(struct scratch *s)
{
    return s->result >= 0 && !s->file;
}

static __always_inline bool remembered(u64 hash)
{
    u32 slot = hash & (DECISIONS - 1);
    u64 *decision = decisions.lookup(&slot);
    return decision && hash && *decision == hash;
}

static __always_inline void remember(u64 hash)
{
    u32 slot = hash & (DECISIONS - 1);
    u64 *decision = decisions.lookup(&slot);
    if (decision && hash)
        *decision = hash;
}

/*
 * Puts the path together in text[start, end): that of the open file in s->base, or base and asked text of
 * a failed open that begins there. Returns its state.
 */
static __always_inline u32 open_path(struct scratch *s, struct engine_config *config)
{
    s->found = walk(s, config, s->failed, s->first_hash);
    if (!s->failed && s->start == TEXT_MIDDLE && s->hash) { /* the root itself */
        s->text[TEXT_MIDDLE] = '/';
        s->end = TEXT_MIDDLE + 1;
    }
    if (s->failed)
        s->hash = mix_text(s, config, s->hash);
    s->read = 0;
    if (s->failed || s->found & WALK_HIGH)
        s->read = scan_text(s, s->start);
#ifdef TEST_COMPONENT
    if (s->failed)
        add_text(s);
#endif
    u32 state = s->found & 0xff;
    if (s->end - TEXT_MIDDLE >= PATH_LIMIT)
        state |= PATH_TRUNCATED;
    if (denied(s->result) || stolen(s) || (s->failed && s->read & TEXT_DOTS))
        state |= PATH_UNRESOLVED;
    s->tested = !(state & (PATH_UNRESOLVED | PATH_TRUNCATED)) && !(s->read & TEXT_FOLDS);
    return state | reachable(s, config);
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

    record->mode = 0;
    record->device = 0;
    record->inode = 0;
    record->owner = 0;
    record->owner_group = 0;
    record->size = 0;
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

/* Copies the path and what the caller passed behind the record's head; returns the record's size. */
static __always_inline u32 append_paths(struct scratch *s, struct file_record *record)
{
    u64 start = s->start, length = s->end - start;
    u32 at = sizeof(struct file_record);

    record->path_bytes = 0;
    record->asked_bytes = ASKED_UNREADABLE;
    record->second_bytes = 0;
    record->second_asked_bytes = 0;
    record->extra_bytes = 0;
    record->alias_bytes = 0;
    record->second_state = 0;
    record->hints = 0;
    record->unused = 0;
    if (start >= TEXT_FRONT && start <= TEXT_MIDDLE && length <= 2 * PATH_LIMIT - 1) {
        length = bounded(length, 0x1fff);
        bpf_probe_read_kernel(&s->record[at], length, &s->text[bounded(start, 0x1fff)]);
        record->path_bytes = length;
        at += length;
    }
    int asked_bytes =
        bpf_probe_read_user_str(&s->record[bounded(at, 0x3fff)], PATH_LIMIT, (void *)s->asked.path);
    if (asked_bytes > 0 && asked_bytes <= PATH_LIMIT) {
        record->asked_bytes = asked_bytes - 1;
        at += asked_bytes - 1;
    }
    return at;
}

/* Finds where the path of a failed open begins, and whether it is remembered. */
static __always_inline bool begin_failed(struct scratch *s, struct engine_config *config)
{
    if (!begin_text(s))
        return false;
    u64 hash = fingerprint(s->first_hash, config, (u64)s->base.dentry, (u64)s->base.mnt);
    s->known = config->epoch && !denied(s->result) && !stolen(s) && remembered(mix_text(s, config, hash));
    return true;
}

static __always_inline void write_record(struct scratch *s, struct file_record *record)
{
    record->kind = RECORD_FILE;
    record->operation = OPERATION_OPEN;
    record->access = access_of(s->asked.flags);
    record->call = s->asked.call;
    record->result = s->result;
    record->flags = s->asked.flags;
    if (s->file)
        record->state |= deleted(s);
    write_caller(record);
    write_file(record, s->file);
}

/* The engine never reports on itself, nor on the loader that it starts. */
static __always_inline bool is_our_child(struct engine_config *config)
{
    u64 parent = TYPED_WORD(current_task(), struct task_struct, real_parent);
    return config->self == TYPED(parent, struct task_struct, tgid) && !config->watch_children;
}

/* The slow half: put the path together, test it, and send what may match. */
static __always_inline int classify_open(void)
{
    u32 zero = 0;
    struct scratch *s = scratch.lookup(&zero);
    struct engine_config *config = engine_config.lookup(&zero);
    struct engine_counters *counters = engine_counters.lookup(&zero);
    if (!s || !config || !counters)
        return 0;
    struct clause_set *selected = selectors.lookup(&s->selector);
    if (!selected)
        return 0;
    struct file_record *record = (struct file_record *)s->record;

    for (u32 i = 0; i < CLAUSE_WORDS; i++) {
        s->components.words[i] = 0;
        record->candidates.words[i] = selected->words[i];
    }
    record->epoch = config->epoch;
    record->state = PATH_UNRESOLVED;
    s->start = TEXT_MIDDLE;
    s->end = TEXT_MIDDLE;
    s->hash = 0;
    s->known = false;
    s->tested = false;
    s->failed = s->result < 0 || stolen(s);
    bool begun = !s->failed || begin_failed(s, config);
    if (begun && !s->known)
        record->state = open_path(s, config);
    if (record->epoch && s->tested)
        classify_path(s, &record->candidates);
    if (record->epoch && !any_clause(&record->candidates)) {
        remember(s->hash);
        s->known = true;
    }
    if (s->known || is_our_child(config)) {
        counters->filtered++;
        return 0;
    }
    write_record(s, record);
    submit(s, append_paths(s, record), counters, OPERATION_OPEN);
    return 0;
}

/* The file that a successful call has opened, and where it is. */
static __always_inline u64 opened(s32 descriptor, struct path *path)
{
    u64 file = file_of(descriptor);
#ifdef TYPED_LOADS
    u64 typed = rdonly_cast(file, TYPE_FILE);
    path->dentry = (struct dentry *)TYPED_WORD(typed, struct file, f_path.dentry);
    path->mnt = (struct vfsmount *)TYPED_WORD(typed, struct file, f_path.mnt);
#else
    READ(*path, file, struct file, f_path);
#endif
    return file;
}

/* The fast half, at every hook. */
static __always_inline int emit_open(struct trace_event_raw_sys_exit *ctx, const struct asked *asked)
{
    s32 result = ctx->ret;
    u32 zero = 0;
    struct engine_config *config = engine_config.lookup(&zero);
    struct engine_counters *counters = engine_counters.lookup(&zero);

    if (!config || !counters || config->self == bpf_get_current_pid_tgid() >> 32)
        return 0;
    if (result <= -FIRST_RESTART && result >= -LAST_RESTART)
        return 0;
    counters->seen++;

    u32 selector = OPERATION_OPEN * 8 + access_of(asked->flags) * 2 + ((u32)result >> 31);
    struct clause_set *selected = selectors.lookup(&selector);
    if (selected && config->epoch && !any_clause(selected)) {
        counters->filtered++;
        return 0;
    }
    struct path path = {};
    u64 file = 0, hash = first_fingerprint(config, selector);
    if (result >= 0) {
        file = opened(result, &path);
        if (file && remembered(fingerprint(hash, config, (u64)path.dentry, (u64)path.mnt)) && config->epoch) {
            counters->filtered++;
            return 0;
        }
    }
    struct scratch *s = scratch.lookup(&zero);
    if (s) {
        s->asked = *asked;
        s->base = path;
        s->file = file;
        s->first_hash = hash;
        s->selector = selector;
        s->result = result;
        behind_open.call((void *)ctx, 0);
    }
    counters->lost[OPERATION_OPEN]++; /* reached only where the call could not be made */
    return 0;
}

#endif
