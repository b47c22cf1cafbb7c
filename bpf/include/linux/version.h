/* SPDX-License-Identifier: GPL-2.0-only */
/* See linux/kconfig.h. The loader says which kernel runs. */
#ifndef LINUX_VERSION_CODE
#define LINUX_VERSION_CODE FILEAUDIT_KERNEL_VERSION
#endif
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))
