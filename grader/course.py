"""Grades a class: each student of a roster once, many at a time.

No submission costs another student anything: what goes wrong with one is its own row, with the
reason. Only what would go wrong with all of them ends the whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from threading import Event

from grader.assignment import Assignment
from grader.checkouts import Checkouts, FetchError
from grader.errors import GraderError, SharedError, UsageError
from grader.gradebook import Gradebook, ResultKey, content_of
from grader.grading import concerning, gather, report_on
from grader.model import (
    Evidence,
    Note,
    Outcome,
    Report,
    Row,
    RunOptions,
    RunOutcome,
    Student,
    Submission,
    Verdict,
    Work,
)
from grader.overrides import Override
from grader.progress import Quiet
from grader.repository import is_url, shown_url
from grader.runner import RunJob, run_script
from grader.running import Runner
from grader.submission import read_submission

LATE = "deadline"
"""Kind of the note that there are commits after the deadline."""


class StoppedError(SharedError):
    """The class was stopped before this submission was graded."""

    exit_code = 130


class _FailureError(Exception):
    """Why one submission could not be graded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices that hold for every student."""

    only: tuple[str, ...] = ()
    """The criteria to judge; empty for all."""
    reveal: bool = False
    overrides: tuple[Override, ...] = ()
    options: RunOptions
    deadline: datetime | None = None
    fresh: bool = False
    """Whether to grade anew what has not changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A submission that was read and is to be graded."""

    student: Student
    submission: Submission
    overrides: tuple[Override, ...]
    """Those that are for this submission."""
    key: ResultKey
    notes: tuple[Note, ...]
    """What a report cannot tell from the submission."""


class Course:
    """All that a class is graded with; safe for many threads."""

    def __init__(
        self,
        assignment: Assignment,
        settings: Settings,
        book: Gradebook,
        checkouts: Checkouts,
        *,
        stop: Event,
        run: Runner = run_script,
    ) -> None:
        """Setting `stop` ends everything that is under way; nothing of that is kept."""
        self._assignment = assignment
        self._settings = settings
        self._book = book
        self._checkouts = checkouts
        self.stop = stop
        self._recall = book.runner(run, fresh=settings.fresh)

    def grade(self, student: Student) -> Row:
        """Grades a student's submission, or recalls what it came to when nothing has changed.

        Raises SharedError for what is no matter of one submission, such as a required sandbox
        that is missing, and GraderError when the gradebook cannot be used.
        """
        try:
            task = self._task(student)
        except (FetchError, UsageError) as fault:
            self._go_on()
            return self._failed(self._key(student), str(fault), student)
        kept = None if self._settings.fresh else self._book.find(task.key)
        if kept is not None:
            return Row(student=student, outcome=Outcome.CACHED, report=kept)
        try:
            evidence, report = self._examined(task)
        except _FailureError as failure:
            return self._failed(task.key, str(failure), student)
        self._book.store(task.key, report, _work(task, evidence), again=self._settings.fresh)
        return Row(student=student, outcome=Outcome.GRADED, report=report)

    def _task(self, student: Student) -> _Task:
        checkout = self._checkouts.get(student, self._settings.deadline)
        submission = read_submission(checkout.folder, _shown(student), self._assignment.rubric)
        overrides = concerning(self._settings.overrides, submission, student.key)
        notes = (_late(self._settings.deadline),) if checkout.late else ()
        content = checkout.commit or content_of(submission)
        key = self._key(student, content, options=_text_of(self._settings, overrides, notes))
        return _Task(
            student=student, submission=submission, overrides=overrides, key=key, notes=notes
        )

    def _key(self, student: Student, content: str = "", options: str = "") -> ResultKey:
        rubric = self._assignment.sha256
        return ResultKey(student=student.key, submission=content, rubric=rubric, options=options)

    def _failed(self, key: ResultKey, reason: str, student: Student) -> Row:
        self._book.fail(key, reason)
        return Row(student=student, outcome=Outcome.FAILED, reason=reason)

    # ------------------------------------------------------------ one submission

    def _examined(self, task: _Task) -> tuple[Evidence, Report]:
        """What the submission came to; what fails is tried once more, as bad luck is no fault."""
        try:
            return self._attempt(task)
        except _FailureError:
            return self._attempt(task)

    def _attempt(self, task: _Task) -> tuple[Evidence, Report]:
        try:
            evidence, report = self._judged(task)
        except SharedError:
            raise
        except GraderError as fault:
            raise _FailureError(str(fault)) from fault
        except Exception as fault:
            raise _FailureError(f"The grader failed: {type(fault).__name__}: {fault}.") from fault
        for result in report.criteria:
            if result.verdict is Verdict.ERROR:
                said = (result.feedback.what, result.feedback.actual)
                raise _FailureError(f"{result.id}: {' '.join(filter(None, said))}")
        return evidence, report

    def _judged(self, task: _Task) -> tuple[Evidence, Report]:
        only, options = self._settings.only, self._settings.options
        evidence = gather(
            task.submission, self._assignment, Quiet(), only=only, options=options, run=self._run
        )
        report = report_on(
            evidence,
            self._assignment,
            only=only,
            reveal=self._settings.reveal,
            overrides=task.overrides,
            student=task.student.key,
        )
        return evidence, replace(report, notes=(*report.notes, *task.notes))

    def _run(self, job: RunJob, stop: Event | None) -> RunOutcome:
        outcome = self._recall(job, _Either(self.stop, stop))
        self._go_on()
        return outcome

    def _go_on(self) -> None:
        """What comes of a class that was stopped is not what it would have come to."""
        if self.stop.is_set():
            raise StoppedError("The class was stopped.")


class _Either(Event):
    """Set when one of two is."""

    def __init__(self, *events: Event | None) -> None:
        super().__init__()
        self._events = events

    def is_set(self) -> bool:
        return any(event and event.is_set() for event in self._events)


def grade_class(
    course: Course, students: Sequence[Student], jobs: int, deliver: Callable[[Row], Row]
) -> Generator[Row, None, None]:
    """Grades all students, `jobs` at a time; each row comes as soon as it is there.

    `deliver` is called with each row in the thread that graded it, and what it returns is given
    on. Ending the iteration early stops what is under way. Raises what `Course.grade` raises.
    """

    def graded(student: Student) -> Row:
        return deliver(course.grade(student))

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            for future in as_completed([pool.submit(graded, student) for student in students]):
                yield future.result()
        except BaseException:
            course.stop.set()
            pool.shutdown(cancel_futures=True)
            raise


# ---------------------------------------------------------------- details


def _shown(student: Student) -> str:
    """The submission as a report calls it."""
    if not is_url(student.repository):
        return student.repository
    return shown_url(student.repository) + (f"@{student.ref}" if student.ref else "")


def _text_of(settings: Settings, overrides: Sequence[Override], notes: Sequence[Note]) -> str:
    """Every choice that the result depends on, always in the same words."""
    chosen = {
        "speed": settings.options.speed,
        "sandbox": settings.options.sandbox.value,
        "only": sorted(settings.only),
        "reveal": settings.reveal,
        "overrides": [asdict(override) for override in overrides],
        "notes": [asdict(note) for note in notes],
    }
    text = json.dumps(chosen, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _late(deadline: datetime | None) -> Note:
    text = (
        f"There are later commits; graded is the last one made before {deadline:%Y-%m-%d %H:%M %z}."
    )
    return Note(kind=LATE, text=text)


def _work(task: _Task, evidence: Evidence) -> Work:
    submission = task.submission
    return Work(
        student=task.student.key,
        answers={name: answer.text for name, answer in evidence.answers.items()},
        transcripts={name: file.text for name, file in submission.transcripts.items()},
        readme=submission.readme.text,
        script=submission.script.text,
        remote=submission.remote,
    )
