"""Starts a program, watches it, and ends it with every process it started.

A sandbox wraps the command's arguments and says how its processes end; the watching stays
the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, cast

from grader.model import Ending
from grader.process_tree import Family, Tree

if TYPE_CHECKING:
    from grader.rubric import Limits

HOME_VARIABLES = ("HOME", "USERPROFILE")
TEMPORARY_VARIABLES = ("TMPDIR", "TEMP", "TMP")
MARK = "TMPDIR"
"""No two commands share their temporary folder, so this variable tells whose a process is."""

_TICK, _ENDING = 0.05, 0.01
"""Seconds between two looks whether it has ended, while it may print yet and once it cannot."""
_LOOK = 0.25
"""Seconds between two looks at what the processes use."""
_PATIENCE = 5.0
_BLOCK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start: the whole environment, and the folder it starts in."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    descriptors: tuple[int, ...] = ()
    """Open files that the program inherits (not on Windows)."""


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


def clean_environment(home: PurePath, temporary: PurePath) -> dict[str, str]:
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
        **dict.fromkeys(TEMPORARY_VARIABLES, str(temporary)),
    }


def supervise(
    command: Command,
    limits: Limits,
    stop: threading.Event | None = None,
    tree_of: Callable[[subprocess.Popen[bytes]], Tree] | None = None,
    look: Callable[[], None] | None = None,
) -> Ended:
    """Runs a command to its end or its limit; its processes are dead when this returns or raises.

    `tree_of` says how to find and end the processes; without it the command's environment must
    hold `MARK`, with a value no other command has. Setting `stop` from another thread ends the
    command early. `look` is called a few times a second while it runs.
    """
    stop = stop or threading.Event()
    started = time.monotonic()
    try:
        process = _start(command)
    except (OSError, ValueError) as fault:
        return Ended(ending=Ending.NOT_STARTED, problem=reason(fault))
    try:
        tree = tree_of(process) if tree_of else Family(process, MARK, command.environment[MARK])
    except BaseException:
        process.kill()
        raise
    try:
        output = _Output(cast("IO[bytes]", process.stdout), limits.output_bytes)
        excess = _watch(process, tree, output, limits, started, stop, look)
        exit_code, wall_seconds = process.returncode, time.monotonic() - started
    finally:
        tree.end()
    kept = output.collect()
    if output.overflow.is_set():
        excess = Ending.FLOODED
    return Ended(
        ending=excess or Ending.FINISHED,
        exit_code=None if excess else exit_code,
        wall_seconds=wall_seconds,
        output=kept,
    )


def _watch(
    process: subprocess.Popen[bytes],
    tree: Tree,
    output: _Output,
    limits: Limits,
    started: float,
    stop: threading.Event,
    look: Callable[[], None] | None,
) -> Ending | None:
    """Waits for the command's end; the limit it hit first, if it did."""
    next_look = started + _LOOK
    while process.poll() is None:
        if output.wait():
            return Ending.FLOODED
        now = time.monotonic()
        if stop.is_set() or now - started > limits.wall_seconds:
            return Ending.TIMED_OUT
        if now > next_look:
            next_look = now + _LOOK
            if look:
                look()
            if excess := tree.excess(limits):
                return excess
    return None


@contextmanager
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """An end to read from and one to write to; what is still open at the end is closed."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as end, os.fdopen(writing, "wb", 0) as start:
        yield end, start


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
        pass_fds=command.descriptors,
    )


class _Output:
    """Reads a stream in a thread of its own and keeps the beginning of it."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self.overflow = threading.Event()
        self._news = threading.Event()
        self._stream = stream
        self._limit = limit
        self._kept = bytearray()
        # A daemon: a process that escaped may hold the stream open for ever.
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait(self) -> bool:
        """Waits a moment, or until the stream ends; whether there was too much in it."""
        if self._news.is_set():
            time.sleep(_ENDING)
        else:
            self._news.wait(_TICK)
        return self.overflow.is_set()

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
                    self._news.set()
        self._news.set()
