"""A class from end to end: fetched, graded, compared, handed over."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from threading import Event

from grader.assignment import Assignment
from grader.checkouts import Checkouts
from grader.class_progress import class_progress
from grader.class_reports.cells import in_order
from grader.course import Course, Settings, grade_class
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.grading import selected
from grader.handover import Feedback, hand_over
from grader.model import Row
from grader.roster import Roster, read_roster, without_password
from grader.runner import run_script
from grader.running import Runner
from grader.similarity import find_similar


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What came of a class."""

    rows: tuple[Row, ...]
    """Every student's, sorted; without what only the student's own files need."""
    notes: tuple[str, ...]
    """What the instructor should know, a sentence each."""
    feedback: Feedback
    """What each student gets."""


def grade_roster(
    path: Path,
    out: Path,
    assignment: Assignment,
    settings: Settings,
    *,
    jobs: int,
    run: Runner = run_script,
) -> Graded:
    """Grades everyone in a roster, `jobs` at a time, and writes what is handed over into `out`.

    Raises UsageError when the roster, the folder or a criterion cannot be used, SharedError when
    a required sandbox is missing or the cluster is lost, and GraderError when the gradebook
    fails. What was graded until then is kept, as it is when the user interrupts.
    """
    selected(assignment.rubric, settings.only)  # a slip of the pen is told before anything else
    roster = read_roster(path)
    _refuse_within(path, out)
    everyone = [*roster.students, *(row.student for row in roster.faults)]
    feedback = Feedback(out, everyone)
    stop = Event()
    with Gradebook(out / "gradebook.sqlite") as book:
        checkouts = Checkouts(out / ".cache", stop=stop)
        course = Course(assignment, settings, book, checkouts, stop=stop, run=run)
        rows = _rows(course, roster, jobs, feedback)
        works = book.works(row.student for row in rows if row.report)
        students = [row.student for row in rows]
        clusters = find_similar(works, students, assignment.rubric, assignment.starter)
    notes = hand_over(out, rows, assignment.rubric.assignment, feedback.links, clusters)
    return Graded(rows=rows, notes=(*roster.notes, *notes), feedback=feedback)


def _rows(course: Course, roster: Roster, jobs: int, feedback: Feedback) -> tuple[Row, ...]:
    """Every row, sorted by student."""
    rows: list[Row] = []
    with (
        class_progress(len(roster.students) + len(roster.faults)) as told,
        closing(grade_class(course, roster.students, jobs, feedback.deliver)) as graded,
    ):
        for row in chain(roster.faults, graded):
            told(row)
            # From here on nobody fetches anything, so no password is needed.
            rows.append(replace(row, student=without_password(row.student)))
    return tuple(in_order(rows))


def _refuse_within(roster: Path, out: Path) -> None:
    """What is handed over must not be taken for a submission the next time."""
    if roster.is_dir() and out.resolve().parent == roster.resolve():
        raise UsageError(f"{out} lies among the submissions. Choose a folder outside of {roster}.")
