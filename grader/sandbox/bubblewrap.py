"""Runs a program in bubblewrap: no network, no processes but its own, nothing of ours to see.

All that it can write to is memory of a fixed size. A launcher of ours hands us that folder,
open, before the program starts. The folder outlives the sandbox, so we look into it when every
process is dead, and the program has no say in what we see. Nothing of it is ever on our disk.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from grader.model import Ending
from grader.process import Command, Ended, pipe, supervise
from grader.process_tree import Namespace
from grader.sandbox.interpreter import EXECUTABLE, hidden, needed
from grader.sandbox.launcher import LAUNCHER, changes_user, limit_options, spare_user
from grader.sandbox.program import FOLDERS, WORK, Execution, Program, parts
from grader.sandbox.seccomp import compiled_filter

if TYPE_CHECKING:
    from grader.rubric import Limits

NAME = "bubblewrap"

_BOX = PurePosixPath("/sandbox")
_HOME = _BOX / "home"
_SHIM = PurePosixPath("/launch/shim")
_INSIDE = "/launch/inside.py"
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64")
_SHM = "/dev/shm"  # noqa: S108
_SHARED_MEMORY = 16 * 1024**2
_SEARCHED = "/usr/bin:/bin:/usr/local/bin"
_COUNTS_APART = (5, 14)
"""Since then Linux counts a user's processes for each user namespace, not for the whole login."""


def found() -> str | None:
    """Where bubblewrap is. Only the system's folders are searched: PATH may be anybody's."""
    return shutil.which("bwrap", path=_SEARCHED)


@contextmanager
def executed(
    program: Program,
    limits: Limits,
    stop: threading.Event | None = None,
    look: Callable[[Path], None] | None = None,
) -> Iterator[Execution]:
    """Runs a program to its end or its limit; what it left can be seen inside the block."""
    with ExitStack() as stack:
        channel, far_end = map(stack.enter_context, socket.socketpair())
        told, status = stack.enter_context(pipe())
        in_memory = partial(_in_memory, stack)
        calls = compiled_filter()
        given = _Given(
            files={name: in_memory(content) for name, content in program.files.items()},
            channel=far_end,
            status=status,
            calls=None if calls is None else in_memory(calls),
        )
        command = Command(
            arguments=(str(found()), *_arguments(program, limits, given)),
            environment={},
            folder=Path("/"),
            descriptors=tuple(file.fileno() for file in given.all),
        )

        def namespace(leader: subprocess.Popen[bytes]) -> Namespace:
            for file in given.all:
                file.close()
            return Namespace(leader, _first_process(told), (str(_BOX), _SHM))

        folder = _Folder(channel, stack)
        ended = supervise(command, limits, stop, namespace, partial(folder.shown, look))
        yield _execution(ended, folder)


class _Folder:
    """The folder that the launcher hands over the channel, once it has."""

    def __init__(self, channel: socket.socket, stack: ExitStack) -> None:
        self._channel = channel
        self._stack = stack
        self._descriptor: int | None = None
        channel.setblocking(False)

    def descriptor(self) -> int | None:
        """The open folder; None as long as the program was not started."""
        if self._descriptor is None:
            with suppress(OSError):
                # None at all, if bubblewrap has ended before the launcher began.
                for descriptor in socket.recv_fds(self._channel, 1, 1)[1]:
                    self._descriptor = descriptor
                    self._stack.callback(os.close, descriptor)
        return self._descriptor

    def shown(self, look: Callable[[Path], None] | None) -> None:
        """Lets somebody look into it while the program runs."""
        if look and (descriptor := self.descriptor()) is not None:
            look(_home_in(descriptor))


def _execution(ended: Ended, folder: _Folder) -> Execution:
    """What came of it; without a folder the program was never started."""
    descriptor = folder.descriptor()
    if descriptor is None:
        said = ended.output.decode("utf-8", "replace").strip() or "bubblewrap did not start"
        ended = Ended(ending=Ending.NOT_STARTED, problem=ended.problem or said.splitlines()[0])
        return Execution(ended=ended, sandbox=NAME, left=None, seen=_HOME)
    if ended.ending is Ending.FINISHED and not os.fstatvfs(descriptor).f_bfree:
        ended = replace(ended, ending=Ending.DISK)
    left = _home_in(descriptor)
    if left.is_symlink():
        # It would lead to a place of ours: the program has moved its folder away.
        left.unlink()
    return Execution(ended=ended, sandbox=NAME, left=left, seen=_HOME)


def _home_in(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}") / _HOME.name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """Open files that bubblewrap is started with."""

    files: Mapping[str, IO[bytes]]
    """The program's files: name -> one to read it from."""
    channel: socket.socket
    status: IO[bytes]
    calls: IO[bytes] | None

    @property
    def all(self) -> tuple[socket.socket | IO[bytes], ...]:
        """All of them."""
        calls = () if self.calls is None else (self.calls,)
        return (*self.files.values(), self.channel, self.status, *calls)


