"""Another student's name, address, folder or repository, left in somebody's files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain, islice

from grader.model import Student, Submission, Work
from grader.similarity.cluster import Cluster, Likeness, Passage
from grader.similarity.identity import (
    SHARED_NAMES,
    Kind,
    Mark,
    identity,
    is_name,
    marks_of,
    names_in,
    nicknames,
)
from grader.similarity.pairs import many
from grader.text import LONGEST

_ROWS = 4
_LINE = 400
"""Characters of a line that are shown."""
_MOST = 300
"""Signs of people in one file that are looked at."""
_FEW = 2
"""A repository outside the roster that more students than these name was given to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roster:
    """Whose a repository, an address, a folder or a name is."""

    holders: dict[Mark, set[str]] = field(default_factory=lambda: defaultdict(set))
    shown: dict[tuple[Mark, str], str] = field(default_factory=dict)
    nicknames: dict[str, tuple[str, ...]] = field(default_factory=dict)
    repositories: dict[str, set[str]] = field(default_factory=dict)
    names: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(list))
    """First word of a name -> the names that begin with it."""

    def other(self, student: str, mark: Mark) -> str | None:
        """The one other student whom a mark belongs to; None if it is one's own, or several's."""
        holders = self.holders.get(mark, ())
        if len(holders) != 1 or student in holders:
            return None
        kind, value = mark
        if kind is Kind.FOLDER and any(n in value or value in n for n in self.nicknames[student]):
            return None
        return next(iter(holders))


def named_others(
    works: Sequence[Work],
    students: Sequence[Student],
    assignment: str,
    starter: Submission | None,
) -> list[Cluster]:
    """Each two students of whom one's files point to the other, and whose links lead elsewhere."""
    roster = _roster(works, students, assignment)
    given = set(_starter_lines(starter))
    found = [each for work in works for each in _marks(work, roster, given)]
    counts = Counter(mark for mark, _ in {(mark, passage.student) for mark, passage in found})
    rare = [(mark, p) for mark, p in found if counts[mark] <= many(len(works))]
    return [*_pairs(rare, roster), *_strangers(rare, roster, counts)]


def _roster(works: Sequence[Work], students: Sequence[Student], assignment: str) -> _Roster:
    by_key = {student.key: student for student in students}
    roster = _Roster()
    for work in works:
        student = by_key.get(work.student)
        repositories = {assignment.casefold()}
        for mark, shown in identity(work.student, work.remote, student):
            roster.holders[mark].add(work.student)
            roster.shown[mark, work.student] = shown
            if mark[0] is Kind.REPOSITORY:
                repositories.add(mark[1].rpartition("/")[2])
        roster.nicknames[work.student] = nicknames(work.student, work.remote, student)
        roster.repositories[work.student] = repositories
    for kind, value in roster.holders:
        if kind is Kind.NAME:
            roster.names[value.split()[0]].append(tuple(value.split()))
    return roster


def _starter_lines(starter: Submission | None) -> Iterator[str]:
    if starter is not None:
        for file in (starter.readme, starter.script, *starter.transcripts.values()):
            yield from map(str.strip, file.text.split("\n"))


def _marks(work: Work, roster: _Roster, given: Set[str]) -> Iterator[tuple[Mark, Passage]]:
    """What points to a person in the lines that the starter does not have."""
    own_pages = {"README": work.readme, "script": work.script}
    for place, whole in {**own_pages, **work.transcripts}.items():
        lines = whole[:LONGEST].split("\n")
        text = "\n".join("" if line.strip() in given else line for line in lines)
        names = names_in(text, roster.names) if place in own_pages else ()
        for mark, start in islice(chain(marks_of(text), names), _MOST):
            if is_name(mark, text[start : start + _LINE]):
                row = text.count("\n", 0, start)
                shown = lines[row].strip()[:_LINE]
                yield mark, Passage(student=work.student, place=place, line=row + 1, text=shown)


def _pairs(found: Sequence[tuple[Mark, Passage]], roster: _Roster) -> Iterator[Cluster]:
    """Students of whom one's files point to the other; one row for each line."""
    pairs: dict[tuple[str, ...], dict[Passage, Passage]] = defaultdict(dict)
    for mark, passage in found:
        if other := roster.other(passage.student, mark):
            theirs = Passage(
                student=other, place="roster", line=None, text=roster.shown[mark, other]
            )
            pairs[tuple(sorted((passage.student, other)))].setdefault(passage, theirs)
    for students in sorted(pairs):
        evidence = tuple(pairs[students].items())[:_ROWS]
        yield Cluster(likeness=Likeness.NAMED, students=students, evidence=evidence)


def _strangers(
    found: Sequence[tuple[Mark, Passage]], roster: _Roster, counts: Mapping[Mark, int]
) -> Iterator[Cluster]:
    """Students whose files hold the address of a copy that nobody in the roster has."""
    rows: dict[str, dict[Passage, None]] = defaultdict(dict)
    for mark, passage in found:
        if counts[mark] <= _FEW and _strange(mark, roster, passage.student):
            rows[passage.student][passage] = None
    for student in sorted(rows):
        evidence = tuple((passage,) for passage in rows[student])[:_ROWS]
        yield Cluster(likeness=Likeness.NAMED, students=(student,), evidence=evidence)


def _strange(mark: Mark, roster: _Roster, student: str) -> bool:
    kind, value = mark
    if kind is not Kind.REPOSITORY:
        return False
    place, _, name = value.rpartition("/")
    owner = place.partition("/")[2]
    placeholder = owner in SHARED_NAMES or owner.startswith("your")
    known = (Kind.OWNER, place) in roster.holders
    return name in roster.repositories[student] and not placeholder and not known
