"""Finds the lines that an answer about a place gives: `line 40-42`, `the 40th line`, `.py:40`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.text import NUMBER_WORDS

_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {ten: 10 * place for place, ten in enumerate(_TENS, start=2)} | NUMBER_WORDS
_SPELLED = rf"(?:(?:{'|'.join(_VALUES)}|hundred)\b(?:\s+and\b)?[\s-]*)+"
_LINE = r"\b(?:lines?|rows?|ln|l)\s{0,3}(?:numbers?|no\.?|nr\.?)?[\s.:#]{0,5}"
_TO = r"(?:\s*(?:-|–|to|and line|through|until|till)\s*(\d{1,5}))?"
_SPELLED_LINE = re.compile(rf"({_LINE})({_SPELLED})(?![\w.])", re.IGNORECASE)
_NUMBERED = re.compile(rf"(?:{_LINE}|#|\.py\s*:\s*)(\d{{1,5}}){_TO}", re.IGNORECASE)
_NTH = re.compile(r"(\d{1,5})\s*(?:st|nd|rd|th)\s+(?:lines?|rows?)()", re.IGNORECASE)
_FIRST = re.compile(
    r"\b(?:first|1st)\s+line\b(?![^.,;\n]{0,30}\b(?:after|below|under|past|outside|in|within|of"
    r"(?!\s+(?:the\s+|my\s+|your\s+)?(?:\w+\s+)?(?:file|script|code|program)))\b)",
    re.IGNORECASE,
)
_MORE = re.compile(r"(?:,|&|/|\band\b|\bor\b)\s*(\d{1,5})(?!\w)()", re.IGNORECASE)
_BARE = re.compile(
    rf"(?<![\w.=-])(\d{{2,5}})(?![\w.]\d|\s*(?:s\b|sec|%|lines)){_TO}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Lines:
    """One line, or a range of lines."""

    first: int
    last: int


def line_numbers(text: str) -> list[Lines]:
    """The lines that a text gives, in no order.

    A number without the word `line` counts where it is the only one that can be a line,
    and not part of quoted code.
    """
    text = _SPELLED_LINE.sub(lambda m: f"{m[1]}{_value(m[2])} ", text)
    found = [*_NUMBERED.finditer(text), *_NTH.finditer(text)]
    for match in list(found):
        more = _MORE.match(text, match.end())
        while more:
            found.append(more)
            more = _MORE.match(text, more.end())
    if not found and "=" not in text:
        bare = list(_BARE.finditer(text))
        found = bare if len(bare) == 1 else []
    lines = [Lines(int(m[1]), int(m[2] or m[1])) for m in found]
    return lines or ([Lines(1, 1)] if _FIRST.search(text) else [])


def _value(spelled: str) -> int:
    """`one hundred and forty-two` -> 142."""
    total = 0
    for word in re.findall(r"[a-z]+", spelled.lower()):
        total = max(total, 1) * 100 if word == "hundred" else total + _VALUES.get(word, 0)
    return total
