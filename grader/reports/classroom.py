"""GitHub Classroom's result: base64 of the JSON that its autograding reporter decodes."""

from __future__ import annotations

import base64
import json
from typing import Any

from grader.model import Report, Result, Verdict
from grader.reports import plain, wording
from grader.reports.inert import one_line
from grader.reports.wording import NAME, TITLE

_MESSAGES = 66_000
"""Bytes that all messages may take as JSON. The result travels in an environment variable, which
holds 128 KiB; base64 makes a third more of it, and names need room too."""


def render(report: Report) -> str:
    """The report on one line of base64.

    The reporter adds up the tests' scores in one place and counts the tests that passed in
    another; both tell the same, since a test passes only when it earned all its points.
    """
    room = _MESSAGES // max(len(report.criteria), 1)
    result = {
        "version": 1,
        "status": _status(report),
        "max_score": report.max_score,
        "tests": [_test(each, room) for each in report.criteria],
    }
    text = json.dumps(result, allow_nan=False)
    return base64.b64encode(text.encode("ascii")).decode("ascii") + "\n"


def _status(report: Report) -> str:
    found = {_outcome(result) for result in report.criteria}
    return next((status for status in ("error", "fail") if status in found), "pass")


def _outcome(result: Result) -> str:
    if result.verdict is Verdict.ERROR:
        return "error"
    return "fail" if wording.lost(result) > 0 else "pass"


def _test(result: Result, room: int) -> dict[str, Any]:
    place = result.evidence[0] if result.evidence else None
    message = _unheard(f"{plain.standing(result)}\n{plain.feedback(result)}")
    return {
        "name": plain.heading(result),
        "status": _outcome(result),
        "score": result.score,
        "message": _fitted(message, room),
        "test_code": f"grader grade . --only {one_line(result.id, NAME)}",
        "filename": one_line(place.file, TITLE) if place else "",
        "line_no": place.line if place else 0,
        "duration": 0,
    }


def _unheard(text: str) -> str:
    # The reporter prints it to the job's log, where such lines would be commands.
    return text.replace("::", ": :").replace("##[", "## [")


def _fitted(text: str, room: int) -> str:
    """The text, shortened until its JSON takes at most `room` bytes."""
    end = len(text)
    while len(json.dumps(text[:end])) > room:
        end = end * 9 // 10
    return text if end == len(text) else f"{text[:end]}..."
