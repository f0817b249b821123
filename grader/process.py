"""Starts a program, watches it, and ends it with every process it started.

Works on any platform and needs no rights. A sandbox wraps the command's arguments; the
watching stays the same.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from grader.model import Ending

if TYPE_CHECKING:
    import psutil

    from grader.rubric import Limits

HOME_VARIABLES = ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP")
MARK = "TMPDIR"
"""No two commands share their temporary folder, so this variable tells whose a process is."""

_TICK = 0.01
_PATIENCE = 5.0
_BLOCK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start: the whole environment, and the folder it starts in."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended; no process of it is alive any more."""

    ending: Ending
    exit_code: int | None = None
    """None when it did not end by itself."""
    wall_seconds: float = 0.0
    output: bytes = b""
    """Standard output and error as they came, up to the limit."""
    problem: str | None = None
    """Why it could not be started."""


def clean_environment(home: Path) -> dict[str, str]:
    """The environment of an untrusted program: nothing of ours but where the system lives."""
    path = os.defpath
    system: dict[str, str] = {}
    if sys.platform == "win32":
        root = os.environ.get("SYSTEMROOT", r"C:\Windows")
        path, system = rf"{root}\System32;{root}", {"SYSTEMROOT": root}
    return {
        **system,
        "PATH": path,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
        **dict.fromkeys(HOME_VARIABLES, str(home)),
    }


def supervise(command: Command, limits: Limits, stop: threading.Event | None = None) -> Ended:
    """Runs a command to its end or its limit; its processes are dead when this returns or raises.

    The command's environment must hold `MARK`, with a value no other command has. Setting
    `stop` from another thread ends it early.
    """
    stop = stop or threading.Event()
    started = time.monotonic()
    try:
        process = _start(command)
    except (OSError, ValueError) as fault:
        return Ended(ending=Ending.NOT_STARTED, problem=reason(fault))
    try:
        output = _Output(cast("IO[bytes]", process.stdout), limits.output_bytes)
        while process.poll() is None and time.monotonic() - started < limits.wall_seconds:
            if output.overflow.wait(_TICK) or stop.is_set():
                break
        exit_code, wall_seconds = process.returncode, time.monotonic() - started
    finally:
        _end(process, command.environment[MARK])
    kept = output.collect()
    ending = Ending.TIMED_OUT if exit_code is None else Ending.FINISHED
    if output.overflow.is_set():
        ending, exit_code = Ending.FLOODED, None
    return Ended(ending=ending, exit_code=exit_code, wall_seconds=wall_seconds, output=kept)


def reason(fault: OSError | ValueError) -> str:
    """What the system had to say, without the paths of this machine."""
    return (isinstance(fault, OSError) and fault.strerror) or str(fault)


def _start(command: Command) -> subprocess.Popen[bytes]:
    # Away from our terminal, so that Ctrl-C reaches the grader alone, which then ends the rest.
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(
        command.arguments,
        cwd=command.folder,
        env=dict(command.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        creationflags=flags,
        start_new_session=sys.platform != "win32",
    )


class _Output:
    """Reads a stream in a thread of its own and keeps the beginning of it."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self.overflow = threading.Event()
        self._stream = stream
        self._limit = limit
        self._kept = bytearray()
        # A daemon: a process that escaped may hold the stream open for ever.
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def collect(self) -> bytes:
        """What was kept, once the stream has ended."""
        self._thread.join(_PATIENCE)
        return bytes(self._kept)

    def _read(self) -> None:
        with self._stream:
            # Reading goes on past the limit: the writer is to meet its end by us, not a full pipe.
            while block := self._stream.read(_BLOCK):
                room = self._limit - len(self._kept)
                self._kept += block[:room]
                if len(block) > room:
                    self.overflow.set()


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    """Kills the process and all it started, until a look around finds none of them."""
    import psutil

    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        members = _members(process.pid, mark)
        if sys.platform != "win32":
            # All at once, or a program that keeps forking is never caught up with.
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
        for member in members:
            with suppress(psutil.Error):
                member.kill()
        process.poll()
        if not members:
            break
        time.sleep(_TICK)
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)


def _members(leader: int, mark: str) -> set[psutil.Process]:
    """The living processes that the leader started, also those it no longer is the parent of."""
    import psutil

    members: set[psutil.Process] = set()
    with suppress(psutil.Error):
        members.update(psutil.Process(leader).children(recursive=True))
    for pid in psutil.pids():
        with suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            if _belongs(process, leader, mark):
                members.add(process)
    return {member for member in members if _alive(member)}


def _belongs(process: psutil.Process, leader: int, mark: str) -> bool:
    if sys.platform != "win32" and os.getsid(process.pid) == leader:
        return True
    return process.environ().get(MARK) == mark


def _alive(process: psutil.Process) -> bool:
    import psutil

    # Not every container has an init that buries the dead.
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
