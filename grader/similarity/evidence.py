"""Puts the passages that students share side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from grader.similarity.cluster import Passage

Mark = TypeVar("Mark", bound=Hashable)
_ROWS = 4


def side_by_side(
    students: Sequence[str], read: Callable[[str], Mapping[Mark, Passage]]
) -> tuple[tuple[Passage, ...], ...]:
    """The passages that most of the students share, in the order in which they were written.

    `read` gives a student's marks and where they stand. It is asked twice for each student: the
    passages of all of them at once would be many.
    """
    counts = Counter(mark for student in students for mark in read(student))
    rows: dict[Mark, list[Passage]] = {
        mark: [] for mark, count in counts.most_common(_ROWS) if count > 1
    }
    for student in students:
        found = read(student)
        for mark in rows.keys() & found.keys():
            rows[mark].append(found[mark])
    different = dict.fromkeys(map(tuple, rows.values()))
    return tuple(sorted(different, key=lambda row: (row[0].place, row[0].line or 0)))
