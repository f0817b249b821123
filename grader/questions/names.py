"""Questions answered by a set of names: the libraries imported, the functions defined."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from grader.lexicon import Lexicon, stems
from grader.model import ScriptFacts, Verdict
from grader.questions.base import Marking, Names, Question
from grader.questions.shorthand import taken_apart, written_out
from grader.text import key, mentions, plain, words

_IMPORT = re.compile(r"^\s*import\s+([\w.,\s]+?)\s*(?:#.*)?$")
_FROM = re.compile(r"^\s*from\s+([\w.]+)\s+import\b")
_DEF = re.compile(r"\bdef\s+(\w+)")
_RULE = re.compile(r"^[\s|:-]*-{2,}[\s|:-]*$")
_BRACKETS = re.compile(r"\([^()]*\)")
_EXPLAINED = re.compile(r"\s*(?::|=|->|=>|→|#|\.{3,}|…|\s[-–—]\s|-\s)\s*")
_SEPARATORS = re.compile(r"[,;|/&\n]|\band\b|\.\s|\.$|:", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:not|never|without|except)\b(?! only)|n't\b", re.IGNORECASE)
_ARTICLES = frozenset({"the", "a", "an"})
_NAME = re.compile(r"[A-Za-z_][\w.]*\Z")
_ROMAN = re.compile(r"[ivx]+\Z", re.IGNORECASE)


class NamesQuestion(Question):
    """Right when exactly the expected names are given, in any order and format."""

    type: Literal["names"]
    of: Literal["imports", "functions"] | None = Field(
        default=None, description="Take the expected names from the script."
    )
    names: Names = Field(default=(), description="The expected names, if not from the script.")
    things: str = Field(default="names", description="What the names are, for the feedback.")
    aliases: dict[str, Names] = Field(default={}, description="Other names for an expected name.")
    others: Names = Field(
        default=(), description="Names that are none of the expected whoever is asked: `pandas`."
    )
    filler: Names = Field(
        default=(), description="Words that may stand alone in a list without being a name."
    )

    @model_validator(mode="after")
    def _one_source(self) -> NamesQuestion:
        if (self.of is None) == (not self.names):
            raise ValueError("give either `of` or `names`")
        return self

    def judge(self, answer: str, facts: ScriptFacts, lexicon: Lexicon) -> Marking | None:  # noqa: ARG002
        """Marks by how many of the names are there and how many others."""
        expected = self.names or (getattr(facts, self.of) if self.of else ())
        if not expected:
            return None
        items = [
            part
            for item in self._items(taken_apart(answer, expected), expected)
            for part in _SEPARATORS.split(item)
            if not _DENIED.search(part)
        ]
        found = self._found("\n".join(items), expected)
        if not found:
            # No list: the names may stand anywhere in the words.
            found = self._found("\n".join(map(plain, answer.splitlines())), expected)
        extra = self._extra(items, expected)
        said = tuple(name for name in expected if name in found or _told_of(name, items))
        return self._marking(expected, said, extra, _doubt(expected, found, said, extra, answer))

    def _items(self, answer: str, expected: Names) -> Iterator[str]:
        """The parts of the answer that give names, explanations left out."""
        lines = answer.splitlines()
        stated = {
            place: names for place, line in enumerate(lines) if (names := _stated(line, self.of))
        }
        for names in stated.values():
            yield from names
        if len(stated) * 2 >= sum(bool(words(line)) for line in lines):
            return  # what stands between the statements explains them
        for place, line in enumerate(lines):
            heading = place + 1 < len(lines) and _RULE.match(lines[place + 1]) and "|" in line
            named = heading and self._found(line, expected)
            if place in stated or (heading and not named) or _RULE.match(line):
                continue
            text = written_out(plain(line), expected)
            yield self._head(_BRACKETS.sub(" ", text) or text, expected)

    def _head(self, text: str, expected: Names) -> str:
        """A line's names: the first cell or word, where an explanation follows it."""
        for part in (text.split("|", maxsplit=1)[0], _EXPLAINED.split(text, maxsplit=1)[0]):
            rest = text[len(part) :]
            names_one = len(self._found(part, expected)) == 1 and len(words(part)) < 4
            if rest and names_one and len(self._found(rest, expected)) < 2:
                return part
        return text

    def _found(self, text: str, expected: Names) -> Names:
        meant = {name: name for name in expected}
        meant |= {a: name for name, others in self.aliases.items() if name in meant for a in others}
        said = {meant[mention.name] for mention in mentions(text, meant)}
        return tuple(name for name in expected if name in said)

    def _extra(self, items: list[str], expected: Names) -> dict[str, bool]:
        """Items that are not expected -> whether they surely are names."""
        known = {key(word) for word in (*self.filler, *words(self.things))}
        parts = (item.strip(" '\"()[]{}*.") for item in items)
        return {
            part: self._surely(part)
            for part in parts
            if _NAME.match(part)
            and key(part) not in known
            and not _ROMAN.match(part)
            and (part[0].islower() or self._surely(part) or "_" in part)
            and not self._found(part, expected)
        }

    def _surely(self, name: str) -> bool:
        if key(name) in {key(other) for other in self.others}:
            return True
        if self.of == "imports":
            return name.split(".", maxsplit=1)[0].lower() in sys.stdlib_module_names
        return "_" in name

    def _marking(
        self, expected: Names, found: Names, extra: dict[str, bool], doubt: str | None
    ) -> Marking:
        total, count = len(expected), len(found)
        verdict, confidence = _verdict(total, count, bool(extra))
        return Marking(
            verdict=verdict,
            confidence=min(confidence, 0.6) if doubt else confidence,
            what=_what(count, total, self.things, len(extra)),
            actual=_told(found, tuple(extra)),
            expected=", ".join(expected),
            doubt=doubt,
        )


