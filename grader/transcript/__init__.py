"""Terminal text -> runs: what a program's output says of its inserts and its lock errors.

The text went through a terminal, an editor and a beginner's hands, so it is first made plain
(`page`); then the program's phrases are found in it (`marks`) and told apart by run (`runs`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from grader.model import Transcript, TranscriptRun
from grader.transcript.marks import find_marks
from grader.transcript.page import Page
from grader.transcript.runs import split_runs

if TYPE_CHECKING:
    from grader.rubric import OutputSpec

__all__ = ["parse_transcript"]

_WORDED = re.compile(r"[^\W_]")
_OWN_LINE = 3_000
"""Characters of a line that may be the assignment's own."""


def parse_transcript(text: str, output: OutputSpec, is_own: Callable[[str], bool]) -> Transcript:
    """Reads a terminal text into its runs.

    `is_own` is asked about lines without terminal codes, quoting and list marks; what it owns
    up to is the assignment's text and never counts as output.
    """
    page = Page(text)
    owns = lru_cache(maxsize=None)(lambda line: len(line) <= _OWN_LINE and is_own(line))
    marks = sorted(find_marks(page, output, owns), key=lambda mark: mark.start)
    runs = tuple(run.as_fact(page) for run in split_runs(marks) if run.processes or run.locks)
    silent = (TranscriptRun(inserts=(), lock_errors=()),) if page.lines else ()
    foreign = any(_WORDED.search(line) and not owns(line) for line in page.lines)
    given = not foreign and any(map(_WORDED.search, page.lines))
    return Transcript(runs=runs or silent, placeholder=given)
