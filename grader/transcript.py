"""Terminal text -> runs: what a program's output says of its inserts and its lock errors.

The text went through a terminal, an editor and a beginner's hands, so it is first made plain
(escape sequences, quoting marks, runs of spaces), and any phrase looked for may be broken by
a line's end anywhere, as terminals do. How runs are told apart is written at `_Run`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from grader.model import Insert, Transcript, TranscriptRun

if TYPE_CHECKING:
    from grader.rubric import OutputSpec

# Escape sequences, also colours whose escape character was lost or spelt out on the way.
_ESCAPES = re.compile(
    r"\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]"
    r"|(?:\^\[|[\u241b\u2190])?\[\d{1,3}(?:;\d{1,3}){0,7}m"
)
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_MARKS = re.compile(r"(?:(?:>|\||(?:[-*+\u2022]|\d{1,3}[.)])(?=\s|\Z))\s?)+")
_FENCE = re.compile(r"(?:`{3,}|~{3,})\s?\w*\Z")
# A space beside a name counts, as it is what ends the name: `Lu the` is not in `Luther`.
_TOKEN = re.compile(r"\{process\}|\{name\}|(?<=\})\s+|\s+(?=\{)|\S")
_WORD, _WORDS = r"\w{1,40}", r"[^\s.,;:!?].{0,39}?"
_LINE_OF = re.compile(r"\s?[\"']?\s?(?:,\s?l\s?i\s?n\s?e|:)\s?\d", re.IGNORECASE)
_FILE = re.compile(r"F\s?i\s?l\s?e\s?\"[^\"]*\Z")
_WORDED = re.compile(r"[^\W_]")
_HALF = re.compile(r"(\w+)\n\Z")
_LONGEST_PATH = 400


def parse_transcript(text: str, output: OutputSpec, is_own: Callable[[str], bool]) -> Transcript:
    """Reads a terminal text into its runs.

    `is_own` is asked about lines without terminal codes, quoting and list marks; what it owns
    up to is the assignment's text and never counts as output.
    """
    page, is_own = _Page(text), lru_cache(maxsize=None)(is_own)
    marks = sorted(_marks(page, output, is_own), key=lambda mark: mark.start)
    runs = tuple(run.as_fact(page) for run in _runs(marks) if run.processes or run.locks)
    silent = (TranscriptRun(inserts=(), lock_errors=()),) if page.lines else ()
    foreign = any(_WORDED.search(line) and not is_own(line) for line in page.lines)
    given = not foreign and any(map(_WORDED.search, page.lines))
    return Transcript(runs=runs or silent, placeholder=given)


class _Page:
    """The lines that are not blank, and all of them as one text with single spaces."""

    def __init__(self, text: str) -> None:
        kept = tuple(_plain_lines(text))
        self.lines = tuple(line for _, line in kept)
        self.numbers = tuple(number for number, _ in kept)
        self.text = "\n".join(self.lines)
        self._ends = [found.start() for found in re.finditer("\n", self.text)]

    def index(self, place: int) -> int:
        """Which of the lines the character at `place` stands on."""
        return bisect_right(self._ends, place - 1)

    def number(self, place: int) -> int:
        """The number, from 1, that this line has in the original text."""
        return self.numbers[self.index(place)]


def _plain_lines(text: str) -> Iterator[tuple[int, str]]:
    # "Cursor forward" is how some terminals write spaces.
    shown = _ESCAPES.sub(lambda found: " " if found[0].endswith("C") else "", text)
    typed = _erased(shown) if "\b" in shown else shown
    for number, line in enumerate(typed.split("\n"), start=1):
        words = " ".join(_INVISIBLE.sub("", line).split())
        marks = _MARKS.match(words)
        bare = _FENCE.sub("", words[marks.end() :] if marks else words)
        if bare:
            yield number, bare


def _erased(text: str) -> str:
    """The text after its backspaces took effect."""
    kept: list[str] = []
    for character in text:
        if character != "\b":
            kept.append(character)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """A phrase of the program's output, and what it says if it announces an insert."""

    kind: Literal["start", "insert", "lock", "end"]
    start: int
    end: int
    form: int = 0
    process: str = ""
    name: str = ""


