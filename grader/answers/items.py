"""Takes apart lists, tables and texts that answer several questions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.answers.saying import Said, says
from grader.lexicon import stems
from grader.questions import Question
from grader.readme_lines import Line
from grader.text import words

_MARK = r"[\s>*_|#]{0,20}(?:[-+•]\s{1,4})?[*_]{0,3}"
NUMBERED = re.compile(
    _MARK
    + r"(?:(?:question|answer|ans|q|a|no|nr)\.?\s?)?\(?#?(\d{1,2})[*_]{0,3}"
    + r"(?:\\?[.):,、．][*_]{0,3}|\s{0,9}\||\s?[-–—]\s|\ufe0f?\u20e3|$)[*_]{0,3}\s*(.*)",
    re.IGNORECASE,
)
_LETTERED = re.compile(_MARK + r"\(?([a-z])[.):][*_]{0,3}\s+(.*)", re.IGNORECASE)
_BULLET = re.compile(r"[\s>]{0,20}(?:[-+*•●▪–—]\s+|<li>\s{0,9})(.*)", re.IGNORECASE)

Items = dict[int, list[Said]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Answers by the number of their question, from 1."""

    items: Items
    doubt: str | None = None
    numbered: bool = False


# ---------------------------------------------------------------- by number or letter


def by_number(lines: Sequence[Line], count: int, *, titled: bool, near: bool) -> Listed | None:
    """The items of a list or table that are numbered, or lettered, as the questions are.

    `titled` says that they are answers; `near`, that they follow right after the questions.
    """
    for pattern in (NUMBERED, _LETTERED):
        entries = list(_entries(lines, pattern))
        items = _items(lines, entries, count)
        if len(items) == count:
            return Listed(items=items, numbered=True)
        if pattern is not NUMBERED or not (titled or near) or len(items) < 2:
            continue
        # 1, 2, 3 without 4 may just as well be a list that answers the last question.
        if titled or list(items) != list(range(1, len(items) + 1)):
            return Listed(items=items, numbered=True)
        if 2 * len(items) >= count:
            return Listed(items=items, doubt="found by its number alone", numbered=True)
    return None


@dataclass(frozen=True, slots=True)
class _Entry:
    number: int
    line: Line
    text: str


def _entries(lines: Sequence[Line], pattern: re.Pattern[str]) -> Iterator[_Entry]:
    for line in lines:
        match = pattern.match(line.raw)
        if match:
            sign = match[1].lower()
            yield _Entry(int(sign) if sign.isdigit() else ord(sign) - 96, line, match[2])


def _items(lines: Sequence[Line], entries: list[_Entry], count: int) -> Items:
    """Number -> the lines of its item, for numbers that rise, or that all are one."""
    outer = [e for e in entries if e.line.indent <= entries[0].line.indent + 1]
    if len(outer) == count and len({e.number for e in outer}) == 1:
        starts = {entry.line.number: (place, entry) for place, entry in enumerate(outer, start=1)}
        return _filled(lines, starts)
    starts = {}
    reached = 0
    for entry in outer:
        if reached < entry.number <= count:
            starts[entry.line.number] = (entry.number, entry)
            reached = entry.number
    return _filled(lines, starts)


def _filled(lines: Sequence[Line], starts: Mapping[int, tuple[int, _Entry]]) -> Items:
    items: Items = {}
    number = 0
    for line in lines:
        if line.number in starts:
            number, entry = starts[line.number]
            items[number] = [(line.number, entry.text.strip())] if says(entry.text) else []
        elif number and says(line.raw) and words(line.text):
            items[number].append((line.number, line.raw.rstrip()))
    return {number: said for number, said in items.items() if said}


# ---------------------------------------------------------------- by place, or all in one


def by_place(lines: Sequence[Line], count: int) -> Listed | None:
    """As many bullets, paragraphs or lines as there are questions."""
    spoken = [line for line in lines if words(line.text)]
    bullets = [line for line in spoken if _BULLET.match(line.raw)]
    for parts in (bullets, _paragraphs(lines), spoken):
        if len(parts) == count:
            starts = {line.number: place for place, line in enumerate(parts, start=1)}
            items: Items = {}
            for line in spoken:
                place = starts.get(line.number, max(items, default=0))
                if place:
                    items.setdefault(place, []).append((line.number, line.raw.rstrip()))
            return Listed(items=items, doubt="found by its place alone, without a number")
    return None


def _paragraphs(lines: Sequence[Line]) -> list[Line]:
    """The first line of each paragraph."""
    return [
        line
        for before, line in zip((None, *lines), lines, strict=False)
        if words(line.text) and (before is None or not words(before.text))
    ]


def one_text(lines: Sequence[Line], questions: Mapping[str, Question]) -> Listed | None:
    """One text for all questions: it speaks of what at least half of them ask."""
    spoken = [(line.number, line.raw.rstrip()) for line in lines if words(line.text)]
    said = {stem for line in lines for stem in stems(line.text)}
    asked = [{s for ask in question.ask for s in stems(ask)} for question in questions.values()]
    own = [ask.difference(*asked[:n], *asked[n + 1 :]) for n, ask in enumerate(asked)]
    if 2 * sum(not said.isdisjoint(ask) for ask in own) < len(own):
        return None
    items = dict.fromkeys(range(1, len(asked) + 1), spoken)
    return Listed(items=items, doubt="one text stands for all the answers")
