"""A temporary folder for untrusted programs: made, filled, and removed whatever was left in it."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from grader.database import entries, is_folder
from grader.errors import GraderError
from grader.process import reason

if TYPE_CHECKING:
    from grader.sandbox.program import Program


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder, gone at the end.

    Raises GraderError when there is no room for one.
    """
    try:
        # The script sees the resolved name, and so do the paths it prints.
        home = Path(tempfile.mkdtemp(prefix="grader-")).resolve()
    except OSError as fault:
        raise GraderError(
            f"No temporary folder could be made to run the script in: {reason(fault)}."
        ) from fault
    try:
        yield home
    finally:
        remove(home)


def lay_out(program: Program, home: Path) -> None:
    """Writes the program's files, and makes the folders that it may use.

    Raises OSError, and ValueError for a name that this system does not allow.
    """
    from grader.sandbox.program import FOLDERS, WORK, parts

    for name in FOLDERS:
        (home / name).mkdir()
    for name, content in program.files.items():
        path = home.joinpath(WORK, *parts(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


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


def _clear(folder: Path) -> None:
    folder.chmod(stat.S_IRWXU)
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        for path, status in entries(current):
            with suppress(OSError):
                if is_folder(status):
                    with suppress(OSError):
                        path.rmdir()  # most are empty
                        continue
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
