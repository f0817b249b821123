"""The processes that a command has started: what they use, and how to end them all."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from grader.model import Ending

if TYPE_CHECKING:
    import psutil

    from grader.rubric import Limits

_TICK = 0.01
_PATIENCE = 5.0
_BLOCK = 4096
"""A file takes at least so many bytes of a disk."""
_BUFFER = 262_144
"""What Linux lets wait in a socket by default, and a little more, in bytes."""


class Tree(Protocol):
    """All processes of one command."""

    def excess(self, limits: Limits) -> Ending | None:
        """The limit that they exceed together."""

    def end(self) -> None:
        """Kills them; when it returns, none is left."""


class Family:
    """Processes told by their parent, their session, and a mark in their environment.

    It works on any platform and needs no rights. A process that hides from all three is missed.
    """

    def __init__(
        self, leader: subprocess.Popen[bytes], variable: str, mark: str, home: Path | None = None
    ) -> None:
        self._leader = leader
        self._variable = variable
        self._mark = mark
        self._home = home

    def excess(self, limits: Limits) -> Ending | None:
        """Looks at memory and number of the processes, and at the size of the home folder."""
        import psutil

        members: list[psutil.Process] = []
        with suppress(psutil.Error):
            leader = psutil.Process(self._leader.pid)
            members = [leader, *leader.children(recursive=True)]
        if len(members) > limits.processes:
            return Ending.PROCESSES
        if sum(map(_memory, members)) > limits.memory_bytes:
            return Ending.MEMORY
        if self._home and size_of(self._home, limits.disk_bytes) > limits.disk_bytes:
            return Ending.DISK
        return None

    def end(self) -> None:
        """Kills the processes until a look around finds none of them."""
        import psutil

        leader = self._leader
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            members = self._members()
            if sys.platform != "win32":
                # All at once, or a program that keeps forking is never caught up with.
                with suppress(OSError):
                    os.killpg(leader.pid, signal.SIGKILL)
            for member in members:
                with suppress(psutil.Error):
                    member.kill()
            leader.poll()
            if not members:
                break
            time.sleep(_TICK)
        _bury(leader)

    def _members(self) -> set[psutil.Process]:
        """The living processes, also those whose parent is gone."""
        import psutil

        members: set[psutil.Process] = set()
        with suppress(psutil.Error):
            members.update(psutil.Process(self._leader.pid).children(recursive=True))
        for pid in psutil.pids():
            with suppress(psutil.Error, OSError):
                process = psutil.Process(pid)
                if self._owns(process):
                    members.add(process)
        return {member for member in members if _alive(member)}

    def _owns(self, process: psutil.Process) -> bool:
        if sys.platform != "win32" and os.getsid(process.pid) == self._leader.pid:
            return True
        return process.environ().get(self._variable) == self._mark


class Namespace:
    """The processes of a Linux process namespace: they all die with its first one.

    `folders` are the file systems in memory that they write to, as they see them.
    """

    def __init__(
        self, leader: subprocess.Popen[bytes], first: int | None, folders: Iterable[str] = ()
    ) -> None:
        self._leader = leader
        self._first = first
        self._folders = [folder.lstrip("/") for folder in folders]
        self._handle = -1
        if first is not None:
            with suppress(OSError):  # it has ended already
                self._handle = os.pidfd_open(first)

    def excess(self, limits: Limits) -> Ending | None:
        """Looks at what the kernel has no limit for."""
        first = self._first
        if first is None:
            return None
        used = sum(map(_resident, (first, *_descendants(first)))) + _sockets(first) * _BUFFER
        if used > limits.memory_bytes:
            return Ending.MEMORY
        files = sum(_files(Path(f"/proc/{first}/root", folder)) for folder in self._folders)
        return Ending.DISK if files * _BLOCK > limits.disk_bytes else None

    def end(self) -> None:
        """Kills the first process; the kernel lets it go when all the others are dead."""
        import select

        if self._handle >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            gone = select.poll()
            gone.register(self._handle, select.POLLIN)
            gone.poll(_PATIENCE * 1000)
            os.close(self._handle)
        _bury(self._leader)
        if self._first is not None:
            # It has become our child if we are the first process here, as in a container.
            with suppress(ChildProcessError):
                os.waitpid(self._first, os.WNOHANG)


def _bury(leader: subprocess.Popen[bytes]) -> None:
    leader.kill()
    with suppress(subprocess.TimeoutExpired):
        leader.wait(_PATIENCE)


def _alive(process: psutil.Process) -> bool:
    import psutil

    # Not every container has an init that buries the dead.
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _memory(process: psutil.Process) -> int:
    import psutil

    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _descendants(pid: int) -> Iterator[int]:
    """Reads a few small files; a look at every process of the machine would cost a hundredfold."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from _descendants(child)


def _resident(pid: int) -> int:
    """Bytes of memory that a process has in use."""
    with suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def _sockets(pid: int) -> int:
    """Sockets in a process's network namespace; what waits in them is in no process's memory."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/net/unix").read_bytes().count(b"\n")
    return 0


def _files(folder: Path) -> int:
    """Files and folders in a file system, empty ones too: each takes memory."""
    with suppress(OSError):
        status = os.statvfs(folder)
        return status.f_files - status.f_ffree
    return 0


def size_of(place: Path, enough: int) -> int:
    """Bytes in a file, or in the files below a folder, counted no further than `enough`."""
    total = 0
    waiting: list[Path] = []
    with suppress(OSError):
        status = place.lstat()
        total = max(status.st_size, _BLOCK)
        waiting += [place] if stat.S_ISDIR(status.st_mode) else []
    while waiting and total <= enough:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    if total > enough:
                        break
                    total += max(entry.stat(follow_symlinks=False).st_size, _BLOCK)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
        except OSError as fault:
            # A folder that is locked is a hiding place.
            if fault.errno == errno.EACCES and sys.platform != "win32":
                return enough + 1
    return total
