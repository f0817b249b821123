"""What a person should look at first, and the lines that change a mark."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.class_reports.cells import in_order
from grader.model import Result, Row, Student, Verdict
from grader.reports.inert import clean
from grader.text import words

_LONGEST = 1_000
"""Characters of a student's text that an override repeats."""
CHOICES = (Verdict.CORRECT, Verdict.PARTIAL, Verdict.INCORRECT)
"""What a person can decide, as the file of overrides says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One verdict to look at, for everybody who wrote the same and heard the same."""

    result: Result
    students: tuple[Student, ...]

    @property
    def stake(self) -> float:
        """Points that another verdict would move for each of the students."""
        return max(self.result.score, self.result.max_score - self.result.score)

    @property
    def weight(self) -> float:
        """Points that are likely wrong, over all of the students."""
        return self.stake * (1 - self.result.confidence) * len(self.students)


def to_review(rows: Sequence[Row]) -> tuple[Case, ...]:
    """Every flagged verdict, the one with the most points likely wrong first.

    What the grader itself failed at is no verdict and not among them.
    """
    held: dict[tuple[object, ...], list[tuple[Student, Result]]] = defaultdict(list)
    for student, result in _flagged(rows):
        held[_sameness(student, result)].append((student, result))
    cases = [
        Case(result=same[0][1], students=tuple(student for student, _ in same))
        for same in held.values()
    ]
    return tuple(sorted(cases, key=lambda case: (-case.weight, -case.stake)))


def override(case: Case, student: Student, verdict: Verdict, by: str, comment: str) -> str:
    """One line for the file of overrides, which gives the student this verdict.

    It repeats what the student wrote, so that a changed text is looked at again.
    """
    text = clean("\n".join(quote.quote for quote in case.result.evidence))
    entry = {
        "submission": student.key,
        "criterion": case.result.id,
        "verdict": verdict.value,
        "comment": comment,
        "by": by,
    } | ({"text": text} if words(text) and len(text) <= _LONGEST else {})
    # JSON is YAML; no character of the text can end the line or the value.
    return "- " + json.dumps(entry, ensure_ascii=False)


def _flagged(rows: Sequence[Row]) -> Iterator[tuple[Student, Result]]:
    for row in in_order(rows):
        for result in row.report.criteria if row.report else ():
            if result.needs_review and result.verdict is not Verdict.ERROR:
                yield row.student, result


def _sameness(student: Student, result: Result) -> tuple[object, ...]:
    quoted = tuple(tuple(words(quote.quote)) for quote in result.evidence)
    # Without a quote nobody can see that two are the same.
    own = quoted if any(quoted) else student.key
    heard = tuple(words(result.feedback.what))
    return (result.id, result.verdict, result.score, heard, own)
