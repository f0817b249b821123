"""Marks the examples in a rubric: a rubric has its own tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grader.assignment import Assignment
from grader.model import ScriptFacts
from grader.questions import Question
from grader.questions.base import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedExample:
    """An example and the verdict it got."""

    question: str
    number: int
    answer: str
    wanted: str
    got: str

    @property
    def right(self) -> bool:
        """Whether the verdict is the one the rubric wants."""
        return self.wanted == self.got

    def __str__(self) -> str:
        answer = " ".join(self.answer.split())
        shown = answer if len(answer) <= 60 else f"{answer[:57]}..."
        return f"{self.question} example {self.number}: {self.got}, not {self.wanted}: {shown}"


def mark_examples(assignment: Assignment) -> Iterator[MarkedExample]:
    """Marks every example by the newest edition's facts: the starter's script, if there is one."""
    for name, question in assignment.rubric.questions.items():
        for number, example in enumerate(question.examples, start=1):
            yield MarkedExample(
                question=name,
                number=number,
                answer=example.answer,
                wanted=example.verdict.value,
                got=_verdict(question, example, assignment),
            )


def _verdict(question: Question, example: Example, assignment: Assignment) -> str:
    known = assignment.editions[:1] or (ScriptFacts(source="the rubric"),)
    marking = question.mark(example.answer, known, assignment.rubric.lexicon)
    return marking.verdict.value if marking else "skipped"
