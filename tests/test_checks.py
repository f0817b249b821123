"""Judging runs and transcripts: each way that things can be, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.assignment import load_assignment
from grader.checks import judge
from grader.model import (
    Ending,
    Event,
    EventKind,
    Evidence,
    FileState,
    Insert,
    Result,
    Run,
    RunOutcome,
    ScriptFacts,
    Submission,
    SyntaxFault,
    TextFile,
    Transcript,
    TranscriptRun,
)

RUBRIC = load_assignment(Path(__file__).resolve().parent.parent / "rubric.yaml").rubric
FACTS = ScriptFacts(source="multiple_processes.py", constant="TASK_DURATION_SECONDS")


def file(name: str, state: FileState = FileState.PRESENT, **rest: Any) -> TextFile:
    return TextFile(
        name=name, state=state, text="text" if state is FileState.PRESENT else "", **rest
    )


def evidence(**changes: Any) -> Evidence:
    submission = Submission(
        path=".",
        script=changes.pop("script_file", file("multiple_processes.py")),
        readme=file("README.md"),
        transcripts=changes.pop("files", {"run0": file("out0.txt"), "run3": file("out3.txt")}),
    )
    return Evidence(submission=submission, **{"script": FACTS, **changes})


def outcome(
    name: str,
    *,
    rows: int | None = 6,
    locks: int = 0,
    ending: Ending = Ending.FINISHED,
    trace: bool = True,
    **rest: Any,
) -> RunOutcome:
    seen = [EventKind.COMMIT] * (rows or 0) + [EventKind.LOCKED] * locks
    run = Run(
        id=name,
        duration=RUBRIC.configurations[name].duration,
        speed=1.0,
        wall_seconds=1.0,
        exit_code=0,
        timed_out=ending is Ending.TIMED_OUT,
        rows=rows,
        lock_errors=locks,
        sandbox="none",
        events=tuple(Event(t=1, process="P1", kind=kind, label="") for kind in seen)
        if trace
        else (),
    )
    return RunOutcome(run=run, ending=ending, **rest)


def judged_run(name: str, **how: Any) -> Result:
    return judge(evidence(runs={name: outcome(name, **how)}), name, RUBRIC)


@pytest.mark.parametrize(
    ("name", "how", "verdict", "review", "said"),
    [
        pytest.param("run0", {}, "correct", False, "6 rows", id="all rows"),
        pytest.param("run0", {"rows": 5}, "incorrect", False, "5 rows", id="a row too few"),
        pytest.param("run0", {"rows": 8}, "incorrect", True, "8 rows", id="more rows than asked"),
        pytest.param("run0", {"locks": 1}, "incorrect", False, "1 lock error", id="a lock error"),
        pytest.param("run0", {"rows": None}, "incorrect", False, "no table", id="no table"),
        pytest.param("run3", {"rows": 4, "locks": 2}, "correct", False, "2 lock", id="contention"),
        pytest.param("run3", {"rows": 6, "locks": 1}, "correct", False, "1 lock", id="a retry"),
        pytest.param("run3", {"rows": 6}, "incorrect", True, "no lock error", id="serialised"),
        pytest.param("run3", {"rows": 4}, "incorrect", True, "4 rows", id="errors swallowed"),
        pytest.param(
            "run3",
            {"rows": 4, "locks": 2, "ending": Ending.TIMED_OUT},
            "incorrect",
            False,
            "after 60 s: the script was still running",
            id="too slow is never full marks",
        ),
        pytest.param(
            "run0",
            {"ending": Ending.FLOODED},
            "incorrect",
            False,
            "printed more than 1 MB",
            id="flood",
        ),
        pytest.param(
            "run0", {"ending": Ending.NOT_STARTED}, "error", True, "not your fault", id="our fault"
        ),
    ],
)
def test_a_run_is_judged_by_what_it_left(
    name: str, how: dict[str, Any], verdict: str, review: bool, said: str
) -> None:
    """Rows and lock errors decide; what is unclear is flagged; our own fault is called so."""
    result = judged_run(name, **how)
    assert (result.verdict.value, result.needs_review) == (verdict, review)
    assert said in result.feedback.what


@pytest.mark.parametrize(
    ("name", "rows", "locks", "verdict"),
    [
        pytest.param("run0", 6, 0, "correct", id="a ready-made database"),
        pytest.param("run3", 4, 2, "correct", id="too few rows and talk of locks"),
        pytest.param("run3", 6, 2, "incorrect", id="every row and talk of locks"),
        pytest.param("run3", None, 2, "incorrect", id="no table and talk of locks"),
    ],
)
def test_what_no_trace_confirms_is_flagged(
    name: str, rows: int | None, locks: int, verdict: str
) -> None:
    """A claim that the trace does not show needs a person; it costs points only with the rows."""
    result = judged_run(name, rows=rows, locks=locks, trace=False)
    assert (result.verdict.value, result.needs_review) == (verdict, True)


@pytest.mark.parametrize("name", ["run0", "run3"])
def test_what_a_sandbox_may_have_forbidden_is_flagged(name: str) -> None:
    """A script that was refused something may be right outside: a person looks."""
    error = "PermissionError: [Errno 1] Operation not permitted (line 7)"
    assert judged_run(name, rows=0, error=error).needs_review
    assert not judged_run("run0", rows=0, error="ValueError: no (line 7)").needs_review


def test_lock_errors_that_were_got_over_count() -> None:
    """A script that tries again until every record is in has met real lock errors."""
    result = judged_run("run3", rows=6, locks=2)
    assert (result.verdict.value, result.needs_review) == ("correct", False)


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (Ending.CPU, "after 30 s of computing"),
        (Ending.MEMORY, "more than 1 GB of memory"),
        (Ending.DISK, "more than the 64 MB it may, or a file larger than 32 MB"),
        (Ending.PROCESSES, "more than 64 processes or threads"),
    ],
)
def test_every_limit_is_named(ending: Ending, said: str) -> None:
    """A run that hits a limit earns nothing, and is told which limit, with its last words."""
    result = judged_run("run0", ending=ending, tail="\n".join(map(str, range(8))))
    assert (result.verdict.value, result.needs_review) == ("incorrect", False)
    assert said in result.feedback.what
    assert result.feedback.actual == "3\n4\n5\n6\n7"


def test_last_lines_have_no_times() -> None:
    """What a stopped script printed last is told without what differs from run to run."""
    tail = "2026-11-23 04:28:26,812 - INFO - Called it at 04:28.\nthe end"
    told = judged_run("run0", ending=Ending.TIMED_OUT, tail=tail).feedback.actual
    assert told == "INFO - Called it at 04:28.\nthe end"


def test_the_error_that_ended_a_run_is_told() -> None:
    """A script that crashes is judged incorrect with Python's own last line."""
    result = judged_run("run0", rows=0, error="NameError: name 'x' is not defined (line 12)")
    assert result.verdict.value == "incorrect"
    assert result.feedback.actual == "NameError: name 'x' is not defined (line 12)"


