/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slow half of every hook: programs that are called one after the other, each compiled and proven once.
 *
 *     hook ──> on_file ───────────┐           the path of an open file
 *         └──> on_name ─┬─────────┼─> on_alias ─> on_deliver
 *                 ↑     │ second  │   another name of it, where the path ends in a mount that is
 *                 └─────┘ path    │   not the one by which the host knows the file system
 *                                 └─────────────> on_deliver
 *
 * Each adds to `candidates` the clauses that its name may satisfy; what has none at the end is dropped, and
 * where the path alone decided so, that is remembered. State between them is in `scratch`.
 */
#ifndef FILEAUDIT_BEHIND_H
#define FILEAUDIT_BEHIND_H

#include "call.h"
#include "mark.h"
#include "record.h"
#include "room.h"

/* How much of a path is certain: whether its bits may be taken from its clauses. */
enum certainty {
    CERTAIN_NOTHING,
    CERTAIN_LEAF,
    CERTAIN_WHOLE,
};

static __always_inline bool remembered(u64 hash)
{
#ifdef FORGETFUL /* for tests: what decides without memory is what memory is compared with */
    return false;
#endif
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

/* Adds the clauses that text[start, end) may satisfy. */
static __always_inline void add_candidates(struct scratch *s)
{
    s->tried = s->selected;
    if (s->certain == CERTAIN_WHOLE)
        classify_path(s, &s->tried);
    else if (s->certain == CERTAIN_LEAF)
        classify_name(s, s->leaf, &s->tried);
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        s->candidates.words[i] |= s->tried.words[i];
}

static __always_inline void set_components(struct scratch *s, u64 word)
{
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        s->components.words[i] = word;
}

static __always_inline void append_path(struct scratch *s, struct outgoing *o)
{
    record_of(o)->path_bytes = append_text(s, o, s->start, s->end - s->start);
}

/* --- the path of an open file ---------------------------------------------------------------------------- */

static __always_inline u32 path_of_file(struct scratch *s, struct engine_config *config)
{
    s->end = TEXT_MIDDLE;
    s->found = walk(s, config, false, s->first_hash);
    if (s->start == TEXT_MIDDLE && s->hash) { /* the root itself */
        s->text[TEXT_MIDDLE] = '/';
        s->end = TEXT_MIDDLE + 1;
    }
    s->read = 0;
    if (s->found & WALK_HIGH)
        s->read = scan_text(s, s->start);
    bool whole = !(s->found & PATH_TRUNCATED) && !(s->read & TEXT_FOLDS);
    s->certain = whole ? CERTAIN_WHOLE : CERTAIN_NOTHING;
    return s->found & 0xff;
}

/* Adds the clauses that know the file itself, whatever its name. */
static __always_inline void add_known_file(struct scratch *s)
{
#ifdef TEST_FILE
    u64 inode = 0, number = 0, more = 0;

    READ(inode, s->file, struct file, f_inode);
    READ(number, inode, struct inode, i_ino);
    s->tried = s->candidates;
    add_inode(number, s->device, &s->selected, &s->candidates);
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        more |= s->tried.words[i] ^ s->candidates.words[i];
    if (more)
        s->asked.hints |= HINT_ALIAS;
#endif
}

static __always_inline int resolve_file(void *ctx)
{
    u32 zero = 0;
    struct scratch *s = scratch.lookup(&zero);
    struct outgoing *o = outgoing.lookup(&zero);
    struct engine_config *config = engine_config.lookup(&zero);
    if (!s || !o || !config)
        return 0;

    begin_record(s, o);
    set_components(s, 0);
    look_at_base(s);
    u32 state = path_of_file(s, config);
    record_of(o)->state = state | reachable(s, config) | deleted(s);
    add_candidates(s);
    add_known_file(s);
    append_path(s, o);
    if (s->asked.path)
        record_of(o)->asked_bytes = append_foreign(s, o, s->asked.path, s->asked.in_kernel);
    behind.call(ctx, s->aliased ? BEHIND_ALIAS : BEHIND_DELIVER);
    return lose(s);
}

/* --- a name that the caller passed ----------------------------------------------------------------------- */

/* Puts base and text together in text[start, end), and says what is certain of it. Returns its state. */
static __always_inline u32 path_of_name(struct scratch *s, struct engine_config *config, bool on_name)
{
    s->found = walk(s, config, s->end > TEXT_MIDDLE, s->first_hash);
    s->hash = mix_text(s, config, s->hash);
    s->read = scan_text(s, s->start);
#ifdef TEST_COMPONENT
    add_text(s);
#endif
    find_leaf(s);

    bool cut = s->found & PATH_TRUNCATED || s->end - TEXT_MIDDLE >= PATH_LIMIT;
    bool dots = s->read & TEXT_DOTS, folds = s->read & TEXT_FOLDS;
    bool one = on_name && s->leaf == TEXT_MIDDLE && s->result >= 0;
    bool resolved = s->end == TEXT_MIDDLE || (!dots && (s->missing || one));
    if (resolved && !cut && !folds)
        s->certain = CERTAIN_WHOLE;
    else if (on_name && s->leaf && !folds)
        s->certain = CERTAIN_LEAF;
    return (s->found & 0xff) | (cut ? PATH_TRUNCATED : 0) | (resolved ? 0 : PATH_UNRESOLVED) |
           reachable(s, config) | deleted(s);
}

/* Of a failed open, which mount it begins in is a part of what is remembered, as of a successful one. */
static __always_inline void mix_base(struct scratch *s, struct engine_config *config)
{
    u64 root = 0;
    READ(root, s->base.mnt, struct vfsmount, mnt_root);
    s->first_hash = finish_level(s->first_hash, (u64)s->base.mnt, config->keys[2]);
    s->first_hash = finish_level(s->first_hash, root, config->keys[0]);
}

/* Whether the path of a failed open is remembered as one that no rule can match. */
static __always_inline bool known_name(struct scratch *s, struct engine_config *config)
{
    if (!s->remembers || !s->missing || !config->epoch)
        return false;
    u64 hash = fingerprint(s->first_hash, config, (u64)s->base.dentry, (u64)s->base.mnt);
    return remembered(mix_text(s, config, hash));
}

/* A call by way of /proc/self/fd: the file behind it is looked at now, for it may be closed when user space
 * follows. Only below the host's root, where that is what the text means. */
static __always_inline void look_behind_descriptor(struct scratch *s)
{
    u64 file = named_file(s);

    if (!file || READ(s->base, file, struct file, f_path))
        return;
    look_at_base(s);
    s->aliased = 1;
    s->end = TEXT_MIDDLE;
    s->asked.hints |= HINT_DESCRIPTOR;
}

/* Whether s->base is the root of its mount namespace: the first mount's, or that of one on top of it. */
static __always_inline bool is_host_root(struct scratch *s)
{
    u64 mount = mount_of((u64)s->base.mnt);
    struct mount_head here = {}, above = {};

    look_at_mount_head(here, mount);
    look_at_mount_head(above, here.parent);
    return here.root == (u64)s->base.dentry &&
           (here.parent == mount || (here.mountpoint == above.root && above.parent == here.parent));
}

/* The same of the second path, which has no other name beside it: it becomes that of the file. */
static __always_inline void begin_at_descriptor(struct scratch *s, struct engine_config *config)
{
    u64 file = named_file(s);

    if (file && is_host_root(s) && !reachable(s, config) && !READ(s->base, file, struct file, f_path))
        s->end = TEXT_MIDDLE;
}

static __always_inline int resolve_name(void *ctx)
{
    u32 zero = 0;
    struct scratch *s = scratch.lookup(&zero);
    struct outgoing *o = outgoing.lookup(&zero);
    struct engine_config *config = engine_config.lookup(&zero);
    struct engine_counters *counters = engine_counters.lookup(&zero);
    if (!s || !o || !config || !counters)
        return 0;
    struct file_record *record = record_of(o);
    bool second = s->second;
    bool on_name = s->asked.hints & (second ? HINT_SECOND_NAME : HINT_NAME);
    u32 state = PATH_UNRESOLVED;

    if (!second)
        begin_record(s, o);
    set_components(s, 0);
    s->start = TEXT_MIDDLE;
    s->hash = 0;
    s->aliased = 0;
    s->certain = CERTAIN_NOTHING;
    u64 address = second ? s->asked.second_path : s->asked.path;
    if (begin_text(s, address, second ? s->asked.second_directory : s->asked.directory)) {
        if (!second)
            mix_base(s, config);
        if (known_name(s, config)) {
            counters->filtered++;
            return 0;
        }
        if (second && !on_name)
            begin_at_descriptor(s, config);
        look_at_base(s);
        state = path_of_name(s, config, on_name);
    }
    add_candidates(s);
    u32 path_bytes = append_text(s, o, s->start, s->end - s->start);
    u32 asked_bytes = s->asked_bytes;
    if (asked_bytes != ASKED_UNREADABLE && s->end == TEXT_MIDDLE) /* there is nothing of it in the path */
        asked_bytes = append_foreign(s, o, address, false);
    else if (asked_bytes != ASKED_UNREADABLE)
        asked_bytes = append_text(s, o, s->asked_at, asked_bytes);
    if (second) {
        record->second_state = state;
        record->second_bytes = path_bytes;
        record->second_asked_bytes = asked_bytes == ASKED_UNREADABLE ? 0 : asked_bytes;
        if (s->aliased) { /* user space knows the other name; here it could be any */
            for (u32 i = 0; i < CLAUSE_WORDS; i++)
                s->candidates.words[i] |= s->selected.words[i];
            s->asked.hints |= HINT_ALIAS;
        }
        behind.call(ctx, BEHIND_DELIVER);
    } else {
        record->state = state;
        record->path_bytes = path_bytes;
        record->asked_bytes = asked_bytes;
        s->second = s->asked.two_paths;
        if (!on_name && state == PATH_UNRESOLVED && s->start == TEXT_MIDDLE)
            look_behind_descriptor(s);
        behind.call(ctx, s->aliased ? BEHIND_ALIAS : s->second ? BEHIND_NAME : BEHIND_DELIVER);
    }
    return lose(s);
}

/* --- another name ---------------------------------------------------------------------------------------- */

static __always_inline int resolve_alias(void *ctx)
{
    u32 zero = 0;
    struct scratch *s = scratch.lookup(&zero);
    struct outgoing *o = outgoing.lookup(&zero);
    struct engine_config *config = engine_config.lookup(&zero);
    if (!s || !o || !config)
        return 0;

    if (walk_file_system(s, config)) {
        set_components(s, ~0ULL); /* those of the mount point were not looked up */
        if (s->certain == CERTAIN_WHOLE && scan_text(s, s->start) & TEXT_FOLDS)
            s->certain = CERTAIN_NOTHING;
        add_candidates(s);
        record_of(o)->alias_bytes = append_text(s, o, s->start, s->end - s->start);
        s->asked.hints |= HINT_ALIAS;
    }
    behind.call(ctx, s->second ? BEHIND_NAME : BEHIND_DELIVER);
    return lose(s);
}

/* --- the end --------------------------------------------------------------------------------------------- */

/* Takes from `candidates` those that ask for another operation or another caller; whether any is left. */
static __always_inline bool wanted(struct scratch *s, struct file_record *record)
{
    struct clause_set *selected = selectors.lookup(&s->selector);
    if (!selected)
        return true;
    s->tried = *selected;
    classify_caller(&s->tried);
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        record->candidates.words[i] = s->candidates.words[i] & s->tried.words[i];
    return any_clause(&record->candidates);
}

/* The text that only some operations have: one, or two with a NUL between them. */
static __always_inline void append_extra(struct scratch *s, struct outgoing *o)
{
    u64 begin = s->out;

    if (s->asked.extra)
        append_foreign(s, o, s->asked.extra, s->asked.extra_in_kernel);
    if (s->asked.type) {
        o->bytes[bounded(s->out, 0x7fff)] = 0;
        s->out++;
        append_foreign(s, o, s->asked.type, s->asked.extra_in_kernel);
    }
    record_of(o)->extra_bytes = s->out - begin;
}

static __always_inline void write_call(struct scratch *s, struct file_record *record)
{
    record->kind = RECORD_FILE;
    record->operation = s->asked.operation;
    record->call = s->asked.call;
    record->access = s->asked.access;
    record->hints = s->asked.hints;
    record->flags = s->asked.flags;
    record->result = s->result;
    record->details[0] = s->asked.details[0];
    record->details[1] = s->asked.details[1];
    record->details[2] = s->asked.details[2];
}

static __always_inline int deliver(void)
{
    u32 zero = 0;
    struct scratch *s = scratch.lookup(&zero);
    struct outgoing *o = outgoing.lookup(&zero);
    struct engine_config *config = engine_config.lookup(&zero);
    struct engine_counters *counters = engine_counters.lookup(&zero);
    if (!s || !o || !config || !counters)
        return 0;
    struct file_record *record = record_of(o);

    record->epoch = config->epoch;
    bool none = record->epoch && !any_clause(&s->candidates);
    if (none && s->remembers)
        remember(s->hash);
    mark_file(s);
    if ((!wanted(s, record) && record->epoch) || is_our_child(config)) {
        counters->filtered++;
        return 0;
    }
    append_extra(s, o);
    write_call(s, record);
    write_caller(record);
    write_file(record, s->file);
    if (!submit(o, s->out, counters))
        tell_again(s);
    return 0;
}

#endif
