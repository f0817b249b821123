"""The gradebook's SQLite file: opened with care, one transaction at a time, with plain faults."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.errors import GraderError

_SCHEMA = 1
_APPLICATION = 0x67726164
"""Marks an SQLite file as a gradebook."""
_BUSY_SECONDS = 60.0

_TABLES = (
    """
    CREATE TABLE results (
      id INTEGER PRIMARY KEY,
      student TEXT NOT NULL,
      submission TEXT NOT NULL,
      rubric TEXT NOT NULL,
      grader TEXT NOT NULL,
      options TEXT NOT NULL,
      at TEXT NOT NULL,
      report TEXT,
      work TEXT,
      reason TEXT,
      CHECK ((report IS NULL) = (work IS NULL)),
      CHECK ((report IS NULL) = (reason IS NOT NULL))
    )
    """,
    "CREATE INDEX results_of_student ON results (student, id)",
    """
    CREATE TABLE runs (
      job TEXT PRIMARY KEY,
      at TEXT NOT NULL,
      outcome TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)
_KEPT = "What is in it was not touched: move it away or put a copy back, and start again."
_SENTENCES = {
    "is full": "There is no room on the disk for {path}. Make room and start again; "
    "what is in it stays.",
    "readonly": "{path} cannot be written to. Check that you are allowed to change it.",
    "unable to open": "{path} cannot be opened. Check that you are allowed to use its folder.",
    "locked": "{path} was held by another grader for too long. Start again when it is done.",
    "disk i/o": "{path} cannot be read or written: is the disk full or gone? What is in it stays.",
    "not a database": "{path} is damaged, or no gradebook. " + _KEPT,
    "malformed": "{path} is damaged. " + _KEPT,
}


class GradebookFile:
    """One connection that many threads may use."""

    def __init__(self, path: Path) -> None:
        """Opens the file or begins it; raises GraderError, as every method does."""
        self.path = path
        self._lock = threading.Lock()
        with self._plainly():
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        self._connection.row_factory = sqlite3.Row
        try:
            self._begin()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Closes the file; what was written is there already."""
        with self._lock, self._plainly():
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Does all that is done inside, or nothing of it."""
        with self._lock, self._plainly():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk has undone it already.
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def damaged(self) -> GraderError:
        """What to raise when something in the file makes no sense."""
        return GraderError(_SENTENCES["malformed"].format(path=self.path))

    def _begin(self) -> None:
        with self.transaction() as connection:
            application = _number(connection, "PRAGMA application_id")
            schema = _number(connection, "PRAGMA user_version")
            if not _number(connection, "SELECT count(*) FROM sqlite_master"):
                for statement in _TABLES:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {_SCHEMA}")
            elif application != _APPLICATION:
                raise GraderError(_SENTENCES["not a database"].format(path=self.path))
            elif schema > _SCHEMA:
                raise GraderError(
                    f"{self.path} was written by a newer grader (its schema is {schema}, this "
                    f"grader knows {_SCHEMA}). Update this grader."
                )
        with self._plainly():
            self._connection.execute("PRAGMA synchronous = NORMAL")
            # Another grader may be doing the same; whoever comes first does it for both.
            with suppress(sqlite3.OperationalError):
                self._connection.execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            said = str(error).lower()
            plain = next((text for words, text in _SENTENCES.items() if words in said), None)
            if plain is None:
                raise GraderError(f"{self.path} cannot be used: {error}.") from None
            raise GraderError(plain.format(path=self.path)) from None


def _number(connection: sqlite3.Connection, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])
