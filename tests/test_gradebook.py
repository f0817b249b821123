"""The gradebook: found again, shared, never half written, never lost."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from grader.errors import GraderError
from grader.gradebook import Gradebook, ResultKey, content_of, job_key
from grader.model import (
    REPORT_VERSION,
    Ending,
    EventKind,
    Feedback,
    Files,
    FileState,
    Outcome,
    Report,
    Result,
    Run,
    RunOutcome,
    Student,
    Submission,
    SubmissionInfo,
    TextFile,
    Verdict,
    Work,
)
from grader.model import Event as RunEvent
from grader.rubric import Limits
from grader.runner import RunJob

KEY = ResultKey(student="ana", submission="1" * 40, rubric="r1", options="speed=10")
WORK = Work(student="ana", answers={"q1": "six ☃"}, transcripts={}, readme="# Ana", script="x = 1")
RUN = Run(
    id="fast",
    duration=3,
    speed=10,
    wall_seconds=1.25,
    exit_code=None,
    timed_out=True,
    rows=None,
    lock_errors=2,
    sandbox="none",
    events=(RunEvent(t=0.5, process="P1", kind=EventKind.HOLD, label="a \ud800 b"),),
)
OUTCOME = RunOutcome(run=RUN, ending=Ending.TIMED_OUT, error="Boom", tail="…")
JOB = RunJob(
    id="fast",
    duration=3,
    name="s.py",
    source=b"x",
    modules={"m.py": "y"},
    table="t",
    lock_error="locked",
    limits=Limits(),
)

# Stores what it is told to, and says so once it is stored.
WRITER = """
import sys
from pathlib import Path
from dataclasses import replace
sys.path.insert(0, sys.argv[4])
from test_gradebook import KEY, WORK, report
from grader.errors import GraderError
from grader.gradebook import Gradebook
if sys.argv[5:]:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]), int(sys.argv[5])))
try:
    with Gradebook(Path(sys.argv[1])) as book:
        for number in range(int(sys.argv[3])):
            key = replace(KEY, student=f"{sys.argv[2]}{number}")
            stored = book.store(key, report(number), WORK)
            print(key.student if stored else "known", flush=True)
except GraderError as error:
    print("!", error, flush=True)
"""


def report(score: float = 5.0) -> Report:
    """A report that is long enough to take some pages."""
    return Report(
        version=REPORT_VERSION,
        assignment="loans",
        grader="1",
        rubric_sha256="r1",
        submission=SubmissionInfo(
            path="https://x.org/ana",
            student=None,
            commit=None,
            files=Files(script=None, readme="R"),
        ),
        score=score,
        max_score=10,
        needs_review=False,
        criteria=(
            Result(
                id="q1",
                title="Title",
                verdict=Verdict.PARTIAL,
                score=score,
                max_score=10,
                needs_review=False,
                confidence=0.5,
                feedback=Feedback(what="w" * 9000, hint="hint"),
            ),
        ),
        runs=(replace(RUN, events=()),),
        notes=(),
    )


def writer(path: Path, name: str, count: int, limit: int | None = None) -> subprocess.Popen[str]:
    arguments = [str(path), name, str(count), str(Path(__file__).parent)]
    arguments += [] if limit is None else [str(limit)]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True
    )


def lines(process: subprocess.Popen[str], most: int) -> list[str]:
    """What the writer has said, up to so many lines; it goes on meanwhile."""
    assert process.stdout is not None
    return [line.strip() for _, line in zip(range(most), process.stdout, strict=False)]


def check(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def student(key: str = "ana") -> Student:
    return Student(key=key, repository="x")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gradebook.sqlite"


# ---------------------------------------------------------------- results


def test_found_again(path: Path) -> None:
    """What was stored is there for the next grader, just as it was."""
    with Gradebook(path) as book:
        assert book.find(KEY) is None
        assert book.store(KEY, report(), WORK)
    with Gradebook(path) as book:
        assert book.find(KEY) == report()
        assert list(book.works([student("ana"), student("ben")])) == [WORK]


@pytest.mark.parametrize("part", ["student", "submission", "rubric", "grader", "options"])
def test_anything_changed(path: Path, part: str) -> None:
    """A change in any part of the key is reason to grade again."""
    changed = replace(KEY, **{part: "other"})
    with Gradebook(path) as book:
        book.store(KEY, report(), WORK)
        assert book.find(changed) is None


def test_works(path: Path) -> None:
    """A student's words are those of the newest entry, also when it is replaced meanwhile."""
    newer = replace(WORK, readme="# Ana, again")
    with Gradebook(path) as book:
        book.store(KEY, report(), WORK)
        book.store(replace(KEY, submission="2" * 40), report(), newer)
        book.fail(replace(KEY, student="ben"), "It is gone.")
        works = book.works([student("ana"), student("ben")])
        book.store(KEY, report(), WORK, again=True)
        assert list(works) == list(works) == [newer]
        assert works["ana"] == newer