@pytest.mark.parametrize(
    ("changes", "verdict", "review", "said"),
    [
        pytest.param(
            {"script": None, "script_file": file("multiple_processes.py", FileState.MISSING)},
            "missing",
            False,
            "no multiple_processes.py",
            id="no script",
        ),
        pytest.param(
            {"script": SyntaxFault(line=3, text="for", message="invalid syntax")},
            "incorrect",
            False,
            "line 3: invalid syntax",
            id="syntax error",
        ),
        pytest.param({}, "incorrect", True, "TASK_DURATION_SECONDS", id="constant renamed"),
    ],
)
def test_a_script_that_cannot_be_run_says_why(
    changes: dict[str, Any], verdict: str, review: bool, said: str
) -> None:
    """No script, a syntax error and a missing constant are told apart."""
    result = judge(evidence(**changes), "run0", RUBRIC)
    assert (result.verdict.value, result.needs_review) == (verdict, review)
    assert said in result.feedback.what


def pasted(*counts: int, locks: int = 0, placeholder: bool = False) -> Transcript:
    inserts = tuple(
        Insert(line=1, process=f"P{process}", record=f"pet {number}")
        for process, count in enumerate(counts, start=1)
        for number in range(count)
    )
    run = TranscriptRun(inserts=inserts, lock_errors=(1,) * locks)
    return Transcript(runs=(run,), placeholder=placeholder)


