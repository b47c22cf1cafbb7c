/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel writes into the ring: the ABI between these programs and `events/wire.py`.
 *
 * Every record is a fixed head followed by bytes whose lengths the head tells. Fields are ordered by size
 * so that the compiler adds no padding; the assertions below and tests/unit/events/test_wire.py hold both
 * sides to the same offsets. Integers are in the machine's own byte order: both sides run on one machine.
 */
#ifndef FILEAUDIT_EVENT_H
#define FILEAUDIT_EVENT_H

#ifndef CLAUSE_WORDS
#define CLAUSE_WORDS 1 /* 64 clauses a word; the loader asks for 1, 2, 4, 8 or 16 */
#endif

enum record_kind {
    RECORD_FILE = 1,
    RECORD_FORK = 2,
    RECORD_EXEC = 3,
    RECORD_EXIT = 4,
    RECORD_CHDIR = 5,
    RECORD_USED = 6,
};

/* Position in `Operation` of events/model.py. */
enum file_operation {
    OPERATION_OPEN = 0,
    OPERATION_CREATE = 1,
    OPERATION_READ = 2,
    OPERATION_WRITE = 3,
    OPERATION_TRUNCATE = 4,
    OPERATION_MKDIR = 5,
    OPERATION_RMDIR = 6,
    OPERATION_UNLINK = 7,
    OPERATION_RENAME = 8,
    OPERATION_LINK = 9,
    OPERATION_SYMLINK = 10,
    OPERATION_CHMOD = 11,
    OPERATION_CHOWN = 12,
    OPERATION_UTIMES = 13,
    OPERATION_SETXATTR = 14,
    OPERATION_REMOVEXATTR = 15,
    OPERATION_MOUNT = 16,
    OPERATION_UMOUNT = 17,
    OPERATION_EXEC = 18,
    OPERATIONS = 32,
};

/* `AccessMode`: the kernel's O_ACCMODE, with O_PATH as a mode of its own. */
enum access_mode {
    ACCESS_READ = 0,
    ACCESS_WRITE = 1,
    ACCESS_READ_WRITE = 2,
    ACCESS_PATH = 3,
};

/* Position in `CALLS` of events/calls.py. */
enum file_call {
    CALL_OPEN,
    CALL_OPENAT,
    CALL_OPENAT2,
    CALL_OPEN_BY_HANDLE_AT,
    CALL_CREAT,
    CALL_READ,
    CALL_PREAD64,
    CALL_READV,
    CALL_PREADV,
    CALL_PREADV2,
    CALL_WRITE,
    CALL_PWRITE64,
    CALL_WRITEV,
    CALL_PWRITEV,
    CALL_PWRITEV2,
    CALL_SENDFILE,
    CALL_SPLICE,
    CALL_COPY_FILE_RANGE,
    CALL_MMAP,
    CALL_TRUNCATE,
    CALL_FTRUNCATE,
    CALL_MKDIR,
    CALL_MKDIRAT,
    CALL_MKNOD,
    CALL_MKNODAT,
    CALL_RMDIR,
    CALL_UNLINK,
    CALL_UNLINKAT,
    CALL_RENAME,
    CALL_RENAMEAT,
    CALL_RENAMEAT2,
    CALL_LINK,
    CALL_LINKAT,
    CALL_SYMLINK,
    CALL_SYMLINKAT,
    CALL_CHMOD,
    CALL_FCHMOD,
    CALL_FCHMODAT,
    CALL_FCHMODAT2,
    CALL_CHOWN,
    CALL_FCHOWN,
    CALL_LCHOWN,
    CALL_FCHOWNAT,
    CALL_UTIME,
    CALL_UTIMES,
    CALL_FUTIMESAT,
    CALL_UTIMENSAT,
    CALL_SETXATTR,
    CALL_LSETXATTR,
    CALL_FSETXATTR,
    CALL_SETXATTRAT,
    CALL_REMOVEXATTR,
    CALL_LREMOVEXATTR,
    CALL_FREMOVEXATTR,
    CALL_REMOVEXATTRAT,
    CALL_MOUNT,
    CALL_MOVE_MOUNT,
    CALL_UMOUNT2,
    CALL_EXECVE,
    CALL_EXECVEAT,
    CALLS,
};

/* Bits of `PathState`. */
enum path_state {
    PATH_TRUNCATED = 1,
    PATH_UNRESOLVED = 2,
    PATH_DELETED = 8,
    PATH_UNREACHABLE = 16,
    PATH_FOREIGN = 32,
};