@lru_cache(maxsize=1024)
def _key(name: str) -> str:
    """What makes two spellings the same name."""
    return "".join(name.split()).casefold()


def _marks(page: _Page, output: OutputSpec, is_own: Callable[[str], bool]) -> Iterator[_Mark]:
    found = (*_starts_ends_locks(page.text, output), *_inserts(page, output.inserts))
    return (mark for mark in found if not _owned(mark, page, is_own))


def _starts_ends_locks(text: str, output: OutputSpec) -> Iterator[_Mark]:
    for match in _phrases(output.starts, r"(?<!\w)", r"(?!\w)").finditer(text):
        if not _names_code(text, match):
            yield _Mark(kind="start", start=match.start(), end=match.end())
    # At a line's end it may be the first half of a longer word, `success` of `successfully`.
    for match in _phrases(output.ends, r"(?<!\w)", r"(?!\n?\w)").finditer(text):
        yield _Mark(kind="end", start=match.start(), end=match.end())
    for match in _phrases((output.lock_error,)).finditer(text):
        yield _Mark(kind="lock", start=match.start(), end=match.end())


@lru_cache(maxsize=64)
def _phrases(phrases: tuple[str, ...], before: str = "", after: str = "") -> re.Pattern[str]:
    """A pattern for any of the phrases between the given conditions."""
    either = "|".join(_broken(re.findall(r"\S", phrase)) for phrase in phrases if phrase.strip())
    return re.compile(f"{before}(?:{either}){after}" if either else "(?!)", re.IGNORECASE)


def _broken(characters: Iterable[str]) -> str:
    """A pattern for characters that a line's end may stand between anywhere."""
    return r"\s?".join(re.escape(character) for character in characters)


@lru_cache(maxsize=64)
def _template(template: str) -> re.Pattern[str]:
    """A pattern for an announcement; names are short, so that no text makes it slow."""
    tokens = _TOKEN.findall(template.strip())
    parts = []
    for place, token in enumerate(tokens):
        if token in ("{process}", "{name}"):
            group = "?:" if token in tokens[:place] else f"?P<{token[1:-1]}>"
            at_edge = place in (0, len(tokens) - 1)
            parts.append(f"({group}{_WORD if at_edge else _WORDS})")
        else:
            parts.append(r"\s" if token.isspace() else re.escape(token))
    before = r"\b" if re.match(r"[\w{]", tokens[0]) else ""
    after = r"\b" if re.search(r"[\w}]\Z", tokens[-1]) else ""
    return re.compile(before + r"\s?".join(parts) + after, re.IGNORECASE | re.DOTALL)


def _names_code(text: str, match: re.Match[str]) -> bool:
    """Whether a file's name stands in a traceback or a warning instead of a command."""
    before = text[max(0, match.start() - _LONGEST_PATH) : match.start()]
    return bool(_LINE_OF.match(text, match.end()) or _FILE.search(before))


def _owned(mark: _Mark, page: _Page, is_own: Callable[[str], bool]) -> bool:
    """Whether the assignment's own text says it."""
    lines = page.lines[page.index(mark.start) : page.index(mark.end - 1) + 1]
    # Lines that hold nothing else may be broken output that happens to equal a heading.
    said = page.text[mark.start : mark.end]
    return all(map(is_own, lines)) and _key("".join(lines)) != _key(said)


def _inserts(page: _Page, templates: Sequence[str]) -> Iterator[_Mark]:
    announced = [
        mark for form, template in enumerate(templates) for mark in _said(page.text, form, template)
    ]
    announced.sort(key=lambda mark: mark.start)
    # One that reaches into the next was cut short: its end is really the next one's.
    limits = (*(mark.start for mark in announced), len(page.text))[1:]
    whole = [mark for mark, limit in zip(announced, limits, strict=True) if mark.end <= limit]
    return _with_whole_names(whole, page)


