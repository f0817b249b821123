"""Another student's name, address, folder or repository, left in somebody's files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import partial
from itertools import chain, islice

from grader.model import Student, Submission, Work
from grader.similarity.cluster import Cluster, Likeness, Passage
from grader.similarity.finder import Works
from grader.similarity.identity import Mark, hints_at_somebody, is_name, marks_of, names_in
from grader.similarity.pairs import many
from grader.similarity.people import People
from grader.text import LONGEST

_ROWS = 4
_LINE = 400
"""Characters of a line that are shown."""
_MOST = 300
"""Signs of people in one file that are looked at."""
_FEW = 2
"""A repository outside the roster that more students than these name was given to them."""

Line = tuple[int, str]
"""A line's number, counted from 1, and its text."""


class NamedOthers:
    """Finds files that point to another student, or to a copy that is nobody's in the class."""

    def __init__(
        self, students: Sequence[Student], assignment: str, starter: Submission | None
    ) -> None:
        """`assignment` is what copies of it are called."""
        self._people = People(students, assignment)
        self._given = frozenset(_starter_lines(starter))
        self._signs: dict[str, Sequence[Mark]] = {}

    def add(self, work: Work) -> None:
        """Keeps what a student is known by, and what points to anybody."""
        self._people.add(work.student, work.remote)
        self._signs[work.student] = tuple({mark for mark, _ in self._found(work)})

    def clusters(self, works: Works) -> Iterator[Cluster]:
        """Each two students of whom one's files point to the other, then those with strays."""
        pairs: dict[tuple[str, ...], dict[Passage, Passage]] = defaultdict(dict)
        strays: dict[str, dict[Passage, None]] = defaultdict(dict)
        for student, others, stray in self._telling():
            for mark, passage in self._found(works[student]):
                if other := others.get(mark):
                    pair = tuple(sorted((student, other)))
                    pairs[pair].setdefault(passage, self._known_by(other, mark))
                if mark in stray:
                    strays[student][passage] = None
        for pair in sorted(pairs):
            yield _cluster(pair, pairs[pair].items())
        for student in sorted(strays):
            yield _cluster((student,), zip(strays[student], strict=True))

    def _telling(self) -> Iterator[tuple[str, dict[Mark, str], Set[Mark]]]:
        """Students with whom their rare signs point to, and those that point to nobody known."""
        counts = Counter(chain.from_iterable(self._signs.values()))
        most = many(len(self._signs))
        for student, signs in self._signs.items():
            rare = [mark for mark in signs if counts[mark] <= most]
            others = {mark: other for mark in rare if (other := self._people.other(student, mark))}
            stray = {
                mark
                for mark in rare
                if counts[mark] <= _FEW and self._people.is_stray(student, mark)
            }
            if others or stray:
                yield student, others, stray

    def _known_by(self, student: str, mark: Mark) -> Passage:
        shown = self._people.known_by(student)[mark]
        return Passage(student=student, place="roster", line=None, text=shown)

    def _found(self, work: Work) -> Iterator[tuple[Mark, Passage]]:
        """What points to a person in the lines that the starter does not have."""
        own_pages = {"README": work.readme, "script": work.script}
        for place, whole in {**own_pages, **work.transcripts}.items():
            lines = [
                (number, line)
                for number, line in enumerate(whole[:LONGEST].split("\n"), start=1)
                if line not in self._given and line.strip() not in self._given
            ]
            signs = _located(marks_of, [each for each in lines if hints_at_somebody(each[1])])
            named = partial(names_in, names=self._people.names)
            names = _located(named, lines) if place in own_pages else ()
            for mark, (number, line) in islice(chain(signs, names), _MOST):
                shown = line.strip()[:_LINE]
                yield mark, Passage(student=work.student, place=place, line=number, text=shown)


def _starter_lines(starter: Submission | None) -> Iterator[str]:
    if starter is not None:
        for file in (starter.readme, starter.script, *starter.transcripts.values()):
            yield from map(str.strip, file.text.split("\n"))


def _located(
    find: Callable[[str], Iterator[tuple[Mark, int]]], lines: Sequence[Line]
) -> Iterator[tuple[Mark, Line]]:
    """What `find` finds, each with the line in which it begins."""
    text = "\n".join(line for _, line in lines)
    for mark, start in find(text):
        if is_name(mark, text[start : start + _LINE]):
            yield mark, lines[text.count("\n", 0, start)]


def _cluster(students: tuple[str, ...], rows: Iterable[tuple[Passage, ...]]) -> Cluster:
    evidence = tuple(islice(rows, _ROWS))
    return Cluster(likeness=Likeness.NAMED, students=students, evidence=evidence)
