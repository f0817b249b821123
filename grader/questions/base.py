"""What every type of question shares: its wording, and marking against several sets of facts."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from pydantic import Field

from grader.criteria import Criterion, Strict, Text
from grader.lexicon import Lexicon
from grader.model import ScriptFacts, Verdict
from grader.text import words

Names = tuple[Text, ...]

_FENCE = re.compile(r"^[ \t>]*(?:`{3,}|~{3,})[\w+-]*[ \t]*$\n?", re.MULTILINE)
_ELSEWHERE = re.compile(
    r"\b(?:see|refer(?:red)? to|listed|shown|described|table|above|below)\b", re.IGNORECASE
)
_IMPORTS = re.compile(r"^\s*(?:import|from)\s+\w", re.MULTILINE)
_DEFINITIONS = re.compile(r"^\s*def\s+\w+\(", re.MULTILINE)

LONGEST = 6000
"""Characters of an answer that are read; ten times what a long-winded student writes."""

_WORTH = (Verdict.INCORRECT, Verdict.PARTIAL, Verdict.CORRECT)


class ExpectedVerdict(str, Enum):
    """The verdicts an answer can get."""

    CORRECT = "correct"
    PARTIAL = "partial"
    INCORRECT = "incorrect"


class Example(Strict):
    """An answer and the verdict it must get: the rubric's own test."""

    answer: Text
    verdict: ExpectedVerdict = Field(strict=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """How one answer was judged, and why."""

    verdict: Verdict
    confidence: float
    what: str
    """One sentence for the student; never holds the expected answer."""
    actual: str | None = None
    """What was recognised in the answer."""
    expected: str | None = None
    """For instructors: the answer looked for and where it comes from."""
    doubt: str | None = None
    """A situation that a person should look at, such as a contradiction."""


class Question(Criterion):
    """A question that is answered in the README."""

    ask: Names = Field(
        min_length=1, description="The question's wordings; the longest match counts."
    )
    labels: Names = Field(
        default=(), description="Short forms that may stand for it, such as `Function names`."
    )
    examples: tuple[Example, ...] = Field(
        default=(), description="Answers with the verdict each must get; `rubric check` runs them."
    )

    @abstractmethod
    def judge(self, answer: str, facts: ScriptFacts, lexicon: Lexicon) -> Marking | None:
        """Marks the answer by one set of facts; None if the facts do not say what is right."""

    def mark(self, answer: str, known: Sequence[ScriptFacts], lexicon: Lexicon) -> Marking | None:
        """Marks the answer by the facts that suit it best; None if no facts say what is right.

        An answer may fit the student's own script or the edition they were given.
        """
        answer = _FENCE.sub("", answer)
        if len(answer) > LONGEST:
            marking = self.mark(answer[:LONGEST], known, lexicon)
            return marking and replace(marking, doubt="only the beginning of it was read")
        if self._repeated(answer):
            return Marking(
                verdict=Verdict.INCORRECT,
                confidence=0.9,
                what="Your answer repeats the question.",
            )
        if _is_whole_script(answer):
            return Marking(
                verdict=Verdict.INCORRECT,
                confidence=0.5,
                what="Your answer is the script itself; say it in your own words.",
                doubt="the whole script is pasted as the answer",
            )
        best = self._best(answer, known, lexicon)
        if best is not None and best.verdict is Verdict.INCORRECT and _points_elsewhere(answer):
            return replace(best, doubt=best.doubt or "the answer points to another place")
        return best

    def _best(self, answer: str, known: Sequence[ScriptFacts], lexicon: Lexicon) -> Marking | None:
        best: Marking | None = None
        for facts in known:
            marking = self._sourced(answer, facts, lexicon)
            if marking is not None and (best is None or _worth(marking) > _worth(best)):
                best = marking
            if best is not None and best.verdict is Verdict.CORRECT and best.doubt is None:
                break
        return best

    def _repeated(self, answer: str) -> bool:
        from rapidfuzz import fuzz

        said = words(answer)
        return any(
            set(said) <= set(words(ask)) and fuzz.ratio(" ".join(said), " ".join(words(ask))) >= 80
            for ask in self.ask
        )

    def _sourced(self, answer: str, facts: ScriptFacts, lexicon: Lexicon) -> Marking | None:
        marking = self.judge(answer, facts, lexicon)
        if marking is None or marking.expected is None:
            return marking
        # Names and numbers may be given by the rubric itself: then `of` says nothing.
        source = "the rubric" if getattr(self, "of", "") is None else facts.source
        return replace(marking, expected=f"{marking.expected} (from {source})")


def _points_elsewhere(answer: str) -> bool:
    return len(words(answer)) <= 15 and _ELSEWHERE.search(answer) is not None


def _is_whole_script(answer: str) -> bool:
    return all(len(part.findall(answer)) > 2 for part in (_IMPORTS, _DEFINITIONS)) and (
        "__main__" in answer
    )


def _worth(marking: Marking) -> tuple[int, float]:
    return _WORTH.index(marking.verdict), marking.confidence
