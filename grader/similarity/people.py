"""Whose a repository, an address, a folder or a name is, among the students of a class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from grader.model import Student
from grader.similarity.identity import SHARED_NAMES, Kind, Mark, identity, nicknames


class People:
    """The students of a class, and what each of them is known by."""

    def __init__(self, students: Sequence[Student], assignment: str) -> None:
        """`assignment` is what copies of it are called."""
        self._students = {student.key: student for student in students}
        self._assignment = assignment.casefold()
        self._remotes: dict[str, str | None] = {}
        self._holder: dict[Mark, str | None] = {}
        self.names = _names(students)

    def add(self, student: str, remote: str | None) -> None:
        """Notes what somebody whose work there is, is known by."""
        self._remotes[student] = remote
        for mark in self.known_by(student):
            alone = self._holder.get(mark, student) == student
            self._holder[mark] = student if alone else None

    def known_by(self, student: str) -> Mapping[Mark, str]:
        """What a student is known by, with the words to show for it."""
        return dict(identity(student, self._remotes[student], self._students.get(student)))

    def other(self, student: str, mark: Mark) -> str | None:
        """The one other student whom a mark belongs to; None if it is one's own, or several's."""
        holder, (kind, value) = self._holder.get(mark), mark
        if holder is None or holder == student:
            return None
        if kind is Kind.FOLDER and any(n in value or value in n for n in self._nicknames(student)):
            return None
        return holder

    def is_stray(self, student: str, mark: Mark) -> bool:
        """Whether this is a copy of the assignment, and of nobody in the class."""
        kind, value = mark
        if kind is not Kind.REPOSITORY:
            return False
        place, _, name = value.rpartition("/")
        owner = place.partition("/")[2]
        placeholder = owner in SHARED_NAMES or owner.startswith("your")
        known = (Kind.OWNER, place) in self._holder
        return not placeholder and not known and name in self._copies(student)

    def _copies(self, student: str) -> set[str]:
        """What the student's repository and the assignment are called."""
        own = {value for kind, value in self.known_by(student) if kind is Kind.REPOSITORY}
        return {self._assignment, *(value.rpartition("/")[2] for value in own)}

    def _nicknames(self, student: str) -> Sequence[str]:
        return nicknames(student, self._remotes[student], self._students.get(student))


def _names(students: Sequence[Student]) -> dict[str, list[tuple[str, ...]]]:
    """First word of a name -> the names that begin with it."""
    said = {
        value: None
        for student in students
        for (kind, value), _ in identity(student.key, None, student)
        if kind is Kind.NAME
    }
    names: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for name in said:
        spoken = tuple(name.split())
        names[spoken[0]].append(spoken)
    return dict(names)
