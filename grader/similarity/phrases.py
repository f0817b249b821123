"""Answers that two students gave in nearly the same words of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import lru_cache, partial
from itertools import groupby, islice, repeat

from grader.model import Work
from grader.similarity.cluster import Cluster, Likeness, Passage
from grader.similarity.finder import Works
from grader.similarity.pairs import Pair, groups, marks, shared
from grader.similarity.vocabulary import Phrase, own_words, phrases, spoken, stretches

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

Answers = Mapping[str, str]
"""Criterion id -> the stems of an answer, as one text: a list takes ten times as much memory."""


class SameWords:
    """Finds answers in nearly the same words."""

    def __init__(self, known: Set[str]) -> None:
        """`known` are stems that say nothing of who wrote them."""
        self._known = known
        self._said: dict[str, Answers] = {}

    def add(self, work: Work) -> None:
        """Keeps the stems of a student's answers."""
        self._said[work.student] = {
            name: " ".join(islice(spoken(text), _LONGEST)) for name, text in work.answers.items()
        }

    def clusters(self, works: Works) -> Iterator[Cluster]:
        """Students whose answers are alike; a cluster tells of all the answers that are."""
        alike = dict(self._alike(works))
        joined = groups(alike)
        first = {student: students[0] for students in joined for student in students}
        told: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for pair, names in alike.items():
            for name in names:
                told[first[pair[0]]][name].update(pair)
        for students in joined:
            rows = _side_by_side(told[students[0]], works)
            yield Cluster(likeness=Likeness.WORDS, students=students, evidence=rows)

    def _alike(self, works: Works) -> Iterator[tuple[Pair, Sequence[str]]]:
        """Two students and the criteria that they answer in nearly the same words, if any."""
        said = (" ".join(answers.values()).split() for answers in self._said.values())
        own = own_words(said, self._known)
        # Pairs come in order: one script after the other.
        script = lru_cache(maxsize=1)(lambda student: _script(works[student]))
        for (one, other), names in self._near(own):
            mine, theirs = self._said[one], self._said[other]
            quotable = partial(script, one)
            same = [
                name
                for name in names
                if _nearly_same(mine[name], theirs.get(name, ""), own, quotable)
            ]
            if same:
                yield (one, other), same

    def _near(self, own: frozenset[str]) -> Iterator[tuple[Pair, Sequence[str]]]:
        """Two students with rare phrases in common, and the criteria for which they wrote them."""
        held = {who: marks(_marks(answers, own)) for who, answers in self._said.items()}
        for one, found in groupby(shared(held, _LEAST), key=lambda each: each[0][0]):
            names = {hash(mark): mark[0] for mark in _marks(self._said[one], own)}
            for pair, both in found:
                yield pair, sorted({names[mark] for mark in both})


def _marks(answers: Answers, own: Set[str]) -> Iterator[tuple[str, Phrase]]:
    for name, answer in answers.items():
        said = answer.split()
        if len(said) >= _SHORT:
            yield from zip(repeat(name), phrases(said, own, _PHRASE))
        if len(said) >= _LONG:
            yield from zip(repeat(name), stretches(said, _COURSE))


def _nearly_same(
    one: str, other: str, own: frozenset[str], script: Callable[[], Set[Phrase]]
) -> bool:
    """Whether two answers are alike, and not only because both quote the script's comments."""
    from rapidfuzz import fuzz

    mine, theirs = one.split(), other.split()
    own_alike = len(own.intersection(mine, theirs)) >= _LEAST_OWN
    if not own_alike and min(len(mine), len(theirs)) < _LONG:
        return False
    if fuzz.ratio(mine, theirs, score_cutoff=_ALIKE if own_alike else _SAME) == 0:
        return False
    return own_alike or not _quoted(mine, script())


def _script(work: Work) -> Set[Phrase]:
    return set(stretches(list(islice(spoken(work.script), _LONGEST)), _PHRASE))


def _quoted(answer: Sequence[str], script: Set[Phrase]) -> bool:
    """Whether half of an answer is the script's own comments, which all may quote."""
    found = [stretch in script for stretch in stretches(answer, _PHRASE)]
    return 2 * sum(found) >= len(found)


def _side_by_side(told: Mapping[str, Set[str]], works: Works) -> tuple[tuple[Passage, ...], ...]:
    """A row for each criterion with the whole answers, of those students who are alike in it."""
    rows: dict[str, list[Passage]] = {name: [] for name in sorted(told)}
    for student in sorted(set().union(*told.values())):
        answers = works[student].answers
        for name, row in rows.items():
            if student in told[name]:
                row.append(Passage(student=student, place=name, line=None, text=answers[name]))
    return tuple(map(tuple, rows.values()))
