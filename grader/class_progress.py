"""Shows on stderr how far a class is, and how long the rest will take."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grader.model import Outcome, Row
from grader.reports.inert import one_line

_STEPS = 20
"""Lines that tell of a whole class where there is no terminal."""

Told = Callable[[Row], None]
"""Told of each row as it comes."""


class Tally:
    """How many rows of which kind there are."""

    def __init__(self, students: int) -> None:
        self.students = students
        self._counted: Counter[Outcome] = Counter()
        self._began = time.monotonic()

    def add(self, row: Row) -> None:
        """Counts a row."""
        self._counted[row.outcome] += 1

    @property
    def done(self) -> int:
        """Rows that are there."""
        return self._counted.total()

    def __str__(self) -> str:
        counts = [f"{self._counted[outcome]} {outcome.value}" for outcome in Outcome]
        return f"{', '.join(counts)}, {self.students - self.done} waiting{self._left()}"

    def _left(self) -> str:
        """How long the rest will take if all of it has to be graded."""
        graded = self._counted[Outcome.GRADED]
        if not graded or self.done == self.students:
            return ""
        seconds = (time.monotonic() - self._began) / graded * (self.students - self.done)
        return f", {seconds / 60:.0f} min left" if seconds > 90 else f", {seconds:.0f} s left"


@contextmanager
def class_progress(students: int) -> Iterator[Told]:
    """A bar on a terminal, of which nothing stays but the failures; else a line now and then."""
    tally = Tally(students)
    if not sys.stderr.isatty():
        yield _lines(tally)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(str(tally), total=students)

        def told(row: Row) -> None:
            tally.add(row)
            if row.outcome is Outcome.FAILED:
                bars.console.print(escape(_failure(row)), highlight=False)
            bars.update(task, completed=tally.done, description=str(tally))

        yield told


def _lines(tally: Tally) -> Told:
    step = max(1, tally.students // _STEPS)

    def told(row: Row) -> None:
        tally.add(row)
        if row.outcome is Outcome.FAILED:
            print(_failure(row), file=sys.stderr, flush=True)  # noqa: T201
        if tally.done % step == 0 or tally.done == tally.students:
            print(f"{tally.done} of {tally.students}: {tally}", file=sys.stderr, flush=True)  # noqa: T201

    return told


def _failure(row: Row) -> str:
    return f"{one_line(row.student.key)} could not be graded: {one_line(row.reason or '')}"
