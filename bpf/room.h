/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way into the ring: who may have how much of it, and the count of what found no room.
 *
 * A flood must not drown the alert that it is meant to hide. The first half of the ring is everybody's. In
 * the second, there is no room for what only the audit trail wants, and a little for each user.
 */
#ifndef FILEAUDIT_ROOM_H
#define FILEAUDIT_ROOM_H

#include "kernel.h"
#include "maps.h"

/* Whether the user has not yet sent all that he may in this window of time. */
static __always_inline bool within_budget(struct file_record *record)
{
    u64 window = record->time_ns >> WINDOW_SHIFT;
    u32 user = record->uid;
    struct spending first = {.window = window, .events = 1}, *spent = spendings.lookup(&user);

    if (!spent || spent->window != window) {
        spendings.update(&user, &first);
        return true;
    }
    return spent->events++ < BUDGET;
}

static __always_inline bool has_room(struct file_record *record)
{
    u32 zero = 0;
    struct plan_defaults *any = anything.lookup(&zero);
    u64 urgent = !record->epoch;

    if (!any || ring_query(bpf_pseudo_fd(1, EVENTS_RING), BPF_RB_AVAIL_DATA) < RING_PAGES * PAGE_SIZE / 2)
        return true;
    for (u32 i = 0; i < CLAUSE_WORDS; i++)
        urgent |= record->candidates.words[i] & ~any->audit.words[i];
    return urgent && within_budget(record);
}

/* Whether the record found room; if not, it is counted. */
static __always_inline bool submit(struct outgoing *o, u64 size, struct engine_counters *counters)
{
    u8 *record = o->bytes; /* BCC looks at this argument's type, and an array is too much for it */
    struct file_record *head = (struct file_record *)o->bytes;

    if (!has_room(head) || events.ringbuf_output(record, bounded(size, 0x7fff), 0)) {
        counters->lost[head->operation & (OPERATIONS - 1)]++;
        return false;
    }
    counters->submitted++;
    return true;
}

#endif
