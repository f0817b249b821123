"""Takes an answer about several functions apart: which words are about which function."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from grader.text import NUMBER_WORDS, Mention, Token, mentions, plain, tokens, words

_SENTENCE = re.compile(r"(?<=[^.\s][.;!?])\s+|;")
_RANGE = re.compile(r"\.\.|…|\s[-–]\s|\bto\b|\bthrough\b", re.IGNORECASE)
_BEFORE_NAME = re.compile(r"(?:,\s*and\b|,|:|\band\b)\W*(?:the\s+)?\Z")
_POINTS_AT_NAME = re.compile(
    r"(?:\b(?:by|with|via|using|through)\s+(?:the\s+)?|[:(]\s*)\Z", re.IGNORECASE
)
_FOLLOWS_NAME = re.compile(
    r"\s*(?:[:(=>–—-]|\b(?:is|are|does|do|will|function|functions|method|just|simply|each|all|every"
    r"|also|insert|add|call)\w*)",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\s*(?:[-*+>#|]|\(?\w{1,2}[.)])\s")
_NUMBERED = re.compile(
    r"^[\s>#*_-]*(?:functions?\s*)?(\d{1,2})\s*(?:(?:-|–|to|through|&|and|,)\s*(\d{1,2})\s*)?[:.)]\s*"
)
_JOINERS = frozenset(
    "and or the to through also both all function functions as well plus then".split()
)
_OPENERS = frozenset(
    "the a function functions and then def next finally first in with job purpose role task of "
    "method methods i e".split()
)

Groups = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Passage:
    """Words about some functions; `subjects` is empty where none is named."""

    subjects: tuple[str, ...]
    text: str


def passages(answer: str, functions: Sequence[str], groups: Groups) -> list[Passage]:
    """Splits an answer into passages, in order.

    A sentence that begins with a function's name, or with the words for a group of
    functions, opens a passage; the sentences after it belong to the same passage. A list
    numbered without names goes through the functions in their order.
    """
    by_number = _numbered(answer, functions, groups)
    if by_number:
        return by_number
    found: list[Passage] = []
    for sentence in _sentences(answer, functions, groups):
        subjects, rest = _subjects(sentence, functions, groups)
        pointed = [] if subjects else _pointed_at(sentence, functions)
        if pointed:
            found += pointed
        elif subjects or not found or not found[-1].subjects:
            found.append(Passage(subjects, rest))
        else:
            found[-1] = Passage(found[-1].subjects, f"{found[-1].text}\n{rest}")
    return found


def _numbered(answer: str, functions: Sequence[str], groups: Groups) -> list[Passage]:
    """Reads `1: … 2: … 4 - 6: …` as being about the first, second, fourth to sixth function."""
    found: list[Passage] = []
    named = 0
    for line in answer.splitlines():
        match = _NUMBERED.match(line)
        if match:
            first, last = int(match[1]), int(match[2] or match[1])
            text = plain(line[match.end() :])
            found.append(Passage(tuple(functions[max(first - 1, 0) : last]), text))
            named += bool(_subjects(text, functions, groups)[0])
    covered = {name for passage in found for name in passage.subjects}
    return found if covered == set(functions) and named * 2 < len(found) else []


def _sentences(answer: str, functions: Sequence[str], groups: Groups) -> Iterator[str]:
    """The answer's sentences; one that goes through several names is split before each."""
    for text in _paragraphs(answer, functions):
        for sentence in _SENTENCE.split(text):
            yield from _split_at_names(sentence, functions, groups)


def _paragraphs(answer: str, functions: Sequence[str]) -> Iterator[str]:
    """The answer's lines, each that goes on in the next joined with it."""
    text = ""
    for line in answer.splitlines():
        said = plain(line)
        named = any(mention.first == 0 for mention in mentions(said, functions))
        goes_on = said[:1].islower() and not named and not _LISTED.match(line)
        if text and goes_on and text[-1] not in ".;:!?":
            text = f"{text} {said}"
            continue
        if words(text):
            yield text
        text = said
    if words(text):
        yield text


