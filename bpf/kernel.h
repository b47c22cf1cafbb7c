/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading kernel memory.
 *
 * The lowest kernel is 5.15, with its types (BTF): older ones have no bpf_task_pt_regs.
 *
 * Two ways. What begins at `current_task()` is known to the verifier as a pointer to a kernel type, and may
 * be read with plain loads (`TYPED`) that a fault turns into zero. Any other address costs a call of
 * bpf_probe_read_kernel, about 20 ns, unless the kernel has bpf_rdonly_cast (6.2+), which gives a plain
 * number a type again; with it a level of a dentry walk costs a few loads. BCC cannot express a call of a
 * kernel function, so the loader replaces calls of helper number RDONLY_CAST before loading. Nor does it
 * know a call for how full a ring is: the loader puts the ring's descriptor in the place of EVENTS_RING.
 */
#ifndef FILEAUDIT_KERNEL_H
#define FILEAUDIT_KERNEL_H

#define RDONLY_CAST 0x7f000001
#define EVENTS_RING 0x7f000002

static u64 (*current_task)(void) = (void *)158; /* bpf_get_current_task_btf, 5.11+ */
static u64 (*task_registers)(u64 task) = (void *)175; /* bpf_task_pt_regs, 5.15+ */
static u64 (*ring_query)(u64 ring, u64 what) = (void *)134; /* bpf_ringbuf_query, 5.8+ */
static u64 (*rdonly_cast)(u64 address, u32 type) = (void *)RDONLY_CAST;

#define member_type(type, member) __typeof__(((type *)0)->member)
#define member_at(address, type, member) ((u64)(address) + __builtin_offsetof(type, member))

/* A member of a structure that the verifier knows the type of. */
#define TYPED(address, type, member) (*(member_type(type, member) *)member_at(address, type, member))
#define TYPED_WORD(address, type, member) (*(u64 *)member_at(address, type, member))

/* A member of any structure, by a helper call. */
#define READ(value, address, type, member) \
    bpf_probe_read_kernel(&(value), sizeof(value), (void *)member_at(address, type, member))

/* The value, which fits in `mask` as we know; says so in a way that neither compiler nor verifier misses. */
static __always_inline u64 bounded(u64 value, u64 mask)
{
    asm volatile("" : "+r"(value));
    value &= mask;
    asm volatile("" : "+r"(value));
    return value;
}

/* Eight bytes at any address in one load or store; clang would split it, for it sees no alignment. */
static __always_inline u64 word_at(const u8 *address)
{
    asm volatile("" : "+r"(address));
    return *(const u64 *)address;
}

static __always_inline void set_word(u8 *address, u64 value)
{
    asm volatile("" : "+r"(address));
    *(u64 *)address = value;
}

#define UNROLL _Pragma("clang loop unroll(full)")
#define NO_UNROLL _Pragma("clang loop unroll(disable)")

/* A call's arguments, from the registers that were saved when it began: `registers` is in scope. */
#if defined(__x86_64__)
#define ARGUMENT_0 di
#define ARGUMENT_1 si
#define ARGUMENT_2 dx
#define ARGUMENT_3 r10
#define ARGUMENT_4 r8
#define ARGUMENT_5 r9
#elif defined(__aarch64__)
/* x0 holds the result by now; the first argument was kept beside it. */
#define ARGUMENT_0 orig_x0
#define ARGUMENT_1 regs[1]
#define ARGUMENT_2 regs[2]
#define ARGUMENT_3 regs[3]
#define ARGUMENT_4 regs[4]
#define ARGUMENT_5 regs[5]
#else
#error "system call arguments of this architecture are not known"
#endif
#define ARGUMENT(n) TYPED(registers, struct pt_regs, ARGUMENT_##n)

/* The dentry's short name stands right behind d_inode (`d_iname`, from 6.16 on `d_shortname`). */
_Static_assert(__builtin_offsetof(struct dentry, d_name) == __builtin_offsetof(struct dentry, d_parent) + 8,
               "");
_Static_assert(__builtin_offsetof(struct dentry, d_inode) == __builtin_offsetof(struct dentry, d_parent) + 24,
               "");
_Static_assert(__builtin_offsetof(struct dentry, DENTRY_SHORT_NAME) ==
                   __builtin_offsetof(struct dentry, d_inode) + 8,
               "");
_Static_assert(__builtin_offsetof(struct mount, mnt_mountpoint) ==
                   __builtin_offsetof(struct mount, mnt_parent) + 8,
               "");
_Static_assert(__builtin_offsetof(struct mount, mnt.mnt_root) ==
                   __builtin_offsetof(struct mount, mnt_parent) + 16,
               "");

#endif
