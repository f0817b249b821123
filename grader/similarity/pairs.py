"""Finds who shares rare marks with whom without comparing everybody with everybody."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import combinations, pairwise
from typing import TypeAlias

Pair = tuple[str, str]
Marks: TypeAlias = "array[int]"
"""Hashes of what tells a student's work from others, sorted: 8 bytes each.

Two that are equal only bring students together; whether these are alike, their words tell.
"""

_FEW = 8
_SHARE = 0.15
_ALL_PAIRS = 30
"""Up to so many students a mark counts for each two of them; above, for neighbours alone."""
_STEP = 2**61
"""So many hashes in a row are looked at together: an eighth of all takes little memory."""


def many(students: int) -> int:
    """Above so many of a class, what they share was given to them, or is what one says."""
    return max(_FEW, int(students * _SHARE))


def marks(found: Iterable[Hashable]) -> Marks:
    """Makes marks of what tells a student's work from others."""
    return array("q", sorted(set(map(hash, found))))


def shared(
    held: Mapping[str, Marks], least: int, *, all_count: bool = False
) -> Iterator[tuple[Pair, set[int]]]:
    """Each two students with at least `least` rare marks in common, in order.

    With `all_count` a mark tells something however many have it.
    """
    most = len(held) if all_count else many(len(held))
    usual: set[int] = set()
    counts: Counter[Pair] = Counter()
    for mark, students in _holders(held):
        if len(students) > most:
            usual.add(mark)
        else:
            counts.update(_pairs(students))
    for one, other in sorted(pair for pair, count in counts.items() if count >= least):
        yield (one, other), set(held[one]).intersection(held[other]) - usual


def _holders(held: Mapping[str, Marks]) -> Iterator[tuple[int, list[str]]]:
    """The marks that several have, each with these students."""
    for low in range(-(2**63), 2**63, _STEP):
        parts = {student: _between(held[student], low, low + _STEP) for student in sorted(held)}
        seen: set[int] = set()
        again: set[int] = set()
        for part in parts.values():
            again.update(seen.intersection(part))
            seen.update(part)
        holders: dict[int, list[str]] = defaultdict(list)
        for student, part in parts.items():
            for mark in again.intersection(part):
                holders[mark].append(student)
        yield from holders.items()


def _between(own: Marks, low: int, high: int) -> Marks:
    return own[bisect_left(own, low) : bisect_left(own, high)]


def _pairs(students: list[str]) -> Iterable[Pair]:
    return combinations(students, 2) if len(students) <= _ALL_PAIRS else pairwise(students)


def groups(
    pairs: Iterable[Pair], alike: Callable[[str, str], bool] | None = None
) -> list[tuple[str, ...]]:
    """The pairs joined where they share a student; all sorted.

    `alike` has the last word if there is one, and is asked only of two who are not joined yet.
    """
    leader: dict[str, str] = {}

    def first(student: str) -> str:
        while leader.get(student, student) != student:
            leader[student] = leader.get(leader[student], leader[student])
            student = leader[student]
        return student

    for one, other in pairs:
        low, high = sorted((first(one), first(other)))
        if low != high and (alike is None or alike(one, other)):
            leader[low], leader[high] = low, low
    joined: dict[str, list[str]] = defaultdict(list)
    for student in sorted(leader):
        joined[first(student)].append(student)
    return sorted(map(tuple, joined.values()))
