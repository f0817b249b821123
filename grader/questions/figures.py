"""Finds the numbers in an answer, and knows which are about something else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from grader.text import NUMBER_WORDS, words

_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
# The longer ones first: `twenty-one` begins with `twenty`.
_VALUES = {
    **{
        f"{ten}{glue}{unit}": 10 * place + NUMBER_WORDS[unit]
        for place, ten in enumerate(_TENS, start=2)
        for unit in "one two three four five six seven eight nine".split()
        for glue in "- "
    },
    **NUMBER_WORDS,
    **{ten: 10 * place for place, ten in enumerate(_TENS, start=2)},
    "once": 1,
    "twice": 2,
    "pair": 2,
    "couple": 2,
    "trio": 3,
    "thrice": 3,
}
_NUMERAL = rf"(?:\d{{1,4}}|{'|'.join(_VALUES)})"
_PLUS = r"(?:\+|\bplus\b)"
_FIGURE = re.compile(
    rf"(?<![A-Z0-9_.%])(?:x\s?(?=\d))?({_NUMERAL})(?:x(?!\w)|(?![A-Z0-9_]|\.\d|\s?%))",
    re.IGNORECASE,
)
_SUM = re.compile(
    rf"(?<![\w.])({_NUMERAL}(?:\s*{_PLUS}\s*{_NUMERAL})+)(?!\w)(?:\s*=\s*({_NUMERAL})(?!\w))?",
    re.IGNORECASE,
)
_PRODUCT = re.compile(
    rf"(?<![\w.]){_NUMERAL}(?:\s*(?:[x×*]|times)\s*{_NUMERAL})+(?!\w)(?:\s*=\s*({_NUMERAL})(?!\w))?"
    rf"|(?<![\w.]){_NUMERAL}\s*[/÷]\s*{_NUMERAL}\s*=\s*({_NUMERAL})(?!\w)",
    re.IGNORECASE,
)
_STRUCK = re.compile(r"~~[^~\n]{1,200}~~|<(s|del|strike)>[^<\n]{0,200}</\1>", re.IGNORECASE)
_GIVEN = re.compile(r"([A-Za-z_]\w*)\s*=\s*\Z")
_LABEL = re.compile(
    r"\b(?:lines?|tasks?|steps?|questions?|versions?|python|q)\W{0,3}\Z", re.IGNORECASE
)
_LINK = r"\s*(?:,\s*and\b|,|/|&|-|–|\band\b|\bto\b|\bthrough\b)\s*"
_RANGE = re.compile(r"-|–|\bto\b|\bthrough\b", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:not|isn't|aren't|isnt|never|instead of|rather than|more than|less than|fewer than)"
    r"\s+(?:\w+\s+)?\Z",
    re.IGNORECASE,
)
_HEDGED = re.compile(r"\b(?:at least|at most|up to|minimum|maximum)(?: of)?\s+\Z", re.IGNORECASE)
_WORD = re.compile(r"\W{0,3}([^\W\d_]+)")
_REACH = 100
"""Characters before a figure that may belong to it."""
_PASSING = frozenset({"of", "per", "for", "in", "by", "each", "every", "and", "or", "to", "the"})
_NO_SLIP = frozenset(
    "there the then than for your our too on fine live nice site sit fix mix tent seen given "
    "even or own done gone bone".split()
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in an answer and where it stands."""

    value: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Named:
    """Numbers that are part of names, such as `process 1, 2 and 3`, and where they stand."""

    values: frozenset[int]
    start: int
    end: int


def without_struck(answer: str) -> str:
    """The answer without what the student struck out."""
    return _STRUCK.sub(" ", answer)


def worked_out(text: str) -> str:
    """Sums replaced by what they come to, products and quotients by the result given with them."""
    text = _SUM.sub(lambda m: f" {m[2] or _total(m[1])} ", text)
    return _PRODUCT.sub(lambda m: f" {m[1] or m[2] or ''} ", text)


