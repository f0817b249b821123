"""Weighs what an answer says about a place: the place itself, its direction, or another one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.lexicon import Lexicon
from grader.text import mentions, tokens, words

_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_FILE = re.compile(
    r"(?<![\w.-])[\w.-]{0,80}\.(?:py|env|json|txt|md|ya?ml|toml|cfg|ini)\b", re.IGNORECASE
)
_DATA_FILE = re.compile(r"\.(?:env|json|txt|md|ya?ml|toml|cfg|ini)\b", re.IGNORECASE)
_NOT = frozenset({"not", "never", "t"})
_CALL = re.compile(r"(?<=\w)\(([^()]*)\)")
_CLAUSE = re.compile(r"((?:[.!?](?=\s|$)|[,;\n()]|:\s|\s[-–—]\s|->|→|\b(?:but|however)\b)+)")
_BUT = re.compile(r"\b(?:but|however)\b", re.IGNORECASE)
_REASON = re.compile(
    r"\b(?:so|because|since|which|in order to|as it|rather than|instead of)\b[^.,;\n]*",
    re.IGNORECASE,
)
_WITHIN = re.compile(
    r"\b(?:top|start|beginning|first line)\s+(?:of|in|inside)\s+"
    r"(?=(?:(?:the|each|every|an?|my)\s+)?(?:(?!file|script|code|program)[\w()]+\s+)?"
    r"(?:function|method|loop)s?\b)",
    re.IGNORECASE,
)
_BESIDE = ("before", "after", "between", "in", "inside", "within", "at", "near", "top", "beginning")
_ROUGH = frozenset(
    "section part area block portion region middle header heading center centre half comment "
    "loop settings above below before after under between".split()
)

_MOST = 100
"""Clauses of an answer that are looked at."""
LEAST = 0.5
"""Exactness that a phrase for another place must exceed to count against an answer."""
NOT_REACH = 5
"""Words after a `not` in which no other place is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """What a rubric and a script say of the place asked for and of others."""

    means: Sequence[str]
    vague: Sequence[str]
    wrong: Sequence[str]
    aside: Sequence[str]
    before: str | None = None
    """The function that comes next after the place."""
    after: str | None = None
    """The function that the place comes somewhere after."""
    functions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Clues:
    """How many clauses say each, and whether words for a place are left that say neither."""

    right: int = 0
    vague: int = 0
    wrong: int = 0
    unclear: bool = False
    contrary: bool = False
    """One clause gives the direction alone, and another one another place."""


@dataclass(frozen=True, slots=True)
class _Hit:
    first: int
    last: int
    words: int

    @property
    def exactness(self) -> float:
        """More words make a phrase more exact, words between them less."""
        return self.words - (self.last - self.first + 1 - self.words) / 2

    def yields_to(self, others: Sequence[_Hit]) -> bool:
        """Whether a more exact phrase stands in the same words: `top` in `top of main`."""
        return any(
            other.exactness > self.exactness
            and other.first <= self.last
            and self.first <= other.last
            for other in others
        )


def without_files(text: str) -> str:
    """The text without addresses and names of files."""
    return _FILE.sub(" ", _URL.sub(" ", text))


def readings(text: str, phrases: Phrases, lexicon: Lexicon) -> Iterator[str]:
    """The parts of an answer that may decide, the likeliest first, the whole last.

    `The file is read from the top, but … begins in main`: what stands after the `but`.
    `It is set at the top and used in load()`: what is not aside.
    """
    # The brackets and commas of a call end no clause.
    text = _CALL.sub(lambda call: f" {call[1].replace(',', ' ')} ", text)
    stated = "".join(_without_aside(part, phrases, lexicon) for part in _CLAUSE.split(text))
    stated = _REASON.sub(" ", stated)
    _, *after = _BUT.split(stated)
    if after:
        yield after[-1]
    yield stated
    yield text


def clues(text: str, phrases: Phrases, lexicon: Lexicon) -> Clues:
    """Counts the clauses that say each; a text without any is taken as one clause."""
    # A branch or a folder in an address is no place in a script.
    text = _WITHIN.sub("inside ", _URL.sub(" ", text))
    parts = [part for part in _CLAUSE.split(text)[::2] if words(part)][:_MOST]
    told = _counted(parts, phrases, lexicon)
    return told if told.right or told.wrong else _counted([text], phrases, lexicon)


def _counted(clauses: Sequence[str], phrases: Phrases, lexicon: Lexicon) -> Clues:
    read = [_clause(clause, phrases, lexicon) for clause in clauses]
    return Clues(
        right=sum(clue.right for clue in read),
        vague=sum(clue.vague for clue in read),
        wrong=sum(clue.wrong for clue in read),
        unclear=any(clue.unclear for clue in read),
        contrary=any(clue.wrong for clue in read)
        and any(clue.vague and not clue.wrong for clue in read),
    )


def _clause(clause: str, phrases: Phrases, lexicon: Lexicon) -> Clues:
    no_files = _FILE.sub(lambda name: " file" * len(words(name[0])), clause)
    means = _hits(phrases.means, no_files, lexicon)
    vague = _hits(phrases.vague, clause, lexicon)
    wrong = _hits(phrases.wrong, clause, lexicon)
    beside = _beside_functions(clause, [*means, *vague, *wrong], phrases, lexicon)
    means, vague, wrong = (
        found + more for found, more in zip((means, vague, wrong), beside, strict=True)
    )
    right = [hit for hit in means if not hit.yields_to(wrong)]
    false = [
        hit
        for hit in wrong
        if hit.exactness > LEAST
        and not hit.yields_to([*means, *vague])
        and not _NOT & set(words(clause)[max(0, hit.first - NOT_REACH) : hit.first])
    ]
    covered = {place for hit in vague for place in range(hit.first, hit.last + 1)}
    rough = any(
        token.word in _ROUGH and place not in covered for place, token in enumerate(tokens(clause))
    )
    elsewhere = bool(false) or _DATA_FILE.search(clause) is not None
    return Clues(bool(right), bool(vague), elsewhere, unclear=rough)


def _hits(phrases: Sequence[str], text: str, lexicon: Lexicon) -> list[_Hit]:
    spans = ((phrase, lexicon.find(phrase, text)) for phrase in phrases)
    return [_Hit(*span, len(words(phrase))) for phrase, span in spans if span]


def _beside_functions(
    clause: str, known: Sequence[_Hit], phrases: Phrases, lexicon: Lexicon
) -> tuple[list[_Hit], list[_Hit], list[_Hit]]:
    """Places told by a function's name: before the first, after the last, in or at another."""
    found: tuple[list[_Hit], list[_Hit], list[_Hit]] = ([], [], [])
    told: set[str] = set()
    for mention in mentions(clause, phrases.functions):
        if mention.name in told or any(
            hit.first <= mention.first and mention.last <= hit.last for hit in known
        ):
            continue
        told.add(mention.name)
        for where in _BESIDE:
            hits = _hits([f"{where} {mention.name}"], clause, lexicon)
            if hits:
                right = (where, mention.name) == ("before", phrases.before)
                vague = (where, mention.name) == ("after", phrases.after)
                found[0 if right else 1 if vague else 2].extend(hits)
                break
    return found


def _without_aside(part: str, phrases: Phrases, lexicon: Lexicon) -> str:
    spans = [span for phrase in phrases.aside if (span := lexicon.find(phrase, part))]
    return part[: tokens(part)[min(spans)[0]].start] if spans else part
