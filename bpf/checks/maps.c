/* SPDX-License-Identifier: GPL-2.0-only */
/* The two kinds of map that not every kernel has, each used once. */
struct check_key {
    u32 bits;
    u8 text[4];
};

BPF_RINGBUF_OUTPUT(check_ring, 1); /* 5.8+ */
BPF_LPM_TRIE(check_trie, struct check_key, u64, 16); /* 4.11+ */
