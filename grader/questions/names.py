"""Questions answered by a set of names: the libraries imported, the functions defined."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from grader.lexicon import Lexicon
from grader.model import ScriptFacts, Verdict
from grader.questions.base import Marking, Names, Question
from grader.text import key, mentions, plain

_SEPARATORS = re.compile(r"[,;|/&\n]|\band\b|\bimport\b|\bfrom\b|\.\s|\.$|:", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][\w.]*(?:\s?\d)?\Z")
_PARAMETERS = re.compile(r"\([^()]*\)")


class NamesQuestion(Question):
    """Right when exactly the expected names are given, in any order and format."""

    type: Literal["names"]
    of: Literal["imports", "functions"] | None = Field(
        default=None, description="Take the expected names from the script."
    )
    names: Names = Field(default=(), description="The expected names, if not from the script.")
    things: str = Field(default="names", description="What the names are, for the feedback.")
    aliases: dict[str, Names] = Field(default={}, description="Other names for an expected name.")
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
        text = "\n".join(plain(line) for line in answer.splitlines())
        found = self._found(text, expected)
        extra = self._extra(text, expected)
        return self._marking(expected, found, extra)

    def _found(self, text: str, expected: Names) -> Names:
        meant = {name: name for name in expected}
        meant |= {a: name for name, others in self.aliases.items() if name in meant for a in others}
        said = {meant[mention.name] for mention in mentions(text, meant)}
        return tuple(name for name in expected if name in said)

    def _extra(self, text: str, expected: Names) -> Names:
        """Names given that are not expected: the items of the answer's lists that are one word."""
        known = {key(word) for word in (*self.filler, self.things)}
        items = (
            item.strip(" '\"()[]{}*.") for item in _SEPARATORS.split(_PARAMETERS.sub(" ", text))
        )
        return tuple(
            dict.fromkeys(
                item
                for item in items
                if _NAME.match(item) and key(item) not in known and not self._found(item, expected)
            )
        )

    def _marking(self, expected: Names, found: Names, extra: Names) -> Marking:
        total, count = len(expected), len(found)
        if count == total and not extra:
            verdict, confidence = Verdict.CORRECT, 0.97
        elif count * 2 >= total:
            verdict, confidence = Verdict.PARTIAL, 0.75 if extra and count == total else 0.85
        else:
            verdict, confidence = Verdict.INCORRECT, 0.95 if count * 4 <= total else 0.8
        what = f"Your answer names {count} of the {total} {self.things}"
        what += f", and {len(extra)} that {_do(len(extra))} not belong there." if extra else "."
        return Marking(
            verdict=verdict,
            confidence=confidence,
            what=what,
            actual=_told(found, extra),
            expected=", ".join(expected),
        )


def _do(count: int) -> str:
    return "does" if count == 1 else "do"


def _told(found: Names, extra: Names) -> str:
    told = f"recognised: {', '.join(found) or 'none'}"
    return f"{told}; not expected: {', '.join(extra)}" if extra else told
