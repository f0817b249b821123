"""Takes an answer about several functions apart: which words are about which function."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from grader.text import NUMBER_WORDS, Mention, Token, mentions, plain, tokens, words

_SENTENCE = re.compile(r"(?<=[.;!?])\s+|;")
_COMMA = re.compile(r"(?:,\s*and\b|,|\band\b)\W*\Z")
_LISTED = re.compile(r"\s*(?:[-*+>#]|\(?\w{1,2}[.)])\s")
_NUMBERED = re.compile(
    r"^[\s>#*_-]*(?:functions?\s*)?(\d{1,2})\s*(?:(?:-|–|to|through|&|and|,)\s*(\d{1,2})\s*)?[:.)]\s*"
)
_JOINERS = frozenset(
    {"and", "or", "the", "to", "through", "also", "both", "all", "function", "functions"}
)
_OPENERS = frozenset({"the", "a", "function", "functions", "and", "then", "def", "next", "finally"})


@dataclass(frozen=True, slots=True)
class Passage:
    """Words about some functions; `subjects` is empty where none is named."""

    subjects: tuple[str, ...]
    text: str
    line: int
    """The answer's line it begins on, counted from 0."""


def passages(
    answer: str, functions: Sequence[str], groups: dict[str, Sequence[str]]
) -> list[Passage]:
    """Splits an answer into passages, in order.

    A sentence that begins with a function's name, or with the words for a group of
    functions, opens a passage; the sentences after it belong to the same passage.
    """
    found: list[Passage] = []
    for line, sentence in _sentences(answer, functions):
        subjects, rest = _subjects(sentence, functions, groups)
        if subjects or not found or not found[-1].subjects:
            found.append(Passage(subjects, rest, line))
        else:
            last = found[-1]
            found[-1] = Passage(last.subjects, f"{last.text}\n{rest}", last.line)
    return [passage for passage in found if passage.text.strip() or passage.subjects]


def numbered(answer: str, functions: Sequence[str]) -> list[Passage]:
    """Reads `1: … 2: … 4 - 6: …` as being about the first, second, fourth to sixth function."""
    found: list[Passage] = []
    for number, line in enumerate(answer.splitlines()):
        match = _NUMBERED.match(line)
        if match:
            first, last = int(match[1]), int(match[2] or match[1])
            text = plain(line[match.end() :])
            found.append(Passage(tuple(functions[max(first - 1, 0) : last]), text, number))
    covered = {name for passage in found for name in passage.subjects}
    return found if len(found) > 2 and covered == set(functions) else []


def _sentences(answer: str, functions: Sequence[str]) -> Iterator[tuple[int, str]]:
    """(line, sentence); a list of sentences with commas is split where a name follows."""
    for number, text in _paragraphs(answer, functions):
        for sentence in _SENTENCE.split(text):
            yield from ((number, part) for part in _split_at_names(sentence, functions))


def _paragraphs(answer: str, functions: Sequence[str]) -> Iterator[tuple[int, str]]:
    """(line, text), a line that goes on in the next one joined with it."""
    start, text = 0, ""
    for number, line in enumerate(answer.splitlines()):
        said = plain(line)
        named = any(mention.first == 0 for mention in mentions(said, functions))
        goes_on = said[:1].islower() and not named and not _LISTED.match(line)
        if text and goes_on and text[-1] not in ".;:!?":
            text = f"{text} {said}"
            continue
        if words(text):
            yield start, text
        start, text = number, said
    if words(text):
        yield start, text


def _split_at_names(sentence: str, functions: Sequence[str]) -> Iterator[str]:
    """`a does x, b does y, and c does z` in three; a list of names stays together."""
    low = 0
    spoken = tokens(sentence)
    for mention in mentions(sentence, functions):
        start = spoken[mention.first].start
        before = _COMMA.search(sentence[low:start])
        if before and _has_verb(sentence[low:start], functions) and mention.exact:
            yield plain(sentence[low : low + before.start()])
            low = start
    if words(sentence[low:]):
        yield plain(sentence[low:])


def _has_verb(text: str, functions: Sequence[str]) -> bool:
    """Whether there are words beside the names: then a sentence ends where a name follows."""
    named = {place for m in mentions(text, functions) for place in range(m.first, m.last + 1)}
    others = [t.word for place, t in enumerate(tokens(text)) if place not in named]
    return any(word not in _JOINERS and _numeral(word) is None for word in others)


def _subjects(
    sentence: str, functions: Sequence[str], groups: dict[str, Sequence[str]]
) -> tuple[tuple[str, ...], str]:
    """The functions a sentence begins with, and what it says of them."""
    spoken = tokens(sentence)
    names = [*functions, *(alias for aliases in groups.values() for alias in aliases)]
    # "Creates table" is a description, no misspelt name.
    named = [mention for mention in mentions(sentence, names) if mention.exact]
    subjects: list[str] = []
    place = next((i for i, t in enumerate(spoken) if t.word not in _OPENERS), len(spoken))
    while place < len(spoken):
        mention = next((m for m in named if m.first == place), None)
        if mention is not None and mention.name not in subjects:
            subjects += _members(mention, functions, groups)
            place = mention.last + 1
        elif subjects and (sibling := _sibling(subjects[-1], spoken[place].word, functions)):
            subjects.append(sibling)
            place += 1
        elif subjects and spoken[place].word in _JOINERS and _goes_on(place, spoken, named):
            place += 1
        else:
            break
    start = spoken[place - 1].end if subjects else 0
    return tuple(dict.fromkeys(subjects)), sentence[start:]


def _members(
    mention: Mention, functions: Sequence[str], groups: dict[str, Sequence[str]]
) -> list[str]:
    for pattern, aliases in groups.items():
        if mention.name in aliases:
            return [name for name in functions if fnmatchcase(name, pattern)]
    return [mention.name]


def _sibling(name: str, word: str, functions: Sequence[str]) -> str | None:
    """`two` after `step_one` means `step_two`."""
    number, stem = _numeral(word), words(name)[:-1]
    for function in functions:
        parts = words(function)
        if number is not None and parts[:-1] == stem and _numeral(parts[-1]) == number:
            return function
    return None


def _goes_on(place: int, spoken: Sequence[Token], named: Sequence[Mention]) -> bool:
    """Whether another subject follows the joining word."""
    ahead = range(place + 1, min(place + 3, len(spoken)))
    return any(m.first in ahead for m in named) or any(
        _numeral(spoken[p].word) is not None for p in ahead
    )


def _numeral(word: str) -> int | None:
    return NUMBER_WORDS.get(word, int(word) if word.isdecimal() else None)
