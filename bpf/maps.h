/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that the programs share with user space, and the scratch memory that they work in.
 *
 * The rules are in `selectors`, `anything`, `prefixes`, `suffixes`, `components`, `callers` and
 * `known_files`; `sources/maps.py` writes them from a KernelPlan. `engine_config.epoch` is their generation:
 * while user space rewrites them it is 0, and then every event passes unfiltered.
 */
#ifndef FILEAUDIT_MAPS_H
#define FILEAUDIT_MAPS_H

#include "event.h"

#define SELECTORS 256 /* 32 operations x 4 access modes x 2 outcomes */
#define KEY_BYTES 248 /* an LPM key is at most 256 bytes, its length and padding included */
#define KEY_WORDS (KEY_BYTES / 8)
#define COMPONENT_BYTES 32 /* longer components are cut, in the maps and here: it can only pass too much */
#define COMPONENT_WORDS (COMPONENT_BYTES / 8)
#define MAX_KEYS 65536 /* a trie allocates as it grows, so the limit costs nothing */

/* Hash tables are allocated whole: the loader asks for what the rules need, with room for others. */
#ifndef COMPONENT_KEYS
#define COMPONENT_KEYS 1024
#endif
#ifndef CALLER_KEYS
#define CALLER_KEYS 1024
#endif
#ifndef FILE_KEYS
#define FILE_KEYS 1024
#endif
#define DECISIONS 8192 /* per CPU, 64 KB; a power of two */

#define OPEN_FILES 16384 /* whose transfers are summed; the least recently used are forgotten */
#define CALLERS 4096 /* users whose budget is known; the least recently seen is forgotten */
#define BUDGET 64 /* events a user may have in the ring's second half, per window */
#define WINDOW_SHIFT 27 /* of nanoseconds: about an eighth of a second */

#ifndef RING_PAGES
#define RING_PAGES 2048
#endif

/* Programs of the slow half. */
#define BEHIND_FILE 0
#define BEHIND_NAME 1
#define BEHIND_ALIAS 2
#define BEHIND_DELIVER 3
#define BEHIND_PROGRAMS 4
#define BEHIND_HOST_IMAGE 0
#define BEHIND_EXEC_REST 1
#define BEHIND_EXEC_PROGRAMS 2

/* Where a path is put together. Names of a dentry walk are written backwards from TEXT_MIDDLE, the text of
 * a caller goes behind it; TEXT_FRONT bytes before both let a suffix key be copied from any path. */
#define PATH_LIMIT 4096 /* the kernel's PATH_MAX; more is cut off and flagged */
#define TEXT_FRONT 256
#define TEXT_MIDDLE (TEXT_FRONT + PATH_LIMIT)
#define TEXT_BYTES (TEXT_MIDDLE + PATH_LIMIT + 512)
#define DATA_BYTES (3 * PATH_LIMIT + 512) /* of a process: image, arguments, directory, cgroup */
#define RECORD_BYTES 32768 /* the most that a per-CPU value may have; a record has up to six texts */
#define RECORD_FULL 24575 /* behind this, a text of two limits has no room any more */

#define CANONICAL_MOUNTS 4096 /* of the host; a mount beyond is one whose files have no other name */
#define NAMES 4 /* of a file system; btrfs shows its subvolumes in many places */
#define ROOT_BYTES 64
#define POINT_BYTES 248

struct engine_config {
    u64 keys[4]; /* random, odd; see path.h */
    u32 epoch; /* generation of the rules, 0: do not filter */
    u32 self; /* thread group of the engine: it never reports on itself */
    u32 mount_namespace; /* of the host: inode number of /proc/1/ns/mnt */
    u32 watch_children; /* whether it reports on what it starts itself: its loaders */
    u32 mounts_epoch; /* generation of `mounts` and `canonical` */
    u32 unused;
    u64 since_ns; /* when the engine began to load this, boot clock */
};

struct plan_defaults {
    struct clause_set prefix; /* clauses that ask nothing of the path's beginning */
    struct clause_set suffix;
    struct clause_set component;
    struct clause_set audit; /* clauses whose rules alert nobody */
    struct clause_set user; /* what holds of a user who is not in `callers`; `process` and `comm` likewise */
    struct clause_set process;
    struct clause_set comm;
};

