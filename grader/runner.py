"""Runs a student's script in a folder of its own and says what came of it.

The verdict's facts come from what is there once every process is dead: the rows in the
database, and the lock errors in what was printed or written to files.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING
from uuid import uuid4

from grader.database import count_rows, entries, is_database_file, is_folder, regular_files
from grader.errors import GraderError
from grader.model import Ending, Run, RunOutcome
from grader.process import Command, Ended, clean_environment, reason, supervise

if TYPE_CHECKING:
    from grader.rubric import Limits

_WORK = "work"

_LOG_FILES = 1000
_LOG_BYTES = 4 * 1024 * 1024
_TAIL_LINES = 10
_WIDTH = 300

_ESCAPES = re.compile(
    r"\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"\bat 0x[0-9A-Fa-f]+")

_TRACEBACK = "Traceback (most recent call last):"
_CHAINS = ("During handling of the above exception", "The above exception was the direct cause")
_FRAME = re.compile(r'\s+File "(?P<file>[^"]+)", line (?P<line>\d+)')
_CHILD = re.compile(r"Process \S.*:$")
# Other processes may print between a traceback's lines: not every word is a class's name.
_ERROR = re.compile(r"(?:\w+\.[\w.]+|(?=\w*[a-z])[A-Z]\w*)(?::\s.*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob:
    """One script to be run once."""

    id: str
    """The configuration's id."""
    duration: float
    """Seconds that the script's constant was set to."""
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


def run_script(job: RunJob, stop: threading.Event | None = None) -> RunOutcome:
    """Runs a job to its end or its limit, and leaves no process and no file behind.

    Setting `stop` from another thread ends it early.

    Raises GraderError when there is no room for a temporary folder.
    """
    try:
        # The script sees the resolved name, and so do the paths it prints.
        home = Path(tempfile.mkdtemp(prefix="grader-")).resolve()
    except OSError as fault:
        raise GraderError(
            f"No temporary folder could be made to run the script in: {reason(fault)}."
        ) from fault
    try:
        return _outcome(job, home, _executed(job, home, stop))
    finally:
        remove(home)


def remove(folder: Path) -> None:
    """Removes a folder whatever was left in it; links go, and what they lead to stays."""
    for _ in range(10):
        with suppress(OSError):
            if is_folder(folder.lstat()):
                _clear(folder)
            else:
                folder.unlink()
        if not os.path.lexists(folder):
            return
        time.sleep(0.05)  # Windows lets go of a dead process's files a little later


# ---------------------------------------------------------------- before and after


def _executed(job: RunJob, home: Path, stop: threading.Event | None) -> Ended:
    try:
        script = _laid_out(job, home / _WORK)
    except (OSError, ValueError) as fault:
        return Ended(ending=Ending.NOT_STARTED, problem=reason(fault))
    command = Command(
        arguments=(sys.executable, str(script)),
        environment=clean_environment(home),
        folder=home / _WORK,
    )
    return supervise(command, job.limits, stop)


