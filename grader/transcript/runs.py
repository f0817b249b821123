"""Tells the runs in a terminal text apart; how is written at `Run`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from grader.model import Insert, TranscriptRun
from grader.transcript.marks import Mark, spelling
from grader.transcript.page import Page


class _Told:
    """What one process announced in one run."""

    def __init__(self) -> None:
        self.by_form: dict[int, list[Mark]] = {}
        self.distinct: dict[str, Mark] = {}
        self.times: Counter[tuple[int, str]] = Counter()

    def add(self, mark: Mark) -> None:
        record = spelling(mark.name)
        self.by_form.setdefault(mark.form, []).append(mark)
        self.distinct.setdefault(record, mark)
        self.times[mark.form, record] += 1

    @property
    def inserts(self) -> Collection[Mark]:
        """Each insert once; one name counts twice only if a single form says so."""
        fullest = max(self.by_form.values(), key=len, default=[])
        return fullest if len(fullest) > len(self.distinct) else self.distinct.values()


class Run:
    """A run being read, and what opens the next one.

    - A start mark, if this run has an insert or a lock error.
    - An insert after an end mark, unless its process has fewer than others: a straggler.
    - An insert told before in the same form, if its process went on to another record
      meanwhile, or if the run is complete (each process has two inserts or more) and it is
      no mere echo of the insert before. Else the process has two records of the same name.
    - A lock error after an end mark, if every form announced as many inserts as the others.

    An insert that another form told more often, such as one confirming it, never does.
    """

    def __init__(self) -> None:
        self.processes: dict[str, _Told] = {}
        self.locks: list[Mark] = []
        self._ended = False
        self._last: Mark | None = None
        self._by_form: Counter[int] = Counter()
        self._largest = 0
        self._with_one = 0

    def is_over_before(self, mark: Mark) -> bool:
        """Whether the mark belongs to the next run."""
        if mark.kind == "insert":
            told = self.processes.get(spelling(mark.process))
            return self._has_no_place_for(mark, told) if told else self._ended
        if mark.kind == "lock":
            return self._ended and len(set(self._by_form.values())) == 1
        return mark.kind == "start" and bool(self.processes or self.locks)

    def _has_no_place_for(self, mark: Mark, told: _Told) -> bool:
        record = spelling(mark.name)
        times = told.times[mark.form, record]
        if any(told.times[form, record] > times for form in told.by_form):
            return False
        if self._ended:
            return record in told.distinct or len(told.inserts) == self._largest
        if not times:
            return False
        latest = told.by_form[mark.form][-1]
        complete = not self._with_one
        return spelling(latest.name) != record or (complete and latest is not self._last)

    def add(self, mark: Mark) -> None:
        """Takes the next mark into this run."""
        if mark.kind == "insert":
            self._last = mark
            self._by_form[mark.form] += 1
            told = self.processes.setdefault(spelling(mark.process), _Told())
            before = len(told.inserts)
            told.add(mark)
            size = len(told.inserts)
            self._with_one += (size == 1) - (before == 1)
            self._largest = max(self._largest, size)
        elif mark.kind == "lock":
            self.locks.append(mark)
        elif mark.kind == "end":
            self._ended = True

    def as_fact(self, page: Page) -> TranscriptRun:
        """What the run comes to, with line numbers of the original text."""
        marks = [mark for told in self.processes.values() for mark in told.inserts]
        inserts = tuple(
            Insert(line=page.number(mark.start), process=mark.process, record=mark.name)
            for mark in sorted(marks, key=lambda mark: mark.start)
        )
        locks = tuple(page.number(mark.start) for mark in self.locks)
        return TranscriptRun(inserts=inserts, lock_errors=locks)


def split_runs(marks: Iterable[Mark]) -> list[Run]:
    """Reads marks in the order of the text into runs, the first of which may be empty."""
    runs = [Run()]
    for mark in marks:
        if runs[-1].is_over_before(mark):
            runs.append(Run())
        runs[-1].add(mark)
    return runs
