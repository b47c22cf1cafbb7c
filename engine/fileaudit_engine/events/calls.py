"""The system calls that do something to a file or start a program: what an event's `Syscall` can be.

A rule that waits for another one, such as `socket`, waits in vain.
"""

from typing import Final

CALLS: Final = (
    *("open", "openat", "openat2", "open_by_handle_at", "creat"),
    *("read", "pread64", "readv", "preadv", "preadv2"),
    *("write", "pwrite64", "writev", "pwritev", "pwritev2"),
    *("sendfile", "splice", "copy_file_range", "mmap"),
    *("truncate", "ftruncate"),
    *("mkdir", "mkdirat", "mknod", "mknodat", "rmdir", "unlink", "unlinkat"),
    *("rename", "renameat", "renameat2"),
    *("link", "linkat", "symlink", "symlinkat"),
    *("chmod", "fchmod", "fchmodat", "fchmodat2"),
    *("chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat"),
    *("setxattr", "lsetxattr", "fsetxattr", "setxattrat"),
    *("removexattr", "lremovexattr", "fremovexattr", "removexattrat"),
    *("mount", "move_mount", "umount2"),
    *("execve", "execveat"),
)
"""By the names of the kernel's table for 64-bit calls, in the order of `enum file_call` of bpf/event.h."""
