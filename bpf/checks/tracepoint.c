/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit of a call, and the caller's saved registers: bpf_task_pt_regs, 5.15+. */
int check_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
    u64 (*current_task)(void) = (void *)158;
    u64 (*task_registers)(u64 task) = (void *)175;
    return task_registers(current_task()) == 1;
}