def test_history(path: Path) -> None:
    """Every result is kept, and the newest counts."""
    later = replace(KEY, submission="2" * 40)
    with Gradebook(path) as book:
        book.store(KEY, report(1), WORK)
        book.fail(replace(KEY, submission=""), "The server is gone.")
        book.store(later, report(2), WORK)
        entries = book.history("ana")
        assert [entry.report and entry.report.score for entry in entries] == [2, None, 1]
        assert [entry.reason for entry in entries] == [None, "The server is gone.", None]
        assert (entries[0].key, entries[0].at.utcoffset() is not None) == (later, True)
        (row,) = book.current([student()])
        assert (row.outcome, row.report) == (Outcome.GRADED, report(2))


def test_back_to_an_earlier_commit(path: Path) -> None:
    """A result that is found again counts again, though others came after it."""
    with Gradebook(path) as book:
        book.store(KEY, report(1), WORK)
        book.store(replace(KEY, submission="2" * 40), report(2), WORK)
        for _ in range(2):
            assert book.find(KEY) == report(1)
        (row,) = book.current([student()])
        assert row.report == report(1)
        assert len(book.history("ana")) == 3


def test_failures(path: Path) -> None:
    """A failure is told with its reason, said once, and tried again the next time."""
    with Gradebook(path) as book:
        book.store(KEY, report(), WORK)
        for _ in range(3):
            book.fail(KEY, "The sandbox is gone.")
        assert book.find(KEY) is None
        rows = list(book.current([student("ben"), student()]))
        assert [row.outcome for row in rows] == [Outcome.FAILED] * 2
        assert [row.reason for row in rows] == [
            "It has not been graded yet.",
            "The sandbox is gone.",
        ]
        assert len(book.history("ana")) == 2
        assert book.store(KEY, report(), WORK)


def test_not_stored_twice(path: Path) -> None:
    """The same result is stored once, unless a second one is asked for."""
    with Gradebook(path) as book:
        stored = [book.store(KEY, report(score), WORK, again=score > 2) for score in (1, 2, 3)]
        assert stored == [True, False, True]
        assert [entry.report and entry.report.score for entry in book.history("ana")] == [3, 1]


def test_content() -> None:
    """A folder's content tells one submission from another."""
    empty = TextFile(name="a", state=FileState.MISSING)
    one = Submission(path="x", script=empty, readme=empty, transcripts={"c": empty})
    other = replace(one, transcripts={"c": replace(empty, state=FileState.PRESENT, text="b")})
    assert content_of(one) == content_of(replace(one)) != content_of(other)


# ---------------------------------------------------------------- runs


def test_runs(path: Path) -> None:
    """A run is kept for a changed rubric; half a character is no reason to lose it."""
    with Gradebook(path) as book:
        assert book.run(job_key(JOB)) is None
        book.keep_run(job_key(JOB), OUTCOME)
        kept = book.run(job_key(JOB))
    event = replace(RUN.events[0], label="a ? b")
    assert kept == replace(OUTCOME, run=replace(RUN, events=(event,)))


@pytest.mark.parametrize(
    "changed",
    [
        replace(JOB, source=b"z"),
        replace(JOB, modules={"m.py": "z"}),
        replace(JOB, duration=0),
        replace(JOB, speed=2.0),
        replace(JOB, table="z"),
        replace(JOB, limits=Limits(wall_seconds=1)),
        replace(JOB, id="z"),
    ],
)
def test_job_keys(changed: RunJob) -> None:
    """A job that differs in anything is another job."""
    assert job_key(changed) != job_key(JOB) == job_key(replace(JOB))


def test_runner(path: Path) -> None:
    """A script runs once, and again only when that is wanted."""
    ran: list[str] = []

    def run(job: RunJob, stop: Event | None) -> RunOutcome:  # noqa: ARG001
        ran.append(job.id)
        return replace(OUTCOME, run=replace(RUN, events=()))

    with Gradebook(path) as book:
        first, second = (book.runner(run)(JOB, None) for _ in range(2))
        assert (first, ran) == (second, ["fast"])
        book.runner(run, fresh=True)(JOB, None)
        assert ran == ["fast", "fast"]


