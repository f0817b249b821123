"""What went wrong that is no student's mistake: apart from lost points, with its reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from grader.class_reports.cells import in_order
from grader.model import Row, Verdict
from grader.reports.inert import one_line

_OURS = "environment"
"""Kind of the notes on the place that a script ran in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One sentence, and whom it is about."""

    kind: str
    text: str
    students: tuple[str, ...]


def not_graded(rows: Sequence[Row]) -> tuple[Told, ...]:
    """Why students could not be graded, the most frequent reason first."""
    return _grouped(
        ("not graded", row.reason or "No reason is known.", row.student.key)
        for row in in_order(rows)
        if row.report is None
    )


def faults(rows: Sequence[Row]) -> tuple[Told, ...]:
    """What the grader could not judge, and under what conditions it ran scripts."""
    errors = (
        (result.id, result.feedback.what, row.student.key)
        for row in in_order(rows)
        for result in (row.report.criteria if row.report else ())
        if result.verdict is Verdict.ERROR
    )
    return _grouped([*errors, *(said for said in _notes(rows) if said[0] == _OURS)])


def notes(rows: Sequence[Row]) -> tuple[Told, ...]:
    """Every other note that a report holds."""
    return _grouped(said for said in _notes(rows) if said[0] != _OURS)


def _notes(rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
    for row in in_order(rows):
        for note in row.report.notes if row.report else ():
            yield note.kind, note.text, row.student.key


def _grouped(said: Iterable[tuple[str, str, str]]) -> tuple[Told, ...]:
    held: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for kind, text, student in said:
        held[kind, one_line(text)][student] = None
    told = [Told(kind=kind, text=text, students=tuple(who)) for (kind, text), who in held.items()]
    return tuple(sorted(told, key=lambda each: -len(each.students)))
