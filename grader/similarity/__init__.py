"""Finds work that is alike beyond what all students were given. It shows, and never judges.

What two students share only because both were right is no likeness: the assignment's words, the
rubric's, Python's, and what many of the class say count for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from grader.model import Student, Submission
from grader.rubric import Rubric
from grader.similarity.cluster import HEADINGS, Cluster, Likeness, Passage
from grader.similarity.code import SameChanges
from grader.similarity.finder import Finder, Works
from grader.similarity.named import NamedOthers
from grader.similarity.phrases import SameWords
from grader.similarity.runs import SameRuns
from grader.similarity.vocabulary import given_words

__all__ = ["HEADINGS", "Cluster", "Likeness", "Passage", "Works", "find_similar"]


def find_similar(
    works: Works, students: Sequence[Student], rubric: Rubric, starter: Submission | None
) -> tuple[Cluster, ...]:
    """The clusters of a class, those that say most first, each kind sorted by student.

    Of the works, few are in memory at a time. `starter` is what students received; without it
    only what many share is left out.
    """
    known = given_words(rubric, starter)
    finders: tuple[Finder, ...] = (
        NamedOthers(students, rubric.assignment, starter),
        SameRuns(),
        SameWords(known),
        SameChanges(known, starter.script.text if starter else ""),
    )
    for work in works:
        for finder in finders:
            finder.add(work)
    return tuple(cluster for finder in finders for cluster in finder.clusters(works))
