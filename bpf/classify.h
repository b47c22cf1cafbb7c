/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which clauses of the plan an event may satisfy: an AND of bit sets, one a dimension.
 *
 * The filter never loses a match. So wherever the text is not the whole truth (cut off, links not
 * followed, characters whose case folding leaves ASCII), the path tests are skipped and all bits stay.
 * Where only the last component is certain, only that is tested (`classify_name`).
 *
 *     selected = selectors[...]; classify_caller(&selected);         once an event
 *     tested = selected; classify_path(s, &tested);                  for each name of the file; then OR
 *     add_inode(inode, device, &selected, &tested);
 */
#ifndef FILEAUDIT_CLASSIFY_H
#define FILEAUDIT_CLASSIFY_H

#include "path.h"

/* Verifier bounds; of a longer text the worst is assumed. */
#define SCANNED_WORDS 128 /* by scan_text: 1024 bytes */
#define MIXED_WORDS 64 /* by mix_text: a longer text is not remembered */
#define SCANNED_BYTES 512 /* of a caller's text, for components */
#define COMPONENTS_WITHIN 1024 /* in longer paths they are not tested; SCAN_BYTES in compiler/plan.py */

/* What `scan_text` found. */
#define TEXT_FOLDS 1 /* U+017F or U+212A, which fold to 's' and 'k' */
#define TEXT_DOTS 2 /* an empty component, or one that begins with '.' and '.', or is '.' */

static __always_inline bool any_clause(const struct clause_set *set)
{
    u64 any = 0;
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        any |= set->words[i];
    return any != 0;
}

/* Puts 16 zeros behind the text, so that eight bytes and the two after them can be read anywhere in it. */
static __always_inline void end_text(struct scratch *s)
{
    u64 end = bounded(s->end, 0x3fff);
    if (end > TEXT_BYTES - 32)
        return;
    set_word(&s->text[end], 0);
    set_word(&s->text[end + 8], 0);
}

/* The fingerprint of a base and the text behind TEXT_MIDDLE; 0 if the base has none, or the text is long. */
static __always_inline u64 mix_text(struct scratch *s, struct engine_config *config, u64 hash)
{
    if (!hash)
        return 0;
    s->mixed = hash;
    s->at = TEXT_MIDDLE;
    NO_UNROLL for (u32 i = 0; i < MIXED_WORDS; i++)
    {
        u64 at = bounded(s->at, 0x3fff);
        if (at >= s->end || at > TEXT_BYTES - 32)
            return finish_level(s->mixed, s->end, config->keys[2]) | 1;
        s->at = at + 8;
        s->mixed = finish_level(s->mixed, word_at(&s->text[at]), config->keys[1]);
    }
    return 0;
}

/*
 * Looks for what makes text[from, end) unfit for a test. Positions are seen eight at a time, each with the
 * two bytes after it.
 */
static __always_inline u32 scan_text(struct scratch *s, u64 from)
{
    end_text(s);
    s->at = from;
    s->dots = 0;
    s->folds = 0;
    NO_UNROLL for (u32 i = 0; i < SCANNED_WORDS; i++)
    {
        u64 at = bounded(s->at, 0x3fff);
        if (at >= s->end || at > TEXT_BYTES - 32)
            return (s->folds ? TEXT_FOLDS : 0) | (s->dots ? TEXT_DOTS : 0);
        s->at = at + 8;
        u64 here = word_at(&s->text[at]);
        u64 next = word_at(&s->text[at + 1]);
        u64 after = word_at(&s->text[at + 2]);
        u64 ends = equal_bytes(next, '/') | equal_bytes(next, 0);
        u64 dot = equal_bytes(next, '.') &
                  (equal_bytes(after, '.') | equal_bytes(after, '/') | equal_bytes(after, 0));
        s->dots |= equal_bytes(here, '/') & (ends | dot);
        s->folds |= equal_bytes(here, 0xc5) & equal_bytes(next, 0xbf);
        s->folds |= equal_bytes(here, 0xe2) & equal_bytes(next, 0x84) & equal_bytes(after, 0xaa);
    }
    return TEXT_FOLDS | TEXT_DOTS;
}

#ifdef TEST_COMPONENT
/*
 * Looks up the components of text[TEXT_MIDDLE, end) that a slash follows; in a longer text than can be
 * scanned, it may be any. What can do without a branch does: this is the longest loop, and the verifier
 * goes through all its rounds.
 */
