"""Counts the rows a script left behind, in whatever file it keeps its database.

The files are the script's and may be made to harm. SQLite only ever opens copies: it
follows a link beside a database, and a journal can name any file for it to delete.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

_DATABASE = b"SQLite format 3\0"
_JOURNAL = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
_LOGS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_COMPANIONS = ("", "-journal", "-wal")

_MOST_FILES = 10_000
_MOST_DATABASES = 20
_MOST_BYTES = 64 * 1024 * 1024
_MOST_ROWS = 1_000_000
_SECONDS = 5.0

_TABLES = r"""
    SELECT name FROM sqlite_master
    WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
    LIMIT 1000
"""


def count_rows(folder: Path, table: str) -> int | None:
    """Counts the table's rows in the databases below a folder: the most that any of them has.

    Where no table has the name but there is only one table in all, that one is counted.
    None means that there is nothing to count.
    """
    deadline = time.monotonic() + _SECONDS
    named: list[int] = []
    others: list[int] = []
    databases = (path for path in regular_files(folder) if _head(path).startswith(_DATABASE))
    for path in islice(databases, _MOST_DATABASES):
        if time.monotonic() > deadline:
            break
        try:
            has_name, counts = _examine(path, table, deadline, folder)
        except (sqlite3.Error, OSError, ValueError):
            continue  # damaged, or made to be: it counts for nothing
        (named if has_name else others).extend(counts)
    if named:
        return max(named)
    return others[0] if len(others) == 1 else None


def regular_files(folder: Path) -> Iterator[Path]:
    """The plain files below a folder, the nearest first and not endlessly many; no links."""
    waiting, seen = deque([folder]), 0
    while waiting and seen < _MOST_FILES:
        for path, status in entries(waiting.popleft(), _MOST_FILES - seen):
            seen += 1
            if is_folder(status):
                waiting.append(path)
            elif stat.S_ISREG(status.st_mode) and not _is_junction(status):
                yield path


def entries(folder: Path, most: int | None = None) -> list[tuple[Path, os.stat_result]]:
    """What a folder holds, by name; nothing if it is a link, is gone, or cannot be read."""
    try:
        if not is_folder(folder.lstat()):
            return []
        with os.scandir(folder) as found:
            held = [(folder / e.name, e.stat(follow_symlinks=False)) for e in islice(found, most)]
    except OSError:
        return []
    return sorted(held, key=lambda entry: entry[0].name)


def is_folder(status: os.stat_result) -> bool:
    """Whether this is the status of a folder, and of no link to one."""
    return stat.S_ISDIR(status.st_mode) and not _is_junction(status)


def is_database_file(path: Path) -> bool:
    """Whether SQLite wrote the file: a database, its journal or its write-ahead log."""
    return _head(path).startswith((_DATABASE, _JOURNAL, *_LOGS))


def _is_junction(status: os.stat_result) -> bool:
    return bool(getattr(status, "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_REPARSE_POINT)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_DATABASE))
    except OSError:
        return b""


def _examine(path: Path, table: str, deadline: float, home: Path) -> tuple[bool, list[int]]:
    """Whether the database has the table, and the rows of it, else of its first two tables."""
    # Beside the database the copy goes away even if we are killed. But SQLite finds no way through
    # a descriptor to a folder that is in no file system any more.
    place = None if home.is_relative_to("/proc") else home
    with tempfile.TemporaryDirectory(prefix="grader-", dir=place) as folder:
        copy = _copied(path, Path(folder))
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 1000)
            connection.execute("PRAGMA trusted_schema = OFF")
            names = [name for (name,) in connection.execute(_TABLES)]
            named = [name for name in names if name.casefold() == table.casefold()]
            return bool(named), [_count(connection, name) for name in (named or names)[:2]]


def _copied(path: Path, folder: Path) -> Path:
    """Copies a database with what SQLite needs to undo a transaction that was cut short."""
    for suffix in _COMPANIONS:
        source = path.with_name(path.name + suffix)
        if not source.exists() and not source.is_symlink():
            continue
        status = source.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            raise ValueError(f"{source.name} is no plain file of a sensible size")
        if suffix == "-journal" and _names_another_file(source):
            raise ValueError(f"{source.name} belongs to a journal elsewhere")
        shutil.copyfile(source, folder / f"copy{suffix}")
    return folder / "copy"


def _names_another_file(journal: Path) -> bool:
    # A journal that ends so carries a path, and SQLite deletes the file there when it rolls back.
    with journal.open("rb") as file:
        file.seek(max(journal.stat().st_size - len(_JOURNAL), 0))
        return file.read() == _JOURNAL


def _count(connection: sqlite3.Connection, table: str) -> int:
    # A plain count(*) is one step to SQLite: a file with loops in it would never let it be stopped.
    quoted = table.replace('"', '""')
    query = f'SELECT count(*) FROM (SELECT 1 FROM "{quoted}" LIMIT {_MOST_ROWS})'  # noqa: S608
    rows: int = connection.execute(query).fetchone()[0]
    return rows
