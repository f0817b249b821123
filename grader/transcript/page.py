"""A terminal text made plain: without escape sequences, quoting marks and runs of spaces."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from grader.text import LONGEST

# Escape sequences, also colours whose escape character was lost or spelt out on the way.
_ESCAPES = re.compile(
    r"\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]"
    r"|(?:\^\[|[\u241b\u2190])?\[\d{1,3}(?:;\d{1,3}){0,7}m"
)
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_MARKS = re.compile(r"(?:(?:>|\||(?:[-*+\u2022]|\d{1,3}[.)])(?=\s|\Z))\s?)+")
# Only where a run begins: else a long one is looked at from each of its characters.
_FENCE = re.compile(r"(?:(?<!`)`{3,}|(?<!~)~{3,})\s?\w*\Z")


class Page:
    """The lines that are not blank, and all of them as one text with single spaces."""

    def __init__(self, text: str) -> None:
        kept = tuple(_plain_lines(text[:LONGEST]))
        self.lines = tuple(line for _, line in kept)
        self.numbers = tuple(number for number, _ in kept)
        self.text = "\n".join(self.lines)
        self._ends = [found.start() for found in re.finditer("\n", self.text)]

    def index(self, place: int) -> int:
        """Which of the lines the character at `place` stands on."""
        return bisect_right(self._ends, place - 1)

    def number(self, place: int) -> int:
        """The number, from 1, that this line has in the original text."""
        return self.numbers[self.index(place)]


def _plain_lines(text: str) -> Iterator[tuple[int, str]]:
    # "Cursor forward" is how some terminals write spaces.
    shown = _ESCAPES.sub(lambda found: " " if found[0].endswith("C") else "", text)
    typed = _erased(shown) if "\b" in shown else shown
    for number, line in enumerate(typed.split("\n"), start=1):
        words = " ".join(_INVISIBLE.sub("", line).split())
        marks = _MARKS.match(words)
        bare = _FENCE.sub("", words[marks.end() :] if marks else words)
        if bare:
            yield number, bare


def _erased(text: str) -> str:
    """The text after its backspaces took effect."""
    kept: list[str] = []
    for character in text:
        if character != "\b":
            kept.append(character)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)