def _said(text: str, form: int, template: str) -> Iterator[_Mark]:
    pattern, match = _template(template), None
    while match := pattern.search(text, match.start() + 1 if match else 0):
        names = {key: said.replace("\n", "") for key, said in match.groupdict().items()}
        yield _Mark(kind="insert", start=match.start(), end=match.end(), form=form, **names)


def _with_whole_names(marks: Sequence[_Mark], page: _Page) -> Iterator[_Mark]:
    """Mends processes' names that a line's end broke, and spells each as it was first spelt."""
    halves = [_HALF.search(page.text, max(0, mark.start - 41), mark.start) for mark in marks]
    intact = [mark.process for mark, half in zip(marks, halves, strict=True) if not half]
    spelt = {_key(name): name for name in reversed(intact)}
    for mark, half in zip(marks, halves, strict=True):
        whole = spelt.get(_key(half[1] + mark.process)) if half else None
        name = whole or spelt.setdefault(_key(mark.process), mark.process)
        yield mark if name == mark.process else replace(mark, process=name)


class _Told:
    """What one process announced in one run."""

    def __init__(self) -> None:
        self.by_form: dict[int, list[_Mark]] = {}
        self.distinct: dict[str, _Mark] = {}
        self.times: Counter[tuple[int, str]] = Counter()

    def add(self, mark: _Mark) -> None:
        record = _key(mark.name)
        self.by_form.setdefault(mark.form, []).append(mark)
        self.distinct.setdefault(record, mark)
        self.times[mark.form, record] += 1

    @property
    def inserts(self) -> Collection[_Mark]:
        """Each insert once; one name counts twice only if a single form says so."""
        fullest = max(self.by_form.values(), key=len, default=[])
        return fullest if len(fullest) > len(self.distinct) else self.distinct.values()


class _Run:
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
        self.locks: list[_Mark] = []
        self._ended = False
        self._last: _Mark | None = None
        self._by_form: Counter[int] = Counter()
        self._largest = 0
        self._with_one = 0

    def is_over_before(self, mark: _Mark) -> bool:
        """Whether the mark belongs to the next run."""
        if mark.kind == "insert":
            told = self.processes.get(_key(mark.process))
            return self._has_no_place_for(mark, told) if told else self._ended
        if mark.kind == "lock":
            return self._ended and len(set(self._by_form.values())) == 1
        return mark.kind == "start" and bool(self.processes or self.locks)

    def _has_no_place_for(self, mark: _Mark, told: _Told) -> bool:
        record = _key(mark.name)
        times = told.times[mark.form, record]
        if any(told.times[form, record] > times for form in told.by_form):
            return False
        if self._ended:
            return record in told.distinct or len(told.inserts) == self._largest
        if not times:
            return False
        latest = told.by_form[mark.form][-1]
        complete = not self._with_one
        return _key(latest.name) != record or (complete and latest is not self._last)

    def add(self, mark: _Mark) -> None:
        if mark.kind == "insert":
            self._last = mark
            self._by_form[mark.form] += 1
            told = self.processes.setdefault(_key(mark.process), _Told())
            before = len(told.inserts)
            told.add(mark)
            size = len(told.inserts)
            self._with_one += (size == 1) - (before == 1)
            self._largest = max(self._largest, size)
        elif mark.kind == "lock":
            self.locks.append(mark)
        elif mark.kind == "end":
            self._ended = True

    def as_fact(self, page: _Page) -> TranscriptRun:
        marks = [mark for told in self.processes.values() for mark in told.inserts]
        inserts = tuple(
            Insert(line=page.number(mark.start), process=mark.process, record=mark.name)
            for mark in sorted(marks, key=lambda mark: mark.start)
        )
        locks = tuple(page.number(mark.start) for mark in self.locks)
        return TranscriptRun(inserts=inserts, lock_errors=locks)


def _runs(marks: Iterable[_Mark]) -> list[_Run]:
    runs = [_Run()]
    for mark in marks:
        if runs[-1].is_over_before(mark):
            runs.append(_Run())
        runs[-1].add(mark)
    return runs
