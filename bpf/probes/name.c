/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls on names and on attributes of files, at their exit. Thin hooks; the body is in behind.h. */
#include "../behind.h"

#define AT_REMOVEDIR 0x200
#define AT_SYMLINK_FOLLOW 0x400
#define MOVE_MOUNT_F_EMPTY_PATH 0x04
#define MOVE_MOUNT_T_SYMLINKS 0x10
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#define UMOUNT_NOFOLLOW 8
#define UTIME_NOW ((1L << 30) - 1)
#define UTIME_OMIT ((1L << 30) - 2)
#define SECOND_NS 1000000000L
#define LAST_SECOND 9200000000L /* beyond, nanoseconds do not fit 64 bits */

#define HOOK(name) int on_##name(struct trace_event_raw_sys_exit *ctx)
#define REGISTERS u64 registers = task_registers(current_task())

/* --- names that are made --------------------------------------------------------------------------------- */

/* long sys_mkdir(const char __user *pathname, umode_t mode)                           all, not on arm64 */
HOOK(mkdir)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_MKDIR,
                                          .call = CALL_MKDIR});
}

/* long sys_mkdirat(int dfd, const char __user *pathname, umode_t mode)                           2.6.16+ */
HOOK(mkdirat)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(1),
                                          .directory = ARGUMENT(0),
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_MKDIR,
                                          .call = CALL_MKDIRAT});
}

/* long sys_mknod(const char __user *filename, umode_t mode, unsigned dev)             all, not on arm64 */
HOOK(mknod)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_CREATE,
                                          .access = ACCESS_PATH,
                                          .call = CALL_MKNOD});
}

/* long sys_mknodat(int dfd, const char __user *filename, umode_t mode, unsigned dev)             2.6.16+ */
HOOK(mknodat)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(1),
                                          .directory = ARGUMENT(0),
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_CREATE,
                                          .access = ACCESS_PATH,
                                          .call = CALL_MKNODAT});
}

/* long sys_symlink(const char __user *old, const char __user *new)                    all, not on arm64 */
HOOK(symlink)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(1),
                                          .extra = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_SYMLINK,
                                          .call = CALL_SYMLINK});
}

/* long sys_symlinkat(const char __user *oldname, int newdfd, const char __user *newname)         2.6.16+ */
HOOK(symlinkat)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(2),
                                          .extra = ARGUMENT(0),
                                          .directory = ARGUMENT(1),
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_SYMLINK,
                                          .call = CALL_SYMLINKAT});
}

/* long sys_link(const char __user *oldname, const char __user *newname)               all, not on arm64 */
HOOK(link)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(1),
                                          .second_path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .second_directory = CURRENT_DIRECTORY,
                                          .hints = HINT_NAME | HINT_SECOND_NAME,
                                          .two_paths = 1,
                                          .operation = OPERATION_LINK,
                                          .call = CALL_LINK});
}

/* long sys_linkat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname, int flags)
 *                                                                                                2.6.16+ */
HOOK(linkat)
{
    REGISTERS;
    u32 flags = ARGUMENT(4);
    u8 second = flags & AT_SYMLINK_FOLLOW ? 0 : HINT_SECOND_NAME;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(3),
                                          .second_path = ARGUMENT(1),
                                          .directory = ARGUMENT(2),
                                          .second_directory = ARGUMENT(0),
                                          .hints = HINT_NAME | second,
                                          .two_paths = 1,
                                          .empty = (flags & AT_EMPTY_PATH) != 0,
                                          .flags = flags,
                                          .operation = OPERATION_LINK,
                                          .call = CALL_LINKAT});
}

/* --- names that change or go ----------------------------------------------------------------------------- */

/* long sys_rmdir(const char __user *pathname)                                         all, not on arm64 */
HOOK(rmdir)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_RMDIR,
                                          .call = CALL_RMDIR});
}

/* long sys_unlink(const char __user *pathname)                                        all, not on arm64 */
HOOK(unlink)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_UNLINK,
                                          .call = CALL_UNLINK});
}

