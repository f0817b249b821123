"""The gradebook: what came of every submission, and of every run of a script.

Threads and graders share it. Each entry is one transaction: it is there or it is not, whenever
the grader or the computer stops.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from grader import __version__
from grader.gradebook_file import GradebookFile
from grader.model import Ending, Outcome, Report, Row, RunOutcome, Student, Submission, Work
from grader.runner import RunJob
from grader.running import Runner

_NEVER = "It has not been graded yet."

_BY_KEY = """
    SELECT * FROM results
    WHERE student = ? AND submission = ? AND rubric = ? AND grader = ? AND options = ?
    ORDER BY id DESC LIMIT 1
"""
_BY_STUDENT = "SELECT * FROM results WHERE student = ? ORDER BY id DESC LIMIT ?"
# Beside max(id), SQLite gives the other columns of that same row.
_NEWEST = "SELECT max(id) AS id, work IS NOT NULL AS graded FROM results WHERE student = ?"
_ADD = """
    INSERT INTO results (student, submission, rubric, grader, options, at, report, work, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ALL = -1

_REPORT = TypeAdapter(Report)
_WORK = TypeAdapter(Work)
_OUTCOME = TypeAdapter(RunOutcome)
_SUBMISSION = TypeAdapter(Submission)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultKey:
    """All that a result depends on: with the same key it would be the same again."""

    student: str
    """The student's key."""
    submission: str
    """The commit, or what `content_of` says of a folder; empty when it could not be had."""
    rubric: str
    """The rubric's SHA-256."""
    grader: str = __version__
    options: str = ""
    """Speed, sandbox and whatever else was chosen, always written in the same way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a student's history."""

    key: ResultKey
    at: datetime
    """When it was written, in UTC."""
    report: Report | None
    """None exactly when there is a reason why it could not be graded."""
    reason: str | None


class Gradebook:
    """The results of a class; of a student's entries the newest one counts.

    Every method raises GraderError when the file is damaged or no gradebook, was written by a
    newer grader, or cannot be read or written; never is it deleted or begun anew.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, or begins it."""
        self._file = GradebookFile(path)

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; what was stored is there already."""
        self._file.close()

    # ------------------------------------------------------------ results

    def find(self, key: ResultKey) -> Report | None:
        """The report stored under the key, which is the student's newest entry from now on.

        None when there is none, or when the last attempt with this key failed.
        """
        with self._file.transaction() as book:
            found = book.execute(_BY_KEY, astuple(key)).fetchone()
            if found is None or found["report"] is None:
                return None
            # A class may go back to an earlier commit or rubric.
            newest = _newest(book, key.student)
            if newest is not None and newest["id"] != found["id"]:
                _add(book, key, found["report"], found["work"], None)
        return self._read(_REPORT, found["report"])

    def works(self, students: Iterable[Student]) -> StoredWorks:
        """Their own words as stored with what counts for them now, for those that were graded."""
        with self._file.transaction() as book:
            newest = {each.key: book.execute(_NEWEST, (each.key,)).fetchone() for each in students}
        return StoredWorks(self._work, {key: e["id"] for key, e in newest.items() if e["graded"]})

    def store(self, key: ResultKey, report: Report, work: Work, *, again: bool = False) -> bool:
        """Writes a report down; once this returns, no crash takes it away.

        False, and nothing is written, if the newest entry is a report with the same key already,
        by another grader for instance; `again` writes a second one.
        """
        texts = _text(_REPORT, report), _text(_WORK, work)
        with self._file.transaction() as book:
            newest = _newest(book, key.student)
            if newest is not None and newest["report"] and _key(newest) == key and not again:
                return False
            _add(book, key, *texts, None)
        return True

    def fail(self, key: ResultKey, reason: str) -> None:
        """Writes down why a submission could not be graded, unless that was said last."""
        reason = _storable(reason)
        with self._file.transaction() as book:
            newest = _newest(book, key.student)
            if newest is None or (_key(newest), newest["reason"]) != (key, reason):
                _add(book, key, None, None, reason)

    def history(self, student: str) -> tuple[Entry, ...]:
        """All entries of a student, the newest first."""
        with self._file.transaction() as book:
            found = book.execute(_BY_STUDENT, (student, _ALL)).fetchall()
        return tuple(
            Entry(
                key=_key(entry),
                at=datetime.fromisoformat(entry["at"]),
                report=self._read(_REPORT, entry["report"]) if entry["report"] else None,
                reason=entry["reason"],
            )
            for entry in found
        )

    def current(self, students: Iterable[Student]) -> Iterator[Row]:
        """What counts for each student, in the order given, one in memory at a time."""
        for student in students:
            with self._file.transaction() as book:
                newest = _newest(book, student.key)
            if newest is None or newest["report"] is None:
                reason = newest["reason"] if newest else _NEVER
                yield Row(student=student, outcome=Outcome.FAILED, reason=reason)
            else:
                report = self._read(_REPORT, newest["report"])
                yield Row(student=student, outcome=Outcome.GRADED, report=report)

    # ------------------------------------------------------------ runs

    def run(self, job: str) -> RunOutcome | None:
        """What came of a run before; `job` is its `job_key`."""
        with self._file.transaction() as book:
            found = book.execute("SELECT outcome FROM runs WHERE job = ?", (job,)).fetchone()
        return None if found is None else self._read(_OUTCOME, found["outcome"])

    def keep_run(self, job: str, outcome: RunOutcome) -> None:
        """Writes down what came of a run, unless it was not started: that tells nothing."""
        if outcome.ending is Ending.NOT_STARTED:
            return
        with self._file.transaction() as book:
            values = (job, _now(), _text(_OUTCOME, outcome))
            book.execute("INSERT OR REPLACE INTO runs (job, at, outcome) VALUES (?, ?, ?)", values)

    def runner(self, run: Runner, *, fresh: bool = False) -> Runner:
        """Runs what was not run before; with `fresh`, runs everything and keeps that.

        Most students hand in the script as they got it: it is run once for all of them.
        """
        turns: defaultdict[str, Lock] = defaultdict(Lock)

        def run_and_keep(job: RunJob, key: str, stop: Event | None) -> RunOutcome:
            outcome = run(job, stop)
            if stop is None or not stop.is_set():
                self.keep_run(key, outcome)
            return outcome

        def run_or_recall(job: RunJob, stop: Event | None) -> RunOutcome:
            key = job_key(job)
            with turns[key]:
                return self.run(key) or run_and_keep(job, key, stop)

        def run_anew(job: RunJob, stop: Event | None) -> RunOutcome:
            return run_and_keep(job, job_key(job), stop)

        return run_anew if fresh else run_or_recall

    def _work(self, entry: int) -> Work:
        with self._file.transaction() as book:
            found = book.execute("SELECT work FROM results WHERE id = ?", (entry,)).fetchone()
        return self._read(_WORK, found["work"])

    def _read(self, kind: TypeAdapter[_T], text: str) -> _T:
        try:
            return kind.validate_json(text)
        except ValidationError:
            raise self._file.damaged() from None


@dataclass(frozen=True, slots=True)
class StoredWorks:
    """Students' works, read anew whenever they are asked for; they stay what they are."""

    _read: Callable[[int], Work]
    _entries: Mapping[str, int]
    """Student's key -> the entry that holds the work."""

    def __iter__(self) -> Iterator[Work]:
        return map(self._read, self._entries.values())

    def __getitem__(self, student: str) -> Work:
        return self._read(self._entries[student])


def job_key(job: RunJob) -> str:
    """A hash of everything that a run depends on, this grader's version among it."""
    parts = {field.name: getattr(job, field.name) for field in fields(job)}
    return _hash(json.dumps([__version__, parts], sort_keys=True, default=_plain))


def content_of(submission: Submission) -> str:
    """A hash of all that was read of a submission, for one that is no commit."""
    return _hash(_text(_SUBMISSION, submission))


def _newest(book: sqlite3.Connection, student: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = book.execute(_BY_STUDENT, (student, 1)).fetchone()
    return found


def _key(entry: sqlite3.Row) -> ResultKey:
    return ResultKey(**{field.name: entry[field.name] for field in fields(ResultKey)})


def _add(
    book: sqlite3.Connection,
    key: ResultKey,
    report: str | None,
    work: str | None,
    reason: str | None,
) -> None:
    book.execute(_ADD, (*astuple(key), _now(), report, work, reason))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    """Parts of a job in a form that JSON knows."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _text(kind: TypeAdapter[_T], value: _T) -> str:
    plain = kind.dump_python(value, mode="json")
    return _storable(json.dumps(plain, ensure_ascii=False, separators=(",", ":")))


def _storable(text: str) -> str:
    """Half a surrogate pair, as in a file name that is no text, has no place in the file."""
    return text.encode("utf-8", "replace").decode("utf-8")
