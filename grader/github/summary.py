"""The files through which a job tells GitHub its summary and its outputs."""

from __future__ import annotations

import os

from grader.errors import UsageError
from grader.model import Report
from grader.reports import comment, wording


def write_summary(report: Report) -> None:
    """Adds the feedback to the job's summary, the file that GITHUB_STEP_SUMMARY names."""
    _append("GITHUB_STEP_SUMMARY", comment.render(report))


def write_outputs(report: Report) -> None:
    """Adds figures to GITHUB_OUTPUT: never text, which could name a further output."""
    figures = {
        "score": wording.points(report.score),
        "max-score": wording.points(report.max_score),
        "percent": str(wording.percent(report)),
        "needs-review": str(report.needs_review).lower(),
    }
    _append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in figures.items()))


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if not path:  # not in a workflow
        return
    try:
        with open(path, "a", encoding="utf-8", newline="\n") as file:  # noqa: PTH123
            file.write(text)
    except OSError as error:
        raise UsageError(f"Cannot write {variable}: {error.strerror}.") from error