def _laid_out(job: RunJob, work: Path) -> Path:
    """Writes the script and its modules; returns the script's path."""
    work.mkdir()
    files = {name: source.encode("utf-8", "replace") for name, source in job.modules.items()}
    for name, content in {**files, job.name: job.source}.items():
        path = _inside(work, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return _inside(work, job.name)


def _inside(folder: Path, name: str) -> Path:
    # Windows has the stricter rules: what is plain and relative there is so everywhere.
    path = PureWindowsPath(name)
    if path.anchor or ".." in path.parts or not path.name or "\0" in name:
        raise ValueError(f"{name!r} does not name a file inside the script's folder")
    return folder.joinpath(*path.parts)


def _clear(folder: Path) -> None:
    folder.chmod(stat.S_IRWXU)
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        for path, status in entries(current):
            with suppress(OSError):
                if is_folder(status):
                    path.chmod(stat.S_IRWXU)
                    # Up here no path gets longer than the system can name, however deep it was.
                    waiting.append(path.rename(folder / uuid4().hex))
                else:
                    _delete(path, status)
        if current != folder:
            with suppress(OSError):
                current.rmdir()
    folder.rmdir()


def _delete(path: Path, status: os.stat_result) -> None:
    if sys.platform == "win32" and stat.S_ISREG(status.st_mode):
        path.chmod(stat.S_IWRITE)
    path.unlink()


# ---------------------------------------------------------------- what the run shows


def _outcome(job: RunJob, home: Path, ended: Ended) -> RunOutcome:
    printed = _without_paths(_readable(ended.output), home)
    started = ended.ending is not Ending.NOT_STARTED
    run = Run(
        id=job.id,
        duration=job.duration,
        speed=1.0,
        wall_seconds=round(ended.wall_seconds, 3),
        exit_code=ended.exit_code,
        timed_out=ended.ending is Ending.TIMED_OUT,
        rows=count_rows(home, job.table),
        lock_errors=_lock_errors(job, home, printed) if started else 0,
        sandbox="none",
    )
    return RunOutcome(
        run=run,
        ending=ended.ending,
        error=ended.problem or _last_error(printed, job),
        tail=_tail(printed),
    )


def _readable(data: bytes) -> str:
    """Bytes as text in lines, without terminal codes and hidden characters."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    # UTF-16 is, for plain words, UTF-8 with NULs in between; they go with the control characters.
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def _without_paths(text: str, home: Path) -> str:
    """Takes the folders of this machine out of a text; names in the script's folder stay."""
    work = home / _WORK
    text = re.sub(rf"(?:{_spellings(work)})[\\/]+", "", text)
    own_home = os.path.expanduser("~")  # noqa: PTH111 - pathlib raises where there is none
    known = (work, home, Path(sys.prefix), Path(sys.base_prefix), Path(own_home))
    pattern = "|".join(_spellings(path) for path in known if path.is_absolute() and path.name)
    return re.sub(rf"(?:{pattern})(?![\w.-])", "…", text)


def _spellings(folder: Path) -> str:
    plain = str(folder)
    return "|".join(re.escape(path) for path in (plain, plain.replace("\\", "\\\\")))


def _tail(printed: str) -> str:
    return "\n".join(_clipped(line) for line in printed.rstrip().split("\n")[-_TAIL_LINES:])


def _clipped(line: str) -> str:
    return line.rstrip() if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"


def _lock_errors(job: RunJob, home: Path, printed: str) -> int:
    """Lock errors the run speaks of, on the screen or in files: most often the same ones."""
    words = job.lock_error.split()
    if not words:
        return 0
    error = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
    in_files = sum(len(error.findall(text)) for text in _written(job, home))
    return max(len(error.findall(printed)), in_files)


def _written(job: RunJob, home: Path) -> Iterator[str]:
    """The beginning of every file the script wrote, but for its databases."""
    ours = {_inside(home / _WORK, name) for name in (job.name, *job.modules)}
    written = (path for path in regular_files(home) if path not in ours)
    for path in islice(written, _LOG_FILES):
        with suppress(OSError):
            if not is_database_file(path):
                with path.open("rb") as file:
                    yield _readable(file.read(_LOG_BYTES))


# ---------------------------------------------------------------- the error it printed


def _last_error(printed: str, job: RunJob) -> str | None:
    """What ended the script: "NameError: name 'x' is not defined (line 12)".

    Processes side by side fail in any order, so theirs count only if the script itself did
    not fail, and then it is the first by name.
    """
    files = {str(PureWindowsPath(name)): f"{name}, " for name in job.modules}
    errors = _errors(printed.split("\n"), {**files, str(PureWindowsPath(job.name)): ""})
    own = [text for text, in_child in errors if not in_child]
    return own[-1] if own else min((text for text, _ in errors), default=None)


def _errors(lines: Iterable[str], files: Mapping[str, str]) -> list[tuple[str, bool]]:
    """The last line of each traceback, and whether a process that the script started died of it.

    `files` says how to name each file of the student's in front of a line's number.
    """
    errors: list[tuple[str, bool]] = []
    unfinished, in_child, place = 0, False, ""
    for line in map(_clipped, lines):
        if line.startswith(_TRACEBACK):
            unfinished += 1
        elif frame := _FRAME.match(line):
            unfinished = max(unfinished, 1)  # a syntax error has no heading
            file = files.get(str(PureWindowsPath(frame["file"])))
            place = place if file is None else f" ({file}line {frame['line']})"
        elif line.startswith(_CHAINS) and errors:
            _, in_child = errors.pop()
        elif _CHILD.match(line):
            in_child = True
        elif unfinished and _ERROR.match(line):
            # Python 3.10 names the module of a script's own exceptions, later ones do not.
            said = line.removeprefix("__main__.")
            errors.append((_ADDRESS.sub("at 0x…", said) + place, in_child))
            unfinished -= 1
            in_child, place = (in_child, place) if unfinished else (False, "")
    return errors
