"""Questions answered by saying what each function does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import Literal

from pydantic import Field

from grader.criteria import Text
from grader.lexicon import Lexicon
from grader.model import ScriptFacts, Verdict
from grader.questions.base import Marking, Names, Question
from grader.questions.passages import Passage, passages
from grader.text import key, mentions, tokens, words

_CLAUSE = re.compile(r"[,;:\n]|(?<=[a-z])\.\s|\bthen\b", re.IGNORECASE)
_AND = re.compile(r"\band\b|&", re.IGNORECASE)

_MOST = 100
"""Clauses without a name that are looked at."""
TERSE = 4
"""Words up to which a verb alone is a description: `drop_rows: removes them`."""
SUBSTANTIAL = 3
"""Words from which a passage that is not understood may still be a description."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """Functions that are described, and those of which something not understood is said."""

    described: frozenset[str]
    unclear: frozenset[str] = frozenset()


class DescriptionsQuestion(Question):
    """Right when every function but at most one is described truly."""

    type: Literal["descriptions"]
    describes: dict[Text, Names] = Field(
        min_length=1,
        description="Function, or a pattern such as `load_*` for a group -> phrases that are "
        "true of it. A phrase of one word counts only where hardly more is said.",
    )
    groups: dict[Text, Names] = Field(
        default={}, description="Pattern -> other words for that group of functions."
    )
    same: Names = Field(
        default=(), description="Words for `as the one before it`, within a group: `ditto`."
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
        parts = passages(answer, functions, self.groups)
        reading = self._by_name(parts, lexicon)
        named = {name for part in parts for name in part.subjects}
        rest = _without_names("\n".join(p.text for p in parts if not p.subjects), functions)
        unnamed = [name for name in functions if name not in named]
        others = self._unnamed(rest, unnamed, lexicon)
        described = reading.described | others.described
        # Named in the middle of a sentence about another: it may have been described there.
        aside = {mention.name for mention in mentions(answer, unnamed)} if described else set()
        return self._marking(
            functions,
            _Reading(described, reading.unclear | others.unclear | aside),
            summed_up=not named and self._sums_up(rest, lexicon),
            mentioned={mention.name for mention in mentions(answer, functions)},
        )

    def _by_name(self, parts: Sequence[Passage], lexicon: Lexicon) -> _Reading:
        described: set[str] = set()
        unclear: set[str] = set()
        for part in parts:
            for name in part.subjects:
                if self._true(name, part.text, lexicon) or self._as_before(
                    name, part.text, described, lexicon
                ):
                    described.add(name)
                elif len(words(part.text)) >= SUBSTANTIAL:
                    unclear.add(name)
        return _Reading(frozenset(described), frozenset(unclear - described))

    def _true(self, name: str, text: str, lexicon: Lexicon) -> bool:
        """Whether the text says something true of the function, beyond its name."""
        if key(text) == key(name):
            return False
        return self._says(self.describes[self._pattern(name) or ""], text, lexicon) is not None

    def _as_before(self, name: str, text: str, described: set[str], lexicon: Lexicon) -> bool:
        pattern = self._pattern(name) or ""
        return any(fnmatchcase(other, pattern) for other in described) and bool(
            lexicon.any(self.same, text)
        )

    def _says(self, phrases: Names, text: str, lexicon: Lexicon) -> str | None:
        terse = len(words(text)) <= TERSE
        return lexicon.any([p for p in phrases if terse or len(words(p)) > 1], text)

    def _pattern(self, name: str) -> str | None:
        return next((pattern for pattern in self.describes if fnmatchcase(name, pattern)), None)

    def _unnamed(self, text: str, functions: list[str], lexicon: Lexicon) -> _Reading:
        """Descriptions without names: each clause may stand for one function or group."""
        clauses = list(islice(self._clauses(text, lexicon), _MOST))
        fits = {
            pattern: [i for i, c in enumerate(clauses) if self._says(phrases, c, lexicon)]
            for pattern, phrases in self.describes.items()
        }
        told = _matching(fits)
        described = frozenset(name for name in functions if self._pattern(name) in told)
        understood = {place for places in fits.values() for place in places}
        unclear = any(
            len(words(clause)) >= SUBSTANTIAL
            for place, clause in enumerate(clauses)
            if place not in understood
        )
        return _Reading(described, frozenset(functions) - described if unclear else frozenset())

    def _clauses(self, text: str, lexicon: Lexicon) -> Iterator[str]:
        for clause in _CLAUSE.split(text):
            parts = _AND.split(clause)
            says = [
                any(self._says(phrases, part, lexicon) for phrases in self.describes.values())
                for part in parts
            ]
            whole = any(
                len(words(p)) > 1 and lexicon.find(p, clause)
                for phrases in self.describes.values()
                for p in phrases
                if not any(lexicon.find(p, part) for part in parts)
            )
            yield from parts if len(parts) > 1 and all(says) and not whole else [clause]

    def _sums_up(self, text: str, lexicon: Lexicon) -> bool:
        """Whether the whole is described: by a phrase for it, or by two different phrases."""
        said = {lexicon.any(phrases, text) for phrases in self.describes.values()} - {None}
        return lexicon.any(self.summary, text) is not None or len(said) > 1

    def _marking(
        self,
        functions: list[str],
        reading: _Reading,
        *,
        summed_up: bool,
        mentioned: set[str],
    ) -> Marking:
        verdict = self._verdict(len(functions), len(reading.described), summed_up)
        # What is not understood may be true: unsure if that would change the verdict.
        best = self._verdict(len(functions), len(reading.described | reading.unclear), summed_up)
        told = [name for name in functions if name in reading.described]
        # Only what the student named: the others are the answer to another question.
        untold = [name for name in functions if name in mentioned - reading.described]
        actual = f"described: {', '.join(told) or 'none'}"
        return Marking(
            verdict=verdict,
            confidence=0.92 if best is verdict else 0.6,
            what=f"Your answer says what {len(told)} of the {len(functions)} functions do.",
            actual=f"{actual}; not yet: {', '.join(untold)}" if untold else actual,
            expected=f"a true description of {', '.join(functions)}",
        )

    def _verdict(self, total: int, count: int, summed_up: bool) -> Verdict:
        if count >= total - self.may_miss:
            return Verdict.CORRECT
        if count >= self.partial_from or summed_up:
            return Verdict.PARTIAL
        return Verdict.INCORRECT


def _without_names(text: str, functions: Sequence[str]) -> str:
    """The text without identifiers; `load_rows` alone describes nothing."""
    spoken = tokens(text)
    for mention in reversed(mentions(text, functions)):
        low, high = spoken[mention.first].start, spoken[mention.last].end
        if "_" in text[low:high]:
            text = f"{text[:low]} {text[high:]}"
    return text


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
