/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every kernel type from one place: the running kernel's own BTF.
 *
 * BCC asks for kernel headers, and headers of another version give wrong structure offsets without a word
 * (`struct file` differs between 6.12 and 6.18). Here each header that BCC's own preamble includes ends in
 * <vmlinux.h>, which the loader generates from /sys/kernel/btf/vmlinux. This file is forced in first
 * (BCC passes `-include …/include/linux/kconfig.h`) and closes the include guards of the headers that BCC
 * carries, because vmlinux.h has their contents already.
 */
#ifndef FILEAUDIT_KCONFIG_H
#define FILEAUDIT_KCONFIG_H

/* vmlinux.h would mark all types for CO-RE relocation, which BCC's loader cannot do. */
#define BPF_NO_PRESERVE_ACCESS_INDEX

#define _UAPI__LINUX_BPF_H__
#define __LINUX_BPF_H__
#define __LINUX_BPF_COMMON_H__
#define _UAPI__LINUX_BPF_COMMON_H__

#define CONFIG_BPF_SYSCALL 1
#define PAGE_SIZE 4096

#if defined(__x86_64__) || defined(__TARGET_ARCH_x86)
#define CONFIG_X86_64 1
#elif defined(__aarch64__) || defined(__TARGET_ARCH_arm64)
#define CONFIG_ARM64 1
#endif

#include <vmlinux.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#endif
