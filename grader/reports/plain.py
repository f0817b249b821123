"""One criterion as plain text, for readers that put a frame of their own around it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from grader.model import Result, Verdict
from grader.reports import wording
from grader.reports.inert import excerpt, one_line
from grader.reports.wording import NAME, TITLE

QUOTES = 3


def heading(result: Result) -> str:
    """The criterion's id and title on one line."""
    return f"{one_line(result.id, NAME)}: {one_line(result.title, TITLE)}"


def standing(result: Result) -> str:
    """The verdict and the points on one line."""
    score = f"{wording.points(result.score)} of {wording.points(result.max_score)} points"
    return f"{score}, {wording.WORDS[result.verdict]}"


def feedback(result: Result) -> str:
    """What was looked at, where, what was found and, after an empty line, what to do next."""
    return "\n".join(_lines(result))


def _lines(result: Result) -> Iterator[str]:
    said = result.feedback
    yield one_line(said.what)
    for quote in result.evidence[:QUOTES]:
        yield f'{one_line(quote.file, NAME)}:{quote.line}: "{one_line(quote.quote, 120)}"'
    if (more := len(result.evidence) - QUOTES) > 0:
        yield f"... and {more} more"
    for label, text in (("Found", said.actual), ("Expected", said.expected)):
        if text is not None:
            yield _labelled(label, excerpt(text, lines=6, limit=200))
    if said.hint and result.verdict is not Verdict.CORRECT:
        yield f"\nNext: {one_line(said.hint)}"


def _labelled(label: str, text: str) -> str:
    return f"{label}:\n{textwrap.indent(text, '  ')}" if "\n" in text else f"{label}: {text}"
