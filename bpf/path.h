/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a dentry and its mount to the absolute path, and to the fingerprint that stands for it.
 *
 * Both walk from the leaf to the root, crossing mounts, over the same bytes: the walk copies names into
 * scratch memory, the fingerprint only mixes them with secret keys. 'No rule can match' may be remembered under
 * the fingerprint: after a rename of any ancestor, a mount, or the reuse of a dentry the text is another one,
 * and so is the fingerprint. What a decision depends on beside the text is mixed in before it: the rules
 * (`epoch`), the call, which mount it is and what it shows, which file, and how the host's mounts were told
 * (`mounts_epoch`), for other names come of them. What cannot be mixed in forbids it (`remembers`): the folders
 * above the root of a bind mount. To be safe against a rename between the two, the walk computes the fingerprint
 * again, from exactly the bytes that it copied, and only that one is remembered.
 *
 * The verifier goes through a loop once for each of its rounds, and again for each different state that
 * enters it. So nothing is nested, positions and findings are kept in map memory (there a value is any
 * value, and ways that differ in it are one), and long loops appear once in a program.
 */
#ifndef FILEAUDIT_PATH_H
#define FILEAUDIT_PATH_H

#include "kernel.h"
#include "maps.h"

#define WALK_LEVELS 128 /* verifier bound; a deeper path is cut off and flagged */
#define FINGERPRINT_LEVELS 48 /* a deeper path is walked every time */
#define LONG_NAME_WORDS 32
#define SHORT_NAME_BYTES 24 /* the part of the short name that dentry_head has */
#define HIGH_BITS 0x8080808080808080ULL
#define LOW_BITS 0x7f7f7f7f7f7f7f7fULL
#define EACH_BYTE 0x0101010101010101ULL

/* Lower-cases the eight bytes of a word: in each byte that is A to Z, sets bit 5. */
static __always_inline u64 lower(u64 word)
{
    u64 low = word & LOW_BITS;
    u64 from_a = low + (0x80 - 'A') * EACH_BYTE;
    u64 after_z = low + (0x7f - 'Z') * EACH_BYTE;
    return word | (((from_a ^ after_z) & ~word & HIGH_BITS) >> 2);
}

/* The high bit of each byte that is `byte`. */
static __always_inline u64 equal_bytes(u64 word, u8 byte)
{
    u64 difference = word ^ (byte * EACH_BYTE);
    return ~(((difference & LOW_BITS) + LOW_BITS) | difference) & HIGH_BITS;
}

static __always_inline u64 rotate(u64 word, u32 bits)
{
    return word << bits | word >> (64 - bits);
}

static __always_inline u64 finish_level(u64 hash, u64 level, u64 key)
{
    hash = (hash ^ level) * key;
    return hash ^ hash >> 32;
}

static __always_inline u64 mix_short(u64 hash, struct engine_config *config, u64 hash_len, u64 a, u64 b,
                                     u64 c)
{
    u64 level =
        hash_len ^ a * config->keys[0] ^ rotate(b * config->keys[1], 23) ^ rotate(c * config->keys[2], 47);
    return finish_level(hash, level, config->keys[3]);
}

/* Reads a name of up to 255 bytes with zeros behind it. */
static __always_inline void read_long_name(struct scratch *s, u64 name, u32 length)
{
    UNROLL for (u32 i = 0; i < LONG_NAME_WORDS; i++) s->long_name[i] = 0;
    bpf_probe_read_kernel(s->long_name, bounded(length, 0xff), (void *)name);
}

/* All words, also those of zeros: without a branch this is one straight line for the verifier. */
static __always_inline u64 mix_long(u64 hash, struct engine_config *config, u64 hash_len, struct scratch *s,
                                    u64 *high)
{
    u64 lanes[4] = {hash_len, 0, 0, 0};
    UNROLL for (u32 i = 0; i < LONG_NAME_WORDS; i++)
    {
        *high |= s->long_name[i];
        lanes[i & 3] = finish_level(lanes[i & 3], s->long_name[i], config->keys[i & 3]);
    }
    return mix_short(hash, config, lanes[0], lanes[1], lanes[2], lanes[3]);
}

