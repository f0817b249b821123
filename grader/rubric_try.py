"""Marks one answer on the spot and explains the mark to whoever writes the rubric."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grader.assignment import Assignment
from grader.checks import judge
from grader.errors import UsageError
from grader.evidence import collect
from grader.model import (
    Answer,
    Evidence,
    FileState,
    Result,
    ScriptFacts,
    Submission,
    TextFile,
)
from grader.progress import Quiet
from grader.reports.inert import excerpt, one_line
from grader.rubric import Rubric
from grader.submission import read_submission
from grader.suggest import suggestion


def mark_answer(name: str, text: str, assignment: Assignment, folder: Path | None) -> Result:
    """Marks `text` as the answer to the question of that name, as grading would.

    It is marked by the script of the submission in `folder`, or by the newest edition when
    that is None. Raises UsageError for an unknown question or folder.
    """
    rubric = assignment.rubric
    if name not in rubric.questions:
        raise UsageError(f"{_unknown(name, rubric)}; {suggestion(name, rubric.questions)}.")
    evidence = _newest(assignment) if folder is None else _of(folder, name, assignment)
    lines = tuple((n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip())
    state = FileState.PRESENT if lines else FileState.EMPTY
    readme = TextFile(name="The answer", state=state, text=text)
    evidence = replace(
        evidence,
        submission=replace(evidence.submission, readme=readme),
        answers={name: Answer(lines=lines)},
    )
    return judge(evidence, name, rubric)


def _unknown(name: str, rubric: Rubric) -> str:
    if name in rubric.criteria:
        return f"{name} is no question that is answered in words"
    return f"There is no question {one_line(name, 60)!r}"


def _newest(assignment: Assignment) -> Evidence:
    nothing = TextFile(name="", state=FileState.MISSING)
    return Evidence(
        submission=Submission(path="", script=nothing, readme=nothing, transcripts={}),
        script=None,
        editions=assignment.editions[:1] or (ScriptFacts(source="the rubric"),),
    )


def _of(folder: Path, name: str, assignment: Assignment) -> Evidence:
    rubric = assignment.rubric
    submission = read_submission(folder, str(folder), rubric)
    return collect(submission, assignment, [rubric.criteria[name]], Quiet())


def explain(result: Result, rubric: Rubric) -> str:
    """The mark and its reasons as text of at most 80 columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in _rows(result, rubric):
        grid.add_row(Text(label), Text(excerpt(text, lines=12, limit=600)))
    buffer = io.StringIO()
    console = Console(file=buffer, width=80, color_system=None, highlight=False)
    console.print(Text(f"{one_line(result.id)}: {one_line(result.title)}"), "", grid, sep="\n")
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def _rows(result: Result, rubric: Rubric) -> Iterator[tuple[str, str]]:
    feedback = result.feedback
    points = f"{result.score:g} of {result.max_score:g} points"
    yield "Verdict", f"{result.verdict.value}, {points}"
    yield "Confidence", f"{result.confidence:.2f}"
    yield "Review", _review(result, rubric)
    yield "Why", feedback.what
    yield "Found", feedback.actual or "nothing"
    if feedback.expected is not None:
        yield "Expected", feedback.expected
    if feedback.hint is not None:
        yield "Hint", feedback.hint


def _review(result: Result, rubric: Rubric) -> str:
    if result.confidence < rubric.review_below:
        return f"needed: the confidence is below {rubric.review_below:g}"
    return "needed: see why below" if result.needs_review else "not needed"