static __always_inline void add_text(struct scratch *s)
{
    if (s->end > TEXT_MIDDLE + SCANNED_BYTES) {
        for (u32 i = 0; i < CLAUSE_WORDS; i++)
            s->components.words[i] = ~0ULL;
        return;
    }
    s->at = TEXT_MIDDLE;
    s->position = 0;
    s->component = (struct component_key){};
    NO_UNROLL for (u32 i = 0; i < SCANNED_BYTES; i++)
    {
        u64 at = bounded(s->at, 0x3fff);
        if (at >= s->end || at > TEXT_BYTES - 1)
            return;
        s->at = at + 1;
        u8 byte = lower(s->text[at]);
        if (byte == '/') {
            add_component(s);
            s->component = (struct component_key){};
            s->position = 0;
        } else {
            u64 position = bounded(s->position, 0x3f);
            ((u8 *)&s->component)[position] = byte; /* beyond the key: into `overflow` */
            s->position = position + 1 - (position >> 5);
        }
    }
}
#endif

/* How many bits of a key are text. */
static __always_inline u32 key_bits(u64 length)
{
    return (length < KEY_BYTES ? length : KEY_BYTES) * 8;
}

static __always_inline void lower_key(struct scratch *s)
{
    for (u32 i = 0; i < KEY_WORDS; i++)
        s->key.words[i] = lower(s->key.words[i]);
}

static __always_inline void keep(struct clause_set *result, const struct clause_set *anyway,
                                 const struct clause_set *found)
{
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        result->words[i] &= anyway->words[i] | (found ? found->words[i] : 0);
}

/* The clauses whose prefix the path has, and those that ask for none. The text ends with a NUL here: so do
 * the keys of whole paths, and one look-up finds both. */
static __always_inline void test_prefix(struct scratch *s, struct plan_defaults *defaults,
                                        struct clause_set *result)
{
    u64 start = s->start, length = s->end - start;
    if (start > TEXT_MIDDLE)
        return;
    end_text(s);
    bpf_probe_read_kernel(s->key.words, KEY_BYTES, &s->text[bounded(start, 0x1fff)]);
    lower_key(s);
    s->key.bits = key_bits(length + 1);
    keep(result, &defaults->prefix, prefixes.lookup((struct path_key *)&s->key.bits));
}

/* The key of what text[0, end) ends with, the last byte first. False if it cannot be. */
static __always_inline bool read_backwards(struct scratch *s)
{
    u64 end = s->end;
    if (end < TEXT_MIDDLE || end > TEXT_BYTES)
        return false;
    u64 from = bounded(end - KEY_BYTES, 0x3fff);
    if (from > TEXT_BYTES - KEY_BYTES)
        return false;
    bpf_probe_read_kernel(s->key.words, KEY_BYTES, &s->text[from]);
    for (u32 i = 0; i < KEY_WORDS / 2; i++) {
        u64 front = __builtin_bswap64(s->key.words[i]);
        s->key.words[i] = __builtin_bswap64(s->key.words[KEY_WORDS - 1 - i]);
        s->key.words[KEY_WORDS - 1 - i] = front;
    }
    s->key.words[KEY_WORDS / 2] = __builtin_bswap64(s->key.words[KEY_WORDS / 2]);
    lower_key(s);
    return true;
}

/* The same for suffixes: keys are stored backwards. */
static __always_inline void test_suffix(struct scratch *s, struct plan_defaults *defaults,
                                        struct clause_set *result)
{
    if (!read_backwards(s))
        return;
    s->key.bits = key_bits(s->end - s->start);
    keep(result, &defaults->suffix, suffixes.lookup((struct path_key *)&s->key.bits));
}

/* The suffixes that a path may have whose last component is text[leaf, end), a slash first. Keys with more
 * than that in them have a twin that stops at that slash and goes on with a NUL, as this look-up does. */
static __always_inline void test_name(struct scratch *s, u64 leaf, struct plan_defaults *defaults,
                                      struct clause_set *result)
{
    u64 length = s->end - leaf;
    if (!read_backwards(s))
        return;
    if (length < KEY_BYTES)
        ((u8 *)s->key.words)[bounded(length, 0xff)] = 0;
    s->key.bits = key_bits(length + 1);
    keep(result, &defaults->suffix, suffixes.lookup((struct path_key *)&s->key.bits));
}

