"""A README as lines with what Markdown makes of each: heading, code, list."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.text import plain

_FENCE = re.compile(r"^[\s>]*(?:`{3,}|~{3,})[\w+-]*\s*$")
_NUMBERED = re.compile(r"^[\s>*_]*\(?(\d{1,2})\\?[.)]\s*(.*)$")
_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\]\(|<img\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a README; numbers count from 1."""

    number: int
    raw: str
    text: str
    """The line without Markdown and HTML marks."""
    heading: int = 0
    """The heading's level, 0 for other lines."""

    @property
    def item(self) -> tuple[int, str] | None:
        """(number, text) if the line is an item of a numbered list."""
        match = _NUMBERED.match(self.raw)
        return (int(match[1]), match[2]) if match else None

    @property
    def image(self) -> bool:
        """Whether a picture stands on the line."""
        return _IMAGE.search(self.raw) is not None


def read_lines(readme: str) -> list[Line]:
    """Splits a README into lines; a code fence's own lines are blank."""
    headings = _headings(readme)
    return [
        Line(
            number=number,
            raw="" if _FENCE.match(raw) else raw,
            text="" if _FENCE.match(raw) else plain(raw),
            heading=headings.get(number, 0),
        )
        for number, raw in enumerate(readme.split("\n"), start=1)
    ]


def _headings(readme: str) -> dict[int, int]:
    """Line -> level of every `#` heading; a `#` inside a code block is none."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(readme)
    return {
        token.map[0] + 1: int(token.tag[1:])
        for token in tokens
        if token.type == "heading_open" and token.map and token.markup.startswith("#")
    }
