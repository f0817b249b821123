"""Scripts that were changed in the same way: fingerprints of what is not the starter's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from zlib import crc32

from grader.model import Work
from grader.similarity.cluster import Cluster, Likeness, Passage
from grader.similarity.evidence import side_by_side
from grader.similarity.finder import Works
from grader.similarity.pairs import groups, many, marks, shared
from grader.similarity.vocabulary import Phrase, own_words, phrases, spoken

_LENGTH, _WINDOW = 4, 3
"""Words of a fingerprint, and how many in a row give one of them: six shared words are found."""
_LEAST = 4
_LEAST_OWN = 4
"""Different words of the students' own that two changes must share."""
_PART = 0.6
"""Part of the smaller change's fingerprints that the other must have."""
_LINES, _LINE = 3_000, 400
"""Lines, and characters of one, that are looked at."""


class SameChanges:
    """Finds scripts that differ from what everybody has in the same way.

    A script that is mostly its author's may as well be of an edition that is not known here, and
    is left out.
    """

    def __init__(self, known: Set[str], starter: str) -> None:
        """`known` are stems that say nothing of who wrote them, `starter` is everybody's script."""
        self._known = known
        self._given = frozenset(line for _, _, line in _read(starter))
        self._added: dict[str, Sequence[str]] = {}
        self._length: dict[str, int] = {}

    def add(self, work: Work) -> None:
        """Keeps the lines that are not the starter's, and how many there are in all."""
        lines = [line for _, _, line in _read(work.script)]
        self._added[work.student] = [line for line in lines if line not in self._given]
        self._length[work.student] = len(lines)

    def clusters(self, works: Works) -> Iterator[Cluster]:
        """Students who made the same changes, and the lines that hold words of their own."""
        given = self._given | self._usual()
        said = dict(self._changes(given))
        own = own_words(map(str.split, said.values()), self._known)
        held = {who: marks(_winnowed(text.split(), own)) for who, text in said.items()}
        pairs = [
            pair
            for pair, both in shared(held, _LEAST)
            if len(both) >= _PART * min(len(held[student]) for student in pair)
            and len(own.intersection(*(said[student].split() for student in pair))) >= _LEAST_OWN
        ]
        for students in groups(pairs):
            rows = side_by_side(students, lambda who: dict(_telling(works[who], given, own)))
            yield Cluster(likeness=Likeness.CODE, students=students, evidence=rows)

    def _usual(self) -> Set[str]:
        """The lines that many have added: they were told to, or have another edition."""
        counts = Counter(line for lines in self._added.values() for line in set(lines))
        most = many(len(self._added))
        return {line for line, count in counts.items() if count > most}

    def _changes(self, given: Set[str]) -> Iterator[tuple[str, str]]:
        for student, lines in self._added.items():
            own = [line for line in lines if line not in given]
            if 2 * len(own) <= self._length[student]:
                yield student, " ".join(own)


def _read(script: str) -> Iterator[tuple[int, str, str]]:
    """(number, text, stems) of the lines that hold words: layout and punctuation do not count."""
    for number, line in enumerate(script.split("\n", _LINES)[:_LINES], start=1):
        text = line[:_LINE]
        if stems := _stems(text):
            yield number, text, stems


@lru_cache(maxsize=4096)
def _stems(text: str) -> str:
    # Most lines are the same in every script.
    return " ".join(spoken(text))


def _winnowed(said: Sequence[str], own: Set[str]) -> Iterator[Phrase]:
    """The phrase with the least hash of every window: what is shared leaves shared fingerprints.

    Schleimer, Wilkerson and Aiken: Winnowing (SIGMOD 2003).
    """
    hashed = [(crc32(" ".join(each).encode()), each) for each in phrases(said, own, _LENGTH)]
    for start in range(max(len(hashed) - _WINDOW + 1, min(len(hashed), 1))):
        yield min(hashed[start : start + _WINDOW])[1]


def _telling(work: Work, given: Set[str], own: Set[str]) -> Iterator[tuple[str, Passage]]:
    """The changed lines that hold a word of the students' own."""
    for number, text, line in _read(work.script):
        if line not in given and not own.isdisjoint(line.split()):
            yield line, Passage(student=work.student, place="script", line=number, text=text)
