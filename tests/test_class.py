"""Grading a class: everyone once, nobody at another's cost, and nothing lost whatever happens."""

from __future__ import annotations

import csv
import io
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.assignment import Assignment, load_assignment
from grader.batch import Graded, grade_roster
from grader.course import Settings
from grader.errors import UsageError
from grader.grading import read_overrides
from grader.model import Row, RunOptions, RunOutcome, Sandbox
from grader.runner import RunJob, run_script
from grader.running import Runner
from grader.sandbox import SandboxError
from tests.support import tiny_class as tiny

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("ana", "ben", "cleo", "dan")

Grade = Callable[..., Graded]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a rubric and the repositories of four students below `forks`."""
    tiny.write_rubric(tmp_path)
    for name in NAMES:
        tiny.commit(tmp_path / "forks" / name, tiny.files(script=f"{tiny.SCRIPT}# {name}\n"))
    return tmp_path


@pytest.fixture
def grade(home: Path) -> Grade:
    """Grades the class into `marks`; `rubric` and `run` may be other ones."""

    def graded(
        *, roster: Path = home / "forks", run: Runner = run_script, **settings: Any
    ) -> Graded:
        chosen = {"options": RunOptions(), **settings}
        return grade_roster(
            roster, home / "marks", assignment(home), Settings(**chosen), jobs=4, run=run
        )

    return graded


def assignment(home: Path) -> Assignment:
    return load_assignment(home / "rubric.yaml")


def by_key(graded: Graded) -> dict[str, Row]:
    return {row.student.key: row for row in graded.rows}


def outcomes(graded: Graded) -> dict[str, str]:
    return {key: row.outcome.value for key, row in sorted(by_key(graded).items())}


def scores(graded: Graded) -> dict[str, float | None]:
    rows = sorted(by_key(graded).items())
    return {key: row.report.score if row.report else None for key, row in rows}


def never(job: RunJob, _stop: threading.Event | None) -> RunOutcome:
    """No script is to be run."""
    raise AssertionError(job.id)


# ---------------------------------------------------------------- graded once


def test_everyone_is_graded(grade: Grade, home: Path) -> None:
    """Each student has a row, and files with what the row says."""
    graded = grade()
    assert scores(graded) == dict.fromkeys(NAMES, 10.0)
    rows = gradebook(home / "marks")
    assert [(row["student"], row["score"], row["run-quick"]) for row in rows] == [
        (name, "10", "4") for name in NAMES
    ]
    for row in rows:
        page = home / "marks" / row["feedback"]
        assert row["student"] in page.read_text("utf-8")
        assert "10" in page.with_suffix(".md").read_text("utf-8")
    made = {path.name for path in (home / "marks").iterdir()}
    assert made >= {"index.html", "canvas.csv", "moodle.csv", "gradescope", "gradebook.sqlite"}


def test_nothing_changed(grade: Grade) -> None:
    """What has not changed is recalled, and no script is run again."""
    first = grade()
    again = grade(run=never)
    assert outcomes(again) == dict.fromkeys(NAMES, "cached")
    assert scores(again) == scores(first)


def test_one_changed(grade: Grade, home: Path) -> None:
    """A new commit is graded; the others are not, and the marks handed over are the new ones."""
    grade()
    tiny.commit(home / "forks" / "ben", tiny.files(answer="Nine fruits."))
    graded = grade()
    assert outcomes(graded) == {"ana": "cached", "ben": "graded", "cleo": "cached", "dan": "cached"}
    assert {row["student"]: row["fruits"] for row in gradebook(home / "marks")}["ben"] == "0"
    assert '"score": 8.0' in (home / "marks" / "feedback" / "ben.json").read_text("utf-8")


def test_back_to_an_earlier_state(grade: Grade, home: Path) -> None:
    """When a student takes a change back, the files tell of what is there now."""
    grade()
    tiny.write(home / "forks" / "ben", tiny.files(answer="Nine fruits."))
    grade()
    tiny.write(home / "forks" / "ben", tiny.files(script=f"{tiny.SCRIPT}# ben\n"))
    assert scores(grade(run=never))["ben"] == 10
    assert '"score": 10.0' in (home / "marks" / "feedback" / "ben.json").read_text("utf-8")


def test_fresh(grade: Grade) -> None:
    """Everything is graded and run anew when that is asked for."""
    grade()
    run: Counter[str] = Counter()

    def counted(job: RunJob, stop: threading.Event | None) -> RunOutcome:
        run[job.id] += 1
        return run_script(job, stop)

    assert outcomes(grade(run=counted, fresh=True)) == dict.fromkeys(NAMES, "graded")
    assert run["quick"] == len(NAMES)


def test_the_same_script(grade: Grade, home: Path) -> None:
    """A script that several students hand in as they got it is run once for all of them."""
    for name in NAMES:
        tiny.write(home / "forks" / name, tiny.files())
    run: list[str] = []

    def counted(job: RunJob, stop: threading.Event | None) -> RunOutcome:
        run.append(job.id)
        return run_script(job, stop)

    assert scores(grade(run=counted)) == dict.fromkeys(NAMES, 10.0)
    assert run == ["quick"]


def test_another_rubric(grade: Grade, home: Path) -> None:
    """A changed rubric marks everyone anew from what was kept, without running a script."""
    grade()
    rubric = home / "rubric.yaml"
    rubric.write_text(tiny.RUBRIC.replace("points: 4", "points: 9", 1), encoding="utf-8")
    graded = grade(run=never)
    assert outcomes(graded) == dict.fromkeys(NAMES, "graded")
    assert scores(graded) == dict.fromkeys(NAMES, 15.0)


def test_override(grade: Grade, home: Path) -> None:
    """A mark that a person changes is changed for that student, and nobody else is marked anew."""
    grade()
    line = (
        '- {"submission": "cleo", "criterion": "fruits", "verdict": "incorrect", '
        '"comment": "Asked in class.", "by": "me"}\n'
    )
    (home / "overrides.yaml").write_text(line, encoding="utf-8")
    overrides = read_overrides(home / "overrides.yaml", assignment(home))
    graded = grade(run=never, overrides=overrides)
    assert outcomes(graded) == {"ana": "cached", "ben": "cached", "cleo": "graded", "dan": "cached"}
    assert scores(graded)["cleo"] == 8


def test_lost_feedback(grade: Grade, home: Path) -> None:
    """A student's file that was deleted is written again, though nothing is graded."""
    grade()
    for path in (home / "marks" / "feedback").glob("dan.*"):
        path.unlink()
    grade(run=never)
    assert len(list((home / "marks" / "feedback").glob("dan.*"))) == 3


