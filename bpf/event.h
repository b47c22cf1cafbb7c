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
};

/* Position in `Operation` of events/model.py. */
enum file_operation {
    OPERATION_OPEN = 0,
    OPERATIONS = 32,
};

/* `AccessMode`: the kernel's O_ACCMODE, with O_PATH as a mode of its own. */
enum access_mode {
    ACCESS_READ = 0,
    ACCESS_WRITE = 1,
    ACCESS_READ_WRITE = 2,
    ACCESS_PATH = 3,
};

/* Position in `SYSCALLS` of events/wire.py. */
enum file_call {
    CALL_OPEN = 0,
    CALL_OPENAT = 1,
    CALL_OPENAT2 = 2,
    CALL_CREAT = 3,
};

/* Bits of `PathState`. */
enum path_state {
    PATH_TRUNCATED = 1,
    PATH_UNRESOLVED = 2,
    PATH_DELETED = 8,
    PATH_UNREACHABLE = 16,
    PATH_FOREIGN = 32,
};

#define COMM_BYTES 16
#define ASKED_UNREADABLE 0xffff /* asked_bytes where the caller's text could not be read */

/* One bit a clause of the kernel plan. */
struct clause_set {
    u64 words[CLAUSE_WORDS];
};

/* Followed by path_bytes of the path and asked_bytes of what the caller passed. */
struct file_record {
    u16 kind;
    u8 operation;
    u8 access;
    u8 state;
    u8 call;
    u16 path_bytes;
    u16 asked_bytes;
    u16 mode; /* st_mode; 0 where there is no file */
    u32 epoch; /* of the rules that `candidates` speaks of; 0: nobody has filtered */
    u64 time_ns; /* boot clock */
    u64 process_start_ns; /* boot clock, of the thread group's leader */
    s32 result;
    u32 flags;
    u32 tgid;
    u32 tid;
    u32 parent_tgid;
    u32 uid;
    u32 gid;
    u32 euid;
    u32 egid;
    u32 login_uid; /* ~0: nobody logged in */
    u32 session; /* ~0: none */
    u32 device; /* major << 20 | minor; 0 where there is no file */
    u64 inode;
    u64 cgroup;
    u64 image; /* inode number of the caller's program: tells whether its exec record has arrived */
    char comm[COMM_BYTES];
    struct clause_set candidates;
};

/* A fork, exec or exit; an exec is followed by path_bytes of the image and args_bytes of NUL-ended
 * arguments. */
struct process_record {
    u16 kind;
    u16 path_bytes;
    u16 args_bytes;
    u8 args_truncated;
    u8 state; /* of the image's path */
    u32 tgid;
    u32 parent_tgid;
    u64 start_ns;
    u64 parent_start_ns;
    u64 image; /* inode number of the program, of an exec */
    char comm[COMM_BYTES];
};

_Static_assert(__builtin_offsetof(struct file_record, epoch) == 12, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, time_ns) == 16, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, result) == 32, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, inode) == 80, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, comm) == 104, "ABI");
_Static_assert(__builtin_offsetof(struct file_record, candidates) == 120, "ABI");
_Static_assert(sizeof(struct file_record) == 120 + 8 * CLAUSE_WORDS, "ABI");
_Static_assert(__builtin_offsetof(struct process_record, start_ns) == 16, "ABI");
_Static_assert(sizeof(struct process_record) == 56, "ABI");

#endif
