"""Transcripts of one and the same run: no two runs happen at the same moments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product

from grader.model import Work
from grader.similarity.cluster import Cluster, Likeness, Passage
from grader.similarity.evidence import side_by_side
from grader.similarity.identity import HOME, SHARED_NAMES
from grader.similarity.pairs import groups, shared
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


def same_runs(works: Sequence[Work]) -> list[Cluster]:
    """Students whose transcripts show the same moments, or the same minute in the same home."""
    lines = {work.student: dict(_moments(work)) for work in works}
    held = {student: set(found) for student, found in lines.items()}
    pairs = [
        pair
        for pair, both in shared(held, _LEAST, all_count=True)
        if 2 * len(both) >= min(len(held[student]) for student in pair)
    ]
    homes = {work.student: dict(_at_home(work)) for work in works}
    pairs += [pair for pair, _ in shared(_keys(homes), 1, all_count=True)]
    return [
        Cluster(
            likeness=Likeness.RUN,
            students=students,
            evidence=side_by_side(students, lines) or side_by_side(students, homes),
        )
        for students in groups(pairs)
    ]


def _keys(found: Mapping[str, Mapping[str, Passage]]) -> dict[str, set[str]]:
    return {student: set(marks) for student, marks in found.items()}


def _moments(work: Work) -> Iterator[tuple[str, Passage]]:
    for passage in islice(_lines(work, _MOMENT), _MOST):
        found = _MOMENT.search(passage.text)
        # What stands before the moment but its day is a prompt.
        start = found.start() if found else 0
        day = _DAY.search(passage.text, 0, start)
        yield " ".join(passage.text[day.start() if day else start :].split()), passage


def _at_home(work: Work) -> Iterator[tuple[str, Passage]]:
    """A day and minute, together with somebody's own folder in the same transcript."""
    days = [passage for passage in _lines(work, _DAY) if _CLOCK.search(passage.text)]
    minutes = {(_DAY.findall(p.text)[0], _CLOCK.findall(p.text)[0]): p for p in days[:_MOST]}
    homes = (HOME.findall(text[:LONGEST]) for text in work.transcripts.values())
    owners = {name.casefold() for found in homes for name in found}
    personal = sorted(owners - SHARED_NAMES)[:_LEAST]
    for ((day, minute), passage), owner in product(minutes.items(), personal):
        yield f"{day} {minute} {owner}", passage


def _lines(work: Work, pattern: re.Pattern[str]) -> Iterator[Passage]:
    for place, text in work.transcripts.items():
        for number, line in enumerate(text[:LONGEST].split("\n"), start=1):
            if pattern.search(line, 0, _LINE):
                yield Passage(student=work.student, place=place, line=number, text=line[:_LINE])
