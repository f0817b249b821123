"""Transcripts of one and the same run: no two runs happen at the same moments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice, product

from grader.model import Work
from grader.similarity.cluster import Cluster, Likeness, Passage
from grader.similarity.evidence import side_by_side
from grader.similarity.finder import Works
from grader.similarity.identity import SHARED_NAMES, homes
from grader.similarity.pairs import Marks, groups, marks, shared
from grader.text import LONGEST

_MOMENT = re.compile(r"\b\d{1,2}:\d{2}:\d{2}[.,]\d{3}")
_DAY = re.compile(r"\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b|\b\d{1,2}[-/.]\d{1,2}[-/.]\d{4}\b")
_CLOCK = re.compile(r"\b\d{1,2}:\d{2}\b")
_LEAST = 3
"""Lines with the same moments, to the millisecond, that no two runs share by chance."""
_LINE = 400
"""Characters of a line that are looked at."""
_MOST = 400
"""Lines of a transcript that are marks; a run prints a tenth of them."""


class SameRuns:
    """Finds transcripts that show the same moments, or the same minute in the same home."""

    def __init__(self) -> None:
        self._moments: dict[str, Marks] = {}
        self._homes: dict[str, Marks] = {}

    def add(self, work: Work) -> None:
        """Keeps the marks of a student's transcripts."""
        self._moments[work.student] = marks(_moments(work))
        self._homes[work.student] = marks(_at_home(work))

    def clusters(self, works: Works) -> Iterator[Cluster]:
        """Students of one run, and the lines that tell."""
        near = chain(
            shared(self._moments, _LEAST, all_count=True), shared(self._homes, 1, all_count=True)
        )
        pairs = (pair for pair, _ in near)
        for students in groups(pairs, lambda one, other: _alike(works[one], works[other])):
            yield Cluster(
                likeness=Likeness.RUN,
                students=students,
                evidence=side_by_side(students, lambda student: _moments(works[student]))
                or side_by_side(students, lambda student: _at_home(works[student])),
            )


def _alike(one: Work, other: Work) -> bool:
    mine, theirs = _moments(one), _moments(other)
    both = len(mine.keys() & theirs.keys())
    return (both >= _LEAST and 2 * both >= min(len(mine), len(theirs))) or not (
        _at_home(one).keys().isdisjoint(_at_home(other))
    )


def _moments(work: Work) -> dict[str, Passage]:
    return dict(islice(_told(work), _MOST))


def _told(work: Work) -> Iterator[tuple[str, Passage]]:
    for found, passage in _lines(work, _MOMENT):
        # What stands before the moment but its day is a prompt.
        day = _DAY.search(passage.text, 0, found.start())
        start = (day or found).start()
        yield " ".join(passage.text[start:].split()), passage


def _at_home(work: Work) -> dict[str, Passage]:
    """A day and minute, together with somebody's own folder in the same transcript."""
    owners = {name for text in work.transcripts.values() for name in homes(text[:LONGEST])}
    personal = sorted(owners - SHARED_NAMES)[:_LEAST]
    minutes = dict(islice(_minutes(work), _MOST)) if personal else {}
    return {
        f"{minute} {owner}": passage
        for (minute, passage), owner in product(minutes.items(), personal)
    }


def _minutes(work: Work) -> Iterator[tuple[str, Passage]]:
    for day, passage in _lines(work, _DAY):
        if clock := _CLOCK.search(passage.text):
            yield f"{day[0]} {clock[0]}", passage


def _lines(work: Work, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Passage]]:
    for place, text in work.transcripts.items():
        for number, line in enumerate(text[:LONGEST].split("\n"), start=1):
            if found := pattern.search(line, 0, _LINE):
                passage = Passage(student=work.student, place=place, line=number, text=line[:_LINE])
                yield found, passage
