"""Tells the assignment's own words from a student's."""

from __future__ import annotations

from collections.abc import Iterable

from grader.lexicon import Stems, stems
from grader.text import plain


class OwnText:
    """The lines that students were given, and how older editions' sentences begin."""

    def __init__(self, given: Iterable[str], openers: Iterable[str]) -> None:
        self._given = {said for line in given if (said := stems(plain(line)))}
        self._openers = [stems(opener) for opener in openers]

    def holds(self, line: str) -> bool:
        """Whether the line is the assignment's own, list marks and tense aside."""
        said = stems(plain(line))
        return bool(said) and (said in self._given or any(_opens(said, o) for o in self._openers))


def _opens(said: Stems, opener: Stems) -> bool:
    from rapidfuzz import fuzz

    start = " ".join(said[: len(opener)])
    return len(said) >= len(opener) and fuzz.ratio(start, " ".join(opener)) >= 92
