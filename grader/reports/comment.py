"""The pull request's one comment: first where the student stands, then everything else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.model import Report
from grader.reports import wording
from grader.reports.inert import Markdown
from grader.reports.markdown import environment
from grader.reports.shown_runs import shown_runs

LONGEST = 60_000
"""Characters; GitHub refuses a comment of more than 65,536."""
_SHORT = 7  # digits of a commit
_MARKER = re.compile(
    r"<!-- assignment-grader"
    r"(?:: (?P<now>\d+(?:\.\d+)? at [0-9a-f]{7})(?:, (?P<before>\d+(?:\.\d+)? at [0-9a-f]{7}))?)?"
    r" -->(?:\r?\n|$)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A score, as it is shown, and the commit that earned it."""

    score: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The score that a comment tells of, and the one before it."""

    now: Standing | None = None
    before: Standing | None = None


_NEW = History()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What a comment has room for."""

    details: bool = True
    timeline: bool = True
    notes: bool = True
    table: bool = True


_SMALLER = (
    _Parts(),
    _Parts(details=False),
    _Parts(details=False, timeline=False),
    _Parts(details=False, timeline=False, notes=False),
    _Parts(details=False, timeline=False, notes=False, table=False),
)


def is_feedback(body: str | None) -> bool:
    """Whether a comment begins with the marker of ours."""
    return _MARKER.match(body or "") is not None


def read_history(body: str) -> History:
    """What an earlier comment's marker keeps; nothing, for any other text."""
    found = _MARKER.match(body)
    if found is None:
        return _NEW
    return History(now=_standing(found["now"]), before=_standing(found["before"]))


def render(report: Report, earlier: History = _NEW) -> str:
    """The comment on a report, at most `LONGEST` characters of inert Markdown."""
    history = _continued(report, earlier)
    texts = (_draw(report, history, parts) for parts in _SMALLER)
    return next(text for text in texts if len(text) <= LONGEST)


def render_withheld(folder: str, earlier: History = _NEW) -> str:
    """The comment on a pull request that touches more than the submission's folder."""
    template = environment().get_template("withheld.md.j2")
    return template.render(marker=_marker(earlier), folder=folder)


def _draw(report: Report, history: History, parts: _Parts) -> str:
    template = environment().get_template("comment.md.j2")
    return template.render(
        report=report,
        runs=shown_runs(report),
        say=wording,
        marker=_marker(history),
        before=history.before,
        parts=parts,
    )


def _continued(report: Report, earlier: History) -> History:
    """Grading a commit again changes its score, not what it is compared with."""
    commit = (report.submission.commit or "")[:_SHORT].lower()
    if not re.fullmatch(r"[0-9a-f]{7}", commit):
        return _NEW
    last = earlier.now
    before = earlier.before if last and last.commit == commit else last
    return History(now=Standing(score=wording.points(report.score), commit=commit), before=before)


def _marker(history: History) -> Markdown:
    known = [one for one in (history.now, history.before) if one]
    listed = ", ".join(f"{one.score} at {one.commit}" for one in known)
    return Markdown(f"<!-- assignment-grader{': ' if listed else ''}{listed} -->")


def _standing(text: str | None) -> Standing | None:
    if text is None:
        return None
    score, commit = text.split(" at ")
    return Standing(score=score, commit=commit)
