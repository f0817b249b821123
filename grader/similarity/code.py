"""Scripts that were changed in the same way: fingerprints of what is not the starter's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache
from zlib import crc32

from grader.lexicon import stem
from grader.model import Work
from grader.similarity.cluster import Cluster, Likeness, Passage
from grader.similarity.evidence import side_by_side
from grader.similarity.pairs import Pair, common, groups, shared
from grader.similarity.vocabulary import own_words, phrases
from grader.text import words

_LENGTH, _WINDOW = 4, 3
"""Words of a fingerprint, and how many in a row give one of them: six shared words are found."""
_LEAST = 4
_LEAST_OWN = 4
"""Different words of the students' own that two changes must share."""
_PART = 0.6
"""Part of the smaller change's fingerprints that the other must have."""
_LINES, _LINE = 3_000, 400
"""Lines, and characters of one, that are looked at."""

Line = tuple[str, ...]
Change = tuple[tuple[int, str, Line], ...]
"""(number, text, words) of the lines that are not the starter's."""


def same_changes(works: Sequence[Work], known: Set[str], starter: str) -> list[Cluster]:
    """Students whose scripts differ from what everybody has in the same way.

    A script that is mostly its author's may as well be of an edition that is not known here, and
    is left out.
    """
    changes = _changes(works, starter)
    said = {
        who: [word for _, _, line in change for word in line] for who, change in changes.items()
    }
    own = own_words(said, known)
    marks = {who: set(_winnowed(list(phrases(said[who], own[who], _LENGTH)))) for who in said}
    pairs = [
        pair
        for pair, both in shared(marks, _LEAST)
        if len(both) >= _PART * min(len(marks[student]) for student in pair)
        and _both_own(pair, said, own) >= _LEAST_OWN
    ]
    found = {who: dict(_telling(who, change, own[who])) for who, change in changes.items()}
    return [
        Cluster(likeness=Likeness.CODE, students=who, evidence=side_by_side(who, found))
        for who in groups(pairs)
    ]


def _changes(works: Sequence[Work], starter: str) -> dict[str, Change]:
    read = {work.student: _read(work.script) for work in works}
    usual = common({who: {line for _, _, line in lines} for who, lines in read.items()})
    given = usual | {line for _, _, line in _read(starter)}
    changes = {
        who: tuple(line for line in lines if line[2] not in given) for who, lines in read.items()
    }
    return {who: own for who, own in changes.items() if 2 * len(own) <= len(read[who])}


def _read(script: str) -> Change:
    """The lines that hold words: layout, quotes and punctuation do not count."""
    numbered = enumerate(script.split("\n", _LINES)[:_LINES], start=1)
    return tuple(
        (number, text[:_LINE], line) for number, text in numbered if (line := _words(text[:_LINE]))
    )


@lru_cache(maxsize=4096)
def _words(text: str) -> Line:
    # Most lines are the same in every script.
    return tuple(map(stem, words(text)))


def _winnowed(found: Sequence[Line]) -> Iterator[int]:
    """The least hash of every window: a shared run of words leaves a shared fingerprint.

    Schleimer, Wilkerson and Aiken: Winnowing (SIGMOD 2003).
    """
    hashes = [crc32(" ".join(phrase).encode()) for phrase in found]
    for start in range(max(len(hashes) - _WINDOW + 1, min(len(hashes), 1))):
        yield min(hashes[start : start + _WINDOW])


def _both_own(pair: Pair, said: Mapping[str, list[str]], own: Mapping[str, Set[str]]) -> int:
    one, other = pair
    return len(own[one] & own[other] & set(said[one]) & set(said[other]))


def _telling(student: str, change: Change, own: Set[str]) -> Iterator[tuple[Line, Passage]]:
    """The changed lines that hold a word of the student's own."""
    for number, text, line in change:
        if not own.isdisjoint(line):
            yield line, Passage(student=student, place="script", line=number, text=text)
