"""Questions answered by a place in the script: a line number, a quote or a description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from grader.lexicon import Lexicon
from grader.model import ScriptFacts, Verdict
from grader.questions.base import Marking, Names, Question
from grader.text import key, mentions, plain, words

_TO = r"(?:\s*(?:-|–|to|through|until|till)\s*(\d{1,5}))?"
_LINES = re.compile(
    rf"(?:\b(?:lines?|rows?|ln|l)\s*(?:numbers?|no\.?|nr\.?)?[\s.:#]*|#|\.py\s*:\s*)(\d{{1,5}}){_TO}",
    re.IGNORECASE,
)
_NTH = re.compile(r"(\d{1,5})\s*(?:st|nd|rd|th)\s+(?:lines?|rows?)()", re.IGNORECASE)
_MORE = re.compile(r"(?:,|&|/|\band\b|\bor\b)\s*(\d{1,5})(?!\w)()", re.IGNORECASE)
_BARE = re.compile(
    rf"(?<![\w.=-])(?<!= )(\d{{2,5}})(?![\w.]\d|\s*(?:s\b|sec|%|lines)){_TO}", re.IGNORECASE
)
_EITHER = re.compile(r"\b(?:or|either|maybe)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+|\S+\.(?:py|env|json|txt|md)\b", re.IGNORECASE)
_WIDEST = 15
"""Lines that a range may span and still point at a place in it."""
_MOST = 3
"""Lines that an answer may name without naming every possible one."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What an answer says of a place, and why that leaves a doubt."""

    verdict: Verdict
    confidence: float
    what: str
    doubt: str | None = None


class PlaceQuestion(Question):
    """Right when the answer points at the place, by whichever means."""

    type: Literal["place"]
    of: Literal["constant", "main"] = Field(description="The place in the script asked for.")
    tolerance: int = Field(default=5, ge=0, description="Lines that an answer may be off.")
    means: Names = Field(description="Phrases that describe the place.")
    vague: Names = Field(default=(), description="Phrases in the right direction, not exact.")
    wrong: Names = Field(default=(), description="Phrases that describe another place.")

    def judge(self, answer: str, facts: ScriptFacts, lexicon: Lexicon) -> Marking | None:
        """Marks by line first, then by quote and description."""
        line = facts.constant_line if self.of == "constant" else facts.main_line
        if line is None:
            return None
        text = "\n".join(plain(part) for part in answer.splitlines())
        lines = _lines(text) or _lines(answer)
        said = self._decided(text, lines, line, facts, lexicon)
        return Marking(
            verdict=said.verdict,
            confidence=said.confidence,
            what=said.what,
            actual=f"line {', '.join(str(first) for first, _ in lines)}" if lines else None,
            expected=f"line {line}",
            doubt=said.doubt,
        )

    def _decided(
        self,
        text: str,
        lines: list[tuple[int, int]],
        line: int,
        facts: ScriptFacts,
        lexicon: Lexicon,
    ) -> _Said:
        words_only = _ADDRESS.sub(" ", text)
        near = [self._near(span, line) for span in lines]
        described = self._quoted(text, facts) or bool(lexicon.any(self.means, words_only))
        wrong = lexicon.count(self.wrong, words_only)
        if len(near) > _MOST and not all(near):
            what, doubt = "Your answer names many lines.", "many lines are named"
            return _Said(Verdict.INCORRECT, 0.6, what, doubt)
        if any(near) or described:
            outweighed = not any(near) and wrong >= max(1, lexicon.count(self.means, words_only))
            return self._right(text, near, outweighed=outweighed, wrong=wrong > 0)
        if lines:
            return self._wrong_line(lines, line, facts)
        vague = lexicon.any(self.vague, words_only) or self._only_named(text, facts)
        return self._without_line(vague=bool(vague), wrong=wrong > 0, empty=not words(text))

    def _right(self, text: str, near: list[bool], *, outweighed: bool, wrong: bool) -> _Said:
        what = "Your answer points at the place."
        if outweighed:
            doubt = "the answer names the place and another one"
            return _Said(Verdict.PARTIAL, 0.5, "Your answer names more than one place.", doubt)
        if near and not any(near):
            doubt = "the line number does not fit the description"
            return _Said(Verdict.CORRECT, 0.6, what, doubt)
        if wrong or (not all(near) and _EITHER.search(text)):
            return _Said(Verdict.CORRECT, 0.6, what, "the answer also names another place")
        return _Said(Verdict.CORRECT, 0.95, what)

    def _wrong_line(self, lines: list[tuple[int, int]], line: int, facts: ScriptFacts) -> _Said:
        end = facts.main_end if self.of == "main" else None
        if end is not None and any(line < first <= end for first, _ in lines):
            what = "Your line is in the right block, not where it begins."
            return _Said(Verdict.PARTIAL, 0.9, what)
        return _Said(Verdict.INCORRECT, 0.85, "The line you name is not the place.")

    def _without_line(self, *, vague: bool, wrong: bool, empty: bool) -> _Said:
        if wrong:
            doubt = "a right direction and another place" if vague else None
            what = "Your answer describes another place."
            return _Said(Verdict.INCORRECT, 0.6 if vague else 0.9, what, doubt)
        if vague:
            return _Said(Verdict.PARTIAL, 0.85, "Right direction; say more exactly where.")
        what = "Your answer does not say where in the script."
        return _Said(Verdict.INCORRECT, 0.9 if empty else 0.6, what)

    def _near(self, span: tuple[int, int], line: int) -> bool:
        first, last = span
        covered = first <= line <= last and last - first <= _WIDEST
        return abs(first - line) <= self.tolerance or covered

    def _quoted(self, text: str, facts: ScriptFacts) -> bool:
        """Whether the assignment of the constant itself is quoted, with a value."""
        if self.of != "constant" or facts.constant is None:
            return False
        name = re.escape(facts.constant)
        return re.search(rf"\b{name}\s*(?::\s*\w+\s*)?=\s*\d", text, re.IGNORECASE) is not None

    def _only_named(self, text: str, facts: ScriptFacts) -> bool:
        if self.of != "constant" or facts.constant is None:
            return False
        return bool(mentions(text, [facts.constant])) or key(facts.source.split()[-1]) in key(text)


def _lines(text: str) -> list[tuple[int, int]]:
    """(first, last) of every line or range of lines that the answer gives.

    A number without the word `line` counts where it is the only one that can be a line.
    """
    found = [*_LINES.finditer(text), *_NTH.finditer(text)]
    for match in list(found):
        more = _MORE.match(text, match.end())
        while more:
            found.append(more)
            more = _MORE.match(text, more.end())
    if not found:
        bare = list(_BARE.finditer(text))
        found = bare if len(bare) == 1 else []
    return [(int(m[1]), int(m[2] or m[1])) for m in found]