/* long sys_unlinkat(int dfd, const char __user *pathname, int flag)                              2.6.16+ */
HOOK(unlinkat)
{
    REGISTERS;
    u32 flags = ARGUMENT(2);
    return emit_name(ctx,
                     &(struct asked){.path = ARGUMENT(1),
                                     .directory = ARGUMENT(0),
                                     .hints = HINT_NAME,
                                     .flags = flags,
                                     .operation = flags & AT_REMOVEDIR ? OPERATION_RMDIR : OPERATION_UNLINK,
                                     .call = CALL_UNLINKAT});
}

/* long sys_rename(const char __user *oldname, const char __user *newname)             all, not on arm64 */
HOOK(rename)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(1),
                                          .second_path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .second_directory = CURRENT_DIRECTORY,
                                          .hints = HINT_NAME | HINT_SECOND_NAME,
                                          .two_paths = 1,
                                          .operation = OPERATION_RENAME,
                                          .call = CALL_RENAME});
}

/* long sys_renameat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname)
 *                                                                            2.6.16+, not on new machines */
HOOK(renameat)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(3),
                                          .second_path = ARGUMENT(1),
                                          .directory = ARGUMENT(2),
                                          .second_directory = ARGUMENT(0),
                                          .hints = HINT_NAME | HINT_SECOND_NAME,
                                          .two_paths = 1,
                                          .operation = OPERATION_RENAME,
                                          .call = CALL_RENAMEAT});
}

/* long sys_renameat2(int olddfd, const char __user *oldname, int newdfd, const char __user *newname,
 *                    unsigned int flags)                                                           3.15+ */
HOOK(renameat2)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(3),
                                          .second_path = ARGUMENT(1),
                                          .directory = ARGUMENT(2),
                                          .second_directory = ARGUMENT(0),
                                          .hints = HINT_NAME | HINT_SECOND_NAME,
                                          .two_paths = 1,
                                          .flags = ARGUMENT(4),
                                          .operation = OPERATION_RENAME,
                                          .call = CALL_RENAMEAT2});
}

/* --- sizes ----------------------------------------------------------------------------------------------- */

/* long sys_truncate(const char __user *path, long length)                                             all */
HOOK(truncate)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .details = {ARGUMENT(1)},
                                          .operation = OPERATION_TRUNCATE,
                                          .call = CALL_TRUNCATE});
}

/* long sys_ftruncate(unsigned int fd, off_t length)                                                   all */
HOOK(ftruncate)
{
    REGISTERS;
    return emit_file(
        ctx,
        &(struct asked){.details = {ARGUMENT(1)}, .operation = OPERATION_TRUNCATE, .call = CALL_FTRUNCATE},
        ARGUMENT(0));
}

/* --- modes ----------------------------------------------------------------------------------------------- */

/* long sys_chmod(const char __user *filename, umode_t mode)                           all, not on arm64 */
HOOK(chmod)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .details = {(u16)ARGUMENT(1)},
                                          .operation = OPERATION_CHMOD,
                                          .call = CALL_CHMOD});
}

/* long sys_fchmod(unsigned int fd, umode_t mode)                                                      all */
HOOK(fchmod)
{
    REGISTERS;
    return emit_file(
        ctx,
        &(struct asked){.details = {(u16)ARGUMENT(1)}, .operation = OPERATION_CHMOD, .call = CALL_FCHMOD},
        ARGUMENT(0));
}

/* long sys_fchmodat(int dfd, const char __user *filename, umode_t mode)                          2.6.16+ */
HOOK(fchmodat)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(1),
                                          .directory = ARGUMENT(0),
                                          .details = {(u16)ARGUMENT(2)},
                                          .operation = OPERATION_CHMOD,
                                          .call = CALL_FCHMODAT});
}

