/* SPDX-License-Identifier: GPL-2.0-only */
/* int bpf_lsm_file_open(struct file *file): only where `bpf` is among the active security modules.        */
LSM_PROBE(file_open, struct file *file)
{
    return 0;
}