enum caller_kind {
    CALLER_USER = 1, /* the number of the real user */
    CALLER_PROCESS = 2, /* the thread group */
    CALLER_COMM = 3, /* the thread's own name, lower-cased, zeros behind it */
};

struct caller_key {
    u64 text[COMM_BYTES / 8];
    u32 kind;
    u32 unused;
};

/* A file whose names rules know, whatever it was reached by. */
struct known_file_key {
    u64 inode;
    u32 device; /* major << 20 | minor */
    u32 unused;
};

/* An open file of which some rule wants to know what is read or written. */
struct mark {
    u64 dentry; /* addresses: of the file, if they are still its own */
    u64 inode;
    u64 use; /* a number that no other open file has */
    u32 access;
    u32 unused;
};

struct use_key {
    u64 use;
    u64 image; /* what another program of the process does, and what it does for another user, is told apart */
    u32 tgid;
    u32 uid;
    u32 operation;
    u32 unused;
};

/* What a process has read from a file, or written to it. */
struct use {
    u64 bytes;
    u64 calls;
    u64 told; /* of the calls, those that user space has an event of from here */
    u64 epoch; /* of the rules that wanted to know */
};

struct slot_key {
    u32 tgid;
    u32 descriptor;
};

/* What a user has sent in a window of time. */
struct spending {
    u64 window;
    u64 events;
};

struct path_key {
    u32 bits;
    u8 text[KEY_BYTES];
};

/* A path_key whose text is aligned: the key itself begins at `bits`. */
struct aligned_key {
    u32 unused;
    u32 bits;
    u64 words[KEY_WORDS];
};

struct component_key {
    u64 words[COMPONENT_WORDS];
};

struct engine_counters {
    u64 seen; /* calls that reached a program, the engine's own left out */
    u64 filtered; /* of these, dropped because no rule can match */
    u64 submitted; /* of these, written to the ring */
    u64 process_records; /* fork, exec and exit records written to the ring */
    u64 lost_process_records;
    u64 lost[OPERATIONS]; /* of those seen, found no room in the ring */
};

/* What one look at a dentry tells: contiguous there, so one read. */
struct dentry_head {
    u64 parent;
    u64 hash_len;
    u64 name;
    u64 inode;
    u64 words[3]; /* the name itself if it is short */
};

struct mount_head {
    u64 parent;
    u64 mountpoint;
    u64 root;
};

/* A call as its hook understands it: the caller's arguments, and what they ask for. */
struct asked {
    u64 path; /* addresses of texts */
    u64 second_path;
    u64 extra;
    u64 type; /* of a file system */
    s64 details[3];
    s32 directory; /* where a relative path begins: a descriptor, or AT_FDCWD */
    s32 second_directory;
    u32 flags;
    u8 in_root; /* openat2: an absolute path begins at the directory, too */
    u8 call;
    u8 operation;
    u8 access;
    u8 hints; /* HINT_NAME, HINT_SECOND_NAME: it is on the names themselves */
    u8 two_paths;
    u8 empty; /* an empty path stands for the directory itself */
    u8 in_kernel; /* `path` is an address of the kernel's */
    u8 extra_in_kernel; /* `extra` and `type` are */
};

struct mount_key {
    u32 device;
    u32 number; /* of its names, the best one first, from 0 */
};

/* A name of a file system in the host's mount namespace: of the whole of it, or of what is below `root`. */
struct canonical_mount {
    u16 root_bytes;
    u16 point_bytes;
    u32 unused;
    u8 root[ROOT_BYTES];
    u8 point[POINT_BYTES];
};

/* What a mount shows that gives its files their names; its number may be another mount's by now. */
struct shown {
    u32 device;
    u32 whole; /* the file system from its root on */
};

/* A record that is put together. */
struct outgoing {
    u8 bytes[RECORD_BYTES];
};

