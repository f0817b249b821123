"""Students' words made comparable: Markdown marks off, tokens with places, names found.

Whatever a student did to a line (bold, list marks, `\\_`, entities, CamelCase, quotes),
two ways of writing the same words give the same tokens.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

LONGEST = 100_000
"""Characters of a README or a transcript that are looked at."""

NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
}

_COMMENT_MARKS = re.compile(r"<!-{2,}|-{2,}>")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,300}>")
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,300}\]\([^)\n]{0,500}\)")
_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\([^)\n]{0,500}\)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_EMPHASIS = re.compile(r"[*`~]+|(?<![^\W_])_{1,3}(?=[^\W_][^_]*[^\W_]_{1,3}(?![^\W_]))")
_LEADING = re.compile(
    r"^\s*(?:(?:>|\#{1,6}(?=\s|$)|[-+•●▪–—](?=\s|$)|\[[ xX]?\](?=\s)"
    r"|\(?(?:\d{1,3}|[a-zA-Z])[.)](?=\s|$)|\d{1,3}\\[.)])\s*)+"
)
_PUNCTUATION = str.maketrans("’‘‛´“”„«»、", '\'\'\'\'""""",') | {ord("。"): ". "}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")
_SWELLING = 4  # times that normal characters are longer; there is one that stands for eighteen
_GLUE = re.compile(r"[ \t_.\\-]{0,3}")


def plain(line: str) -> str:
    """Returns one line without Markdown, HTML and list marks; its words stay as they are."""
    text = unicodedata.normalize("NFKC", html.unescape(line))[: _SWELLING * len(line)]
    text = text.translate(_PUNCTUATION)
    text = _COMMENT_MARKS.sub(" ", text)
    text = _IMAGE.sub(" ", text)
    text = _TAG.sub(" ", _LINK.sub(r"\1", text))
    text = _EMPHASIS.sub("", text)
    # A line that is nothing but `7.` is an answer, no list mark.
    text = _LEADING.sub("", text) or text
    text = _ESCAPE.sub(r"\1", text)
    return text.strip().strip("|").strip()


@dataclass(frozen=True, slots=True)
class Token:
    """One word, in lower case, and where it stands in its text."""

    word: str
    start: int
    end: int


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """Splits text into words; underscores, punctuation and CamelCase separate them."""
    return tuple(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    for match in _WORD.finditer(text):
        edges = [0, *(m.start() for m in _CAMEL.finditer(match[0])), len(match[0])]
        for low, high in pairwise(edges):
            start = match.start()
            yield Token(match[0][low:high].casefold(), start + low, start + high)


def words(text: str) -> list[str]:
    """The text's words in lower case."""
    return [token.word for token in tokens(text)]


def key(name: str) -> str:
    """A name's letters and digits; number words are digits: `step_one` is `Step 1`."""
    return "".join(_number(word) for word in words(name))


@dataclass(frozen=True, slots=True)
class Mention:
    """A known name in a text; `first` and `last` are the places of its tokens."""

    name: str
    first: int
    last: int
    exact: bool
    """Spelled as it should be, or written as one word with underscores."""


def mentions(text: str, names: Iterable[str]) -> list[Mention]:
    """Finds names in a text, in order: `load_row`, `Load Row()`, `LoadRow`, `laod_row`.

    A slip of the pen is forgiven in names of six letters or more, never in a digit.
    """
    known, longest = _known(tuple(names))
    found: list[Mention] = []
    place, spoken = 0, tokens(text)
    while place < len(spoken):
        runs = list(_runs(text, spoken, place, longest))
        mention = _exact(runs, place, known)
        if mention is None:
            following = list(_runs(text, spoken, place + 1, longest))
            if _exact(following, place + 1, known):
                runs = runs[-1:]  # a name that follows is no part of a misspelt one
            mention = _misspelt(text, spoken, runs, place, known)
        if mention is not None:
            found.append(mention)
        place = mention.last + 1 if mention is not None else place + 1
    return found


@lru_cache(maxsize=256)
def _known(names: tuple[str, ...]) -> tuple[dict[str, str], int]:
    """Key -> name, and how many words a mention may have."""
    known = {"".join(words(name)): name for name in names} | {key(name): name for name in names}
    return known, max((len(words(name)) for name in known.values()), default=0) + 1


def _runs(
    text: str, spoken: tuple[Token, ...], place: int, longest: int
) -> Iterator[tuple[str, int]]:
    """(key, last token) of the words from `place` on that may be one name, the longest first."""
    last = place
    if place >= len(spoken):
        return
    while last + 1 < min(place + longest, len(spoken)):
        if not _GLUE.fullmatch(text, spoken[last].end, spoken[last + 1].start):
            break
        last += 1
    for end in range(last, place - 1, -1):
        yield "".join(_number(token.word) for token in spoken[place : end + 1]), end


def _exact(runs: list[tuple[str, int]], place: int, known: dict[str, str]) -> Mention | None:
    return next(
        (Mention(known[said], place, end, exact=True) for said, end in runs if said in known), None
    )


def _misspelt(
    text: str,
    spoken: tuple[Token, ...],
    runs: list[tuple[str, int]],
    place: int,
    known: dict[str, str],
) -> Mention | None:
    for said, end in runs:
        near = _nearly(said, tuple(known))
        if near is not None and len({known[key] for key in near}) == 1:
            glued = " " not in text[spoken[place].start : spoken[end].end] and end > place
            return Mention(known[near[0]], place, end, exact=glued)
    return None


def _number(word: str) -> str:
    return str(NUMBER_WORDS.get(word, word))


@lru_cache(maxsize=4096)
def _nearly(said: str, keys: tuple[str, ...]) -> tuple[str, ...] | None:
    """The keys that `said` is most likely a misspelling of, if any."""
    from rapidfuzz import fuzz

    if len(said) < 6:
        return None
    ratios = {
        known: fuzz.ratio(known, said)
        for known in keys
        if len(known) >= 6
        and known[0] == said[0]
        and re.sub(r"\D", "", known) == re.sub(r"\D", "", said)
    }
    best = max(ratios.values(), default=0)
    return tuple(known for known, ratio in ratios.items() if ratio >= max(85, best)) or None