@pytest.mark.parametrize("reason", ["stopped", "not started"])
def test_runs_that_tell_nothing(path: Path, reason: str) -> None:
    """A run that was interrupted, or could not be started, is not kept."""
    stop = Event()

    def run(job: RunJob, stop: Event | None) -> RunOutcome:  # noqa: ARG001
        if reason == "not started":
            return replace(OUTCOME, ending=Ending.NOT_STARTED)
        assert stop is not None
        stop.set()
        return OUTCOME

    with Gradebook(path) as book:
        book.runner(run)(JOB, stop)
        assert book.run(job_key(JOB)) is None


# ---------------------------------------------------------------- many at once


def test_threads(path: Path) -> None:
    """Threads of one grader write and read at the same time."""
    keys = [replace(KEY, student=f"s{number}") for number in range(60)]
    with Gradebook(path) as book, ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda key: book.store(key, report(), WORK), keys))
        assert all(pool.map(book.find, keys))


def test_graders(path: Path) -> None:
    """Graders that begin the same gradebook at the same moment store each result once."""
    processes = [writer(path, "s", 25) for _ in range(3)]
    said = [line for process in processes for line in lines(process, 99)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()
    assert sorted(line for line in said if line != "known") == sorted(f"s{n}" for n in range(25))
    with Gradebook(path) as book:
        assert [len(book.history(f"s{number}")) for number in range(25)] == [1] * 25


def test_killed_at_any_moment(path: Path) -> None:
    """Whatever was acknowledged before a kill is there after it, and the file is sound."""
    chance = random.Random(7)
    acknowledged: list[str] = []
    for attempt in range(5):
        with writer(path, f"a{attempt}-", 10_000) as process:
            acknowledged += lines(process, chance.randrange(1, 60))
            process.kill()
            acknowledged += [line.strip() for line in process.stdout or () if line.endswith("\n")]
        assert check(path) == "ok"
    with Gradebook(path) as book:
        rows = list(book.current(map(student, acknowledged)))
    assert {row.outcome for row in rows} == {Outcome.GRADED}


# ---------------------------------------------------------------- files that cannot be used


@pytest.mark.skipif(sys.platform == "win32", reason="limits are set with POSIX calls")
def test_no_room(path: Path) -> None:
    """A disk that fills up ends in a sentence, and what was stored before stays."""
    with writer(path, "s", 10_000, limit=600_000) as process:
        *stored, last = lines(process, 20_000)
    assert last.startswith((f"! {path} cannot be", "! There is no room"))
    assert len(stored) > 10
    assert check(path) == "ok"
    with Gradebook(path) as book:
        assert all(book.find(replace(KEY, student=name)) for name in stored)


def stored(path: Path) -> None:
    with Gradebook(path) as book:
        for number in range(30):
            book.store(replace(KEY, student=f"s{number}"), report(), WORK)


def no_database(path: Path) -> None:
    path.write_text("student,score\n" * 500, encoding="utf-8")


def cut(path: Path) -> None:
    stored(path)
    path.write_bytes(path.read_bytes()[:30_000])


def scratched(path: Path) -> None:
    stored(path)
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))


def another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE results (id)")


@pytest.mark.parametrize("damage", [no_database, cut, scratched, another_program])
def test_damaged(path: Path, damage: Callable[[Path], None]) -> None:
    """A file that is damaged or no gradebook is refused, and left as it is."""
    damage(path)
    before = path.read_bytes()
    with pytest.raises(GraderError, match=r"is damaged.* not touched"), Gradebook(path) as book:
        list(book.current(student(f"s{number}") for number in range(30)))
    assert path.read_bytes() == before


def test_entry_that_makes_no_sense(path: Path) -> None:
    """An entry that someone has written by hand is refused."""
    stored(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE results SET report = '{}'")
    with Gradebook(path) as book, pytest.raises(GraderError, match="is damaged"):
        book.find(replace(KEY, student="s1"))


def test_newer_grader(path: Path) -> None:
    """A gradebook of a newer grader is left alone."""
    stored(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(GraderError, match="written by a newer grader"):
        Gradebook(path)


def test_no_folder(tmp_path: Path) -> None:
    """A gradebook in a folder that is not there is told of."""
    with pytest.raises(GraderError, match="cannot be opened"):
        Gradebook(tmp_path / "no" / "gradebook.sqlite")


def test_read_only(path: Path) -> None:
    """A gradebook that may not be changed is told of."""
    stored(path)
    with Gradebook(path) as book:
        # As root one may write to any file; SQLite has a lock of its own for this.
        book._file._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(GraderError, match="cannot be written to"):
            book.store(KEY, report(), WORK)
