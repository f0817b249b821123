"""Runs a student's script and says what came of it.

The verdict's facts come from what is there once every process is dead: the rows in the
database, and the lock errors in what was printed or written to files.
"""

from __future__ import annotations

import os
import re
import signal
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import cache_from_source
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from grader.database import count_rows, is_database_file, regular_files
from grader.model import Ending, Event, Run, RunOutcome, Sandbox
from grader.printed import last_error, readable, tail, without_paths
from grader.sandbox import Execution, Program, executed
from grader.sandbox.program import TRACE, WORK, parts
from grader.textfile import OPEN_FLAGS
from grader.trace import read_trace

if TYPE_CHECKING:
    from grader.rubric import Limits

_TRACE_FILES = 200
_TRACE_BYTES = 256 * 1024
_LOG_FILES = 1000
_LOG_BYTES = 8 * 1024 * 1024

_SAID = (
    (Ending.MEMORY, re.compile(r"MemoryError\b")),
    (Ending.DISK, re.compile(r"OSError: \[Errno (?:27|28|122)\]|.*\bdisk is full\b")),
    (Ending.PROCESSES, re.compile(r"BlockingIOError: \[Errno 11\]|.*can't start new thread")),
)
"""What Python's last words are when the system refused it more. The numbers are errno's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob:
    """One script to be run once."""

    id: str
    """The configuration's id."""
    duration: float
    """Seconds that the script's constant was set to."""
    speed: float = 1.0
    """How many times faster than real time the script's clock runs."""
    name: str
    """The script's file name."""
    source: bytes
    """The script, its constant already set."""
    modules: Mapping[str, str]
    """File name -> source of the student's own modules, placed beside the script."""
    table: str
    """The table whose rows are counted."""
    lock_error: str
    """The words of a lock error."""
    limits: Limits
    sandbox: Sandbox = Sandbox.AUTO


def run_script(
    job: RunJob,
    stop: threading.Event | None = None,
    watch: Callable[[tuple[Event, ...]], None] | None = None,
) -> RunOutcome:
    """Runs a job to its end or its limit, and leaves no process and no file behind.

    Setting `stop` from another thread ends it early. `watch` is told a few times a second what
    the run's trace holds by then.

    Raises SandboxError when a required sandbox is missing, and GraderError when there is no room
    for a temporary folder.
    """
    files = {name: source.encode("utf-8", "replace") for name, source in job.modules.items()}
    try:
        program = Program(
            files={**files, job.name: job.source},
            script=job.name,
            shim=_shim(),
            variables={"GRADER_SPEED": f"{job.speed:g}"},
        )
    except ValueError as fault:
        return _not_started(job, str(fault))

    def look(left: Path) -> None:
        if watch and not left.is_symlink():
            watch(_events(left, job))

    with executed(program, job.limits, job.sandbox, stop, look) as execution:
        return _outcome(job, execution)


@cache
def _shim() -> Path:
    """The shim's folder. It is compiled once: each process of each run would else do it anew."""
    folder = Path(__file__).resolve().parent / "shim"
    source = folder / "sitecustomize.py"
    compiled = Path(cache_from_source(str(source)))
    with suppress(OSError):
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            import py_compile

            py_compile.compile(str(source))
    return folder


def _not_started(job: RunJob, problem: str) -> RunOutcome:
    run = Run(
        id=job.id,
        duration=job.duration,
        speed=job.speed,
        wall_seconds=0.0,
        exit_code=None,
        timed_out=False,
        rows=None,
        lock_errors=0,
        sandbox="none",
    )
    return RunOutcome(run=run, ending=Ending.NOT_STARTED, error=problem)


def _outcome(job: RunJob, execution: Execution) -> RunOutcome:
    ended, left = execution.ended, execution.left
    if left is None:
        return _not_started(job, ended.problem or "it could not be started")
    printed = without_paths(readable(ended.output), execution.seen)
    error = last_error(printed, job.name, job.modules)
    run = Run(
        id=job.id,
        duration=job.duration,
        speed=job.speed,
        wall_seconds=round(ended.wall_seconds, 3),
        exit_code=ended.exit_code,
        timed_out=ended.ending is Ending.TIMED_OUT,
        rows=count_rows(left, job.table),
        lock_errors=_lock_errors(job, left, printed),
        sandbox=execution.sandbox,
        events=_events(left, job),
    )
    ending = _ending(ended.ending, ended.exit_code, error)
    return RunOutcome(run=run, ending=ending, error=error, tail=tail(printed))


def _events(left: Path, job: RunJob) -> tuple[Event, ...]:
    """What the shim wrote by now; the script could write there too."""
    traces: dict[str, bytes] = {}
    for path in islice(regular_files(left / TRACE), _TRACE_FILES):
        with suppress(OSError):
            traces[path.name] = _beginning(path, _TRACE_BYTES)
    return read_trace(traces, job.speed)


def _beginning(path: Path, most: int) -> bytes:
    """The first bytes of a file that may be anything by now, even a pipe that nobody fills."""
    with os.fdopen(os.open(path, OPEN_FLAGS), "rb") as file:
        return file.read(most) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""


def _ending(ending: Ending, exit_code: int | None, error: str | None) -> Ending:
    """Which limit the script came up against, if it ended by itself because of one."""
    if ending is not Ending.FINISHED:
        return ending
    if exit_code == 128 + getattr(signal, "SIGXCPU", -1):
        return Ending.CPU
    said = (limit for limit, words in _SAID if error and words.match(error))
    return next(said, ending)


def _lock_errors(job: RunJob, left: Path, printed: str) -> int:
    """Lock errors the run speaks of, on the screen or in files: most often the same ones."""
    words = job.lock_error.split()
    if not words:
        return 0
    error = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
    in_files = sum(len(error.findall(text)) for text in _written(job, left))
    return max(len(error.findall(printed)), in_files)


def _written(job: RunJob, left: Path) -> Iterator[str]:
    """The beginning of what the script wrote to files, the nearest first, but for databases."""
    ours = {left.joinpath(WORK, *parts(name)) for name in (job.name, *job.modules)}
    trace = left / TRACE
    written = (p for p in regular_files(left) if p not in ours and not p.is_relative_to(trace))
    room = _LOG_BYTES
    for path in islice(written, _LOG_FILES):
        with suppress(OSError):
            if room > 0 and not is_database_file(path):
                data = _beginning(path, room)
                room -= len(data)
                yield readable(data)
