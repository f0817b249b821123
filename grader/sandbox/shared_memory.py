"""What a program leaves in the system's shared memory, where no temporary folder reaches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.process_tree import size_of

_FOLDER = Path("/dev/shm")  # noqa: S108


@contextmanager
def cleared(home: Path) -> Iterator[frozenset[str]]:
    """Removes what appears during the block, if it belongs to the owner of the program's home.

    Yields the names of what was there before.
    """
    before = _held()
    try:
        yield before
    finally:
        clear(home, before)


def clear(home: Path, before: frozenset[str]) -> None:
    """Removes what is there now and was not before, if it is of the owner of that folder."""
    from grader.sandbox.scratch import remove

    if new := list(_new(home, before)):
        in_use = _in_use()
        for path in new:
            if path.name not in in_use:
                remove(path)


def used(home: Path, before: frozenset[str], enough: int) -> int:
    """Bytes in what is there now and was not before, counted no further than `enough`."""
    total = 0
    for path in _new(home, before):
        total += size_of(path, enough)
        if total > enough:
            break
    return total


def _new(home: Path, before: frozenset[str]) -> Iterator[Path]:
    for path in (_FOLDER / name for name in _held() - before):
        with suppress(OSError):
            if path.lstat().st_uid == home.stat().st_uid:
                yield path


def _held() -> frozenset[str]:
    with suppress(OSError):
        return frozenset(os.listdir(_FOLDER))  # noqa: PTH208 - names alone are wanted
    return frozenset()


def _in_use() -> set[str]:
    """The names of what living processes have open: those are other programs'."""
    import psutil

    opened: set[str] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            opened |= {file.path for file in process.open_files()}
            opened |= {region.path for region in process.memory_maps()}
    return {Path(path).parts[3] for path in opened if path.startswith(f"{_FOLDER}/")}
