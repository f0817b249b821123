"""Writes what a class hands over: marks for the LMS, feedback for each student, one page.

Every file is written whole or not at all, and only when it would be another than the one there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from grader.class_reports import canvas, gradebook_csv, moodle
from grader.class_reports.names import file_names
from grader.errors import UsageError
from grader.model import Report, Row, Student
from grader.output_file import clear_drafts, write_whole
from grader.reports import json_report, render
from grader.similarity import Cluster

FEEDBACK = "feedback"
GRADESCOPE = "gradescope"
PAGE = "index.html"

_BOM = "\ufeff"
"""Tells spreadsheets that the file is UTF-8."""


class Feedback:
    """The files that each student gets."""

    def __init__(self, folder: Path, students: Sequence[Student]) -> None:
        """Makes the folders; raises UsageError when that cannot be done."""
        self._folder = folder
        self._names = file_names(student.key for student in students)
        for place in (folder, folder / FEEDBACK, folder / GRADESCOPE):
            _make(place)
            clear_drafts(place)

    @property
    def links(self) -> Mapping[str, str]:
        """Student's key -> the page with the feedback, relative to the folder."""
        return {key: f"{FEEDBACK}/{name}.html" for key, name in self._names.items()}

    def deliver(self, row: Row) -> Row:
        """Writes a student's files unless they are there; the row without what only they need."""
        if row.report is None:
            return row
        self._write(self._names[row.student.key], row.report)
        return replace(row, report=replace(row.report, runs=(), pasted=()))

    def reports(self, rows: Iterable[Row]) -> Iterator[tuple[Student, Report]]:
        """What each student who was graded reads, whole, one in memory at a time."""
        for row in rows:
            if row.report is not None:
                path = self._folder / FEEDBACK / f"{self._names[row.student.key]}.json"
                yield row.student, json_report.read(path.read_text("utf-8"))

    def _write(self, name: str, report: Report) -> None:
        text = render(report, "json")
        last = self._folder / FEEDBACK / f"{name}.json"
        # It is written last: when it is as it should be, the others are, too.
        if _holds(last, text):
            return
        for suffix, form in (("html", "html"), ("md", "markdown")):
            write_whole(self._folder / FEEDBACK / f"{name}.{suffix}", render(report, form))
        write_whole(self._folder / GRADESCOPE / f"{name}.json", render(report, "gradescope"))
        write_whole(last, text)


def hand_over(
    folder: Path,
    rows: Sequence[Row],
    assignment: str,
    links: Mapping[str, str],
    clusters: Sequence[Cluster],
) -> tuple[str, ...]:
    """Writes the files for the whole class; what to know about them, a sentence each.

    Raises UsageError when one cannot be written.
    """
    from grader.class_reports import page

    upload = moodle.render(rows, assignment)
    texts = {
        "gradebook.csv": _BOM + gradebook_csv.render(rows, links),
        "canvas.csv": canvas.render(rows, assignment),
        "moodle.csv": upload.text,
        PAGE: page.render(rows, assignment, links, clusters),
    }
    for name, text in texts.items():
        if not _holds(folder / name, text):
            write_whole(folder / name, text)
    return tuple(_left_out(upload.left_out))


def _left_out(students: Sequence[str]) -> Iterator[str]:
    if students:
        yield (
            f"moodle.csv leaves out {len(students)} without an e-mail address, since Moodle would "
            "refuse the whole file. A column `email` in the roster adds them."
        )


def _holds(path: Path, text: str) -> bool:
    with suppress(OSError):
        return path.read_bytes() == text.encode()
    return False


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"Cannot make the folder {folder}: {error.strerror}.") from error