def test_nothing_is_written_twice(grade: Grade, home: Path) -> None:
    """Feedback that would be the same again is not touched."""
    grade()
    before = {path: path.stat().st_mtime_ns for path in (home / "marks").rglob("*.html")}
    grade()
    del before[home / "marks" / "index.html"]  # it says what was recalled
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_deadline(grade: Grade, home: Path) -> None:
    """With a deadline the last commit before it counts, and the report says that there are more."""
    late = tiny.files(answer="Nine fruits.")
    tiny.commit(home / "forks" / "ana", late, at="2026-11-09T12:00:00+00:00")
    moment = datetime(2026, 11, 5, tzinfo=timezone.utc)
    rows = by_key(grade(deadline=moment))
    assert [row.report.score for row in rows.values() if row.report] == [10.0] * 4
    notes = {key: [n.kind for n in row.report.notes] for key, row in rows.items() if row.report}
    assert [key for key, kinds in notes.items() if "deadline" in kinds] == ["ana"]


def test_alike(grade: Grade, home: Path) -> None:
    """Work that is alike is shown side by side on the page."""
    for name in ("ana", "ben"):
        lines = enumerate(tiny.TRANSCRIPT.splitlines())
        text = "".join(f"2026-11-02 10:00:0{n},{n}17 INFO {line}\n" for n, line in lines)
        tiny.commit(home / "forks" / name, tiny.files(transcript=text))
    grade()
    page = (home / "marks" / "index.html").read_text("utf-8")
    assert re.search(r"ana.{0,400}ben", page[page.index('id="alike"') :], re.DOTALL)


