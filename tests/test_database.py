"""Counting rows in databases that may have been made to harm."""

from __future__ import annotations

import os
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from grader import database
from grader.database import count_rows, is_database_file

PAGE = 4096
JOURNAL_END = bytes.fromhex("d9d505f920a163d7")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs a right on Windows")


def make(path: Path, **tables: int) -> Path:
    """A database with these tables, each with so many rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name, rows in tables.items():
            connection.execute("BEGIN")
            connection.execute(f"CREATE TABLE {name} (word TEXT)")
            connection.executemany(f"INSERT INTO {name} VALUES (?)", [("word",)] * rows)  # noqa: S608
            connection.execute("COMMIT")
    return path


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def killed(path: Path, *statements: str) -> None:
    """Runs the statements in a process that dies without closing its connection."""
    code = f"""
import os, sqlite3
connection = sqlite3.connect({str(path)!r}, isolation_level=None)
for statement in {statements!r}:
    connection.execute(statement).fetchall()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def with_hot_journal(path: Path) -> Path:
    """A database of one row, killed in the midst of adding fifty."""
    make(path, words=1)
    many = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50) "
    many += "INSERT INTO words SELECT hex(zeroblob(2000)) FROM n"
    killed(path, "PRAGMA cache_size = 1", "BEGIN", many)
    assert path.stat().st_size > 50 * 4000
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_any_file_name_will_do(tmp_path: Path) -> None:
    """A database is known by its content, whatever it is called and wherever it lies."""
    make(tmp_path / "deep" / "down" / "holiday photo.jpeg", words=3)
    (tmp_path / "empty.db").touch()
    (tmp_path / "notes.db").write_text("SQLite is nice", encoding="utf-8")
    assert count_rows(tmp_path, "words") == 3


def test_most_rows_of_the_named_table(tmp_path: Path) -> None:
    """The name is compared without regard to case, and the fullest table of it counts."""
    make(tmp_path / "one.db", words=2, others=9)
    make(tmp_path / "two.db", WORDS=4)
    make(tmp_path / "three.db", words=0)
    assert count_rows(tmp_path, "Words") == 4


def test_empty_table_is_not_no_table(tmp_path: Path) -> None:
    """No rows is a count, no table is none."""
    make(tmp_path / "one.db", words=0)
    assert count_rows(tmp_path, "words") == 0
    assert count_rows(tmp_path / "nowhere", "words") is None


def test_only_table_stands_in(tmp_path: Path) -> None:
    """A table of another name is counted if it is the only one; nothing but tables competes."""
    path = make(tmp_path / "one.db")
    change(path, "CREATE TABLE mine (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    change(path, "CREATE INDEX words ON mine (id)", "INSERT INTO mine DEFAULT VALUES")
    assert count_rows(tmp_path, "words") == 1
    make(tmp_path / "two.db", more=5)
    assert count_rows(tmp_path, "words") is None


def test_strange_table_name(tmp_path: Path) -> None:
    """A table's name is quoted, quotation marks and all."""
    name = 'words" UNION SELECT 1 --'
    path = make(tmp_path / "one.db")
    change(path, 'CREATE TABLE "words"" UNION SELECT 1 --" (a)')
    assert count_rows(tmp_path, name) == 0


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(
            "CREATE VIEW words AS WITH n AS (SELECT 1 UNION ALL SELECT * FROM n) SELECT * FROM n",
            id="an endless view",
        ),
        pytest.param("CREATE VIRTUAL TABLE words USING rtree(id, low, high)", id="a virtual table"),
    ],
)
def test_only_real_tables_count(tmp_path: Path, statement: str) -> None:
    """A view or a virtual table of the right name is no table."""
    path = make(tmp_path / "one.db", a=1, b=1)
    try:
        change(path, statement)
    except sqlite3.OperationalError:
        pytest.skip("this SQLite was built without it")
    assert count_rows(tmp_path, "words") is None


def test_damaged_database_is_skipped(tmp_path: Path) -> None:
    """A damaged database costs nothing but itself."""
    broken = make(tmp_path / "a.db", words=900)
    broken.write_bytes(broken.read_bytes()[:100] + b"\xff" * 5000)
    make(tmp_path / "b.db", words=2)
    assert count_rows(tmp_path, "words") == 2