def _verdict(total: int, count: int, extra: bool) -> tuple[Verdict, float]:
    if count == total and not extra:
        return Verdict.CORRECT, 0.97
    if count * 2 >= total:
        return Verdict.PARTIAL, 0.85
    return Verdict.INCORRECT, 0.95 if count * 4 <= total else 0.8


def _stated(line: str, of: str | None) -> list[str]:
    """Names that a line of code imports or defines."""
    bare = re.sub(r"^[\s>*+`-]+|`+", "", line)
    if of == "functions":
        return _DEF.findall(bare)
    imported, source = _IMPORT.match(bare), _FROM.match(bare)
    parts = imported[1].split(",") if imported else [source[1]] if source else []
    names = (re.sub(r"\s+as\s.*", "", part).strip() for part in parts)
    return [name.split(".", maxsplit=1)[0] for name in names]


def _told_of(name: str, items: list[str]) -> bool:
    """Whether a name of several words is turned into a phrase: `loads the rows`."""
    parts = stems(name)
    if len(parts) < 2:
        return False
    told = [" ".join(stem for stem in stems(item) if stem not in _ARTICLES) for item in items]
    return any(f" {' '.join(parts)} " in f" {phrase} " for phrase in told)


def _doubt(
    expected: Names, found: Names, said: Names, extra: dict[str, bool], answer: str
) -> str | None:
    if said != found:
        return "some names may only be described, not given"
    if len(said) == len(expected) and extra and not any(extra.values()):
        return f"{', '.join(extra)} may be no name that was given as an answer"
    for other in extra:
        meant = [n for n in expected if n not in said and words(n)[:-1] == words(other)]
        given, whole = len(said), len(said) + len(meant)
        if meant and (
            _verdict(len(expected), given, True)[0] is not _verdict(len(expected), whole, False)[0]
        ):
            return f"{other} may stand for several names"
    if any(len(word) > 40 for word in words(answer)):
        return "names may have run together"
    return None


def _what(count: int, total: int, things: str, extra: int) -> str:
    what = f"Your answer names {count} of the {total} {things}"
    if not extra:
        return f"{what}."
    return f"{what}, and {extra} that {'does' if extra == 1 else 'do'} not belong there."


def _told(found: Names, extra: Names) -> str:
    told = f"recognised: {', '.join(found) or 'none'}"
    return f"{told}; not expected: {', '.join(extra)}" if extra else told
