"""The system calls that no student's script needs, and that attacks on a kernel begin with."""

from __future__ import annotations

import errno
import socket
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyseccomp import Arg, SyscallFilter

_NEW_USER_NAMESPACE = 0x10000000
"""CLONE_NEWUSER of linux/sched.h."""

_FORBIDDEN = """
    acct bpf clock_adjtime clock_settime delete_module fanotify_init finit_module fsconfig
    fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl
    ioprio_set kexec_file_load kexec_load keyctl lookup_dcookie memfd_create memfd_secret mount
    mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree
    perf_event_open pidfd_getfd pivot_root process_madvise process_vm_readv process_vm_writev ptrace
    quotactl reboot request_key sched_setattr sched_setparam sched_setscheduler setdomainname
    sethostname setns settimeofday swapoff swapon syslog umount2 unshare userfaultfd vhangup
""".split()
_LASTING = "add_key mq_open msgget semget shmget".split()
"""Calls for memory that is in no file and outlives those who asked for it."""
_BUFFER_SIZES = (int(socket.SO_SNDBUF), 32)
"""SO_SNDBUF and SO_SNDBUFFORCE of asm/socket.h."""
_OTHERS = (("prlimit64", 0), ("sched_setaffinity", 0), ("setpriority", 0), ("setpriority", 1))
"""Calls that change the process itself if the argument of that number is 0, else another one."""
_SIGNALS = "kill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open".split()
_EVERYBODY = -1
_NUMBER = 0xFFFF_FFFF
"""The kernel looks at this part of a process's number only."""
_FORKS = sys.version_info < (3, 14)
"""Whether multiprocessing forks by itself; later versions connect to a process that does it."""


def forbidden_calls() -> SyscallFilter:
    """A filter that refuses them, every socket that leads out, and new user namespaces.

    Raises ImportError or RuntimeError where libseccomp is missing.
    """
    from pyseccomp import ALLOW, EQ, ERRNO, MASKED_EQ, NE, Arg, SyscallFilter

    rules = SyscallFilter(ALLOW)
    for call in (*_FORBIDDEN, *_LASTING):
        _refuse(rules, call)
    # Its arguments are in memory, where a filter cannot look; libraries then use clone.
    _refuse(rules, "clone3", error=errno.ENOSYS)
    new_user = Arg(0, MASKED_EQ, _NEW_USER_NAMESPACE, _NEW_USER_NAMESPACE)
    rules.add_rule(ERRNO(errno.EPERM), "clone", new_user)
    rules.add_rule(ERRNO(errno.EAFNOSUPPORT), "socket", Arg(0, NE, int(socket.AF_UNIX)))
    # What waits in a socket is in nobody's memory: it shall be as little as usual.
    for option in _BUFFER_SIZES:
        _refuse(rules, "setsockopt", Arg(1, EQ, int(socket.SOL_SOCKET)), Arg(2, EQ, option))
    return rules


def shared_filter(spared: Iterable[int], *, confined: bool) -> SyscallFilter:
    """A filter for a program among this computer's processes: none of those spared gets a signal.

    What outlives the program's processes cannot be made.
    A program that is to be confined reaches no service of this computer either, as far as
    Python itself needs none.

    Raises ImportError or RuntimeError where libseccomp is missing.
    """
    from pyseccomp import ALLOW, MASKED_EQ, NE, Arg, SyscallFilter

    rules = forbidden_calls() if confined else SyscallFilter(ALLOW)
    targets = {_EVERYBODY}.union(*((number, -number) for number in spared))
    for call, target in product(_SIGNALS, targets):
        _refuse(rules, call, Arg(0, MASKED_EQ, _NUMBER, target & _NUMBER))
    for call in ("tkill", *_LASTING):
        _refuse(rules, call)
    for call, number in _OTHERS if confined else ():
        _refuse(rules, call, Arg(number, NE, 0))
    if confined and _FORKS:
        # A desktop's message bus, for one, starts any program for its user.
        _refuse(rules, "connect")
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


def _refuse(rules: SyscallFilter, call: str, *arguments: Arg, error: int = errno.EPERM) -> None:
    from pyseccomp import ERRNO

    with suppress(OSError, ValueError):  # this libseccomp has never heard of it
        rules.add_rule(ERRNO(error), call, *arguments)