def figures(text: str) -> list[Figure]:
    """The numbers in a text, those that only label, deny or compare left out."""
    found: list[Figure] = []
    labels: list[Figure] = []
    for figure in _without_row_numbers(text, list(_all(text))):
        chained = labels and re.fullmatch(_LINK, text[labels[-1].end : figure.start], re.IGNORECASE)
        if chained or _before(_LABEL, text, figure):
            labels.append(figure)
        elif not _before(_DENIED, text, figure):
            found.append(figure)
    return found


def about(text: str, figure: Figure, things: Collection[str]) -> bool:
    """Whether a figure counts one of the things, or is given to it: `3 seconds`, `seconds = 3`."""
    given = _before(_GIVEN, text, figure)
    if given is not None and set(words(given[1])) & set(things):
        return True
    first = _WORD.match(text, figure.end)
    if first is None or first[1].casefold() in _PASSING:
        return False
    second = _WORD.match(text, first.end())
    return any(w is not None and w[1].casefold() in things for w in (first, second))


def hedged(text: str, figure: Figure) -> bool:
    """Whether the figure is only a bound: `at least 3`."""
    return _before(_HEDGED, text, figure) is not None


def _before(pattern: re.Pattern[str], text: str, figure: Figure) -> re.Match[str] | None:
    """What the pattern finds right before a figure."""
    return pattern.search(text, max(0, figure.start - _REACH), figure.start)


def named(text: str, names: Collection[str]) -> list[Named]:
    """The numbers in names: `p1`, `process_two`, `process 1, 2 and 3`, `P1 - P3`."""
    if not names:
        return []
    forms = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    name = rf"(?<![^\W_])(?:{forms})[\s_#]{{0,2}}"
    chain = rf"{name}{_NUMERAL}(?![^\W_])(?:{_LINK}(?:{name})?{_NUMERAL}(?![^\W_]))*"
    numeral = rf"(?<![^\W\d_])(?:{forms})?[\s_#]*({_NUMERAL})(?![^\W_])"
    return [
        Named(_values(match[0], numeral), match.start(), match.end())
        for match in re.finditer(chain, text, re.IGNORECASE)
    ]


def misspelt(text: str) -> int | None:
    """The number that a very short answer is a slip of: `thre`, `tow`, `sevn`."""
    from rapidfuzz.distance import OSA

    said = words(text)
    near = {
        value
        for word in said
        for number, value in NUMBER_WORDS.items()
        if word not in _NO_SLIP
        and min(len(word), len(number)) > 2
        and OSA.distance(word, number) == 1
    }
    return near.pop() if len(said) < 7 and len(near) == 1 else None


def _values(chain: str, numeral: str) -> frozenset[int]:
    found = [_value(match[1]) for match in re.finditer(numeral, chain, re.IGNORECASE)]
    if len(found) == 2 and _RANGE.search(chain):
        found = list(range(found[0], min(found[1], 100) + 1))
    return frozenset(found)


def _all(text: str) -> Iterator[Figure]:
    for match in _FIGURE.finditer(text):
        yield Figure(_value(match[1]), match.start(), match.end())


def _value(word: str) -> int:
    word = word.casefold()
    return _VALUES[word] if word in _VALUES else int(word)


def _total(expression: str) -> int:
    return sum(_value(part.strip()) for part in re.split(_PLUS, expression))


def _without_row_numbers(text: str, found: list[Figure]) -> list[Figure]:
    """Without the 1, 2, 3 … that begin successive lines: they number a list or a table."""
    leading = [
        f for f in found if not text[text.rfind("\n", 0, f.start) + 1 : f.start].strip(" |-")
    ]
    counted = [f.value for f in leading] == list(range(1, len(leading) + 1))
    if not counted or len(leading) < 3:
        return found
    numbers = set(leading)
    return [figure for figure in found if figure not in numbers]
