/* SPDX-License-Identifier: GPL-2.0-only */
/* See linux/kconfig.h: the types are in <vmlinux.h>. */
#include <vmlinux.h>
