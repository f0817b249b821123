"""What similarity finds: students whose work is alike, and the lines that show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Likeness(str, Enum):
    """In what way work is alike."""

    RUN = "run"
    """Transcripts of one and the same run."""
    WORDS = "words"
    """Answers in nearly the same words of the students' own."""
    CODE = "code"
    """The same changes to the script."""
    NAMED = "named"
    """Another student's name, address, folder or repository."""


HEADINGS = {
    Likeness.RUN: "The same run",
    Likeness.WORDS: "Nearly the same words",
    Likeness.CODE: "The same changes to the script",
    Likeness.NAMED: "Somebody else's name or repository",
}
"""What a reader is told, in words that accuse nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Where a student's work is like another's."""

    student: str
    place: str
    """A criterion's or a configuration's id, `README`, `script` or `roster`."""
    line: int | None
    """The line of the place, counted from 1, where it has lines."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Students whose work is alike in one way. It is a reason to look, and never a mark."""

    likeness: Likeness
    students: tuple[str, ...]
    """Their keys, sorted; a single one where the other is not in the roster."""
    evidence: tuple[tuple[Passage, ...], ...]
    """Passages to read side by side, one of each student where there is one."""
