/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls on names and on attributes of files, at their exit. Thin hooks; the body is in call.h. */
#include "../call.h"

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

/* What a call asks for: the operation, the call, and members of `struct asked`. */
#define ASKED(what, how, ...) \
    (&(struct asked){.operation = OPERATION_##what, .call = CALL_##how, __VA_ARGS__})

/* Which arguments say where: a path below the working directory, or below a descriptor. FROM_: what a name is
 * made from. */
#define HERE(path_n) .directory = CURRENT_DIRECTORY, .path = ARGUMENT(path_n)
#define AT(directory_n, path_n) .directory = ARGUMENT(directory_n), .path = ARGUMENT(path_n)
#define FROM_HERE(path_n) \
    .two_paths = 1, .second_directory = CURRENT_DIRECTORY, .second_path = ARGUMENT(path_n)
#define FROM_AT(directory_n, path_n) \
    .two_paths = 1, .second_directory = ARGUMENT(directory_n), .second_path = ARGUMENT(path_n)
#define NAME_ITSELF .hints = HINT_NAME
#define NAMES_THEMSELVES .hints = HINT_NAME | HINT_SECOND_NAME

/* A hook of a call on a path. */
#define NAME_HOOK(name, what, how, ...)                       \
    HOOK(name)                                                \
    {                                                         \
        REGISTERS;                                            \
        return emit_name(ctx, ASKED(what, how, __VA_ARGS__)); \
    }

/* A hook of a call on a path or on a descriptor itself: its argument `flags_n` says which, and whether a link is
 * followed. */
#define AT_HOOK(name, what, how, flags_n, ...)                                                          \
    HOOK(name)                                                                                          \
    {                                                                                                   \
        REGISTERS;                                                                                      \
        u32 flags = ARGUMENT(flags_n);                                                                  \
        return emit_at(ctx, ASKED(what, how, .hints = unless_followed(flags),                           \
                                  .empty = (flags & AT_EMPTY_PATH) != 0, .flags = flags, __VA_ARGS__)); \
    }

/* A hook of a call on the open file behind the descriptor that is its first argument. */
#define FILE_HOOK(name, what, how, ...)                                    \
    HOOK(name)                                                             \
    {                                                                      \
        REGISTERS;                                                         \
        return emit_file(ctx, ASKED(what, how, __VA_ARGS__), ARGUMENT(0)); \
    }

/* --- names that are made --------------------------------------------------------------------------------- */

/* long sys_mkdir(const char __user *pathname, umode_t mode)                           all, not on arm64 */
NAME_HOOK(mkdir, MKDIR, MKDIR, HERE(0), NAME_ITSELF)

/* long sys_mkdirat(int dfd, const char __user *pathname, umode_t mode)                           2.6.16+ */
NAME_HOOK(mkdirat, MKDIR, MKDIRAT, AT(0, 1), NAME_ITSELF)

/* long sys_mknod(const char __user *filename, umode_t mode, unsigned dev)             all, not on arm64 */
NAME_HOOK(mknod, CREATE, MKNOD, HERE(0), NAME_ITSELF, .access = ACCESS_PATH)

/* long sys_mknodat(int dfd, const char __user *filename, umode_t mode, unsigned dev)             2.6.16+ */
NAME_HOOK(mknodat, CREATE, MKNODAT, AT(0, 1), NAME_ITSELF, .access = ACCESS_PATH)

/* long sys_symlink(const char __user *old, const char __user *new)                    all, not on arm64 */
NAME_HOOK(symlink, SYMLINK, SYMLINK, HERE(1), NAME_ITSELF, .extra = ARGUMENT(0))

/* long sys_symlinkat(const char __user *oldname, int newdfd, const char __user *newname)         2.6.16+ */
NAME_HOOK(symlinkat, SYMLINK, SYMLINKAT, AT(1, 2), NAME_ITSELF, .extra = ARGUMENT(0))

/* long sys_link(const char __user *oldname, const char __user *newname)               all, not on arm64 */
NAME_HOOK(link, LINK, LINK, HERE(1), FROM_HERE(0), NAMES_THEMSELVES)

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
NAME_HOOK(rmdir, RMDIR, RMDIR, HERE(0), NAME_ITSELF)

/* long sys_unlink(const char __user *pathname)                                        all, not on arm64 */
NAME_HOOK(unlink, UNLINK, UNLINK, HERE(0), NAME_ITSELF)

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
NAME_HOOK(rename, RENAME, RENAME, HERE(1), FROM_HERE(0), NAMES_THEMSELVES)

/* long sys_renameat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname)
 *                                                                            2.6.16+, not on new machines */
NAME_HOOK(renameat, RENAME, RENAMEAT, AT(2, 3), FROM_AT(0, 1), NAMES_THEMSELVES)

/* long sys_renameat2(int olddfd, const char __user *oldname, int newdfd, const char __user *newname,
 *                    unsigned int flags)                                                           3.15+ */
NAME_HOOK(renameat2, RENAME, RENAMEAT2, AT(2, 3), FROM_AT(0, 1), NAMES_THEMSELVES, .flags = ARGUMENT(4))

/* --- sizes ----------------------------------------------------------------------------------------------- */

/* long sys_truncate(const char __user *path, long length)                                             all */
NAME_HOOK(truncate, TRUNCATE, TRUNCATE, HERE(0), .details = {ARGUMENT(1)})

/* long sys_ftruncate(unsigned int fd, off_t length)                                                   all */
FILE_HOOK(ftruncate, TRUNCATE, FTRUNCATE, .details = {ARGUMENT(1)})

/* --- modes ----------------------------------------------------------------------------------------------- */

/* long sys_chmod(const char __user *filename, umode_t mode)                           all, not on arm64 */
NAME_HOOK(chmod, CHMOD, CHMOD, HERE(0), .details = {(u16)ARGUMENT(1)})

/* long sys_fchmod(unsigned int fd, umode_t mode)                                                      all */
FILE_HOOK(fchmod, CHMOD, FCHMOD, .details = {(u16)ARGUMENT(1)})

/* long sys_fchmodat(int dfd, const char __user *filename, umode_t mode)                          2.6.16+ */
NAME_HOOK(fchmodat, CHMOD, FCHMODAT, AT(0, 1), .details = {(u16)ARGUMENT(2)})

/* long sys_fchmodat2(int dfd, const char __user *filename, umode_t mode, unsigned int flags)          6.6+ */
AT_HOOK(fchmodat2, CHMOD, FCHMODAT2, 3, AT(0, 1), .details = {(u16)ARGUMENT(2)})

/* --- owners ---------------------------------------------------------------------------------------------- */

/* long sys_chown(const char __user *filename, uid_t user, gid_t group)                all, not on arm64 */
NAME_HOOK(chown, CHOWN, CHOWN, HERE(0), .details = {(u32)ARGUMENT(1), (u32)ARGUMENT(2)})

/* long sys_lchown(const char __user *filename, uid_t user, gid_t group)               all, not on arm64 */
NAME_HOOK(lchown, CHOWN, LCHOWN, HERE(0), NAME_ITSELF, .details = {(u32)ARGUMENT(1), (u32)ARGUMENT(2)})

/* long sys_fchown(unsigned int fd, uid_t user, gid_t group)                                           all */
FILE_HOOK(fchown, CHOWN, FCHOWN, .details = {(u32)ARGUMENT(1), (u32)ARGUMENT(2)})

/* long sys_fchownat(int dfd, const char __user *filename, uid_t user, gid_t group, int flag)      2.6.16+ */
AT_HOOK(fchownat, CHOWN, FCHOWNAT, 4, AT(0, 1), .details = {(u32)ARGUMENT(2), (u32)ARGUMENT(3)})

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
NAME_HOOK(setxattr, SETXATTR, SETXATTR, HERE(0), .extra = ARGUMENT(1), .flags = ARGUMENT(4))

/* The same as setxattr, on the link itself                                                            all */
NAME_HOOK(lsetxattr, SETXATTR, LSETXATTR, HERE(0), NAME_ITSELF, .extra = ARGUMENT(1), .flags = ARGUMENT(4))

/* long sys_fsetxattr(int fd, const char __user *name, const void __user *value, size_t size, int flags) all */
FILE_HOOK(fsetxattr, SETXATTR, FSETXATTR, .extra = ARGUMENT(1), .flags = ARGUMENT(4))

/* long sys_setxattrat(int dfd, const char __user *path, unsigned int at_flags, const char __user *name,
 *                     const struct xattr_args __user *args, size_t size)                             6.13+ */
AT_HOOK(setxattrat, SETXATTR, SETXATTRAT, 2, AT(0, 1), .extra = ARGUMENT(3))

/* long sys_removexattr(const char __user *path, const char __user *name)                              all */
NAME_HOOK(removexattr, REMOVEXATTR, REMOVEXATTR, HERE(0), .extra = ARGUMENT(1))

/* The same as removexattr, on the link itself                                                         all */
NAME_HOOK(lremovexattr, REMOVEXATTR, LREMOVEXATTR, HERE(0), NAME_ITSELF, .extra = ARGUMENT(1))

/* long sys_fremovexattr(int fd, const char __user *name)                                              all */
FILE_HOOK(fremovexattr, REMOVEXATTR, FREMOVEXATTR, .extra = ARGUMENT(1))

/* long sys_removexattrat(int dfd, const char __user *path, unsigned int at_flags, const char __user *name)
 *                                                                                                    6.13+ */
AT_HOOK(removexattrat, REMOVEXATTR, REMOVEXATTRAT, 2, AT(0, 1), .extra = ARGUMENT(3))

/* --- mounts ---------------------------------------------------------------------------------------------- */

/* long sys_mount(char __user *dev_name, char __user *dir_name, char __user *type, unsigned long flags,
 *                void __user *data)                                                                   all */
NAME_HOOK(mount, MOUNT, MOUNT, HERE(1), .extra = ARGUMENT(0), .type = ARGUMENT(2), .flags = ARGUMENT(3))

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
