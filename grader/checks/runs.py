"""Judges what our own run of the script did."""

from __future__ import annotations

import re

from grader.checks.judgement import Judgement
from grader.criteria import RunCriterion
from grader.model import (
    Ending,
    EventKind,
    Evidence,
    FileState,
    Quote,
    Run,
    RunOutcome,
    SyntaxFault,
    Verdict,
)
from grader.rubric import Expectation, Limits, Rubric

_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[ -]+)?")
_LAST_LINES = 5


def check_run(evidence: Evidence, criterion: RunCriterion, rubric: Rubric) -> Judgement:
    """Looks at rows and lock errors; a script that could not be run says why."""
    outcome = evidence.runs.get(criterion.configuration)
    if outcome is None:
        return _not_run(evidence, rubric)
    return _outcome(outcome, rubric)


def is_settled(outcome: RunOutcome, rubric: Rubric) -> bool:
    """Whether a run is so plainly right that a second one could not change its verdict."""
    judgement = _outcome(outcome, rubric)
    return judgement.verdict is Verdict.CORRECT and not judgement.doubt


def _outcome(outcome: RunOutcome, rubric: Rubric) -> Judgement:
    if outcome.ending is Ending.NOT_STARTED:
        return Judgement(
            verdict=Verdict.ERROR,
            confidence=0.0,
            what="The grader could not start the script; this is not your fault.",
            actual=outcome.error,
            doubt=True,
        )
    if outcome.ending is not Ending.FINISHED:
        return _stopped(outcome, rubric)
    if rubric.configurations[outcome.run.id].expect is Expectation.EVERY_INSERT:
        return _every_insert(outcome, rubric)
    return _lock_error(outcome, rubric)


def _not_run(evidence: Evidence, rubric: Rubric) -> Judgement:
    script = evidence.submission.script
    if isinstance(evidence.script, SyntaxFault):
        fault = evidence.script
        return Judgement(
            verdict=Verdict.INCORRECT,
            confidence=1.0,
            what=f"Python cannot read {script.name}: line {fault.line}: {fault.message}.",
            quotes=(Quote(file=script.name, line=fault.line, quote=fault.text),),
        )
    if evidence.script is None:
        unreadable = script.state is FileState.UNREADABLE
        return Judgement(
            verdict=Verdict.MISSING,
            confidence=0.95,
            what=script.problem or f"There is no {script.name} with a program in it.",
            doubt=unreadable,
        )
    return Judgement(
        verdict=Verdict.INCORRECT,
        confidence=0.6,
        what=f"{script.name} does not set {rubric.script.constant}, so it was not run.",
        doubt=True,
    )


def _stopped(outcome: RunOutcome, rubric: Rubric) -> Judgement:
    return Judgement(
        verdict=Verdict.INCORRECT,
        confidence=0.9,
        what=f"Our run with {_setting(outcome, rubric)} was stopped "
        f"{_limit_hit(outcome.ending, rubric.limits)}.",
        actual=_last_words(outcome),
    )


def _limit_hit(ending: Ending, limits: Limits) -> str:
    told = {
        Ending.TIMED_OUT: f"after {limits.wall_seconds:g} s: the script was still running",
        Ending.CPU: f"after {limits.cpu_seconds} s of computing",
        Ending.FLOODED: f"because it printed more than {_size(limits.output_bytes)}",
        Ending.MEMORY: f"because it wanted more than {_size(limits.memory_bytes)} of memory",
        Ending.DISK: f"because it wrote more than the {_size(limits.disk_bytes)} it may, "
        f"or a file larger than {_size(limits.file_bytes)}",
        Ending.PROCESSES: f"because it wanted more than {limits.processes} processes or threads",
    }
    return told[ending]


def _size(number: int) -> str:
    for unit, size in (("GB", 1024**3), ("MB", 1024**2), ("kB", 1024)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} bytes"


def _last_words(outcome: RunOutcome) -> str | None:
    """The error that ended it, else the last lines it printed.

    Without times: the next run prints other ones, and the same input is to give the same report.
    """
    lines = [_TIME.sub("", line) for line in outcome.tail.split("\n")[-_LAST_LINES:]]
    return outcome.error or "\n".join(lines) or None


def _every_insert(outcome: RunOutcome, rubric: Rubric) -> Judgement:
    run, wanted = outcome.run, rubric.script.rows
    right = run.rows == wanted and run.lock_errors == 0
    more = run.rows is not None and run.rows > wanted
    return Judgement(
        verdict=Verdict.CORRECT if right else Verdict.INCORRECT,
        confidence=0.98 if right else 0.9,
        what=f"Our run with {_setting(outcome, rubric)} {_told(outcome, rubric)}.",
        actual=None if right else outcome.error,
        expected=f"{wanted} rows and no lock error",
        doubt=(more and run.lock_errors == 0)
        or (right and unconfirmed(run) is not None)
        or (not right and _refused(outcome)),
    )


def _lock_error(outcome: RunOutcome, rubric: Rubric) -> Judgement:
    run = outcome.run
    # Where every record went in, or there was nothing to put one into, and none was seen to fail,
    # an error was only talked of.
    talk = run.rows in (None, rubric.script.rows) and unconfirmed(run) is not None
    right = run.lock_errors > 0 and not talk
    what = f"Our run with {_setting(outcome, rubric)} {_told(outcome, rubric)}."
    if not right:
        what += " The script no longer shows the processes getting in each other's way."
    return Judgement(
        verdict=Verdict.CORRECT if right else Verdict.INCORRECT,
        confidence=0.98 if right else 0.6,
        what=what,
        actual=None if right else outcome.error,
        expected="at least one lock error",
        # It may have been improved on purpose, or report its errors in its own way.
        doubt=unconfirmed(run) is not None if right else outcome.error is None or _refused(outcome),
    )


def _refused(outcome: RunOutcome) -> bool:
    """Whether the script wanted something that our sandbox, unlike its author's, may forbid."""
    return bool(outcome.error and outcome.error.startswith("PermissionError"))


def unconfirmed(run: Run) -> str | None:
    """What a run claims and its trace does not show; None when they agree.

    A script could forge its trace, or do without. So the trace alone costs no points: it asks for
    a person's look.
    """
    seen = {event.kind for event in run.events}
    if run.rows and EventKind.COMMIT not in seen:
        return f"it left {_count(run.rows, 'row')}, but no insert was seen to save one"
    if run.lock_errors and EventKind.LOCKED not in seen:
        locks = _count(run.lock_errors, "lock error")
        return f"it tells of {locks}, but no insert was seen to fail"
    return None


def _setting(outcome: RunOutcome, rubric: Rubric) -> str:
    return f"{rubric.script.constant} set to {outcome.run.duration:g}"


def _told(outcome: RunOutcome, rubric: Rubric) -> str:
    rows, locks = outcome.run.rows, outcome.run.lock_errors
    table = f'table "{rubric.script.table}"'
    left = f"left no {table}" if rows is None else f"left {_count(rows, 'row')} in {table}"
    return f"{left} and reported {_count(locks, 'lock error') if locks else 'no lock error'}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
