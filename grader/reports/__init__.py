"""Report formats: each is a module beside this one that turns a `Report` into text.

Importing this package costs nothing; a format's libraries are loaded when it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader.errors import UsageError
from grader.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What the place a report is shown on can do; the default suits any file."""

    width: int = 80
    """Columns."""
    color: bool = False
    encoding: str = "utf-8"


Renderer = Callable[[Report, Screen], str]


def _terminal(report: Report, screen: Screen) -> str:
    from grader.reports import terminal

    return terminal.render(report, width=screen.width, color=screen.color, encoding=screen.encoding)


def _json(report: Report, _: Screen) -> str:
    from grader.reports import json_report

    return json_report.render(report)


def _markdown(report: Report, _: Screen) -> str:
    from grader.reports import markdown

    return markdown.render(report)


def _html(report: Report, _: Screen) -> str:
    from grader.reports import html

    return html.render(report)


def _junit(report: Report, _: Screen) -> str:
    from grader.reports import junit

    return junit.render(report)


def _gradescope(report: Report, _: Screen) -> str:
    from grader.reports import gradescope

    return gradescope.render(report)


def _classroom(report: Report, _: Screen) -> str:
    from grader.reports import classroom

    return classroom.render(report)


FORMATS: dict[str, Renderer] = {
    "terminal": _terminal,
    "json": _json,
    "markdown": _markdown,
    "html": _html,
    "junit": _junit,
    "gradescope": _gradescope,
    "classroom": _classroom,
}
FORMAT_NAMES = tuple(FORMATS)


def render(report: Report, format: str, screen: Screen | None = None) -> str:  # noqa: A002
    """The report in one of `FORMAT_NAMES`, ending with a newline; `UsageError` for any other."""
    if format not in FORMATS:
        raise UsageError(f"There is no format {format!r}. Choose one of: {', '.join(FORMATS)}.")
    return FORMATS[format](report, screen or Screen())
