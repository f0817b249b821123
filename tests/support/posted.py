"""A report to be posted."""

from __future__ import annotations

from grader.model import Feedback, Files, Report, Result, SubmissionInfo, Verdict

FIRST = "a" * 40


def graded(score: float = 62, commit: str = FIRST) -> Report:
    """A report with one criterion, of a hundred points."""
    one = Result(
        id="q1",
        title="Question 1",
        verdict=Verdict.PARTIAL,
        score=score,
        max_score=100,
        needs_review=False,
        confidence=0.9,
        feedback=Feedback(what="Half of it is there.", hint="Read it again."),
    )
    files = Files(script="assignment/a.py", readme="assignment/README.md")
    return Report(
        version="1",
        assignment="example",
        grader="0.1.0",
        rubric_sha256="0" * 64,
        submission=SubmissionInfo(path="submission", student=None, commit=commit, files=files),
        score=score,
        max_score=100,
        needs_review=False,
        criteria=(one,),
        runs=(),
        notes=(),
    )
