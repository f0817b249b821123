"""Clears up after a grader that was killed. Runs outside of the grader.

`python keeper.py FOLDER` waits until its input ends, as it does when the grader is gone. Then it
ends the processes that have FOLDER for their temporary files, and removes it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder that goes at the end, and with the processes in it if we are killed."""
    with (
        TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True) as folder,
        _keeper(folder),
    ):
        yield Path(folder)


@contextmanager
def _keeper(folder: str) -> Iterator[None]:
    # Ctrl-C is for the grader alone.
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    with subprocess.Popen(
        [sys.executable, "-I", __file__, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=flags,
        start_new_session=sys.platform != "win32",
    ) as keeper:
        try:
            yield
        finally:
            keeper.kill()


def main(folder: Path) -> None:
    """Waits, and clears up."""
    sys.stdin.buffer.read()
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    import psutil

    from grader.process import MARK
    from grader.sandbox.scratch import remove

    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(folder):
                process.kill()
    remove(folder)


if __name__ == "__main__":
    os.chdir(os.path.sep)
    main(Path(sys.argv[1]))
