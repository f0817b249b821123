"""Tells lines that say something from those that only hold a place."""

from __future__ import annotations

import re

from grader.text import plain, words

Said = tuple[int, str]
"""(line number, text)"""

_EMPTY = frozenset("a ans answer answers answered your my here is q question response".split())
_LATER = frozenset(
    """add and answer answers back come complete do fill finish here i in it later me my need
    pending question soon still tbd the this to todo will write""".split()
)
_LATER_SAID = ("todo", "tbd", "fixme")
_ANSWER_MARK = re.compile(
    r"^[\s>*_#-]{0,20}(?:(?:answer|ans)\s{0,2}#?\d{0,2}|a\s?#?\d{1,2}|a(?=\s*:))"
    r"[\s*_]{0,5}[:.)-]+[*_]{0,3}(?=\s|$)\s*",
    re.IGNORECASE,
)


def says(text: str) -> bool:
    """Whether a line says or shows anything: no label alone, no `TODO`."""
    said = words(without_mark(plain(text)))
    if said and said[0] in _LATER_SAID:
        return not set(said[1:]) <= _LATER
    return not set(said) <= _EMPTY or shows(text)


def shows(text: str) -> bool:
    """Whether a line holds a picture."""
    return "![" in text or "<img" in text.lower()


def without_mark(text: str) -> str:
    """A line without a label before the answer: `Answer:`, `A3.`."""
    return _ANSWER_MARK.sub("", text)
