"""Answers that two students gave in nearly the same words of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain

from grader.lexicon import stem
from grader.model import Work
from grader.similarity.cluster import Cluster, Likeness, Passage
from grader.similarity.pairs import Pair, groups, shared
from grader.similarity.vocabulary import Phrase, own_words, phrases
from grader.text import words

_SHORT, _LONG = 12, 50
"""Words from which an answer can be told from another right one: by words that are the student's
own, and by its course alone."""
_ALIKE, _SAME = 80, 97
"""How alike (0 to 100), word by word, short and long answers must be."""
_LEAST_OWN = 4
"""Different words of the students' own that two short answers must share."""
_LEAST = 3
_PHRASE, _COURSE = 3, 10
"""Words of a phrase around a word of one's own, and of a stretch of a long answer."""
_LONGEST = 1_500
"""Words of an answer that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """A student's answers as stems, the own words in them, and the script."""

    answers: Mapping[str, Sequence[str]]
    own: Set[str]
    script: str


def nearly_same_words(works: Sequence[Work], known: Set[str]) -> list[Cluster]:
    """Students whose answers are alike; a cluster tells of all the answers that are."""
    answers = {work.student: _answers(work) for work in works}
    own = own_words({who: list(chain(*said.values())) for who, said in answers.items()}, known)
    said = {
        work.student: _Said(
            answers=answers[work.student], own=own[work.student], script=work.script
        )
        for work in works
    }
    marks = {who: set(_marks(each)) for who, each in said.items()}
    alike = {
        (one, other): names
        for (one, other), found in shared(marks, _LEAST)
        if (names := list(_alike(said[one], said[other], {name for name, _ in found})))
    }
    texts = {work.student: work.answers for work in works}
    return list(_clusters(alike, texts))


def _answers(work: Work) -> dict[str, list[str]]:
    return {name: _stems(text) for name, text in work.answers.items()}


def _stems(text: str) -> list[str]:
    return [stem(word) for word in words(text)[:_LONGEST]]


def _stretches(said: Sequence[str], length: int) -> Iterator[Phrase]:
    return (tuple(said[start : start + length]) for start in range(len(said) - length + 1))


def _marks(said: _Said) -> Iterator[tuple[str, Phrase]]:
    for name, answer in said.answers.items():
        if len(answer) >= _SHORT:
            yield from ((name, phrase) for phrase in phrases(answer, said.own, _PHRASE))
        if len(answer) >= _LONG:
            yield from ((name, stretch) for stretch in _stretches(answer, _COURSE))


def _alike(one: _Said, other: _Said, names: Iterable[str]) -> Iterator[str]:
    """The criteria that both students answer in nearly the same words."""
    from rapidfuzz import fuzz

    for name in sorted(names):
        mine, theirs = one.answers[name], other.answers[name]
        shared_own = one.own & other.own & set(mine) & set(theirs)
        least = _ALIKE if len(shared_own) >= _LEAST_OWN else _SAME
        if least == _SAME and min(len(mine), len(theirs)) < _LONG:
            continue
        if fuzz.ratio(mine, theirs, score_cutoff=least) == 0:
            continue
        if least == _ALIKE or not _quoted(one, name):
            yield name


def _quoted(said: _Said, name: str) -> bool:
    """Whether half of an answer is the script's own comments, which all may quote."""
    script = set(_stretches(_stems(said.script), _PHRASE))
    found = [stretch in script for stretch in _stretches(said.answers[name], _PHRASE)]
    return 2 * sum(found) >= len(found)


def _clusters(
    alike: Mapping[Pair, Sequence[str]], texts: Mapping[str, Mapping[str, str]]
) -> Iterator[Cluster]:
    for students in groups(alike):
        told: dict[str, set[str]] = defaultdict(set)
        for pair, names in alike.items():
            for name in names if pair[0] in students else ():
                told[name].update(pair)
        yield Cluster(
            likeness=Likeness.WORDS,
            students=students,
            evidence=tuple(
                tuple(
                    Passage(student=student, place=name, line=None, text=texts[student][name])
                    for student in sorted(told[name])
                )
                for name in sorted(told)
            ),
        )
