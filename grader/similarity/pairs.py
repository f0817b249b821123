"""Finds who shares rare marks with whom without comparing everybody with everybody."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Set
from itertools import combinations, pairwise
from typing import TypeVar

Mark = TypeVar("Mark", bound=Hashable)
Pair = tuple[str, str]

_FEW = 8
_SHARE = 0.15
_ALL_PAIRS = 30
"""Up to so many students a mark counts for each two of them; above, for neighbours alone."""


def many(students: int) -> int:
    """Above so many of a class, what they share was given to them, or is what one says."""
    return max(_FEW, int(students * _SHARE))


def common(held: Mapping[str, Set[Mark]]) -> set[Mark]:
    """The marks that too many students have to tell anything."""
    counts = Counter(mark for marks in held.values() for mark in marks)
    most = many(len(held))
    return {mark for mark, count in counts.items() if count > most}


def shared(
    held: Mapping[str, Set[Mark]], least: int, *, all_count: bool = False
) -> Iterator[tuple[Pair, set[Mark]]]:
    """Each two students with at least `least` rare marks in common, in order.

    With `all_count` a mark tells something however many have it.
    """
    counts: Counter[Pair] = Counter()
    usual: set[Mark] = set() if all_count else common(held)
    for mark, students in _holders(held).items():
        if len(students) > 1 and mark not in usual:
            counts.update(_pairs(students))
    for pair in sorted(pair for pair, count in counts.items() if count >= least):
        yield pair, set(held[pair[0]] & held[pair[1]]) - usual


def _holders(held: Mapping[str, Set[Mark]]) -> dict[Mark, list[str]]:
    holders: dict[Mark, list[str]] = defaultdict(list)
    for student in sorted(held):
        for mark in held[student]:
            holders[mark].append(student)
    return holders


def _pairs(students: list[str]) -> Iterable[Pair]:
    return combinations(students, 2) if len(students) <= _ALL_PAIRS else pairwise(students)


def groups(pairs: Iterable[Pair]) -> list[tuple[str, ...]]:
    """The pairs joined where they share a student; all sorted."""
    leader: dict[str, str] = {}

    def first(student: str) -> str:
        while leader.setdefault(student, student) != student:
            leader[student] = leader[leader[student]]
            student = leader[student]
        return student

    for one, other in pairs:
        low, high = sorted((first(one), first(other)))
        leader[high] = low
    joined: dict[str, list[str]] = defaultdict(list)
    for student in sorted(leader):
        joined[first(student)].append(student)
    return sorted(map(tuple, joined.values()))
