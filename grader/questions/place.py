"""Questions answered by a place in the script: a line number, a quote or a description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from grader.lexicon import Lexicon
from grader.model import ScriptFacts, Verdict
from grader.questions.base import Marking, Names, Question
from grader.questions.clues import Clues, Phrases, clues, readings, without_files
from grader.questions.line_numbers import Lines, line_numbers
from grader.text import key, mentions, plain, words

_EITHER = re.compile(r"\b(?:or|either|maybe|could be)\b", re.IGNORECASE)
_EVASIVE = re.compile(
    r"(?:n a|na|none|nothing|no|yes(?: \w+)*|unknown|see (?:above|below)|[\d and]*(?: \w+)?"
    r"|(?:\w+ ){0,3}(?:not sure|unsure|no idea|idk|not found|(?:not|n t|dont|cannot|can t|didn t|"
    r"don t|couldn t) (?:know|find))(?: \w+){0,2})"
)
_FILL = frozenset(
    "a an the in inside into within at on of by to from it its s is are was be we i you our my "
    "this that with as and set sets setting get gets got change changing edit editing named name "
    "called ran run found located defined declared where file script program source code python "
    "py vs studio def function import task".split()
)
"""Words that sentences about any place in a script are made of."""
_WIDEST = 15
"""Lines that a range may span and still point at a place in it."""
_MOST = 3
"""Places that an answer may name without naming every possible one."""


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
    aside: Names = Field(
        default=(),
        description="Words after which a clause tells of something else: `used`, in "
        "`set at the top and used in …`.",
    )

    def judge(self, answer: str, facts: ScriptFacts, lexicon: Lexicon) -> Marking | None:
        """Marks by line, quote and description, by the part of the answer that decides."""
        line = facts.constant_line if self.of == "constant" else facts.main_line
        if line is None:
            return None
        text = "\n".join(plain(part) for part in answer.splitlines())
        links = [] if line_numbers(text) else line_numbers(answer)
        text, lines, told = self._read(text, facts, lexicon)
        lines = lines or links
        said = self._decided(text, lines, told, line, facts)
        return Marking(
            verdict=said.verdict,
            confidence=said.confidence,
            what=said.what,
            actual=f"line {', '.join(str(span.first) for span in lines)}" if lines else None,
            expected=f"line {line}",
            doubt=said.doubt,
        )

    def _read(
        self, text: str, facts: ScriptFacts, lexicon: Lexicon
    ) -> tuple[str, list[Lines], Clues]:
        """The first reading that says where, with its lines and clues."""
        phrases = self._phrases(facts)
        read = [
            (part, line_numbers(part), clues(part, phrases, lexicon))
            for part in readings(text, phrases, lexicon)
        ]
        *after_but, stated, whole = read
        if after_but and after_but[0][2].right:
            return after_but[0]
        decisive = [
            reading
            for reading in (stated, whole)
            if reading[1] or reading[2].right or reading[2].wrong
        ]
        return (*decisive, stated if stated[2].vague else whole)[0]

    def _phrases(self, facts: ScriptFacts) -> Phrases:
        constant = self.of == "constant"
        return Phrases(
            means=self.means,
            vague=self.vague,
            wrong=self.wrong,
            aside=self.aside,
            functions=facts.functions,
            before=facts.functions[0] if constant and facts.functions else None,
            after=facts.functions[-1] if not constant and facts.functions else None,
        )

    def _decided(
        self, text: str, lines: list[Lines], told: Clues, line: int, facts: ScriptFacts
    ) -> _Said:
        near = [self._near(span, line) for span in lines]
        quoted = self._quoted(text, facts)
        if len(near) > _MOST and not all(near):
            what, doubt = "Your answer names many lines.", "many lines are named"
            return _Said(Verdict.INCORRECT, 0.6, what, doubt)
        if any(near) or told.right or quoted:
            inside = all(self._inside(span, line, facts) for span in lines)
            return self._right(text, near, told, quoted=quoted, inside=inside)
        if any(self._inside(span, line, facts) for span in lines):
            what = "Your line is in the right block, not where it begins."
            return _Said(Verdict.PARTIAL, 0.9, what)
        if lines:
            return _Said(Verdict.INCORRECT, 0.85, "The line you name is not the place.")
        return self._without_line(text, told, facts)

    def _right(
        self, text: str, near: list[bool], told: Clues, *, quoted: bool, inside: bool
    ) -> _Said:
        what, several = "Your answer points at the place.", "Your answer names more than one place."
        doubt = "the answer names the place and another one"
        others = told.wrong + near.count(False)
        if others and _EITHER.search(text):
            every = told.right + told.vague + others + near.count(True) > _MOST
            return _Said(Verdict.INCORRECT if every else Verdict.PARTIAL, 0.5, several, doubt)
        if not any(near) and not quoted and told.wrong >= told.right:
            return _Said(Verdict.PARTIAL, 0.5, several, doubt)
        if near and not any(near):
            doubt = "the line number does not fit the description"
            return _Said(Verdict.CORRECT, 0.85 if inside else 0.6, what, None if inside else doubt)
        if told.wrong:
            return _Said(Verdict.CORRECT, 0.6, what, "the answer also names another place")
        return _Said(Verdict.CORRECT, 0.95 if all(near) else 0.75, what)

    def _without_line(self, text: str, told: Clues, facts: ScriptFacts) -> _Said:
        if told.wrong:
            doubt = "a right direction and another place" if told.contrary else None
            what = "Your answer describes another place."
            return _Said(Verdict.INCORRECT, 0.6 if doubt else 0.9, what, doubt)
        if told.vague or self._names_constant(text, facts):
            what = "Right direction; say more exactly where."
            # To name the constant or the file says nothing yet of where in it.
            unclear = told.unclear or (self.of == "constant" and self._says_more(text, facts))
            return _Said(Verdict.PARTIAL, 0.6 if unclear else 0.85, what)
        what = "Your answer does not say where in the script."
        return _Said(Verdict.INCORRECT, 0.9 if self._says_nothing(text, facts) else 0.6, what)

    def _near(self, span: Lines, line: int) -> bool:
        covered = span.first <= line <= span.last and span.last - span.first <= _WIDEST
        return abs(span.first - line) <= self.tolerance or covered

    def _inside(self, span: Lines, line: int, facts: ScriptFacts) -> bool:
        """Whether the line is in the block that begins at the place."""
        end = facts.main_end if self.of == "main" else None
        return end is not None and line < span.first <= end

    def _quoted(self, text: str, facts: ScriptFacts) -> bool:
        """Whether the assignment of the constant itself is quoted, with a value."""
        if self.of != "constant" or facts.constant is None:
            return False
        name = r"[\W_]{0,3}".join(words(facts.constant))
        return re.search(rf"\b{name}\s*(?::\s*\w+\s*)?=\s*\d", text, re.IGNORECASE) is not None

    def _names_constant(self, text: str, facts: ScriptFacts) -> bool:
        if self.of != "constant" or facts.constant is None:
            return False
        return bool(mentions(text, [facts.constant])) or key(facts.source.split()[-1]) in key(text)

    def _says_nothing(self, text: str, facts: ScriptFacts) -> bool:
        """Whether nothing in the answer could be a place that was not understood."""
        return bool(_EVASIVE.fullmatch(" ".join(words(text)))) or not self._says_more(text, facts)

    def _says_more(self, text: str, facts: ScriptFacts) -> bool:
        """Whether there are more words than names, files, and what sentences are made of."""
        rest = without_files(text)
        names = [*facts.functions, *facts.imports, *filter(None, [facts.constant])]
        named = {
            place
            for mention in mentions(rest, names)
            for place in range(mention.first, mention.last + 1)
        }
        known = _FILL.union(*map(words, self.vague))
        return any(
            place not in named and word not in known and not word.isdecimal()
            for place, word in enumerate(words(rest))
        )