@pytest.mark.parametrize(
    ("name", "transcript", "verdict", "said"),
    [
        pytest.param("out0", pasted(2, 2, 2), "correct", "all 6 inserts", id="six inserts"),
        pytest.param("out0", pasted(2, 2, 1), "incorrect", "5 of the 6", id="five inserts"),
        pytest.param("out0", pasted(3, 3, 0), "incorrect", "of the 6", id="six of two processes"),
        pytest.param("out0", pasted(2, 2, 2, locks=1), "incorrect", "lock error", id="locked"),
        pytest.param("out0", pasted(placeholder=True), "missing", "came with", id="placeholder"),
        pytest.param("out3", pasted(2, 1, 1, locks=2), "correct", "shows a lock", id="lock error"),
        pytest.param("out3", pasted(2, 2, 2), "incorrect", "no lock error", id="no lock error"),
    ],
)
def test_a_transcript_is_judged_by_its_runs(
    name: str, transcript: Transcript, verdict: str, said: str
) -> None:
    """out0 needs two inserts of each process without a lock error, out3 needs a lock error."""
    configuration = name.replace("out", "run")
    result = judge(evidence(transcripts={configuration: transcript}), name, RUBRIC)
    assert result.verdict.value == verdict
    assert said in result.feedback.what


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (FileState.MISSING, "There is no out0.txt."),
        (FileState.EMPTY, "out0.txt is empty."),
        (FileState.UNREADABLE, "out0.txt is a folder."),
    ],
    ids=lambda value: value.value if isinstance(value, FileState) else "",
)
def test_no_transcript_has_its_reason(state: FileState, said: str) -> None:
    """Missing, empty and unreadable files are told apart; the unreadable one is flagged."""
    files = {
        "run0": file("out0.txt", state, problem="out0.txt is a folder."),
        "run3": file("out3.txt", FileState.MISSING),
    }
    result = judge(evidence(files=files), "out0", RUBRIC)
    assert (result.verdict.value, result.feedback.what) == ("missing", said)
    assert result.needs_review == (state is FileState.UNREADABLE)


def test_one_good_run_among_several_is_enough() -> None:
    """A transcript with a failed run and a good one shows what it must."""
    runs = (*pasted(2, 2, 2, locks=2).runs, *pasted(2, 2, 2).runs)
    transcript = Transcript(runs=runs, placeholder=False)
    result = judge(evidence(transcripts={"run0": transcript}), "out0", RUBRIC)
    assert result.verdict.value == "correct"


@pytest.mark.parametrize("length", [100, 200_000])
def test_a_transcript_that_was_not_read_to_its_end_is_flagged(length: int) -> None:
    """What is missing from the part that was read may stand further down."""
    long = TextFile(name="out0.txt", state=FileState.PRESENT, text="x" * length)
    insert = Insert(line=1, process="P1", record="Ace")
    run = TranscriptRun(inserts=(insert,), lock_errors=())
    part = Transcript(runs=(run,), placeholder=False)
    given = evidence(files={"run0": long}, transcripts={"run0": part})
    result = judge(given, "out0", RUBRIC)
    assert (result.verdict.value, result.needs_review) == ("incorrect", length > 100_000)
