"""Says what this computer can do for the grader, and how to fix what is missing."""

from __future__ import annotations

import multiprocessing
import platform
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from shutil import which

OLDEST_PYTHON = (3, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    found: str
    fix: str | None = None
    """What to do about it; None when all is well."""
    blocks: bool = False
    """Whether grading cannot work without it."""

    def __str__(self) -> str:
        mark = "ok     " if self.fix is None else "missing" if self.blocks else "note   "
        line = f"{mark}  {self.what}: {self.found}"
        return line if self.fix is None else f"{line}\n         {self.fix}"


def examine() -> list[Finding]:
    """Looks at everything the grader needs."""
    looks: tuple[Callable[[], Finding], ...] = (
        _python,
        _processes,
        _sqlite,
        _folder,
        _git,
        _rubric,
        _sandbox,
    )
    return [look() for look in looks]


def _python() -> Finding:
    return Finding(what="Python", found=f"{platform.python_version()} at {sys.executable}")


def _processes() -> Finding:
    """Starts an interpreter as a run does; some locked-down computers forbid it."""
    command = [sys.executable, "-c", "print(6)"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        works = done.stdout.split() == [b"6"]
    except (OSError, subprocess.SubprocessError):
        works = False
    method = multiprocessing.get_start_method(allow_none=False)
    return Finding(
        what="Running scripts",
        found=f"works; new processes by {method}" if works else "does not work",
        fix=None if works else "Allow this Python to start other programs.",
        blocks=not works,
    )


def _sqlite() -> Finding:
    return Finding(what="SQLite", found=sqlite3.sqlite_version)


def _folder() -> Finding:
    try:
        with tempfile.TemporaryDirectory() as folder:
            return Finding(what="Temporary folder", found=tempfile.gettempdir() if folder else "")
    except OSError as error:
        return Finding(
            what="Temporary folder",
            found=f"cannot be written: {error.strerror}",
            fix="Free some space, or set TMPDIR (Windows: TEMP) to a folder you may write to.",
            blocks=True,
        )


def _git() -> Finding:
    path = which("git")
    return Finding(
        what="git",
        found=path or "not found",
        fix=None if path else "Folders can be graded, URLs not. Install git from git-scm.com.",
    )


def _rubric() -> Finding:
    from grader.assignment import default_rubric, load_assignment
    from grader.errors import GraderError

    try:
        rubric = load_assignment().rubric
    except GraderError as error:
        first = str(error).splitlines()[0]
        fix = "Run `grader rubric check` to see every fault."
        return Finding(what="Rubric", found=first, fix=fix, blocks=True)
    return Finding(what="Rubric", found=f"{default_rubric()} ({rubric.max_score:g} points)")


def _sandbox() -> Finding:
    """Lets a script attempt the forbidden, as a hostile student's would."""
    from grader.errors import GraderError
    from grader.model import Sandbox
    from grader.sandbox import bubblewrap_fault
    from grader.sandbox.probe import advice, try_out

    try:
        tried = try_out(Sandbox.AUTO)
    except GraderError as error:
        return Finding(what="Sandbox", found=str(error), fix=advice())
    if tried.problem:
        return Finding(what="Sandbox", found=tried.problem, fix=advice(), blocks=True)
    can = f"a script can {', '.join(tried.allowed)}" if tried.allowed else "nothing gets out"
    found = f"{tried.sandbox}; tried with a hostile script: {can}"
    fault = bubblewrap_fault()
    if fault:
        return Finding(what="Sandbox", found=f"{found} (bubblewrap: {fault})", fix=advice())
    return Finding(what="Sandbox", found=found, fix=advice() if tried.allowed else None)
