"""Questions answered by saying what each function does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from grader.criteria import Text
from grader.lexicon import Lexicon
from grader.model import ScriptFacts, Verdict
from grader.questions.base import Marking, Names, Question
from grader.questions.passages import Passage, numbered, passages
from grader.text import key, plain

_CLAUSE = re.compile(r"[,;:\n]|(?<=[a-z])\.\s|\bthen\b", re.IGNORECASE)
_AND = re.compile(r"\band\b|&", re.IGNORECASE)


class DescriptionsQuestion(Question):
    """Right when every function but at most one is described truly."""

    type: Literal["descriptions"]
    describes: dict[Text, Names] = Field(
        min_length=1,
        description="Function, or a pattern such as `load_*` for a group -> phrases that are "
        "true of it.",
    )
    groups: dict[Text, Names] = Field(
        default={}, description="Pattern -> other words for that group of functions."
    )
    summary: Names = Field(
        default=(), description="Phrases that sum all functions up with content: worth a partial."
    )
    may_miss: int = Field(default=1, ge=0, description="Functions a correct answer may leave out.")
    partial_from: int = Field(default=2, ge=1, description="Functions a partial answer describes.")

    def judge(self, answer: str, facts: ScriptFacts, lexicon: Lexicon) -> Marking | None:
        """Marks function by function: by name, by number, in order, or as a group."""
        functions = [name for name in facts.functions if self._pattern(name)]
        if not functions:
            return None
        described = self._described(answer, functions, lexicon)
        summed_up = bool(lexicon.any(self.summary, _text(answer)))
        return self._marking(functions, described, summed_up)

    def _described(self, answer: str, functions: list[str], lexicon: Lexicon) -> set[str]:
        by_number = numbered(answer, functions)
        parts = by_number or passages(answer, functions, dict(self.groups))
        named = {
            name for part in parts for name in part.subjects if self._true(name, part, lexicon)
        }
        if any(part.subjects for part in parts):
            return named
        return self._unnamed(_text(answer), functions, lexicon)

    def _true(self, name: str, part: Passage, lexicon: Lexicon) -> bool:
        """Whether the passage says something true of the function, beyond its name."""
        if key(part.text) == key(name):
            return False
        phrases = self.describes[self._pattern(name) or ""]
        return lexicon.any(phrases, part.text) is not None

    def _pattern(self, name: str) -> str | None:
        return next((pattern for pattern in self.describes if fnmatchcase(name, pattern)), None)

    def _unnamed(self, text: str, functions: list[str], lexicon: Lexicon) -> set[str]:
        """Descriptions without names: each clause may stand for one function or group."""
        clauses = list(self._clauses(text, lexicon))
        fits = {
            pattern: [i for i, clause in enumerate(clauses) if lexicon.any(phrases, clause)]
            for pattern, phrases in self.describes.items()
        }
        told = _matching(fits)
        return {name for name in functions if self._pattern(name) in told}

    def _clauses(self, text: str, lexicon: Lexicon) -> Iterator[str]:
        for clause in _CLAUSE.split(text):
            parts = _AND.split(clause)
            if len(parts) > 1 and all(self._says_something(part, lexicon) for part in parts):
                yield from parts
            else:
                yield clause

    def _says_something(self, text: str, lexicon: Lexicon) -> bool:
        return any(lexicon.any(phrases, text) for phrases in self.describes.values())

    def _marking(self, functions: list[str], described: set[str], summed_up: bool) -> Marking:
        total, count = len(functions), len(described)
        if count >= total - self.may_miss:
            verdict, confidence = Verdict.CORRECT, 0.92
        elif count >= self.partial_from:
            verdict, confidence = (
                Verdict.PARTIAL,
                0.9 if count < total - self.may_miss - 1 else 0.75,
            )
        elif summed_up:
            verdict, confidence = Verdict.PARTIAL, 0.72
        else:
            verdict, confidence = Verdict.INCORRECT, 0.65 if count else 0.75
        told = [name for name in functions if name in described]
        return Marking(
            verdict=verdict,
            confidence=confidence,
            what=f"Your answer says what {count} of the {total} functions do.",
            actual=f"described: {', '.join(told) or 'none'}",
            expected=f"a true description of {', '.join(functions)}",
        )


def _text(answer: str) -> str:
    return "\n".join(plain(line) for line in answer.splitlines())


def _matching(fits: dict[str, list[int]]) -> set[str]:
    """The most patterns that can each have a clause of their own."""
    owner: dict[int, str] = {}

    def place(pattern: str, tried: set[int]) -> bool:
        for clause in fits[pattern]:
            if clause not in tried:
                tried.add(clause)
                if clause not in owner or place(owner[clause], tried):
                    owner[clause] = pattern
                    return True
        return False

    for pattern in fits:
        place(pattern, set())
    return set(owner.values())
