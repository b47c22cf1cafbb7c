/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way in: what a hook says of its call, and into which program of the slow half it leads (behind.h).
 */
#ifndef FILEAUDIT_CALL_H
#define FILEAUDIT_CALL_H

#include "name.h"
#include "process.h"

#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EMPTY_PATH 0x1000
#define ERROR_NO_ENTRY 2 /* ENOENT */
#define FIRST_RESTART 512 /* ERESTARTSYS and its kin: the kernel runs the call again, or says EINTR */
#define LAST_RESTART 516
#define ERROR_AGAIN 11 /* EAGAIN */

static __always_inline void set_candidates(struct scratch *s, u64 word)
{
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        s->candidates.words[i] = word;
}

/* Behind a call that should not have returned: the event is lost. */
static __always_inline int lose(struct scratch *s)
{
    u32 zero = 0;
    struct engine_counters *counters = engine_counters.lookup(&zero);
    if (counters)
        counters->lost[s->asked.operation & (OPERATIONS - 1)]++;
    return 0;
}

/* Whether a call is an event at all: it is not ours, and it has ended. Then it is counted. */
static __always_inline bool is_seen(struct engine_config *config, struct engine_counters *counters,
                                    s64 result)
{
    if (config->self == bpf_get_current_pid_tgid() >> 32)
        return false;
    if (result <= -FIRST_RESTART && result >= -LAST_RESTART)
        return false;
    counters->seen++;
    return true;
}

/* Whether the call is to be looked at: it is seen, and some rule asks for such a call. */
static __always_inline bool of_interest(struct scratch *s, struct engine_config *config,
                                        struct engine_counters *counters)
{
    if (!is_seen(config, counters, s->result))
        return false;
    s->selector = s->asked.operation * 8 + s->asked.access * 2 + (s->result < 0);
    struct clause_set *selected = selectors.lookup(&s->selector);
    if (!selected)
        return false;
    s->selected = *selected;
    s->tried = *selected;
    classify_caller(&s->tried);
    if (config->epoch && !any_clause(&s->tried)) {
        counters->filtered++;
        return false;
    }
    return true;
}

static __always_inline bool begin_call(struct scratch *s, s64 result, const struct asked *asked)
{
    u32 zero = 0;
    struct engine_config *config = engine_config.lookup(&zero);
    struct engine_counters *counters = engine_counters.lookup(&zero);

    s->asked = *asked;
    s->result = result;
    if (!config || !counters || !of_interest(s, config, counters))
        return false;
    s->missing = result == -ERROR_NO_ENTRY;
    s->first_hash = 1;
    s->remembers = 0;
    s->second = 0;
    s->file = 0;
    set_candidates(s, 0);
    return true;
}

/* HINT_NAME for a call that does not follow the last link, as its flags say. */
static __always_inline u8 unless_followed(u64 flags)
{
    return flags & AT_SYMLINK_NOFOLLOW ? HINT_NAME : 0;
}

/* A call on a name. */
static __always_inline int emit_name(struct trace_event_raw_sys_exit *ctx, const struct asked *asked)
{
    u32 zero = 0;
    struct scratch *s = scratch.lookup(&zero);

    if (!s || !begin_call(s, ctx->ret, asked))
        return 0;
    behind.call((void *)ctx, BEHIND_NAME);
    return lose(s);
}

/* Something that is done to an open file; `result` is the call's. */
static __always_inline int emit_opened(void *ctx, s64 result, u64 file, const struct asked *asked)
{
    u32 zero = 0;
    struct scratch *s = scratch.lookup(&zero);

    if (!s || !begin_call(s, result, asked))
        return 0;
    s->file = file;
    if (file && !READ(s->base, file, struct file, f_path))
        behind.call(ctx, BEHIND_FILE);
    else
        behind.call(ctx, BEHIND_NAME); /* there is none: no path, and nothing is certain */
    return lose(s);
}

/* A call on the file behind a descriptor. */
static __always_inline int emit_file(struct trace_event_raw_sys_exit *ctx, const struct asked *asked,
                                     u32 descriptor)
{
    return emit_opened(ctx, ctx->ret, file_of(descriptor), asked);
}

/* A call with a directory and a path, which may be about the descriptor itself. */
static __always_inline int emit_at(struct trace_event_raw_sys_exit *ctx, const struct asked *asked)
{
    u8 first = 1;
    if (asked->path && asked->empty)
        bpf_probe_read_user(&first, 1, (void *)asked->path);
    if ((!asked->path || !first) && asked->directory != CURRENT_DIRECTORY)
        return emit_file(ctx, asked, asked->directory);
    return emit_name(ctx, asked);
}

#endif
