"""moodle.csv: the file that Moodle imports grades from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.class_reports.cells import cell, in_order, table
from grader.class_reports.columns import MOODLE_ID, column
from grader.model import Report, Row
from grader.reports import wording
from grader.reports.wording import points


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file for a learning platform, and who is not in it."""

    text: str
    left_out: tuple[str, ...]
    """Keys of the students without an e-mail address."""


def render(rows: Sequence[Row], item: str) -> Upload:
    """Grades and feedback for one grade item, sorted by student.

    One user whom Moodle does not know makes it refuse the whole file, so a student without an
    e-mail address is left out and named.
    """
    ordered = in_order(rows)
    header = ("Email address", "ID number", cell(item), cell(f"{item} feedback"))
    return Upload(
        text=table([header, *(_line(row) for row in ordered if _email(row))]),
        left_out=tuple(row.student.key for row in ordered if not _email(row)),
    )


def _line(row: Row) -> tuple[str, ...]:
    score = points(row.report.score) if row.report else ""
    told = cell(_told(row.report)) if row.report else ""
    return (cell(_email(row)), column(row.student, MOODLE_ID), score, told)


def _email(row: Row) -> str:
    email = (row.student.email or "").strip()
    return email if "@" in email else ""


def _told(report: Report) -> str:
    # Moodle shows feedback as HTML.
    said = f"{points(report.score)} of {points(report.max_score)}. {wording.closing(report)}"
    return said.replace("&", "and").replace("<", "‹").replace(">", "›")