/* long sys_fchmodat2(int dfd, const char __user *filename, umode_t mode, unsigned int flags)          6.6+ */
HOOK(fchmodat2)
{
    REGISTERS;
    u32 flags = ARGUMENT(3);
    return emit_at(ctx, &(struct asked){.path = ARGUMENT(1),
                                        .directory = ARGUMENT(0),
                                        .details = {(u16)ARGUMENT(2)},
                                        .hints = unless_followed(flags),
                                        .empty = (flags & AT_EMPTY_PATH) != 0,
                                        .flags = flags,
                                        .operation = OPERATION_CHMOD,
                                        .call = CALL_FCHMODAT2});
}

/* --- owners ---------------------------------------------------------------------------------------------- */

/* long sys_chown(const char __user *filename, uid_t user, gid_t group)                all, not on arm64 */
HOOK(chown)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .details = {(u32)ARGUMENT(1), (u32)ARGUMENT(2)},
                                          .operation = OPERATION_CHOWN,
                                          .call = CALL_CHOWN});
}

/* long sys_lchown(const char __user *filename, uid_t user, gid_t group)               all, not on arm64 */
HOOK(lchown)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .details = {(u32)ARGUMENT(1), (u32)ARGUMENT(2)},
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_CHOWN,
                                          .call = CALL_LCHOWN});
}

/* long sys_fchown(unsigned int fd, uid_t user, gid_t group)                                           all */
HOOK(fchown)
{
    REGISTERS;
    return emit_file(ctx,
                     &(struct asked){.details = {(u32)ARGUMENT(1), (u32)ARGUMENT(2)},
                                     .operation = OPERATION_CHOWN,
                                     .call = CALL_FCHOWN},
                     ARGUMENT(0));
}

/* long sys_fchownat(int dfd, const char __user *filename, uid_t user, gid_t group, int flag)      2.6.16+ */
HOOK(fchownat)
{
    REGISTERS;
    u32 flags = ARGUMENT(4);
    return emit_at(ctx, &(struct asked){.path = ARGUMENT(1),
                                        .directory = ARGUMENT(0),
                                        .details = {(u32)ARGUMENT(2), (u32)ARGUMENT(3)},
                                        .hints = unless_followed(flags),
                                        .empty = (flags & AT_EMPTY_PATH) != 0,
                                        .flags = flags,
                                        .operation = OPERATION_CHOWN,
                                        .call = CALL_FCHOWNAT});
}

/* --- times ----------------------------------------------------------------------------------------------- */

/* Two pairs of seconds and a fraction, as the caller's memory has them, in nanoseconds. */
static __always_inline s64 moment(s64 seconds, s64 fraction, s64 unit)
{
    if (unit == 1 && fraction == UTIME_NOW)
        return TIME_NOW;
    if (unit == 1 && fraction == UTIME_OMIT)
        return TIME_OMITTED;
    if (seconds > LAST_SECOND)
        return LAST_SECOND * SECOND_NS;
    if (seconds < -LAST_SECOND)
        return -LAST_SECOND * SECOND_NS;
    return seconds * SECOND_NS + fraction * unit;
}

static __always_inline void read_times(struct asked *asked, u64 address, s64 unit)
{
    s64 times[4] = {};

    asked->details[0] = TIME_NOW; /* what no address means */
    asked->details[1] = TIME_NOW;
    if (!address || bpf_probe_read_user(times, sizeof(times), (void *)address))
        return;
    asked->details[0] = moment(times[0], times[1], unit);
    asked->details[1] = moment(times[2], times[3], unit);
}

/* long sys_utime(char __user *filename, struct utimbuf __user *times)                 all, not on arm64 */
HOOK(utime)
{
    REGISTERS;
    s64 times[2] = {};
    u64 address = ARGUMENT(1);
    struct asked asked = {.path = ARGUMENT(0),
                          .directory = CURRENT_DIRECTORY,
                          .details = {TIME_NOW, TIME_NOW},
                          .operation = OPERATION_UTIMES,
                          .call = CALL_UTIME};
    if (address && !bpf_probe_read_user(times, sizeof(times), (void *)address)) {
        asked.details[0] = moment(times[0], 0, 0);
        asked.details[1] = moment(times[1], 0, 0);
    }
    return emit_name(ctx, &asked);
}

