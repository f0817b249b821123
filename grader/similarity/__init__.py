"""Finds work that is alike beyond what all students were given. It shows, and never judges.

What two students share only because both were right is no likeness: the assignment's words, the
rubric's, Python's, and what many of the class say count for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from grader.model import Student, Submission, Work
from grader.rubric import Rubric
from grader.similarity.cluster import HEADINGS, Cluster, Likeness, Passage
from grader.similarity.code import same_changes
from grader.similarity.named import named_others
from grader.similarity.phrases import nearly_same_words
from grader.similarity.runs import same_runs
from grader.similarity.vocabulary import given_words

__all__ = ["HEADINGS", "Cluster", "Likeness", "Passage", "find_similar"]


def find_similar(
    works: Sequence[Work], students: Sequence[Student], rubric: Rubric, starter: Submission | None
) -> tuple[Cluster, ...]:
    """The clusters of a class, those that say most first, each kind sorted by student.

    `starter` is what students received; without it only what many share is left out.
    """
    known = given_words(rubric, starter)
    return (
        *named_others(works, students, rubric.assignment, starter),
        *same_runs(works),
        *nearly_same_words(works, known),
        *same_changes(works, known, starter.script.text if starter else ""),
    )