/* What user space must know to go on with the paths, and no rule asks for. */
enum path_hint {
    HINT_NAME = 1, /* the call is on the name: the last component of the path is not followed */
    HINT_SECOND_NAME = 2, /* the same of the second path */
    HINT_ALIAS = 4, /* the candidates are those of another name of the file, too */
    HINT_DESCRIPTOR = 8, /* the caller named a descriptor of its own; the alias is what stands behind it */
};

#define COMM_BYTES 16
#define ASKED_UNREADABLE 0xffff /* asked_bytes where the caller's text could not be read */

/* One bit a clause of the kernel plan. */
struct clause_set {
    u64 words[CLAUSE_WORDS];
};

/*
 * Followed, in this order, by the bytes of
 *   path          the file: absolute
 *   asked         what the caller passed for it
 *   alias         another name of the file, under which rules may know it
 *   second        of a rename, the old name; of a link, the file that got another name
 *   second_asked  what the caller passed for that
 *   extra         the text of a symbolic link, the name of an attribute, the source of a mount and, behind a
 *                 NUL, its type
 */
struct file_record {
    u16 kind;
    u8 operation;
    u8 call;
    u8 access;
    u8 state;
    u8 second_state;
    u8 hints;
    u16 path_bytes;
    u16 asked_bytes;
    u16 alias_bytes;
    u16 second_bytes;
    u16 second_asked_bytes;
    u16 extra_bytes;
    u16 mode; /* st_mode; 0 where there is no file */
    u16 unused;
    u64 time_ns; /* boot clock */
    u64 process_start_ns; /* boot clock, of the thread group's leader */
    s64 result;
    u32 epoch; /* of the rules that `candidates` speaks of; 0: nobody has filtered */
    u32 tgid;
    u32 tid;
    u32 parent_tgid;
    u32 flags;
    u32 uid;
    u32 gid;
    u32 euid;
    u32 egid;
    u32 login_uid; /* ~0: nobody logged in */
    u32 session; /* ~0: none */
    u32 device; /* major << 20 | minor; 0 where there is no file */
    u32 owner; /* of the file, where there is one */
    u32 owner_group;
    u64 inode;
    u64 size;
    u64 cgroup;
    u64 image; /* inode number of the caller's program: tells whether its exec record has arrived */
    /*
     * read, write   bytes and calls by this process, as long as it runs one program for one user, since the file was
     *               opened; and a number for this use of it
     * truncate      the size
     * chmod         the mode
     * chown         owner and group, each ~0 where it stays
     * utimes        times of access and modification, nanoseconds since the Unix epoch; or TIME_OMITTED, TIME_NOW
     */
    s64 details[3];
    char comm[COMM_BYTES];
    struct clause_set candidates;
};

#define TIME_OMITTED ((s64)(1ULL << 63)) /* the time stays as it is */
#define TIME_NOW (TIME_OMITTED + 1) /* that of the call */

/*
 * A fork, exec, exit or change of the working directory, followed by the bytes of
 *   path     the image of an exec
 *   args     its NUL-ended arguments
 *   cwd      the working directory: of an exec or a change of it
 *   cgroup   of an exec, the topmost names of its cgroup, from the leaf up, each ended by a slash: of the
 *            unified hierarchy, and behind them of one with controllers
 */
struct process_record {
    u16 kind;
    u16 path_bytes;
    u16 args_bytes;
    u16 cwd_bytes;
    u16 cgroup_bytes;
    u8 args_truncated;
    u8 state; /* of the image's path */
    u8 cwd_state;
    u8 compat; /* of an exec: whether the program is a 32-bit one */
    u8 unused[2];
    u32 tgid;
    u32 parent_tgid;
    u32 uid;
    u32 gid;
    u64 start_ns;
    u64 parent_start_ns;
    u64 image; /* inode number of the program, of an exec */
    u64 cgroup; /* v2 id */
    char comm[COMM_BYTES];
};

/* A descriptor was closed through which more was read or written than has been told. */
struct used_record {
    u16 kind;
    u16 unused;
    u32 tgid;
    u64 use; /* `details[2]` of the file's records */
    u64 time_ns; /* boot clock */
};

_Static_assert(sizeof(struct used_record) == 24, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, time_ns) == 24, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, epoch) == 48, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, inode) == 104, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, details) == 136, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, comm) == 160, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, candidates) == 176, "ABI");
_Static_assert(sizeof(struct file_record) == 176 + 8 * CLAUSE_WORDS, "ABI");
_Static_assert(__builtin_offsetof(struct process_record, start_ns) == 32, "ABI");
_Static_assert(sizeof(struct process_record) == 80, "ABI");

#endif
