"""Questions answered by a number: how many functions, processes, records."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from grader.lexicon import Lexicon
from grader.model import ScriptFacts, Verdict
from grader.questions.base import Marking, Names, Question
from grader.questions.figures import (
    Figure,
    Named,
    about,
    figures,
    hedged,
    misspelt,
    named,
    without_struck,
    worked_out,
)
from grader.text import plain, words

_OR = r"(?:-|–|/|\bor\b|\bto\b|\bmaybe\b|\bperhaps\b)"
_ALTERNATIVE = re.compile(rf"{_OR}\s*\Z", re.IGNORECASE)
_EITHER = re.compile(rf"[\s,]*(?:{_OR}[\s,]*)+", re.IGNORECASE)
_CLAUSE = re.compile(r"[.,;:()=|\n]")
_EVASIVE = re.compile(
    r"(?:n a|na|idk|none|no|see (?:above|below)|(?:i )?(?:do not|don t|dont) know|unknown|)"
)
_SEVERAL = "the answer holds several numbers"


class NumberQuestion(Question):
    """Right when the answer's number is the expected one, as a digit or a word."""

    type: Literal["number"]
    of: Literal["functions", "processes", "records"] | None = Field(
        default=None, description="Take the expected number from the script."
    )
    value: int | None = Field(
        default=None, description="The expected number, if not from the script."
    )
    nouns: Names = Field(default=(), description="What is counted: `processes` in `3 processes`.")
    others: Names = Field(
        default=(), description="What a number may count that was not asked for: `seconds`."
    )
    names: Names = Field(
        default=(),
        description="Words that a number follows as part of a name: `process` in `process 2`.",
    )
    count_names: bool = Field(
        default=False, description="Whether naming them (`p1, p2, p3`) is as good as their number."
    )
    asked: Names = Field(
        default=(), description="Words that mark the number asked for among others: `each`."
    )
    not_asked: Names = Field(
        default=(), description="Words that mark a number not asked for: `in total`."
    )

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
        values, confidence, doubt = self._values(_prepared(answer))
        beginning = _prepared(answer.strip().split("\n\n", maxsplit=1)[0])
        first, sure, _ = self._values(beginning)
        if first and first != values and figures(beginning):
            # Text may follow that is no answer: a number in the first paragraph decides.
            values, confidence = first, min(sure, 0.6)
            doubt = "other numbers stand further down"
        right = values == [expected]
        return Marking(
            verdict=Verdict.CORRECT if right else Verdict.INCORRECT,
            confidence=confidence,
            what=_said(values),
            actual=", ".join(map(str, values)) or None,
            expected=str(expected),
            doubt=doubt,
        )

    def _expected(self, facts: ScriptFacts) -> int | None:
        if self.of is None:
            return self.value
        fact: int | tuple[str, ...] | None = getattr(facts, self.of)
        return len(fact) or None if isinstance(fact, tuple) else fact

    def _values(self, text: str) -> tuple[list[int], float, str | None]:
        """The different numbers that answer the question, how sure that is, and any doubt."""
        names = named(text, self.names)
        text = _blanked(text, names)
        found = self._narrowed(text, [f for f in figures(text) if not about(text, f, self.others)])
        values = list(dict.fromkeys(figure.value for figure in found))
        if len(values) > 1:
            return self._settled(text, found, values)
        if values:
            doubt = "the number is only a bound" if hedged(text, found[0]) else None
            return values, 0.95 if doubt is None else 0.6, doubt
        return self._without_figures(text, names)

    def _narrowed(self, text: str, found: list[Figure]) -> list[Figure]:
        """Without the `one` of `each one`; only the number asked for, where one is marked so."""
        found = [f for f in found if text[f.start : f.end].lower() != "one"] or found
        totals = _marked(text, self.not_asked, found)
        parts = [f for f in found if f not in totals] or found
        asked = _with_alternatives(text, _marked(text, self.asked, parts), parts)
        return [f for f in parts if f in asked] or parts

    def _settled(
        self, text: str, found: list[Figure], values: list[int]
    ) -> tuple[list[int], float, str | None]:
        """One number out of several: a whole with its parts, or the only one with its noun."""
        gaps = [text[a.end : b.start] for a, b in pairwise(found)]
        bracketed = len(values) == 2 and gaps[0].endswith("(")
        if not bracketed and not any(_ALTERNATIVE.search(gap) for gap in gaps):
            if sum(values[1:]) == values[0]:
                return values[:1], 0.85, None
            counted = [f.value for f in found if about(text, f, self.nouns)]
            if counted and set(counted) == {values[0]}:
                return values[:1], 0.75, None
        return values, 0.5, "the answer holds several numbers"

    def _without_figures(
        self, text: str, names: list[Named]
    ) -> tuple[list[int], float, str | None]:
        if names and self.count_names:
            return [len(frozenset().union(*(name.values for name in names)))], 0.9, None
        slip = misspelt(text)
        if slip is not None:
            return [slip], 0.75, None
        # What is not understood may still be right.
        return [], 0.85 if _EVASIVE.fullmatch(" ".join(words(text))) else 0.6, None


def _prepared(answer: str) -> str:
    """The answer as plain text, without what is struck out, sums worked out."""
    return worked_out("\n".join(plain(line) for line in without_struck(answer).splitlines()))


def _blanked(text: str, names: list[Named]) -> str:
    """The text with numbers in names blanked out, every other place kept."""
    for name in names:
        text = f"{text[: name.start]}{'·' * (name.end - name.start)}{text[name.end :]}"
    return text


def _marked(text: str, marks: Names, found: list[Figure]) -> set[Figure]:
    """The figures that a mark stands nearest to, in the same clause."""
    starts = [figure.start for figure in found]
    breaks = [-1, *(match.start() for match in _CLAUSE.finditer(text)), len(text)]
    marked: set[Figure] = set()
    for mark in marks:
        for match in re.finditer(rf"\b{re.escape(mark)}\b", text, re.IGNORECASE):
            place = match.start()
            after = bisect_right(breaks, place)
            first, last = (bisect_left(starts, breaks[n]) for n in (after - 1, after))
            nearest = bisect_left(starts, place, first, last)
            near = found[max(first, nearest - 1) : min(last, nearest + 1)]
            if near and match.end() <= breaks[after]:
                marked.add(min(near, key=lambda figure: abs(figure.start - place)))
    return marked


def _with_alternatives(text: str, marked: set[Figure], found: list[Figure]) -> set[Figure]:
    """With those that a marked figure is the choice to: `6 or 7 in total` marks neither alone."""
    for one, other in pairwise(found):
        if _EITHER.fullmatch(text[one.end : other.start]) and marked & {one, other}:
            marked |= {one, other}
    return marked


def _said(values: list[int]) -> str:
    if not values:
        return "Your answer holds no number."
    if len(values) > 1:
        return f"Your answer holds several numbers ({', '.join(map(str, values))}); give one."
    return f"Your answer comes down to {values[0]}."
