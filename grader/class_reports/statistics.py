"""How a class did: scores, criteria and the mistakes that many made."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.class_reports.cells import in_order
from grader.model import Quote, Report, Result, Row, Verdict
from grader.reports import wording
from grader.reports.inert import one_line
from grader.text import words

_JUDGED = (Verdict.CORRECT, Verdict.PARTIAL, Verdict.INCORRECT, Verdict.MISSING)
_MISTAKEN = (Verdict.PARTIAL, Verdict.INCORRECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A class in a few figures; those of scores are over the students who were graded."""

    students: int
    graded: int
    failed: int
    flagged: int
    """Students with a verdict that a person should look at."""
    mean: float | None
    median: float | None
    max_score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """How many scores are at least `low` and below `high`; the last bin holds `high` too."""

    low: float
    high: float
    students: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """How the class did on one criterion."""

    id: str
    title: str
    max_score: float
    verdicts: Mapping[Verdict, int]
    share: float | None
    """Points earned of those that could be, from 0 to 1; None where nothing was judged."""
    flagged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What one student wrote."""

    student: str
    quote: Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that several students heard for the same criterion."""

    id: str
    title: str
    verdict: Verdict
    what: str
    students: tuple[str, ...]
    lost: float
    """Points that all of them lost together."""
    examples: tuple[Example, ...]
    """Different quotes, the most frequent first."""


def summary(rows: Sequence[Row]) -> Summary:
    """The class in a few figures."""
    reports = _reports(rows)
    scores = [report.score for report in reports]
    return Summary(
        students=len(rows),
        graded=len(reports),
        failed=len(rows) - len(reports),
        flagged=sum(report.needs_review for report in reports),
        mean=statistics.fmean(scores) if scores else None,
        median=statistics.median(scores) if scores else None,
        max_score=max((report.max_score for report in reports), default=0.0),
    )


def distribution(rows: Sequence[Row], bins: int = 10) -> tuple[Bin, ...]:
    """The scores in bins of equal width from 0 to the most that anyone could reach."""
    most = summary(rows).max_score
    held: dict[int, list[str]] = defaultdict(list)
    for row in in_order(rows):
        if row.report and most:
            place = int(row.report.score / most * bins + 1e-9)
            held[min(max(place, 0), bins - 1)].append(row.student.key)
    return tuple(
        Bin(low=most * n / bins, high=most * (n + 1) / bins, students=tuple(held[n]))
        for n in range(bins if most else 0)
    )


def success(rows: Sequence[Row]) -> tuple[Success, ...]:
    """Every criterion in the rubric's order."""
    held: dict[str, list[Result]] = defaultdict(list)
    for report in _reports(rows):
        for result in report.criteria:
            held[result.id].append(result)
    return tuple(_success(results) for results in held.values())


def _success(results: Sequence[Result]) -> Success:
    judged = [result for result in results if result.verdict in _JUDGED]
    reachable = sum(result.max_score for result in judged)
    counted = Counter(result.verdict for result in results)
    return Success(
        id=results[0].id,
        title=results[0].title,
        max_score=results[0].max_score,
        verdicts={verdict: counted[verdict] for verdict in Verdict},
        share=sum(result.score for result in judged) / reachable if reachable else None,
        flagged=sum(result.needs_review for result in results),
    )


def mistakes(rows: Sequence[Row], most: int = 12, examples: int = 3) -> tuple[Mistake, ...]:
    """What at least two students heard who lost points by what they wrote, the usual first."""
    held: dict[tuple[str, Verdict, str], list[tuple[str, Result]]] = defaultdict(list)
    for student, result in _lost(rows):
        held[result.id, result.verdict, one_line(result.feedback.what)].append((student, result))
    found = [_mistake(told, examples) for told in held.values() if len(told) > 1]
    # The order of `held` is that of students and criteria: the sort keeps it among equals.
    return tuple(sorted(found, key=lambda each: (-len(each.students), -each.lost))[:most])


def _lost(rows: Sequence[Row]) -> Iterator[tuple[str, Result]]:
    for row in in_order(rows):
        for result in row.report.criteria if row.report else ():
            if result.verdict in _MISTAKEN and wording.lost(result) > 0:
                yield row.student.key, result


def _mistake(told: Sequence[tuple[str, Result]], examples: int) -> Mistake:
    first = told[0][1]
    said: dict[tuple[str, ...], list[Example]] = defaultdict(list)
    for student, result in told:
        for quote in result.evidence[:1]:
            said[tuple(words(quote.quote))].append(Example(student=student, quote=quote))
    frequent = sorted(said.values(), key=len, reverse=True)
    return Mistake(
        id=first.id,
        title=first.title,
        verdict=first.verdict,
        what=one_line(first.feedback.what),
        students=tuple(student for student, _ in told),
        lost=sum(wording.lost(result) for _, result in told),
        examples=tuple(same[0] for same in frequent[:examples]),
    )


def _reports(rows: Sequence[Row]) -> list[Report]:
    return [row.report for row in in_order(rows) if row.report]