/* long sys_utimes(char __user *filename, struct timeval __user *utimes)               all, not on arm64 */
HOOK(utimes)
{
    REGISTERS;
    struct asked asked = {.path = ARGUMENT(0),
                          .directory = CURRENT_DIRECTORY,
                          .operation = OPERATION_UTIMES,
                          .call = CALL_UTIMES};
    read_times(&asked, ARGUMENT(1), 1000);
    return emit_name(ctx, &asked);
}

/* long sys_futimesat(int dfd, const char __user *filename, struct timeval __user *utimes)
 *                                                                                2.6.16+, not on arm64 */
HOOK(futimesat)
{
    REGISTERS;
    struct asked asked = {
        .path = ARGUMENT(1), .directory = ARGUMENT(0), .operation = OPERATION_UTIMES, .call = CALL_FUTIMESAT};
    read_times(&asked, ARGUMENT(2), 1000);
    return emit_at(ctx, &asked);
}

/* long sys_utimensat(int dfd, const char __user *filename, struct timespec __user *utimes, int flags)
 *                                                                                                2.6.22+ */
HOOK(utimensat)
{
    REGISTERS;
    u32 flags = ARGUMENT(3);
    struct asked asked = {.path = ARGUMENT(1),
                          .directory = ARGUMENT(0),
                          .hints = unless_followed(flags),
                          .empty = (flags & AT_EMPTY_PATH) != 0,
                          .flags = flags,
                          .operation = OPERATION_UTIMES,
                          .call = CALL_UTIMENSAT};
    read_times(&asked, ARGUMENT(2), 1);
    return emit_at(ctx, &asked);
}

/* --- extended attributes --------------------------------------------------------------------------------- */

/* long sys_setxattr(const char __user *path, const char __user *name, const void __user *value, size_t size,
 *                   int flags)                                                                        all */
HOOK(setxattr)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .extra = ARGUMENT(1),
                                          .directory = CURRENT_DIRECTORY,
                                          .flags = ARGUMENT(4),
                                          .operation = OPERATION_SETXATTR,
                                          .call = CALL_SETXATTR});
}

/* The same as setxattr, on the link itself                                                            all */
HOOK(lsetxattr)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .extra = ARGUMENT(1),
                                          .directory = CURRENT_DIRECTORY,
                                          .hints = HINT_NAME,
                                          .flags = ARGUMENT(4),
                                          .operation = OPERATION_SETXATTR,
                                          .call = CALL_LSETXATTR});
}

/* long sys_fsetxattr(int fd, const char __user *name, const void __user *value, size_t size, int flags) all */
HOOK(fsetxattr)
{
    REGISTERS;
    return emit_file(ctx,
                     &(struct asked){.extra = ARGUMENT(1),
                                     .flags = ARGUMENT(4),
                                     .operation = OPERATION_SETXATTR,
                                     .call = CALL_FSETXATTR},
                     ARGUMENT(0));
}

/* long sys_setxattrat(int dfd, const char __user *path, unsigned int at_flags, const char __user *name,
 *                     const struct xattr_args __user *args, size_t size)                             6.13+ */
HOOK(setxattrat)
{
    REGISTERS;
    u32 flags = ARGUMENT(2);
    return emit_at(ctx, &(struct asked){.path = ARGUMENT(1),
                                        .extra = ARGUMENT(3),
                                        .directory = ARGUMENT(0),
                                        .hints = unless_followed(flags),
                                        .empty = (flags & AT_EMPTY_PATH) != 0,
                                        .flags = flags,
                                        .operation = OPERATION_SETXATTR,
                                        .call = CALL_SETXATTRAT});
}

/* long sys_removexattr(const char __user *path, const char __user *name)                              all */
HOOK(removexattr)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .extra = ARGUMENT(1),
                                          .directory = CURRENT_DIRECTORY,
                                          .operation = OPERATION_REMOVEXATTR,
                                          .call = CALL_REMOVEXATTR});
}

