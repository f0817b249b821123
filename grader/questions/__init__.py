"""The question types a rubric can use; a new one is a module here and a line in this table."""

from __future__ import annotations

from grader.questions.base import Marking, Question
from grader.questions.descriptions import DescriptionsQuestion
from grader.questions.names import NamesQuestion
from grader.questions.number import NumberQuestion
from grader.questions.place import PlaceQuestion

AnyQuestion = NamesQuestion | NumberQuestion | PlaceQuestion | DescriptionsQuestion

__all__ = ["AnyQuestion", "Marking", "Question"]
