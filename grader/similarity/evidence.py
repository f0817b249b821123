"""Puts the passages that students share side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from grader.similarity.cluster import Passage

Mark = TypeVar("Mark", bound=Hashable)
_ROWS = 4


def side_by_side(
    students: Sequence[str], found: Mapping[str, Mapping[Mark, Passage]]
) -> tuple[tuple[Passage, ...], ...]:
    """The passages that most of the students share, in the order in which they were written.

    `found` is student -> mark -> where the mark stands.
    """
    counts = Counter(mark for student in students for mark in found[student])
    several = [mark for mark, count in counts.most_common(_ROWS) if count > 1]
    rows = {
        tuple(found[student][mark] for student in students if mark in found[student]): None
        for mark in several
    }
    return tuple(sorted(rows, key=lambda row: (row[0].place, row[0].line or 0)))
