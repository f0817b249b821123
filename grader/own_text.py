"""Tells the assignment's own words from a student's."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from grader.lexicon import Stems, stems
from grader.text import plain

REWRAPPED = 8
"""Words in a row from which a line is the assignment's, wherever its lines were broken."""


class OwnText:
    """The lines that students were given, and how older editions' sentences begin."""

    def __init__(self, given: Iterable[str], openers: Iterable[str]) -> None:
        self._lines = [(line.startswith("#"), stems(plain(line))) for line in given]
        self._given = {said for _, said in self._lines if said}
        self._text = _spaced(word for _, said in self._lines for word in said)
        self._openers = [stems(opener) for opener in openers]

    def holds(self, line: str) -> bool:
        """Whether the line is the assignment's own; list marks, wrapping and tense aside."""
        said = stems(plain(line))
        return bool(said) and (
            said in self._given
            or (len(said) >= REWRAPPED and _spaced(said) in self._text)
            or any(_opens(said, opener) for opener in self._openers)
        )

    def title_above(self, texts: Collection[Stems]) -> Stems:
        """The given heading under which one of the texts stands; empty if there is none."""
        title: Stems = ()
        for heading, said in self._lines:
            if heading:
                title = said
            elif said in texts:
                return title
        return ()


def _spaced(said: Iterable[str]) -> str:
    return f" {' '.join(said)} "


def _opens(said: Stems, opener: Stems) -> bool:
    from rapidfuzz import fuzz

    start = " ".join(said[: len(opener)])
    return len(said) >= len(opener) and fuzz.ratio(start, " ".join(opener)) >= 92