/* The same for the components between two slashes, which were looked up while the path was put together. */
static __always_inline void test_components(struct scratch *s, struct plan_defaults *defaults,
                                            struct clause_set *result)
{
    if (s->end - s->start > COMPONENTS_WITHIN)
        return;
    keep(result, &defaults->component, &s->components);
}

/* Takes from `result` every clause that text[start, end) cannot satisfy: a whole path. */
static __always_inline void classify_path(struct scratch *s, struct clause_set *result)
{
    u32 zero = 0;
    struct plan_defaults *defaults = anything.lookup(&zero);
    if (!defaults)
        return;
#ifdef TEST_PREFIX
    test_prefix(s, defaults, result);
#endif
#ifdef TEST_SUFFIX
    test_suffix(s, defaults, result);
#endif
#ifdef TEST_COMPONENT
    test_components(s, defaults, result);
#endif
}

/*
 * The same where nothing is certain but the last component, text[leaf, end) with the slash before it. It is
 * no '.' or '..' and not empty, and holds none of the characters that `scan_text` tells of.
 */
static __always_inline void classify_name(struct scratch *s, u64 leaf, struct clause_set *result)
{
#ifdef TEST_SUFFIX
    u32 zero = 0;
    struct plan_defaults *defaults = anything.lookup(&zero);
    if (defaults)
        test_name(s, leaf, defaults, result);
#endif
}

#if defined(TEST_USER) || defined(TEST_PROCESS) || defined(TEST_COMM)
/* Entries hold all that is true of their caller; the defaults are for those who have none. */
static __always_inline void test_caller(struct caller_key *key, const struct clause_set *others,
                                        struct clause_set *result)
{
    const struct clause_set *found = callers.lookup(key);
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        result->words[i] &= found ? found->words[i] : others->words[i];
}
#endif

#ifdef TEST_COMM
/* Whether 16 bytes hold U+017F or U+212A, which fold to 's' and 'k'. */
static __always_inline bool comm_folds(u64 first, u64 second)
{
    u64 next = first >> 8 | second << 56, after = first >> 16 | second << 48;
    u64 folds = equal_bytes(first, 0xc5) & equal_bytes(next, 0xbf);
    folds |= equal_bytes(first, 0xe2) & equal_bytes(next, 0x84) & equal_bytes(after, 0xaa);
    folds |= equal_bytes(second, 0xc5) & equal_bytes(second >> 8, 0xbf);
    folds |= equal_bytes(second, 0xe2) & equal_bytes(second >> 8, 0x84) & equal_bytes(second >> 16, 0xaa);
    return folds != 0;
}

static __always_inline void test_comm(struct caller_key *key, const struct clause_set *others,
                                      struct clause_set *result)
{
    bpf_get_current_comm(key->text, COMM_BYTES);
    if (comm_folds(key->text[0], key->text[1]))
        return;
    key->text[0] = lower(key->text[0]);
    key->text[1] = lower(key->text[1]);
    key->kind = CALLER_COMM;
    test_caller(key, others, result);
}
#endif

/* Takes from `result` every clause that an act of the current thread cannot satisfy. */
static __always_inline void classify_caller(struct clause_set *result)
{
#if defined(TEST_USER) || defined(TEST_PROCESS) || defined(TEST_COMM)
    u32 zero = 0;
    struct plan_defaults *defaults = anything.lookup(&zero);
    struct caller_key key = {};
    if (!defaults)
        return;
#ifdef TEST_USER
    key.kind = CALLER_USER;
    key.text[0] = (u32)bpf_get_current_uid_gid();
    test_caller(&key, &defaults->user, result);
#endif
#ifdef TEST_PROCESS
    key.kind = CALLER_PROCESS;
    key.text[0] = bpf_get_current_pid_tgid() >> 32;
    test_caller(&key, &defaults->process, result);
#endif
#ifdef TEST_COMM
    test_comm(&key, &defaults->comm, result);
#endif
#endif
}

/* Gives to `result` every selected clause that the file is known by, whatever name it was reached by. */
static __always_inline void add_inode(u64 inode, u32 device, const struct clause_set *selected,
                                      struct clause_set *result)
{
#ifdef TEST_FILE
    struct known_file_key key = {.inode = inode, .device = device};
    struct clause_set *found = known_files.lookup(&key);
    if (!found)
        return;
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        result->words[i] |= found->words[i] & selected->words[i];
#endif
}

#endif
