"""Questions answered by a place in the script: a line number, a quote or a description."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from grader.lexicon import Lexicon
from grader.model import ScriptFacts, Verdict
from grader.questions.base import Marking, Names, Question
from grader.text import key, mentions, plain, words

_LINES = re.compile(
    r"(?:\b(?:lines?|rows?|ln|l)\s*(?:numbers?|no\.?|nr\.?)?[\s.:#]*|#)(\d{1,5})"
    r"(?:\s*(?:-|–|to|and|through|/|,|&)\s*(\d{1,5}))?",
    re.IGNORECASE,
)
_NTH = re.compile(r"(\d{1,5})\s*(?:st|nd|rd|th)\s+(?:lines?|rows?)", re.IGNORECASE)
_BARE = re.compile(r"\W*(?:\b(?:at|on|in|around|about)\b\W*)?(\d{1,5})\W*\Z", re.IGNORECASE)


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
        said = _lines(text, answer)
        verdict, confidence, what, doubt = self._decide(text, said, line, facts, lexicon)
        return Marking(
            verdict=verdict,
            confidence=confidence,
            what=what,
            actual=f"line {', '.join(map(str, said))}" if said else None,
            expected=f"line {line}",
            doubt=doubt,
        )

    def _decide(
        self, text: str, said: list[int], line: int, facts: ScriptFacts, lexicon: Lexicon
    ) -> tuple[Verdict, float, str, str | None]:
        near = any(abs(number - line) <= self.tolerance for number in said)
        described = lexicon.any(self.means, text) or self._quoted(text, facts)
        if near or described:
            doubt = "the line number does not fit the description" if said and not near else None
            confidence = 0.95 if doubt is None else 0.6
            return Verdict.CORRECT, confidence, "Your answer points at the place.", doubt
        if self._inside(said, line, facts):
            return (
                Verdict.PARTIAL,
                0.9,
                "Your line is in the right block, not where it begins.",
                None,
            )
        if said:
            return Verdict.INCORRECT, 0.85, "The line you name is not the place.", None
        return self._without_line(text, facts, lexicon)

    def _without_line(
        self, text: str, facts: ScriptFacts, lexicon: Lexicon
    ) -> tuple[Verdict, float, str, str | None]:
        wrong = lexicon.any(self.wrong, text)
        if lexicon.any(self.vague, text) or self._only_named(text, facts):
            doubt = "a right direction and a wrong one" if wrong else None
            return Verdict.PARTIAL, 0.85, "Right direction; say more exactly where.", doubt
        if wrong:
            return Verdict.INCORRECT, 0.9, "Your answer describes another place.", None
        return Verdict.INCORRECT, 0.6, "Your answer does not say where in the script.", None

    def _inside(self, said: list[int], line: int, facts: ScriptFacts) -> bool:
        end = facts.main_end if self.of == "main" else None
        return end is not None and any(line < number <= end for number in said)

    def _quoted(self, text: str, facts: ScriptFacts) -> bool:
        """Whether the assignment of the constant itself is quoted, with a value."""
        if self.of != "constant" or facts.constant is None:
            return False
        name = re.escape(facts.constant)
        return re.search(rf"\b{name}\s*(?::\s*\w+\s*)?=\s*\d", text, re.IGNORECASE) is not None

    def _only_named(self, text: str, facts: ScriptFacts) -> bool:
        if self.of != "constant" or facts.constant is None:
            return False
        return bool(mentions(text, [facts.constant])) or key(facts.source) in key(text)


def _lines(text: str, answer: str) -> list[int]:
    """Every line number the answer gives; a range gives both its ends."""
    found = [int(n) for match in _LINES.finditer(text) for n in match.groups() if n]
    found += [int(match[1]) for match in _NTH.finditer(text)]
    bare = _BARE.match(text) or _BARE.match(answer)
    if not found and bare and len(words(answer)) <= 2:
        found = [int(bare[1])]
    return found
