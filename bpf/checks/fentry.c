/* SPDX-License-Identifier: GPL-2.0-only */
/* int security_file_open(struct file *file)                                                              */
KFUNC_PROBE(security_file_open, struct file *file)
{
    return 0;
}
