"""Workflow commands that mark the lines which lost points; nothing else may look like one."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath

from grader.model import Quote, Report, Result, Verdict
from grader.reports import wording
from grader.reports.inert import one_line

MOST = 10
"""GitHub shows no more of each kind."""
_KINDS = {
    Verdict.INCORRECT: "error",
    Verdict.PARTIAL: "warning",
    Verdict.MISSING: "warning",
}


def commands(report: Report) -> Iterator[str]:
    """One `::error`, `::warning` or `::notice` line for each criterion to look at.

    The most valuable come first, as no more than `MOST` of a kind are written.
    """
    count: Counter[str] = Counter()
    for result in sorted(wording.to_explain(report), key=wording.lost, reverse=True):
        kind = _KINDS.get(result.verdict, "notice")
        count[kind] += 1
        if count[kind] <= MOST:
            yield f"::{kind} {_properties(result)}::{_data(_message(result))}"


def held(text: str) -> str:
    """The text between two lines that stop the job's log from obeying it."""
    word = secrets.token_hex(16)
    return f"::stop-commands::{word}\n{text.rstrip()}\n::{word}::\n"


def _properties(result: Result) -> str:
    title = f"{one_line(result.id, wording.NAME)}: {one_line(result.title, wording.TITLE)}"
    place = next((quote for quote in result.evidence if _inside(quote)), None)
    where = f"file={_property(place.file)},line={place.line}," if place else ""
    return f"{where}title={_property(title)}"


def _message(result: Result) -> str:
    said = result.feedback
    score = f"{wording.points(result.score)} of {wording.points(result.max_score)} points."
    review = "A person will look at this too." if result.needs_review else ""
    words = (score, one_line(said.what), one_line(said.hint or ""), review)
    return " ".join(word for word in words if word)


def _inside(quote: Quote) -> bool:
    """Whether the file is one of the repository's, whatever system reads its name."""
    windows, posix = PureWindowsPath(quote.file), PurePosixPath(quote.file)
    out = windows.is_absolute() or windows.drive or posix.is_absolute() or ".." in windows.parts
    return not out and one_line(quote.file) == quote.file and quote.line > 0


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