struct scratch {
    u8 record[sizeof(struct process_record) + DATA_BYTES]; /* of a process */
    struct dentry_head head;
    struct mount_head mount;
    u64 long_name[32]; /* 255 bytes and at least one zero */
    struct clause_set components; /* found in the path so far */
    struct component_key component;
    u64 overflow[COMPONENT_WORDS]; /* where bytes of longer components end */
    u64 position; /* in `component` */
    /* What a hook hands to the program behind it. */
    struct asked asked;
    u64 file;
    u64 first_hash;
    u64 device; /* of the file system that the path ends in */
    u32 selector;
    u32 remembers; /* whether 'no rule can match' may be remembered of the path */
    s64 result;
    struct clause_set selected; /* clauses for which the operation and its outcome will do */
    struct clause_set tried; /* of these, those that one name of the file may satisfy */
    struct clause_set candidates; /* of these, those that some name of the file may satisfy */
    u64 out; /* bytes of the record so far */
    u32 second; /* whether it is about the second path */
    u32 certain; /* how much of the path: CERTAIN_ */
    u32 aliased; /* whether the path ends in a mount that is not the file system's canonical one */
    u64 exec_descriptor; /* of an exec by descriptor, where its text is; 0 of any other */
    u64 asked_at; /* the caller's text */
    u64 asked_bytes;
    u64 leaf; /* where the last component of a caller's text begins, at its slash; 0: not known */
    /* What could be local variables, but for the verifier (see path.h). */
    u64 missing; /* whether the call failed for want of the file: then its text is all there is */
    struct path base; /* what is walked from */
    u64 dentry_here, mount_here; /* where the walk is */
    u64 test_name; /* whether the next name is a component to look up */
    u64 high; /* all bytes of all names */
    u64 mixed; /* the fingerprint so far */
    u64 hash; /* fingerprint of the walked path; 0: none */
    u64 at; /* a loop's position in `text` */
    u64 dots, folds; /* found by `scan_text` */
    u32 found; /* by the walk: path state and WALK_ bits */
    u32 read; /* by `scan_text`: TEXT_ bits */
    u64 start; /* the path is text[start, end) */
    u64 end;
    struct aligned_key key;
    u8 text[TEXT_BYTES];
};

BPF_ARRAY(engine_config, struct engine_config, 1);
BPF_ARRAY(selectors, struct clause_set, SELECTORS);
BPF_ARRAY(anything, struct plan_defaults, 1);
BPF_LPM_TRIE(prefixes, struct path_key, struct clause_set, MAX_KEYS);
BPF_LPM_TRIE(suffixes, struct path_key, struct clause_set, MAX_KEYS);
BPF_HASH(components, struct component_key, struct clause_set, COMPONENT_KEYS);
BPF_HASH(callers, struct caller_key, struct clause_set, CALLER_KEYS);
BPF_HASH(known_files, struct known_file_key, struct clause_set, FILE_KEYS);
BPF_TABLE("lru_hash", u32, struct spending, spendings, CALLERS);
BPF_PERCPU_ARRAY(engine_counters, struct engine_counters, 1);
BPF_PERCPU_ARRAY(decisions, u64, DECISIONS);
BPF_PERCPU_ARRAY(scratch, struct scratch, 1);
BPF_PERCPU_ARRAY(outgoing, struct outgoing, 1);
BPF_HASH(mounts, struct mount_key, struct canonical_mount, CANONICAL_MOUNTS);
BPF_HASH(canonical, u32, struct shown, CANONICAL_MOUNTS); /* by mnt_id of those mounts */
#ifdef TEST_TRANSFER
BPF_TABLE("lru_hash", u64, struct mark, marks, OPEN_FILES); /* by the file's address */
BPF_TABLE("lru_hash", struct use_key, struct use, uses, OPEN_FILES);
BPF_TABLE("lru_hash", struct slot_key, u64, slots, OPEN_FILES); /* the use behind a descriptor */
#endif
BPF_PROG_ARRAY(behind_exec, BEHIND_EXEC_PROGRAMS); /* the rest of an exec's record */
BPF_PROG_ARRAY(behind, BEHIND_PROGRAMS); /* the slow half of every hook */
BPF_RINGBUF_OUTPUT(events, RING_PAGES);

#endif
