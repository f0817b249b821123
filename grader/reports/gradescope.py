"""Gradescope's results.json: each criterion is a test of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from grader.model import Report, Result, Verdict
from grader.reports import plain, wording
from grader.reports.inert import one_line
from grader.reports.wording import NAME


def render(report: Report) -> str:
    """The report as results.json; what only instructors should see stands under `extra_data`.

    No test is hidden for that: Gradescope shows students no total when one is.
    """
    results = {
        "score": report.score,
        "output": _output(report),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(number, result) for number, result in enumerate(report.criteria, 1)],
        "extra_data": _extra(report),
    }
    return json.dumps(results, indent=2, allow_nan=False) + "\n"


def _output(report: Report) -> str:
    told = [wording.closing(replace(report, needs_review=False))]
    if faults := [r.id for r in report.criteria if r.verdict is Verdict.ERROR]:
        told.append(
            f"The grader could not judge {', '.join(faults)}. That is no fault of yours, and the "
            "missing points are not lost: please tell your instructor."
        )
    notes = (f"- {note.text}" for note in report.notes)
    return "\n".join(one_line(line) for line in (*told, *notes))


def _test(number: int, result: Result) -> dict[str, Any]:
    return {
        "name": plain.heading(result),
        "number": str(number),
        "score": result.score,
        "max_score": result.max_score,
        "status": "failed" if wording.lost(result) > 0 else "passed",
        "output": f"{wording.WORDS[result.verdict].capitalize()}.\n{plain.feedback(result)}",
        "output_format": "text",
        "tags": [result.verdict.value],
        "visibility": "visible",
        "extra_data": {"needs_review": result.needs_review, "confidence": result.confidence},
    }


def _extra(report: Report) -> dict[str, Any]:
    return {
        "needs_review": [one_line(r.id, NAME) for r in report.criteria if r.needs_review],
        "max_score": report.max_score,
        "commit": one_line(report.submission.commit or "", NAME),
        "grader": report.grader,
        "rubric_sha256": report.rubric_sha256,
    }
