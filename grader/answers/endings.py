"""Tells where an answer ends: at a heading that opens another section, not at one that answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from grader.answers.anchors import Anchor
from grader.readme_lines import Line

_TEXT = 7
"""The level of a line that is no heading."""
_BOLD_TITLE = re.compile(r"\s{0,3}(\*\*|__)[^\W\d_][^\d*`()]{0,60}\1:?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Which headings end the answer to one question."""

    asked: int
    """The level of the question's own heading, 0 if it is none."""
    section: int | None
    """The level of the section around it, if another question follows there."""
    answers: Collection[int]
    """Levels of the headings that this student writes answers in."""

    def cut(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The lines up to the heading that opens another section."""
        style: int | None = None
        blank = False
        for line in lines:
            if line.heading and self._opens(line.heading, style, blank):
                return
            if (
                self.section is None
                and style == _TEXT
                and blank
                and _BOLD_TITLE.fullmatch(line.raw)
            ):
                return
            if line.text:
                style = style or line.heading or _TEXT
            blank = not line.text or (blank and style is None)
            yield line

    def _opens(self, level: int, style: int | None, blank: bool) -> bool:
        """Whether a heading opens a section, after what began in `style`.

        It is an answer directly below its question, among headings like itself, and below a
        question or inside a section of a higher level.
        """
        if style is None and (not blank or level in self.answers):
            return False
        if self.asked:
            return level <= self.asked
        if self.section is not None:
            return level <= self.section and level != style
        return level <= 3 if style is None else level != style


def answer_levels(lines: Sequence[Line], anchors: Sequence[Anchor]) -> frozenset[int]:
    """Levels of headings that stand first below at least two questions."""
    asked = {anchor.line for anchor in anchors}
    below = Counter(
        line.heading
        for anchor in anchors
        for line in [_first_said(lines[anchor.last : anchor.last + 10])]
        if line is not None and line.number not in asked
    )
    return frozenset(level for level, times in below.items() if level and times > 1)


def _first_said(lines: Sequence[Line]) -> Line | None:
    return next((line for line in lines if line.text), None)


def ending_of(
    lines: Sequence[Line], asked: int, answers: Collection[int], *, bounded: bool
) -> Ending:
    """How the answer to the question on a line ends; `bounded` if another question follows."""
    above = (line.heading for line in reversed(lines[: asked - 1]) if line.heading)
    section = max(1, next((level for level in above if level not in answers), 1))
    return Ending(
        asked=lines[asked - 1].heading, section=section if bounded else None, answers=answers
    )
