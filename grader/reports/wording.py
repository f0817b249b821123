"""What every readable report says in the same words."""

from __future__ import annotations

from grader.model import Report, Result, Verdict

WORDS = {
    Verdict.CORRECT: "correct",
    Verdict.PARTIAL: "partly correct",
    Verdict.INCORRECT: "not yet correct",
    Verdict.MISSING: "missing",
    Verdict.SKIPPED: "skipped",
    Verdict.ERROR: "grader's fault",
}
SYMBOLS = {
    Verdict.CORRECT: "✓",
    Verdict.PARTIAL: "◐",
    Verdict.INCORRECT: "✗",
    Verdict.MISSING: "○",
    Verdict.SKIPPED: "–",
    Verdict.ERROR: "!",
}
REVIEW = "? review: the grader was not sure here, so a person should look at it."
NAME, TITLE = 40, 120
"""Characters that are shown of an id, a path's or a student's name, and of a title."""
_STUDENTS_TURN = {Verdict.PARTIAL, Verdict.INCORRECT, Verdict.MISSING}


def points(value: float) -> str:
    """A score with at most two decimals and no idle zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def share(report: Report) -> float:
    """The part of all points that is earned, from 0 to 1."""
    return min(max(report.score / report.max_score, 0.0), 1.0) if report.max_score else 0.0


def percent(report: Report) -> int:
    """The same in whole percent; 100 only when every point is earned."""
    return int(share(report) * 100 + 1e-9)


def bar(report: Report, width: int, full: str = "█", rest: str = "░") -> str:
    """The same as a bar of `width` characters; filled only when every point is earned."""
    filled = int(share(report) * width + 1e-9)
    return full * filled + rest * (width - filled)


def lost(result: Result) -> float:
    """Points that the criterion did not earn."""
    return result.max_score - result.score


def to_explain(report: Report) -> tuple[Result, ...]:
    """The criteria a reader needs to hear about, in the rubric's order."""
    return tuple(
        result
        for result in report.criteria
        if lost(result) > 0 or result.needs_review or result.verdict is Verdict.ERROR
    )


def to_improve(report: Report) -> tuple[Result, ...]:
    """The criteria the student can still gain points with, the most valuable first."""
    open_ones = [r for r in report.criteria if r.verdict in _STUDENTS_TURN and lost(r) > 0]
    return tuple(sorted(open_ones, key=lost, reverse=True))


def closing(report: Report) -> str:
    """One sentence or two that say what to do first."""
    steps = to_improve(report)
    if steps:
        first = steps[0]
        advice = first.feedback.hint or first.feedback.what
        return f"Start with {first.id} (up to {points(lost(first))} points). {advice}"
    if faults := [r.id for r in report.criteria if r.verdict is Verdict.ERROR]:
        return (
            f"There is nothing for you to fix, but the grader could not judge {', '.join(faults)}. "
            "Please tell your instructor."
        )
    if any(lost(result) > 0 for result in report.criteria):
        return "Everything that was judged is correct."
    if report.needs_review:
        return "Well done: every point is earned. A person will take one more look."
    return "Well done: every point is earned. There is nothing left to do."