static __always_inline u64 first_fingerprint(struct engine_config *config, u32 selector)
{
    u64 rules = (u64)config->epoch << 32 | (u64)config->mounts_epoch << 8 | selector;
    return config->keys[0] ^ rules * config->keys[1];
}

static __always_inline u64 mount_of(u64 vfsmount)
{
    return vfsmount - __builtin_offsetof(struct mount, mnt);
}

#ifdef TYPED_LOADS
#define as_dentry(address) rdonly_cast(address, TYPE_DENTRY)
#define as_mount(address) rdonly_cast(address, TYPE_MOUNT)
#define look_at_dentry(view, address)                                                          \
    do {                                                                                       \
        (view).parent = TYPED_WORD(address, struct dentry, d_parent);                          \
        (view).hash_len = TYPED_WORD(address, struct dentry, d_name);                          \
        (view).words[0] = TYPED_WORD(address, struct dentry, DENTRY_SHORT_NAME);               \
        (view).words[1] = *(u64 *)(member_at(address, struct dentry, DENTRY_SHORT_NAME) + 8);  \
        (view).words[2] = *(u64 *)(member_at(address, struct dentry, DENTRY_SHORT_NAME) + 16); \
    } while (0)
#define look_at_mount(view, address)                                           \
    do {                                                                       \
        (view).parent = TYPED_WORD(address, struct mount, mnt_parent);         \
        (view).mountpoint = TYPED_WORD(address, struct mount, mnt_mountpoint); \
        (view).root = TYPED_WORD(address, struct mount, mnt.mnt_root);         \
    } while (0)
#define name_of(view, address) TYPED_WORD(address, struct dentry, d_name.name)
#else
#define as_dentry(address) (address)
#define as_mount(address) (address)
#define look_at_dentry(view, address) \
    bpf_probe_read_kernel(&(view), sizeof(view), (void *)member_at(address, struct dentry, d_parent))
#define look_at_mount(view, address) \
    bpf_probe_read_kernel(&(view), sizeof(view), (void *)member_at(address, struct mount, mnt_parent))
#define name_of(view, address) ((view).name)
#endif

/*
 * The fingerprint of the path of a dentry and its mount, mixed into `hash`; 0 where there
 * is none: too deep, or no path at all.
 */
static __always_inline u64 fingerprint(u64 hash, struct engine_config *config, u64 dentry_address,
                                       u64 vfsmount)
{
    u64 dentry = as_dentry(dentry_address);
    u64 mount = as_mount(mount_of(vfsmount));
    u64 ignored = 0;
    struct mount_head where;
    struct dentry_head head;

    look_at_mount(where, mount);
    NO_UNROLL for (u32 i = 0; i < FINGERPRINT_LEVELS; i++)
    {
        if (dentry == where.root) {
            if (where.parent == mount)
                return hash | 1;
            dentry = where.mountpoint;
            mount = where.parent;
            look_at_mount(where, mount);
            continue;
        }
        look_at_dentry(head, dentry);
        if (head.parent == dentry)
            return 0;
        if (head.hash_len >> 32 <= SHORT_NAME_BYTES) {
            hash = mix_short(hash, config, head.hash_len, head.words[0], head.words[1], head.words[2]);
        } else {
            u32 zero = 0;
            struct scratch *s = scratch.lookup(&zero);
            if (!s)
                return 0;
            read_long_name(s, name_of(head, dentry), head.hash_len >> 32);
            hash = mix_long(hash, config, head.hash_len, s, &ignored);
        }
        dentry = head.parent;
    }
    return 0;
}

/* Bits of what `walk` found out beyond the path state. */
#define WALK_HIGH 0x100 /* a byte may be above 0x7f */

#ifdef TEST_COMPONENT
static __always_inline void add_component(struct scratch *s)
{
    struct clause_set *found = components.lookup(&s->component);
    if (!found)
        return;
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        s->components.words[i] |= found->words[i];
}

static __always_inline u64 first_bytes(u64 word, s32 count)
{
    if (count <= 0)
        return 0;
    return count >= 8 ? word : word & ~(~0ULL << (count * 8));
}

