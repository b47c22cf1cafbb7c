/* SPDX-License-Identifier: GPL-2.0-only */
int check_raw_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
    return ctx->args[0] == 1;
}
