/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The texts that a caller passes: where each begins, and how much of what it says is certain.
 *
 * Its beginning is resolved here: the directory behind a descriptor, the working directory, or the root of the
 * caller. Of what follows, every component may be a link except the last one of a call on names (unlink,
 * rename, mkdir…), which the kernel does not follow.
 */
#ifndef FILEAUDIT_NAME_H
#define FILEAUDIT_NAME_H

#include "classify.h"

#define CURRENT_DIRECTORY (-100) /* AT_FDCWD */
#define LEAF_WORDS 32 /* a name has at most 255 bytes, and a slash before it */

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

/* Where a path begins: the directory of a relative one, or the caller's root. */
static __always_inline bool base_of(s32 directory, bool in_root, bool absolute, struct path *base)
{
    bool from_descriptor = directory != CURRENT_DIRECTORY && (!absolute || in_root);
    if (from_descriptor) {
        u64 file = file_of(directory);
        return file && !READ(*base, file, struct file, f_path);
    }
    u64 fs = TYPED_WORD(current_task(), struct task_struct, fs);
    return absolute && !in_root ? !READ(*base, fs, struct fs_struct, root)
                                : !READ(*base, fs, struct fs_struct, pwd);
}

/*
 * Puts the caller's text behind TEXT_MIDDLE, with the slash that joins it to its base. Returns its length
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
    return length > 0 ? length - 1
                      : length; /* an empty text has no length in kernels that do not count its NUL */
}

/* Reads the text, and into s->base where it begins; zeros follow the text. */
static __always_inline bool begin_text(struct scratch *s, u64 address, s32 directory)
{
    bool absolute = false;
    int length = read_asked(s, address, &absolute);

    s->end = TEXT_MIDDLE;
    s->asked_at = TEXT_MIDDLE;
    s->asked_bytes = ASKED_UNREADABLE;
    if (length < 0 || length > PATH_LIMIT)
        return false;
    s->asked_at = absolute ? TEXT_MIDDLE : TEXT_MIDDLE + 1;
    s->asked_bytes = length;
    if (length || !s->asked.empty)
        s->end = s->asked_at + length;
    end_text(s);
    if (base_of(directory, s->asked.in_root, absolute, &s->base))
        return true;
    s->end = TEXT_MIDDLE; /* it begins nowhere, so it is no path */
    return false;
}

/* The number of the highest of the eight bytes that a bit is set in; 0 if in none. */
static __always_inline u64 highest_byte(u64 marks)
{
    u64 number = 0;
    if (marks >> 32) {
        number = 4;
        marks >>= 32;
    }
    if (marks >> 16) {
        number += 2;
        marks >>= 16;
    }
    return number + (marks >> 8 ? 1 : 0);
}

/*
 * Finds the slash before the last component of text[TEXT_MIDDLE, end): s->leaf; 0 if nothing follows it but dots,
 * which are no name, or if it is further away than a name can be long.
 */
static __always_inline void find_leaf(struct scratch *s)
{
    u64 end = bounded(s->end, 0x3fff), marks = 0, word = 0;

    s->leaf = 0;
    if (end <= TEXT_MIDDLE || end > TEXT_BYTES)
        return;
    bpf_probe_read_kernel(s->long_name, sizeof(s->long_name), &s->text[end - 8 * LEAF_WORDS]);
    UNROLL for (u32 i = 0; i < LEAF_WORDS; i++)
    {
        u64 slashes = equal_bytes(s->long_name[i], '/');
        word = slashes ? i : word;
        marks = slashes ? slashes : marks;
    }
    u64 leaf = end - 8 * LEAF_WORDS + word * 8 + highest_byte(marks), bytes = end - leaf;
    u8 last = s->long_name[LEAF_WORDS - 1] >> 56, before = s->long_name[LEAF_WORDS - 1] >> 48;
    bool dots = last == '.' && (bytes == 2 || (bytes == 3 && before == '.'));
    if (marks && leaf >= TEXT_MIDDLE && bytes > 1 && !dots)
        s->leaf = leaf;
}

#define OWN_DESCRIPTOR_0 0x65732f636f72702fULL /* "/proc/se", the lowest byte first */
#define OWN_DESCRIPTOR_1 0x00002f64662f666cULL /* "lf/fd/" */
#define OWN_DESCRIPTOR_BYTES 14
#define DIGITS 7

/* The descriptor that the caller's text names as /proc/self/fd/N, as C libraries do; -1 if it names none. */
static __always_inline s32 named_descriptor(struct scratch *s)
{
    u64 first = word_at(&s->text[TEXT_MIDDLE]), second = word_at(&s->text[TEXT_MIDDLE + 8]);
    u32 number = 0, digits = 0, more = 1;

    if (first != OWN_DESCRIPTOR_0 || (second & 0xffffffffffffULL) != OWN_DESCRIPTOR_1)
        return -1;
    UNROLL for (u32 i = 0; i < DIGITS; i++)
    {
        u32 digit = s->text[TEXT_MIDDLE + OWN_DESCRIPTOR_BYTES + i] - '0';
        more = more && digit < 10;
        number = more ? number * 10 + digit : number;
        digits += more;
    }
    return digits && TEXT_MIDDLE + OWN_DESCRIPTOR_BYTES + digits == s->end ? (s32)number : -1;
}

/* The file behind that descriptor, 0 if there is none. */
static __always_inline u64 named_file(struct scratch *s)
{
    s32 descriptor = named_descriptor(s);
    return descriptor < 0 ? 0 : file_of(descriptor);
}

#endif
