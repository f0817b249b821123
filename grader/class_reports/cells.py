"""Tables of text that a spreadsheet only shows, and never computes with."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from grader.model import Row
from grader.reports.inert import one_line

_FORMULA = re.compile("['\\s]*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
_HARMLESS = re.compile(r"[+-]?\d+(?:[.,]\d+)?|[+-][\w.+-]*@[\w.-]+")


def table(lines: Iterable[Sequence[str]]) -> str:
    """The lines as CSV; the cells are text that `cell` made harmless, or figures."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def cell(text: str) -> str:
    """The text on one line, with an apostrophe before what a spreadsheet would compute.

    Numbers and e-mail addresses stay as they are: a changed one finds its student no more.
    `reading` is the way back.
    """
    shown = one_line(text)
    return f"'{shown}" if _FORMULA.match(shown) and not _HARMLESS.fullmatch(shown) else shown


def reading(text: str) -> str:
    """What a cell says without the apostrophe that `cell` put before it."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The rows in the one order that every file of a class has: by student."""
    return sorted(rows, key=lambda row: (row.student.key.casefold(), row.student.key))