# ---------------------------------------------------------------- what goes wrong


def test_a_crash_is_one_row(grade: Grade) -> None:
    """What the grader fails at is tried twice and costs nobody else anything, nor for ever."""
    tried: Counter[str] = Counter()

    def broken(job: RunJob, stop: threading.Event | None) -> RunOutcome:
        if b"# ben" in job.source:
            tried[job.id] += 1
            raise ZeroDivisionError("oops")
        return run_script(job, stop)

    graded = grade(run=broken)
    assert scores(graded) == {"ana": 10, "ben": None, "cleo": 10, "dan": 10}
    assert by_key(graded)["ben"].reason == "The grader failed: ZeroDivisionError: oops."
    assert tried["quick"] == 2
    assert outcomes(grade())["ben"] == "graded"


def test_bad_luck(grade: Grade) -> None:
    """What works the second time counts."""
    tried: Counter[bytes] = Counter()

    def unlucky(job: RunJob, stop: threading.Event | None) -> RunOutcome:
        tried[job.source] += 1
        if tried[job.source] == 1:
            raise OSError("no processes left")
        return run_script(job, stop)

    assert scores(grade(run=unlucky)) == dict.fromkeys(NAMES, 10.0)


def test_a_missing_sandbox_ends_all(grade: Grade, home: Path) -> None:
    """What would fail for everyone is told once, and nothing of it is kept as a mark."""

    def unprotected(_job: RunJob, _stop: threading.Event | None) -> RunOutcome:
        raise SandboxError("The sandbox is required.")

    with pytest.raises(SandboxError):
        grade(run=unprotected, options=RunOptions(sandbox=Sandbox.REQUIRE))
    with closing(sqlite3.connect(home / "marks" / "gradebook.sqlite")) as book:
        assert book.execute("SELECT count(*) FROM results").fetchone() == (0,)


def test_a_slip_of_the_pen(grade: Grade, home: Path) -> None:
    """A criterion that does not exist is told before anything is made or fetched."""
    with pytest.raises(UsageError, match="no criterion q99"):
        grade(only=("q99",))
    assert not (home / "marks").exists()


def test_marks_among_the_submissions(grade: Grade, home: Path) -> None:
    """What is handed over cannot lie where it would be taken for a submission."""
    with pytest.raises(UsageError, match="among the submissions"):
        grade(roster=home)


# ---------------------------------------------------------------- the command


def start(home: Path, *options: str, roster: str = "forks") -> subprocess.Popen[str]:
    arguments = ["class", roster, "--out", "marks", "--rubric", "rubric.yaml", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "grader", *arguments],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def finish(command: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = command.communicate(timeout=60)
    return command.returncode, out, err


def test_the_command(home: Path) -> None:
    """It tells how far it is on one stream and what came of it on the other."""
    code, out, err = finish(start(home))
    assert code == 0
    assert out.splitlines()[0] == "4 of 4 submissions are graded."
    assert "Mean 10, median 10 of 10 points." in out
    assert "2 of 4: 2 graded, 0 cached, 0 failed, 2 waiting" in err


def test_some_could_not_be_graded(home: Path) -> None:
    """One who could not be graded makes the exit status 3, with the reason at once."""
    lines: dict[str, str | Path] = {"ana": "forks/ana", "zoe": "forks/zoe"}
    tiny.roster(home / "roster.csv", lines)
    code, out, err = finish(start(home, roster="roster.csv"))
    assert code == 3
    assert "1 of 2 submissions are graded." in out
    assert "zoe could not be graded: roster.csv:3: there is no folder forks/zoe." in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--deadline", "tomorrow"),
            "tomorrow is no moment. Write it like 2026-11-30T23:59-06:00.",
        ),
        (("--only", "q99"), "There is no criterion q99."),
        (("--jobs", "0"), "0 is not in the range"),
        (("--rubric", "none.yaml"), "Cannot read the rubric none.yaml"),
    ],
)
def test_wrong_usage(home: Path, options: tuple[str, ...], said: str) -> None:
    """A slip of the pen is told in a sentence, with exit status 2."""
    code, out, err = finish(start(home, *options))
    assert (code, out) == (2, "")
    assert said in err