static __always_inline void add_name(struct scratch *s, s32 length)
{
    u64 *words = length <= SHORT_NAME_BYTES ? s->head.words : s->long_name;
    s->component.words[0] = lower(first_bytes(words[0], length));
    s->component.words[1] = lower(first_bytes(words[1], length - 8));
    s->component.words[2] = lower(first_bytes(words[2], length - 16));
    s->component.words[3] = length <= SHORT_NAME_BYTES ? 0 : lower(first_bytes(s->long_name[3], length - 24));
    add_component(s);
}
#else
#define add_name(s, length)
#endif

/* What a mount, by its address, stands on and shows. */
#define look_at_mount_head(view, address) \
    bpf_probe_read_kernel(&(view), sizeof(view), (void *)member_at(address, struct mount, mnt_parent))

static __always_inline void read_mount(struct scratch *s)
{
    look_at_mount_head(s->mount, s->mount_here);
}

/* Writes the name in s->head before `start` and mixes it in; false if there is no room. */
static __always_inline bool write_name(struct scratch *s, struct engine_config *config)
{
    u64 length = s->head.hash_len >> 32;
    u64 at = s->start - length - 1;
    if (length > 255 || at < TEXT_FRONT || at > TEXT_MIDDLE)
        return false;
    length = bounded(length, 0xff);
    at = bounded(at, 0x1fff);
    s->start = at;
    s->text[at] = '/';
    if (length <= SHORT_NAME_BYTES) {
        u64 *words = s->head.words;
        s->high |= words[0] | words[1] | words[2];
        s->mixed = mix_short(s->mixed, config, s->head.hash_len, words[0], words[1], words[2]);
        bpf_probe_read_kernel(&s->text[at + 1], length, words);
    } else {
        read_long_name(s, s->head.name, length);
        s->mixed = mix_long(s->mixed, config, s->head.hash_len, s, &s->high);
        bpf_probe_read_kernel(&s->text[at + 1], length, s->long_name);
    }
    if (s->test_name)
        add_name(s, length);
    s->test_name = true;
    return true;
}

/*
 * Writes the path of s->base to text[start, TEXT_MIDDLE), its fingerprint (begun as `hash`) to s->hash, and
 * looks up the components in it, the leaf's only if `test_name`: more text will follow. Returns path state
 * and WALK_ bits.
 */
static __always_inline u32 walk(struct scratch *s, struct engine_config *config, bool test_name, u64 hash)
{
    s->hash = 0;
    s->start = TEXT_MIDDLE;
    s->high = 0;
    s->mixed = hash;
    s->test_name = test_name;
    s->dentry_here = (u64)s->base.dentry;
    s->mount_here = mount_of((u64)s->base.mnt);
    read_mount(s);
    NO_UNROLL for (u32 i = 0; i < WALK_LEVELS; i++)
    {
        if (s->dentry_here == s->mount.root) {
            if (s->mount.parent == s->mount_here) {
                s->hash = s->mixed | 1;
                return s->high & HIGH_BITS ? WALK_HIGH : 0;
            }
            s->dentry_here = s->mount.mountpoint;
            s->mount_here = s->mount.parent;
            read_mount(s);
            continue;
        }
        bpf_probe_read_kernel(&s->head, sizeof(s->head),
                              (void *)member_at(s->dentry_here, struct dentry, d_parent));
        if (!write_name(s, config))
            return PATH_TRUNCATED;
        if (s->head.parent == s->dentry_here) { /* no root: a memfd, or a pipe, which has no name either */
            if (!(s->head.hash_len >> 32))
                s->start = TEXT_MIDDLE;
            return PATH_UNREACHABLE | WALK_HIGH;
        }
        s->dentry_here = s->head.parent;
    }
    return PATH_TRUNCATED;
}

/* Where in the kernel's mounts the path of s->base ends: its device, and whether that is the name by which the
 * host knows the file system. What stands above the root of a bind mount is in no fingerprint. */
