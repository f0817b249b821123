"""Questions answered by a number: how many functions, processes, records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from grader.lexicon import Lexicon
from grader.model import ScriptFacts, Verdict
from grader.questions.base import Marking, Names, Question
from grader.text import NUMBER_WORDS, plain

_FIGURE = re.compile(rf"(?<![\w.])(?:\d{{1,4}}|{'|'.join(NUMBER_WORDS)})(?!\w|\.\d)", re.IGNORECASE)
_PRODUCT = re.compile(r"(?<!\w)\d{1,3}\s*[x×*]\s*\d{1,3}(?!\w)", re.IGNORECASE)
_LINK = re.compile(r"\s*(?:,|/|&|-|–|\band\b|\bto\b|\bthrough\b)+\s*(?:and\s*)?\Z", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\s*(?:-|–|/|\bor\b|\bto\b|,\s*or\b|\bmaybe\b)\s*\Z", re.IGNORECASE)
_CLAUSE = re.compile(r"[.,;:()=\n]|\bso\b", re.IGNORECASE)
_BEFORE = re.compile(r"(\w+)\W*\Z")
_AFTER = re.compile(r"\W*(\w+)")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in an answer and where it stands."""

    value: int
    start: int
    end: int


class NumberQuestion(Question):
    """Right when the answer's number is the expected one, as a digit or a word."""

    type: Literal["number"]
    of: Literal["functions", "processes", "records"] | None = Field(
        default=None, description="Take the expected number from the script."
    )
    value: int | None = Field(
        default=None, description="The expected number, if not from the script."
    )
    names: Names = Field(
        default=(),
        description="Words that a number may follow as part of a name: `process` in `process 2`. "
        "Without any other number, such names are counted.",
    )
    units: Names = Field(
        default=(), description="Words after a number that is about something else: `3 processes`."
    )
    each: Names = Field(
        default=(), description="Words that mark the number asked for, against a total: `each`."
    )
    total: Names = Field(default=(), description="Words that mark a total: `in total`.")

    @model_validator(mode="after")
    def _one_source(self) -> NumberQuestion:
        if (self.of is None) == (self.value is None):
            raise ValueError("give either `of` or `value`")
        return self

    def judge(self, answer: str, facts: ScriptFacts, lexicon: Lexicon) -> Marking | None:  # noqa: ARG002
        """Marks by the one number the answer comes down to."""
        expected = self._expected(facts)
        if expected is None:
            return None
        text = "\n".join(plain(line) for line in answer.splitlines()) or answer
        text = _bare_mark(answer, text)
        values, doubt = self._values(_PRODUCT.sub(lambda m: " " * len(m[0]), text))
        right = values[:1] == [expected] and doubt is None
        return Marking(
            verdict=Verdict.CORRECT if right else Verdict.INCORRECT,
            confidence=_confidence(values, doubt),
            what=_said(values, doubt),
            actual=", ".join(map(str, values)) or None,
            expected=str(expected),
            doubt=doubt,
        )

    def _expected(self, facts: ScriptFacts) -> int | None:
        if self.of is None:
            return self.value
        fact: int | tuple[str, ...] | None = getattr(facts, self.of)
        return len(fact) or None if isinstance(fact, tuple) else fact

    def _values(self, text: str) -> tuple[list[int], str | None]:
        """The different numbers that answer the question, and why they leave a doubt."""
        figures = list(_figures(text))
        named = self._named(text, figures)
        rest = [f for f in figures if f not in named and not self._other_unit(text, f)]
        if len(rest) > 1:
            rest = [f for f in rest if text[f.start : f.end].lower() != "one"] or rest
        asked = self._asked(text, rest)
        values = list(dict.fromkeys(f.value for f in asked))
        if not values and named:
            return [len({f.value for f in named})], None
        return _settle(text, asked, values)

    def _named(self, text: str, figures: list[Figure]) -> list[Figure]:
        """The numbers that are part of a name: `process 1, 2 and 3`."""
        named: list[Figure] = []
        for figure in figures:
            before = _BEFORE.search(text[: figure.start])
            follows = bool(named) and _LINK.match(text[named[-1].end : figure.start]) is not None
            if follows or (before is not None and before[1].casefold() in self.names):
                named.append(figure)
        return named

    def _other_unit(self, text: str, figure: Figure) -> bool:
        after = _AFTER.match(text[figure.end :])
        return after is not None and after[1].casefold() in self.units

    def _asked(self, text: str, figures: list[Figure]) -> list[Figure]:
        """Without the totals; only the number next to an `each`, if there is one."""
        parts = [f for f in figures if not self._near(text, f, self.total, figures)]
        if len(parts) < len(figures) and not parts:
            return figures
        marked = [f for f in parts if self._near(text, f, self.each, parts)]
        return marked or parts

    def _near(self, text: str, figure: Figure, marks: Names, figures: list[Figure]) -> bool:
        """Whether a mark stands in the figure's clause, nearer to it than to another figure."""
        low, high = _clause(text, figure)
        for mark in marks:
            for match in re.finditer(rf"\b{re.escape(mark)}\b", text[low:high], re.IGNORECASE):
                place = low + match.start()
                inside = [f for f in figures if low <= f.start < high]
                if min(inside, key=lambda f: abs(f.start - place)) == figure:
                    return True
        return False


def _figures(text: str) -> Iterator[Figure]:
    for match in _FIGURE.finditer(text):
        word = match[0].casefold()
        value = NUMBER_WORDS[word] if word in NUMBER_WORDS else int(word)
        yield Figure(value, match.start(), match.end())


def _bare_mark(answer: str, text: str) -> str:
    """An answer that is nothing but `7.` looks like a list mark; its number is the answer."""
    bare = re.fullmatch(r"[\s>#*_`-]*(\d{1,4})[.)]?[\s*_`]*", answer)
    return bare[1] if bare else text


def _clause(text: str, figure: Figure) -> tuple[int, int]:
    breaks = list(_CLAUSE.finditer(text))
    low = max((m.end() for m in breaks if m.end() <= figure.start), default=0)
    high = min((m.start() for m in breaks if m.start() >= figure.end), default=len(text))
    return low, high


def _settle(text: str, asked: list[Figure], values: list[int]) -> tuple[list[int], str | None]:
    """One number left, or a leading number with its parts; anything else is a doubt."""
    if len(values) < 2:
        return values, None
    gaps = (text[a.end : b.start] for a, b in pairwise(asked))
    if sum(values[1:]) == values[0] and not any(_ALTERNATIVE.match(gap) for gap in gaps):
        return values[:1], None
    return values, "the answer holds several numbers"


def _confidence(values: list[int], doubt: str | None) -> float:
    if doubt is not None:
        return 0.5
    return 0.95 if values else 0.8


def _said(values: list[int], doubt: str | None) -> str:
    if not values:
        return "Your answer holds no number."
    if doubt is not None:
        return f"Your answer holds several numbers ({', '.join(map(str, values))}); give one."
    return f"Your answer comes down to {values[0]}."