/* The same as removexattr, on the link itself                                                         all */
HOOK(lremovexattr)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .extra = ARGUMENT(1),
                                          .directory = CURRENT_DIRECTORY,
                                          .hints = HINT_NAME,
                                          .operation = OPERATION_REMOVEXATTR,
                                          .call = CALL_LREMOVEXATTR});
}

/* long sys_fremovexattr(int fd, const char __user *name)                                              all */
HOOK(fremovexattr)
{
    REGISTERS;
    return emit_file(
        ctx,
        &(struct asked){.extra = ARGUMENT(1), .operation = OPERATION_REMOVEXATTR, .call = CALL_FREMOVEXATTR},
        ARGUMENT(0));
}

/* long sys_removexattrat(int dfd, const char __user *path, unsigned int at_flags, const char __user *name)
 *                                                                                                    6.13+ */
HOOK(removexattrat)
{
    REGISTERS;
    u32 flags = ARGUMENT(2);
    return emit_at(ctx, &(struct asked){.path = ARGUMENT(1),
                                        .extra = ARGUMENT(3),
                                        .directory = ARGUMENT(0),
                                        .hints = unless_followed(flags),
                                        .empty = (flags & AT_EMPTY_PATH) != 0,
                                        .flags = flags,
                                        .operation = OPERATION_REMOVEXATTR,
                                        .call = CALL_REMOVEXATTRAT});
}

/* --- mounts ---------------------------------------------------------------------------------------------- */

/* long sys_mount(char __user *dev_name, char __user *dir_name, char __user *type, unsigned long flags,
 *                void __user *data)                                                                   all */
HOOK(mount)
{
    REGISTERS;
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(1),
                                          .extra = ARGUMENT(0),
                                          .type = ARGUMENT(2),
                                          .directory = CURRENT_DIRECTORY,
                                          .flags = ARGUMENT(3),
                                          .operation = OPERATION_MOUNT,
                                          .call = CALL_MOUNT});
}

/* long sys_move_mount(int from_dfd, const char __user *from_path, int to_dfd, const char __user *to_path,
 *                     unsigned int ms_flags)                                                          5.2+
 * What is mounted is often nameless as yet, behind a descriptor: then it is told by its file system. */
HOOK(move_mount)
{
    REGISTERS;
    u32 flags = ARGUMENT(4);
    struct asked asked = {.path = ARGUMENT(3),
                          .extra = ARGUMENT(1),
                          .directory = ARGUMENT(2),
                          .hints = flags & MOVE_MOUNT_T_SYMLINKS ? 0 : HINT_NAME,
                          .empty = (flags & MOVE_MOUNT_T_EMPTY_PATH) != 0,
                          .flags = flags,
                          .operation = OPERATION_MOUNT,
                          .call = CALL_MOVE_MOUNT};
    u64 file = flags & MOVE_MOUNT_F_EMPTY_PATH ? file_of(ARGUMENT(0)) : 0;
    if (file) {
        u64 mount = 0, super = 0, kind = 0;
        READ(mount, file, struct file, f_path.mnt);
        READ(super, mount, struct vfsmount, mnt_sb);
        READ(kind, super, struct super_block, s_type);
        READ(asked.extra, mount_of(mount), struct mount, mnt_devname);
        READ(asked.type, kind, struct file_system_type, name);
        asked.extra_in_kernel = 1;
    }
    return emit_at(ctx, &asked);
}

/* long sys_umount(char __user *name, int flags)                          all; user space calls it umount2 */
HOOK(umount)
{
    REGISTERS;
    u32 flags = ARGUMENT(1);
    return emit_name(ctx, &(struct asked){.path = ARGUMENT(0),
                                          .directory = CURRENT_DIRECTORY,
                                          .hints = flags & UMOUNT_NOFOLLOW ? HINT_NAME : 0,
                                          .flags = flags,
                                          .operation = OPERATION_UMOUNT,
                                          .call = CALL_UMOUNT2});
}
