/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which clauses of the plan an event may satisfy: an AND of bit sets, one a dimension.
 *
 * The filter never loses a match. So wherever the text is not the whole truth (cut off, links not
 * followed, characters whose case folding leaves ASCII), the path tests are skipped and all bits stay.
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

static __always_inline u32 lower_key(struct scratch *s, u64 length)
{
    for (u32 i = 0; i < KEY_WORDS; i++)
        s->key.words[i] = lower(s->key.words[i]);
    return (length < KEY_BYTES ? length : KEY_BYTES) * 8;
}

/* The clauses whose prefix the path has, and those that ask for none. */
static __always_inline void test_prefix(struct scratch *s, struct plan_defaults *defaults,
                                        struct clause_set *result)
{
    u64 start = s->start, length = s->end - start;
    if (start > TEXT_MIDDLE)
        return;
    bpf_probe_read_kernel(s->key.words, KEY_BYTES, &s->text[bounded(start, 0x1fff)]);
    s->key.bits = lower_key(s, length);
    struct clause_set *found = prefixes.lookup((struct path_key *)&s->key.bits);
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        result->words[i] &= defaults->prefix.words[i] | (found ? found->words[i] : 0);
}

/* The same for suffixes: keys are stored backwards. */
static __always_inline void test_suffix(struct scratch *s, struct plan_defaults *defaults,
                                        struct clause_set *result)
{
    u64 end = s->end, length = end - s->start;
    if (end < TEXT_MIDDLE || end > TEXT_BYTES)
        return;
    u64 from = bounded(end - KEY_BYTES, 0x3fff);
    if (from > TEXT_BYTES - KEY_BYTES)
        return;
    bpf_probe_read_kernel(s->key.words, KEY_BYTES, &s->text[from]);
    for (u32 i = 0; i < KEY_WORDS / 2; i++) {
        u64 front = __builtin_bswap64(s->key.words[i]);
        s->key.words[i] = __builtin_bswap64(s->key.words[KEY_WORDS - 1 - i]);
        s->key.words[KEY_WORDS - 1 - i] = front;
    }
    s->key.words[KEY_WORDS / 2] = __builtin_bswap64(s->key.words[KEY_WORDS / 2]);
    s->key.bits = lower_key(s, length);
    struct clause_set *found = suffixes.lookup((struct path_key *)&s->key.bits);
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        result->words[i] &= defaults->suffix.words[i] | (found ? found->words[i] : 0);
}

/* The same for the components between two slashes, which were looked up while the path was put together. */
static __always_inline void test_components(struct scratch *s, struct plan_defaults *defaults,
                                            struct clause_set *result)
{
    if (s->end - s->start > COMPONENTS_WITHIN)
        return;
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        result->words[i] &= defaults->component.words[i] | s->components.words[i];
}

/* Takes from `result` every clause that text[start, end) cannot satisfy. */
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

#endif
