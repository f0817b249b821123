"""What looks for one kind of likeness, and how it gets to see the works of a class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from grader.model import Work
from grader.similarity.cluster import Cluster


class Works(Protocol):
    """The works of a class, read anew whenever they are asked for: all at once are too many."""

    def __iter__(self) -> Iterator[Work]:
        """Everyone's, one after the other and always in the same order."""

    def __getitem__(self, student: str) -> Work:
        """The one of the student with this key."""


class Finder(Protocol):
    """Sees each work once, keeps little of it, and reads again what turns out to be alike."""

    def add(self, work: Work) -> None:
        """Keeps what tells a student's work from others."""

    def clusters(self, works: Works) -> Iterable[Cluster]:
        """Those whose work is alike, among all that were added, sorted by student."""
