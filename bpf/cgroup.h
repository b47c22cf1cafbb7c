/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of a task's cgroups: container runtimes put a container's id into one of them.
 *
 * On a host with the unified hierarchy (v2) alone, that is the whole story. Others have a hierarchy for each
 * controller (v1), and a runtime may have made a cgroup there only: then the names of one of those follow.
 *
 * Whoever may make cgroups below that of his container can nest them as deep as he likes, and call them as he
 * likes. So it is the topmost levels that are told, where only root's programs make any.
 */
#ifndef FILEAUDIT_CGROUP_H
#define FILEAUDIT_CGROUP_H

#include "kernel.h"
#include "maps.h"

#define CGROUP_LEVELS 8 /* that are told; runtimes use up to 6 */
#define CGROUP_DEPTH 128 /* verifier bound; of a deeper cgroup nothing is told */
#define CGROUP_NAME_BYTES 160 /* runtimes use up to 145; of a longer name, the beginning is told */
#define CGROUP_BYTES (2 * CGROUP_LEVELS * CGROUP_NAME_BYTES) /* nothing else may take of this room */

#ifdef HAVE_CGROUPS
static __always_inline u64 unified_cgroup(u64 task)
{
    u64 set = 0, cgroup = 0;
    READ(set, task, struct task_struct, cgroups);
    READ(cgroup, set, struct css_set, dfl_cgrp);
    return cgroup;
}

static __always_inline u32 depth_of(u64 cgroup)
{
    u32 level = 0;
    READ(level, cgroup, struct cgroup, level);
    return level;
}

static __always_inline u64 cgroup_id(u64 task)
{
    u64 node = 0, id = 0;
    READ(node, unified_cgroup(task), struct cgroup, kn);
    READ(id, node, struct kernfs_node, id);
    return id;
}

/* A cgroup of the task in a controller's own hierarchy, the root's if it is in no other. The last controllers
 * come first: `pids` and `devices` are made for every container, `cpuset` often has a tree of its own. */
static __always_inline u64 controller_cgroup(u64 task)
{
    u64 set = 0, state = 0, found = 0, cgroup = 0, unified = unified_cgroup(task);
    READ(set, task, struct task_struct, cgroups);
    UNROLL for (int i = CGROUP_SUBSYS_COUNT - 1; i >= 0; i--)
    {
        READ(state, set, struct css_set, subsys[i]);
        READ(cgroup, state, struct cgroup_subsys_state, cgroup);
        if (cgroup != unified && !found && depth_of(cgroup))
            found = cgroup;
    }
    return found;
}

/* Appends the name of a node with a slash at s->at. */
static __always_inline bool append_name(struct scratch *s, u64 node)
{
    u64 at = s->at, name = 0;
    if (at > sizeof(s->record) - CGROUP_NAME_BYTES)
        return false;
    READ(name, node, struct kernfs_node, name);
    at = bounded(at, 0x3fff);
    long length = bpf_probe_read_kernel_str(&s->record[at], CGROUP_NAME_BYTES, (void *)name);
    u64 last = bounded(at + length - 1, 0x3fff); /* the name ends with a NUL there */
    if (length < 1 || last >= sizeof(s->record))
        return false;
    s->record[last] = '/';
    s->at = last + 1;
    return true;
}

/* Appends the names of a cgroup and of those above it, the leaf's first, without the root's. */
static __always_inline void append_names(struct scratch *s, u64 cgroup)
{
    READ(s->dentry_here, cgroup, struct cgroup, kn);
    s->position = depth_of(cgroup);
    NO_UNROLL for (u32 i = 0; i < CGROUP_DEPTH; i++)
    {
        u64 node = s->dentry_here;
        if (!s->position || (s->position <= CGROUP_LEVELS && !append_name(s, node)))
            return;
        READ(s->dentry_here, node, struct kernfs_node, KERNFS_PARENT);
        s->position--;
    }
}

/* Appends the names of the task's cgroups at `at`; returns how many bytes they have. */
static __always_inline u32 append_cgroups(struct scratch *s, u64 task, u32 at)
{
    u64 unified = unified_cgroup(task), other = controller_cgroup(task);
    s->at = at;
    append_names(s, unified);
    if (other)
        append_names(s, other);
    return s->at - at;
}
#else
#define cgroup_id(task) 0
#define append_cgroups(s, task, at) 0
#endif

#endif
