"""Removes what a program left in the system's shared memory, where no temporary folder reaches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = Path("/dev/shm")  # noqa: S108


@contextmanager
def cleared(home: Path) -> Iterator[None]:
    """Removes what appears during the block, if it belongs to the owner of the program's home."""
    before = _held()
    try:
        yield
    finally:
        clear(home, before)


def clear(home: Path, before: frozenset[str]) -> None:
    """Removes what is there now and was not before, if it is of the owner of that folder."""
    for path in (_FOLDER / name for name in _held() - before):
        with suppress(OSError):
            if path.lstat().st_uid == home.stat().st_uid and not _in_use(path):
                path.unlink()


def _held() -> frozenset[str]:
    with suppress(OSError):
        return frozenset(os.listdir(_FOLDER))  # noqa: PTH208 - names alone are wanted
    return frozenset()


def _in_use(path: Path) -> bool:
    """Whether a living process has it open: then it is another program's."""
    import psutil

    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            opened = {file.path for file in process.open_files()}
            mapped = {region.path for region in process.memory_maps()}
            if str(path) in opened | mapped:
                return True
    return False
