/* SPDX-License-Identifier: GPL-2.0-only */
/* The slow half of every hook; see behind.h. */
#include "../behind.h"

int on_file(struct trace_event_raw_sys_exit *ctx)
{
    return resolve_file(ctx);
}

int on_name(struct trace_event_raw_sys_exit *ctx)
{
    return resolve_name(ctx);
}

int on_alias(struct trace_event_raw_sys_exit *ctx)
{
    return resolve_alias(ctx);
}

int on_deliver(struct trace_event_raw_sys_exit *ctx)
{
    return deliver();
}