def test_unfinished_transaction_is_undone(tmp_path: Path) -> None:
    """Rows of a transaction that a killed process left open do not count, and files stay."""
    with_hot_journal(tmp_path / "one.db")
    before = contents(tmp_path)
    assert len(before) == 2
    assert count_rows(tmp_path, "words") == 1
    assert contents(tmp_path) == before


def test_write_ahead_log_is_read(tmp_path: Path) -> None:
    """Rows that are committed but only in the write-ahead log count."""
    path = make(tmp_path / "one.db", words=1)
    insert = "INSERT INTO words VALUES ('new')"
    killed(path, "PRAGMA journal_mode = WAL", "PRAGMA wal_autocheckpoint = 0", insert)
    assert (tmp_path / "one.db-wal").stat().st_size > 0
    assert count_rows(tmp_path, "words") == 2


def test_journal_cannot_delete_a_file(tmp_path: Path) -> None:
    """A journal that names a file for SQLite to delete is not played back."""
    precious = tmp_path / "precious.txt"
    precious.write_text("do not delete", encoding="utf-8")
    path = with_hot_journal(tmp_path / "run" / "one.db")
    name = str(precious).encode()
    with path.with_name("one.db-journal").open("ab") as journal:
        journal.write(bytes(4) + name + struct.pack(">II", len(name), sum(name)) + JOURNAL_END)
    assert count_rows(tmp_path / "run", "words") is None
    assert precious.exists()


def test_endless_tree_is_given_up(tmp_path: Path) -> None:
    """A table whose pages point to one another in vast numbers is not counted to the end."""
    path = make(tmp_path / "one.db", words=5)
    head, leaf = path.read_bytes()[:PAGE], path.read_bytes()[PAGE : 2 * PAGE]
    pages = [_branch(child) for child in range(3, 13)]
    last = struct.pack(">I", 2 + len(pages))
    path.write_bytes(head[:28] + last + head[32:] + b"".join(pages) + leaf)
    assert count_rows(tmp_path, "words") == 1_000_000


def _branch(child: int, cells: int = 400) -> bytes:
    """A page of a table's tree that has the same child again and again."""
    size = 5
    starts = range(PAGE - cells * size, PAGE, size)
    header = struct.pack(">BHHHBI", 5, 0, cells, starts[0], 0, child)
    front = header + b"".join(struct.pack(">H", start) for start in starts)
    return front.ljust(starts[0], b"\0") + struct.pack(">IB", child, 1) * cells


def test_time_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting ends when its time is up."""
    make(tmp_path / "one.db", words=10_000)
    monkeypatch.setattr(database, "_SECONDS", -1.0)
    assert count_rows(tmp_path, "words") is None


@posix_only
def test_links_lead_nowhere(tmp_path: Path) -> None:
    """Neither a link to a database or a folder, nor one beside a database, is followed."""
    outside = make(tmp_path / "outside" / "one.db", words=3)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file.db").symlink_to(outside)
    (inside / "folder").symlink_to(outside.parent)
    (tmp_path / "itself").symlink_to(outside.parent)
    assert count_rows(inside, "words") is None
    assert count_rows(tmp_path / "itself", "words") is None
    make(inside / "own.db", words=1)
    (inside / "own.db-journal").symlink_to(outside)
    assert count_rows(inside, "words") is None


@posix_only
def test_special_files_are_left_alone(tmp_path: Path) -> None:
    """A pipe that nobody writes to is not opened."""
    os.mkfifo(tmp_path / "pipe.db")
    make(tmp_path / "words.db", words=1)
    assert count_rows(tmp_path, "words") == 1


def test_sqlites_files_are_known(tmp_path: Path) -> None:
    """A database and its journal are told from a text that speaks of them."""
    path = with_hot_journal(tmp_path / "one.db")
    text = tmp_path / "text.db"
    text.write_text("SQLite", encoding="utf-8")
    assert is_database_file(path)
    assert is_database_file(path.with_name("one.db-journal"))
    assert not is_database_file(text)
