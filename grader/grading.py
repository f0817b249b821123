"""Grades one submission from end to end: read, collect, judge, report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from grader import __version__
from grader.assignment import Assignment
from grader.checks import judge
from grader.errors import UsageError
from grader.evidence import collect
from grader.model import (
    REPORT_VERSION,
    Evidence,
    Files,
    Note,
    Report,
    Result,
    RunOptions,
    Submission,
    SubmissionInfo,
    TextFile,
)
from grader.named_file import read_named
from grader.notes import notes
from grader.override_file import parse_overrides
from grader.overrides import Override, apply_overrides, names_of
from grader.repository import fetched, is_url
from grader.rubric import Rubric
from grader.runner import run_script
from grader.running import Progress, Runner
from grader.submission import read_submission


def grade(
    source: str,
    assignment: Assignment,
    progress: Progress,
    *,
    only: Sequence[str] = (),
    reveal: bool = False,
    overrides: Sequence[Override] = (),
    options: RunOptions = RunOptions(),  # noqa: B008 - it is frozen
) -> Report:
    """Grades a folder or git URL by the criteria named in `only`, or by all of them.

    `reveal` keeps expected answers in the report; of `overrides`, which may be for a whole
    class, those for this submission apply.

    Raises UsageError for a source or a criterion that does not exist, and SandboxError when a
    required sandbox is missing.
    """
    selected(assignment.rubric, only)  # a slip of the pen is told before anything is fetched
    with fetched(source) if is_url(source) else nullcontext(Path(source)) as folder:
        submission = read_submission(folder, source, assignment.rubric)
        evidence = gather(submission, assignment, progress, only=only, options=options)
    return report_on(evidence, assignment, only=only, reveal=reveal, overrides=overrides)


def gather(
    submission: Submission,
    assignment: Assignment,
    progress: Progress,
    *,
    only: Sequence[str] = (),
    options: RunOptions = RunOptions(),  # noqa: B008 - it is frozen
    run: Runner = run_script,
) -> Evidence:
    """Collects what a submission is judged by, its runs among it.

    Raises UsageError for a criterion that does not exist, and SandboxError when a required
    sandbox is missing.
    """
    rubric = assignment.rubric
    criteria = [rubric.criteria[name] for name in selected(rubric, only)]
    return collect(submission, assignment, criteria, progress, options, run)


def report_on(
    evidence: Evidence,
    assignment: Assignment,
    *,
    only: Sequence[str] = (),
    reveal: bool = False,
    overrides: Sequence[Override] = (),
    student: str | None = None,
) -> Report:
    """Judges the evidence and reports it; the same evidence always gives the same report.

    `student` is the key of the submission's student, where a whole class is graded.
    """
    rubric, submission = assignment.rubric, evidence.submission
    judged = [judge(evidence, name, rubric) for name in selected(rubric, only)]
    shown = judged if reveal else [_concealed(result) for result in judged]
    own = concerning(overrides, submission, student)
    results, changes = apply_overrides(shown, own, evidence.answers, rubric)
    return _report(evidence, assignment, results, changes, student)


def concerning(
    overrides: Sequence[Override], submission: Submission, student: str | None = None
) -> tuple[Override, ...]:
    """Those of a class's overrides that are for this submission."""
    source, commit = submission.path, submission.commit
    url = is_url(source)
    place = source if url else str(Path(source).resolve())
    names = names_of(place, url=url, student=student)
    return tuple(override for override in overrides if override.concerns(names, commit))


def selected(rubric: Rubric, only: Sequence[str]) -> list[str]:
    """The criteria to judge, in the rubric's order; `only` names some, or is empty for all.

    Raises UsageError for one that does not exist.
    """
    unknown = [name for name in only if name not in rubric.criteria]
    if unknown:
        raise UsageError(
            f"There is no criterion {', '.join(unknown)}. "
            f"The rubric has: {', '.join(rubric.criteria)}."
        )
    return [name for name in rubric.criteria if not only or name in only]


def read_overrides(path: Path, assignment: Assignment) -> tuple[Override, ...]:
    """Reads the marks that a person wants changed.

    Raises RubricError when the file has faults, UsageError when it cannot be read.
    """
    return parse_overrides(read_named(path), path.name, assignment.rubric)


def _concealed(result: Result) -> Result:
    return replace(result, feedback=replace(result.feedback, expected=None))


def _report(
    evidence: Evidence,
    assignment: Assignment,
    results: Sequence[Result],
    changes: Sequence[Note],
    student: str | None,
) -> Report:
    submission = evidence.submission
    return Report(
        version=REPORT_VERSION,
        assignment=assignment.rubric.assignment,
        grader=__version__,
        rubric_sha256=assignment.sha256,
        submission=SubmissionInfo(
            path=submission.path,
            student=student,
            commit=submission.commit,
            files=Files(script=_name(submission.script), readme=_name(submission.readme)),
        ),
        score=round(sum(result.score for result in results), 2),
        max_score=sum(result.max_score for result in results),
        needs_review=any(result.needs_review for result in results),
        criteria=tuple(results),
        runs=tuple(outcome.run for outcome in evidence.runs.values()),
        notes=(*submission.notes, *notes(evidence, assignment), *changes),
        pasted=evidence.pasted,
    )


def _name(file: TextFile) -> str | None:
    return file.name if file.present else None