def _in_memory(stack: ExitStack, content: bytes) -> IO[bytes]:
    """A file without a name: it is gone whatever happens to us."""
    file = stack.enter_context(os.fdopen(os.memfd_create("grader"), "w+b"))
    file.write(content)
    file.seek(0)
    return file


def _first_process(told: IO[bytes]) -> int | None:
    """Its number, as bubblewrap tells it on starting; None when it could not."""
    text = b""
    while b"}" not in text and (block := told.read(4096)):
        text += block
    number = re.search(rb'"child-pid": *(\d+)', text)
    return int(number[1]) if number else None


# ---------------------------------------------------------------- the command line


def _arguments(program: Program, limits: Limits, given: _Given) -> list[str]:
    python = str(EXECUTABLE)
    launcher = (python, "-I", "-S", _INSIDE, *_options(limits, given))
    return [
        *_namespaces(given),
        *_variables(program),
        *_system(),
        *_interpreter(),
        *_ours(program),
        *_writable(limits),
        *_files(given.files),
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        *("--chdir", str(_HOME / WORK)),
        "--",
        *launcher,
        *("--", python),
        str(_HOME.joinpath(WORK, *parts(program.script))),
    ]


def _namespaces(given: _Given) -> Iterable[str]:
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts")
    yield from ("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv")
    if not changes_user():
        # Root becomes another user in the launcher; a namespace would know no other.
        yield from ("--unshare-user", "--disable-userns", "--cap-drop", "ALL")
    yield from ("--info-fd", str(given.status.fileno()))
    if given.calls is not None:
        yield from ("--seccomp", str(given.calls.fileno()))


def _variables(program: Program) -> Iterable[str]:
    for name, value in program.environment(_HOME, program.shim and _SHIM).items():
        yield from ("--setenv", name, value)


def _system() -> Iterable[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        else:
            yield from ("--ro-bind-try", str(path), str(path))
    # NixOS keeps its system there.
    for place in ("/etc/ld.so.cache", "/etc/localtime", "/nix/store"):
        yield from _placed(Path(place)) if Path(place).exists() else ()
    yield from ("--proc", "/proc", "--dev", "/dev")


def _interpreter() -> Iterable[str]:
    paths = needed()
    if not any(path.is_relative_to("/tmp") for path in paths):  # noqa: S108
        yield from ("--symlink", str(_HOME / "tmp"), "/tmp")  # noqa: S108
    for path in paths:
        # By a second name, as `lib64` often is one, what is hidden below could be seen.
        known = path.is_symlink() and path.resolve() in paths
        yield from ("--symlink", str(path.readlink()), str(path)) if known else _placed(path)
    for path in hidden():
        if any(path.is_relative_to(seen) for seen in (Path("/usr"), *paths)):
            yield from ("--perms", "0000", "--tmpfs", str(path), "--remount-ro", str(path))


def _ours(program: Program) -> Iterable[str]:
    yield from ("--perms", "0755", "--dir", "/launch", "--ro-bind", str(LAUNCHER), _INSIDE)
    if program.shim:
        yield from ("--ro-bind", str(program.shim), str(_SHIM))


def _placed(path: Path) -> Iterable[str]:
    """A path at its own place, read-only; the folders above it are empty but for it."""
    for parent in reversed(path.parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(parent))
    yield from ("--ro-bind", str(path), str(path))


def _writable(limits: Limits) -> Iterable[str]:
    for size, place in ((_SHARED_MEMORY, _SHM), (limits.disk_bytes, str(_BOX))):
        yield from ("--perms", "1777", "--size", str(size), "--tmpfs", place)
    for folder in (_HOME, *(_HOME / name for name in FOLDERS)):
        yield from ("--perms", "0777", "--dir", str(folder))


def _files(files: Mapping[str, IO[bytes]]) -> Iterable[str]:
    for name, file in files.items():
        path = _HOME.joinpath(WORK, *parts(name))
        for folder in reversed(path.relative_to(_HOME / WORK).parents[:-1]):
            yield from ("--perms", "0777", "--dir", str(_HOME / WORK / folder))
        yield from ("--perms", "0666", "--file", str(file.fileno()), str(path))


def _options(limits: Limits, given: _Given) -> Iterable[str]:
    """What the launcher gives up before it becomes the program."""
    yield from (f"send={given.channel.fileno()}", f"folder={_BOX}", f"home={_HOME}")
    yield from limit_options(limits)
    alone = changes_user()
    if alone:
        # A user of its own, so that the processes of other programs do not count as its.
        yield f"user={spare_user()}"
    if alone or _kernel() >= _COUNTS_APART:
        yield f"rlimit_nproc={limits.processes}"


def _kernel() -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
