"""Runs a program as an ordinary process in a temporary folder, with what the system can take away.

On Linux it is confined by Landlock (files) and seccomp (network, dangerous calls) where they are
to be had. On Linux and macOS a launcher of ours stays beside it, so that nothing is left even if
the grader is killed. On Windows there are the limits that the grader itself enforces.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from grader.model import Ending
from grader.process import MARK, Command, Ended, pipe, reason, supervise
from grader.process_tree import Family
from grader.sandbox.interpreter import EXECUTABLE, hidden, needed, readable_by_others
from grader.sandbox.launcher import LAUNCHER, changes_user, limit_options, spare_user
from grader.sandbox.program import WORK, Execution, Program, parts
from grader.sandbox.scratch import lay_out, scratch
from grader.sandbox.seccomp import compiled_filter
from grader.sandbox.shared_memory import cleared, used

if TYPE_CHECKING:
    from grader.rubric import Limits

CONFINED = "landlock"
NAME = "none"

_READABLE = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
_READABLE_FILES = ("/etc/ld.so.cache", "/etc/localtime")
_SLACK = 128
"""What the user's other programs may start in the meantime."""
_WRITABLE = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm")  # noqa: S108


@cache
def confines() -> bool:
    """Whether Landlock can be had here."""
    if sys.platform != "linux":
        return False
    try:
        from landlock import landlock_abi_version

        return int(landlock_abi_version()) > 0
    except (ImportError, OSError):
        return False


@contextmanager
def executed(
    program: Program,
    limits: Limits,
    stop: threading.Event | None = None,
    look: Callable[[Path], None] | None = None,
    *,
    confined: bool,
) -> Iterator[Execution]:
    """Runs a program to its end or its limit; what it left can be seen inside the block.

    Raises GraderError when there is no room for a temporary folder.
    """
    name = CONFINED if confined else NAME
    with scratch() as home:
        try:
            lay_out(program, home)
        except (OSError, ValueError) as fault:
            ended = Ended(ending=Ending.NOT_STARTED, problem=reason(fault))
            yield Execution(ended=ended, sandbox=name, left=None, seen=home)
            return
        with cleared(home) as shared:
            shown = partial(look, home) if look else None
            ended = _run(program, limits, stop, shown, home, shared, confined=confined)
        yield Execution(ended=ended, sandbox=name, left=home, seen=home)


def _run(
    program: Program,
    limits: Limits,
    stop: threading.Event | None,
    look: Callable[[], None] | None,
    home: Path,
    shared: frozenset[str],
    *,
    confined: bool,
) -> Ended:
    python = (str(EXECUTABLE), str(home.joinpath(WORK, *parts(program.script))))
    environment = program.environment(home, program.shim)
    if sys.platform == "win32":
        command = Command(arguments=python, environment=environment, folder=home / WORK)
        mark = environment[MARK]
        return supervise(command, limits, stop, lambda p: Family(p, MARK, mark, home), look)
    with pipe() as (far_end, lifeline):
        options = _options(limits, home, program, confined=confined)
        kept = (f"keep={far_end.fileno()}", f"home={home}")
        command = Command(
            arguments=(str(EXECUTABLE), "-I", str(LAUNCHER), *kept, *options, "--", *python),
            environment=environment,
            folder=home / WORK,
            descriptors=(far_end.fileno(),),
        )

        def family(leader: subprocess.Popen[bytes]) -> Family:
            far_end.close()
            return _Kept(leader, lifeline, environment[MARK], home, shared)

        return supervise(command, limits, stop, family, look)


class _Kept(Family):
    """A family with a launcher at its head that clears up when we let go of its lifeline."""

    def __init__(
        self,
        leader: subprocess.Popen[bytes],
        lifeline: IO[bytes],
        mark: str,
        home: Path,
        shared: frozenset[str],
    ) -> None:
        super().__init__(leader, MARK, mark, home)
        self._lifeline = lifeline
        self._shared = partial(used, home, shared)

    def excess(self, limits: Limits) -> Ending | None:
        """Looks at shared memory too: it is in no process and in no folder of the program's."""
        if excess := super().excess(limits):
            return excess
        most = limits.memory_bytes
        return Ending.MEMORY if self._shared(most) > most else None

    def end(self) -> None:
        """Asks the launcher first: it knows also those that hide from a look around."""
        self._lifeline.close()
        with suppress(subprocess.TimeoutExpired):
            self._leader.wait(5)
        super().end()


def _options(limits: Limits, home: Path, program: Program, *, confined: bool) -> Iterable[str]:
    """What the launcher gives up before it becomes the program."""
    yield from limit_options(limits)
    if os.geteuid() != 0:
        yield f"rlimit_nproc={_own_tasks() + limits.processes + _SLACK}"
    elif confined:
        yield from _unprivileged(limits)
    if confined:
        shim = () if program.shim is None else (program.shim,)
        system = (Path(path) for path in (*_READABLE, *_READABLE_FILES))
        listed, readable = _but_for_ours((*system, *needed()))
        yield f"list={_joined(listed)}"
        yield f"read={_joined((*readable, *shim))}"
        yield f"write={_joined((*_WRITABLE, home))}"
    if sys.platform == "linux" and compiled_filter() is not None:
        yield "filter=1"


def _unprivileged(limits: Limits) -> Iterable[str]:
    if not (changes_user() and readable_by_others()):
        # Nobody else can start this Python: it stays root by name, without root's powers.
        yield "powerless=1"
        return
    yield f"user={spare_user()}"
    yield f"rlimit_nproc={limits.processes}"


def _own_tasks() -> int:
    """Processes and threads of the user who runs the grader: the limit counts these too."""
    import psutil

    user, found = os.getuid(), 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            found += process.num_threads() if process.uids().real == user else 0
    return found


def _but_for_ours(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Folders that may be listed, and paths to be read; together all but our own code."""
    listed: list[Path] = []
    readable: list[Path] = []
    ours, waiting = hidden(), list(paths)
    while waiting:
        path = waiting.pop()
        real = path.resolve()
        if not any(folder.is_relative_to(real) for folder in ours):
            readable.append(path)
        elif real not in ours:
            listed.append(path)
            waiting.extend(path.iterdir())
    return listed, readable


def _joined(paths: Iterable[Path | str]) -> str:
    return os.pathsep.join(map(str, paths))