def test_two_graders_at_once(home: Path) -> None:
    """Two that grade the same class into the same folder both succeed, and nobody counts twice."""
    both = [start(home), start(home)]
    assert [finish(one)[0] for one in both] == [0, 0]
    with closing(sqlite3.connect(home / "marks" / "gradebook.sqlite")) as book:
        counted = book.execute("SELECT student, count(*) FROM results GROUP BY student").fetchall()
    assert counted == [(name, 1) for name in NAMES]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_interrupted(home: Path) -> None:
    """Ctrl-C ends it at once with nothing left running; then it goes on where it stopped."""
    slow = f"import time\n{tiny.SCRIPT}    time.sleep(600)\n"
    tiny.commit(home / "forks" / "dan", tiny.files(script=slow))
    command = start(home, "--speed", "1")
    assert command.stderr
    told = [command.stderr.readline() for _ in range(3)]
    assert told[-1].startswith("3 of 4: 3 graded")
    below = psutil.Process(command.pid).children(recursive=True)
    command.send_signal(signal.SIGINT)
    code, out, err = finish(command)
    assert (code, out) == (130, "")
    assert "the same command goes on from there" in err
    assert [process for process in below if alive(process)] == []

    tiny.commit(home / "forks" / "dan", tiny.files())
    assert "3 cached" in finish(start(home, "--speed", "1"))[2]


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# ---------------------------------------------------------------- killed


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_killed_at_any_moment(home: Path) -> None:
    """Killed ten times and started again, it ends with the gradebook of an undisturbed run."""
    for number in range(16):
        script = f"{tiny.SCRIPT}# {number}\n"
        answer = "Nine fruits." if number % 3 else "Two fruits."
        tiny.commit(home / "forks" / f"s{number}", tiny.files(script=script, answer=answer))
    chance = random.Random(7)
    for attempt in range(10):
        command = start(home, "--jobs", "2")
        assert command.stderr
        if attempt % 2:  # when the next one is graded; else somewhere between start and there
            next(line for line in command.stderr if " 0 graded" not in line)
        try:
            command.wait(chance.uniform(0, 0.2 if attempt % 2 else 0.9))
        except subprocess.TimeoutExpired:
            command.kill()
        command.communicate()
        assert command.returncode == -signal.SIGKILL, "it was done before: add students"
    assert finish(start(home))[0] == 0
    killed = handed_over(home / "marks")
    (home / "marks").rename(home / "killed")
    assert finish(start(home))[0] == 0
    assert killed == handed_over(home / "marks")
    with closing(sqlite3.connect(home / "killed" / "gradebook.sqlite")) as book:
        entries = book.execute("SELECT count(*) FROM results GROUP BY student").fetchall()
        assert set(entries) == {(1,)}
        assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def gradebook(marks: Path) -> list[dict[str, str]]:
    text = (marks / "gradebook.csv").read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def handed_over(marks: Path) -> dict[str, object]:
    """All that depends on the submissions alone, not on when they were graded."""
    rows = [{**row, "outcome": ""} for row in gradebook(marks)]
    texts = {name: (marks / name).read_text("utf-8") for name in ("canvas.csv", "moodle.csv")}
    folders = (marks, marks / "feedback", marks / "gradescope")
    names = sorted(path.name for folder in folders for path in folder.iterdir())
    return {"rows": rows, "names": names, **texts}


def test_drafts_of_the_dead_are_cleared(grade: Grade, home: Path) -> None:
    """What a killed grader was writing is removed; what a living one writes is left alone."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    drafts = [home / "marks" / "feedback" / f"zoe.md.{pid}.part" for pid in (gone.pid, os.getpid())]
    drafts[0].parent.mkdir(parents=True)
    for draft in drafts:
        draft.touch()
    grade()
    assert [draft.exists() for draft in drafts] == [False, True]