def _split_at_names(sentence: str, functions: Sequence[str], groups: Groups) -> Iterator[str]:
    """`a does x, b does y, and c does z` in three; a list of names stays together."""
    low = last = 0
    spoken = tokens(sentence)
    names = [*functions, *(alias for aliases in groups.values() for alias in aliases)]
    for mention in _names(sentence, functions, names):
        start = spoken[mention.first].start
        before = _BEFORE_NAME.search(sentence[low:start])
        if before and _says_more(sentence[last:start]):
            yield plain(sentence[low : low + before.start()])
            low = start
        last = spoken[mention.last].end
    if words(sentence[low:]):
        yield plain(sentence[low:])


def _says_more(between: str) -> bool:
    """Whether there is more between two names than what joins them in a list."""
    return any(w not in _JOINERS | _OPENERS and _numeral(w) is None for w in words(between))


def _subjects(
    sentence: str, functions: Sequence[str], groups: Groups
) -> tuple[tuple[str, ...], str]:
    """The functions a sentence begins with, and what it says of them."""
    spoken = tokens(sentence)
    names = [*functions, *(alias for aliases in groups.values() for alias in aliases)]
    named = _names(sentence, functions, names)
    subjects: list[str] = []
    place = _first_subject(spoken, named)
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
    return _ranged(subjects, sentence[:start], functions), sentence[start:]


def _names(sentence: str, functions: Sequence[str], names: Sequence[str] = ()) -> list[Mention]:
    """The mentions that are names; words for a group always are."""
    spoken = tokens(sentence)
    return [
        mention
        for mention in mentions(sentence, names or functions)
        if mention.name not in functions or _is_name(sentence, spoken, mention)
    ]


def _is_name(sentence: str, spoken: Sequence[Token], mention: Mention) -> bool:
    """Whether the words are used as a name: "create table" may as well say what is done.

    An identifier is a name, and so are words with a number, words that begin with capitals,
    and words that a colon, a dash or a verb like "is" follows.
    """
    low, high = spoken[mention.first].start, spoken[mention.last].end
    said = sentence[low:high]
    capitals = all(sentence[t.start].isupper() for t in spoken[mention.first : mention.last + 1])
    identifier = "_" in said or mention.first == mention.last or said[-1].isdigit()
    named = identifier or capitals or _numeral(spoken[mention.last].word) is not None
    return mention.exact and (named or _FOLLOWS_NAME.match(sentence, high) is not None)


def _first_subject(spoken: Sequence[Token], named: Sequence[Mention]) -> int:
    """The first place that is no opening word; an opening word may itself begin a name."""
    starts = {mention.first for mention in named}
    return next(
        (i for i, t in enumerate(spoken) if i in starts or t.word not in _OPENERS), len(spoken)
    )


def _pointed_at(sentence: str, functions: Sequence[str]) -> list[Passage]:
    """Descriptions that stand before their names: `rows are added by load_rows`."""
    spoken, low, last = tokens(sentence), 0, 0
    found: list[Passage] = []
    for mention in _names(sentence, functions):
        start = spoken[mention.first].start
        if _POINTS_AT_NAME.search(sentence[:start]):
            # From the name before it on: `load_rows is called by fill`.
            found.append(Passage((mention.name,), sentence[low:start]))
        elif found and not _says_more(sentence[last:start]):
            found.append(Passage((mention.name,), found[-1].text))
        low, last = start, spoken[mention.last].end
    return found


def _members(mention: Mention, functions: Sequence[str], groups: Groups) -> list[str]:
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


def _ranged(subjects: Sequence[str], said: str, functions: Sequence[str]) -> tuple[str, ...]:
    """`step_one .. step_three` means `step_two` as well."""
    if len(subjects) == 2 and _RANGE.search(said):
        low, high = functions.index(subjects[0]), functions.index(subjects[1])
        return tuple(functions[low : high + 1]) or tuple(subjects)
    return tuple(dict.fromkeys(subjects))


def _goes_on(place: int, spoken: Sequence[Token], named: Sequence[Mention]) -> bool:
    """Whether another subject follows the joining word."""
    ahead = range(place + 1, min(place + 3, len(spoken)))
    return any(m.first in ahead for m in named) or any(
        _numeral(spoken[p].word) is not None for p in ahead
    )


def _numeral(word: str) -> int | None:
    return NUMBER_WORDS.get(word, int(word) if word.isdecimal() else None)