static __always_inline void look_at_base(struct scratch *s)
{
    u64 mount = mount_of((u64)s->base.mnt), super = 0, root = 0, above = 0;
    u32 number = 0, device = 0;

    READ(super, s->base.dentry, struct dentry, d_sb);
    READ(device, super, struct super_block, s_dev);
    s->device = device;
    READ(number, mount, struct mount, mnt_id);
    READ(root, mount, struct mount, mnt.mnt_root);
    READ(above, root, struct dentry, d_parent);
    struct shown *shown = canonical.lookup(&number);
    s->aliased = shown && shown->device == device && shown->whole == (above == root) ? 0 : 1;
    if (s->aliased && above != root)
        s->remembers = 0;
}

/* Whether text[start, …) begins with the first `length` bytes of the words, and no component is cut. */
static __always_inline bool begins_with(struct scratch *s, const u64 *words, u64 length)
{
    u64 start = bounded(s->start, 0x1fff), differ = 0;

    UNROLL for (u32 i = 0; i < ROOT_BYTES / 8; i++)
    {
        u64 cut = length < i * 8 ? 0 : length - i * 8;
        u64 mask = cut >= 8 ? ~0ULL : ~(~0ULL << cut * 8);
        differ |= (word_at(&s->text[start + i * 8]) ^ words[i]) & mask;
    }
    return !length || (!differ && s->text[bounded(start + length, 0x1fff)] == '/');
}

/*
 * Writes to text[start, TEXT_MIDDLE) the name that the host has for s->base: of the file system that it is in,
 * where that is mounted, and what follows there. False if the host has none.
 */
static __always_inline bool walk_file_system(struct scratch *s, struct engine_config *config)
{
    struct mount_key key = {.device = s->device};
    if (!mounts.lookup(&key))
        return false;
    s->start = TEXT_MIDDLE;
    s->high = 0;
    s->test_name = false;
    s->dentry_here = (u64)s->base.dentry;
    s->found = PATH_TRUNCATED;
    NO_UNROLL for (u32 i = 0; i < WALK_LEVELS; i++)
    {
        bpf_probe_read_kernel(&s->head, sizeof(s->head),
                              (void *)member_at(s->dentry_here, struct dentry, d_parent));
        if (s->head.parent == s->dentry_here) {
            s->found = 0;
            break;
        }
        if (!write_name(s, config))
            break;
        s->dentry_here = s->head.parent;
    }
    if (s->found & PATH_TRUNCATED || s->start < TEXT_FRONT || s->start > TEXT_MIDDLE)
        return false;
    struct canonical_mount *mount = 0;
    UNROLL for (u32 i = 0; i < NAMES; i++)
    {
        key.number = i;
        struct canonical_mount *shown = mounts.lookup(&key);
        if (!mount && shown && begins_with(s, (u64 *)shown->root, shown->root_bytes))
            mount = shown;
    }
    if (!mount)
        return false;
    s->start += bounded(mount->root_bytes, 0x7f);
    u64 length = bounded(mount->point_bytes, 0xff), at = s->start - length;
    if (length > POINT_BYTES || at > TEXT_MIDDLE)
        return false;
    bpf_probe_read_kernel(&s->text[bounded(at, 0x1fff)], length, mount->point);
    s->start = at;
    return true;
}

/* PATH_UNREACHABLE if the mount is not in the host's mount namespace, and PATH_FOREIGN with it if that
 * namespace, or a mount in none, may be the work of an ordinary user: there any file can have any name. */
static __always_inline u32 reachable(struct scratch *s, struct engine_config *config)
{
    u64 namespace = 0, owner = 0;
    u32 number = 0, level = 1;
    READ(namespace, mount_of((u64)s->base.mnt), struct mount, mnt_ns);
    if (namespace) {
        READ(number, namespace, struct mnt_namespace, ns.inum);
        READ(owner, namespace, struct mnt_namespace, user_ns);
        READ(level, owner, struct user_namespace, level);
    }
    if (number == config->mount_namespace)
        return 0;
    return level ? PATH_UNREACHABLE | PATH_FOREIGN : PATH_UNREACHABLE;
}

#endif
