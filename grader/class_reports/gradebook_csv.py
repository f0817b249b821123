"""gradebook.csv: one row a student, one column a criterion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from grader.class_reports.cells import cell, in_order, table
from grader.model import Outcome, Report, Result, Row
from grader.reports.wording import points

_BEFORE = ("student", "name", "email", "outcome", "score", "max_score", "flagged")
_AFTER = ("feedback", "repository", "commit", "reason")


def render(rows: Sequence[Row], files: Mapping[str, str]) -> str:
    """The whole class as CSV, sorted by student; `files` is key -> link to the feedback.

    Who could not be graded has a reason and no score, which is not the same as 0.
    """
    criteria = criterion_ids(rows)
    header = [*_BEFORE, *map(cell, criteria), *_AFTER]
    return table([header, *(list(_line(row, criteria, files)) for row in in_order(rows))])


def criterion_ids(rows: Sequence[Row]) -> tuple[str, ...]:
    """Every criterion that any report has, in the rubric's order."""
    reports = (row.report for row in rows if row.report)
    return tuple(dict.fromkeys(result.id for report in reports for result in report.criteria))


def _line(row: Row, criteria: Sequence[str], files: Mapping[str, str]) -> Iterator[str]:
    student, report = row.student, row.report
    results = {result.id: result for result in report.criteria} if report else {}
    yield from (cell(student.key), cell(student.name or ""), cell(student.email or ""))
    yield row.outcome.value
    yield points(report.score) if report else ""
    yield points(report.max_score) if report else ""
    yield cell(_flagged(report))
    yield from (_score(results.get(name)) for name in criteria)
    yield cell(files.get(student.key, "") if row.outcome is not Outcome.FAILED else "")
    yield cell(student.repository)
    yield cell((report.submission.commit if report else None) or "")
    yield cell(row.reason or "")


def _flagged(report: Report | None) -> str:
    return (
        " ".join(result.id for result in report.criteria if result.needs_review) if report else ""
    )


def _score(result: Result | None) -> str:
    return points(result.score) if result else ""
