"""Tells the assignment's own words from a student's."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from grader.lexicon import Stems, stems
from grader.text import plain

_LIKE = 92
"""A likeness (0 to 100) at which a line begins like an older edition's."""
REWRAPPED = 8
"""Words in a row from which a line is the assignment's, wherever its lines were broken."""


class OwnText:
    """The lines that students were given, and how older editions' sentences begin."""

    def __init__(self, given: Iterable[str], openers: Iterable[str]) -> None:
        self._lines = [(line.startswith("#"), stems(plain(line))) for line in given]
        self._given = {said for _, said in self._lines if said}
        self._text = _spaced(word for _, said in self._lines for word in said)
        self._openers = [(len(said), " ".join(said)) for said in map(stems, openers)]

    def holds(self, line: str) -> bool:
        """Whether the line is the assignment's own; list marks, wrapping and tense aside."""
        said = stems(plain(line))
        return bool(said) and (
            said in self._given
            or (len(said) >= REWRAPPED and _spaced(said) in self._text)
            or self._opens(said)
        )

    def _opens(self, said: Stems) -> bool:
        from rapidfuzz import fuzz

        return any(
            fuzz.ratio(" ".join(said[:length]), opener, score_cutoff=_LIKE) > 0
            for length, opener in self._openers
            if len(said) >= length
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
