"""canvas.csv: the file that Canvas imports grades from."""

from __future__ import annotations

from collections.abc import Sequence

from grader.class_reports.cells import cell, in_order, table
from grader.class_reports.columns import CANVAS_ID, LOGIN, SECTION, SIS_ID, column
from grader.model import Row
from grader.reports.wording import points

_HEADER = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def render(rows: Sequence[Row], assignment: str, assignment_id: str | None = None) -> str:
    """Scores for one assignment, sorted by student; nobody who was not graded gets a 0.

    Canvas makes a new assignment unless `assignment_id`, from the end of the assignment's
    address, says which it is.
    """
    item = f"{assignment} ({assignment_id})" if assignment_id else assignment
    lines = [(*_HEADER, cell(item))]
    if most := max((row.report.max_score for row in rows if row.report), default=0.0):
        lines.append(("Points Possible", "", "", "", "", points(most)))
    return table([*lines, *(_line(row) for row in in_order(rows))])


def _line(row: Row) -> tuple[str, ...]:
    student = row.student
    ids = (column(student, headings) for headings in (CANVAS_ID, SIS_ID, LOGIN, SECTION))
    score = points(row.report.score) if row.report else ""
    return (cell(student.name or student.key), *ids, score)
