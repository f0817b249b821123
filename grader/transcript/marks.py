"""Finds in a plain page the phrases that a program's output is made of.

Any phrase may be broken by a line's end anywhere, as terminals do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from grader.transcript.page import Page

if TYPE_CHECKING:
    from grader.rubric import OutputSpec

# A space beside a name counts, as it is what ends the name: `Lu the` is not in `Luther`.
_TOKEN = re.compile(r"\{process\}|\{name\}|(?<=\})\s+|\s+(?=\{)|\S")
_WORD, _WORDS = r"\w{1,40}", r"[^\s.,;:!?].{0,39}?"
_LINE_OF = re.compile(r"\s?[\"']?\s?(?:,\s?l\s?i\s?n\s?e|:)\s?\d", re.IGNORECASE)
_FILE = re.compile(r"F\s?i\s?l\s?e\s?\"[^\"]*\Z")
_HALF = re.compile(r"(\w+)\n\Z")
_LONGEST_PATH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A phrase of the program's output, and what it says if it announces an insert."""

    kind: Literal["start", "insert", "lock", "end"]
    start: int
    end: int
    form: int = 0
    process: str = ""
    name: str = ""


@lru_cache(maxsize=1024)
def spelling(name: str) -> str:
    """What makes two spellings the same name."""
    return "".join(name.split()).casefold()


def find_marks(page: Page, output: OutputSpec, is_own: Callable[[str], bool]) -> Iterator[Mark]:
    """Finds every phrase but those in lines that `is_own` takes for the assignment's."""
    found = (*_starts_ends_locks(page.text, output), *_inserts(page, output.inserts))
    return (mark for mark in found if not _owned(mark, page, is_own))


def _starts_ends_locks(text: str, output: OutputSpec) -> Iterator[Mark]:
    for match in _phrases(output.starts, r"(?<!\w)", r"(?!\w)").finditer(text):
        if not _names_code(text, match):
            yield Mark(kind="start", start=match.start(), end=match.end())
    # At a line's end it may be the first half of a longer word, `success` of `successfully`.
    for match in _phrases(output.ends, r"(?<!\w)", r"(?!\n?\w)").finditer(text):
        yield Mark(kind="end", start=match.start(), end=match.end())
    for match in _phrases((output.lock_error,)).finditer(text):
        yield Mark(kind="lock", start=match.start(), end=match.end())


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


def _owned(mark: Mark, page: Page, is_own: Callable[[str], bool]) -> bool:
    """Whether the assignment's own text says it."""
    lines = page.lines[page.index(mark.start) : page.index(mark.end - 1) + 1]
    # Lines that hold nothing else may be broken output that happens to equal a heading.
    said = page.text[mark.start : mark.end]
    return all(map(is_own, lines)) and spelling("".join(lines)) != spelling(said)


def _inserts(page: Page, templates: Sequence[str]) -> Iterator[Mark]:
    announced = [
        mark for form, template in enumerate(templates) for mark in _said(page.text, form, template)
    ]
    announced.sort(key=lambda mark: mark.start)
    # One that reaches into the next was cut short: its end is really the next one's.
    limits = (*(mark.start for mark in announced), len(page.text))[1:]
    whole = [mark for mark, limit in zip(announced, limits, strict=True) if mark.end <= limit]
    return _with_whole_names(whole, page)


def _said(text: str, form: int, template: str) -> Iterator[Mark]:
    pattern, match = _template(template), None
    while match := pattern.search(text, match.start() + 1 if match else 0):
        names = {key: said.replace("\n", "") for key, said in match.groupdict().items()}
        yield Mark(kind="insert", start=match.start(), end=match.end(), form=form, **names)


def _with_whole_names(marks: Sequence[Mark], page: Page) -> Iterator[Mark]:
    """Mends processes' names that a line's end broke, and spells each as it was first spelt."""
    halves = [_HALF.search(page.text, max(0, mark.start - 41), mark.start) for mark in marks]
    intact = [mark.process for mark, half in zip(marks, halves, strict=True) if not half]
    spelt = {spelling(name): name for name in reversed(intact)}
    for mark, half in zip(marks, halves, strict=True):
        whole = spelt.get(spelling(half[1] + mark.process)) if half else None
        name = whole or spelt.setdefault(spelling(mark.process), mark.process)
        yield mark if name == mark.process else replace(mark, process=name)
