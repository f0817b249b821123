"""The system calls that no student's script needs, and that attacks on a kernel begin with."""

from __future__ import annotations

import errno
import socket
import tempfile
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyseccomp import SyscallFilter

_NEW_USER_NAMESPACE = 0x10000000
"""CLONE_NEWUSER of linux/sched.h."""

_FORBIDDEN = """
    acct add_key bpf clock_adjtime clock_settime delete_module fanotify_init finit_module fsconfig
    fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl
    kexec_file_load kexec_load keyctl lookup_dcookie memfd_create memfd_secret mount mount_setattr
    move_mount move_pages nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd
    pivot_root process_madvise process_vm_readv process_vm_writev ptrace quotactl reboot
    request_key setdomainname sethostname setns settimeofday swapoff swapon syslog umount2 unshare
    userfaultfd vhangup
""".split()


def forbidden_calls() -> SyscallFilter:
    """A filter that refuses them, every socket that leads out, and new user namespaces.

    Raises ImportError or RuntimeError where libseccomp is missing.
    """
    from pyseccomp import ALLOW, ERRNO, MASKED_EQ, NE, Arg, SyscallFilter

    rules = SyscallFilter(ALLOW)
    for call in _FORBIDDEN:
        _refuse(rules, ERRNO(errno.EPERM), call)
    # Its arguments are in memory, where a filter cannot look; libraries then use clone.
    _refuse(rules, ERRNO(errno.ENOSYS), "clone3")
    new_user = Arg(0, MASKED_EQ, _NEW_USER_NAMESPACE, _NEW_USER_NAMESPACE)
    rules.add_rule(ERRNO(errno.EPERM), "clone", new_user)
    rules.add_rule(ERRNO(errno.EAFNOSUPPORT), "socket", Arg(0, NE, int(socket.AF_UNIX)))
    return rules


@cache
def compiled_filter() -> bytes | None:
    """The filter as the kernel takes it; None where libseccomp is missing."""
    try:
        rules = forbidden_calls()
    except (ImportError, OSError, RuntimeError):
        return None
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _refuse(rules: SyscallFilter, action: int, call: str) -> None:
    with suppress(OSError, ValueError):  # this libseccomp has never heard of it
        rules.add_rule(action, call)
