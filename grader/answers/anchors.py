"""Finds where the questions stand in a README: kept, reworded, wrapped or as short labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.questions import Question
from grader.readme_lines import Line
from grader.text import Token, tokens, words

SURE = 95
"""A likeness (0 to 100) at which a question is recognised anywhere in a line."""
LIKE = 86
"""A likeness at which it is recognised at the beginning of a line."""
EARLY = 3
"""Words that may stand before a question at the beginning of a line: `Question 3 of 8`."""
MAX_WORDS = 400

_REST = re.compile(r"[^?.!:;,|\d(]{0,60}\?")
_NUMBERED = re.compile(r"[\s>*_#]*\(?\d{1,2}\\?[.)]")
_CLOSING = " \t\"'*_)`]"
_CONTENTS = re.compile(r"\]\(\s*#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A question where it stands in the README."""

    question: str
    line: int
    start: int
    """Where on its line the question starts."""
    last: int
    """The line it ends on, usually the same."""
    end: int
    """Where on its last line it ends."""
    likeness: float
    marked: bool = False
    """Whether it ends in a question mark."""


@dataclass(frozen=True, slots=True)
class _Fit:
    likeness: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Wording:
    said: str
    words: frozenset[str]


def find_anchors(lines: Sequence[Line], questions: Mapping[str, Question]) -> list[Anchor]:
    """Returns every place where a question stands, in the README's order."""
    wordings = {
        name: [_Wording(" ".join(words(ask)), frozenset(words(ask))) for ask in question.ask]
        for name, question in questions.items()
    }
    following = [*lines[1:], None]
    asked = [
        anchor
        for line, after in zip(lines, following, strict=True)
        if line.text
        for anchor in _asked(line, after, wordings)
    ]
    labels = [label for line in lines for label in _labels(line, questions)]
    # `Processes: …` may well be part of an answer; a whole set of labels is none.
    whole_set = len({label.question for label in labels}) * 2 >= len(questions)
    asked += [label for label in labels if whole_set or label.marked]
    anchors = _without_contents(_apart(asked), lines)
    return sorted(
        [*anchors, *_in_gaps(anchors, lines, list(questions))], key=lambda a: (a.line, a.start)
    )


def _in_gaps(anchors: list[Anchor], lines: Sequence[Line], order: list[str]) -> Iterator[Anchor]:
    """Questions in words of the student's own: the one numbered `…?` between two neighbours."""
    for before, after in pairwise(anchors):
        place = order.index(before.question) + 1
        if order[place + 1 : place + 2] != [after.question]:
            continue
        between = lines[before.last : after.line - 1]
        asking = [line for line in between if _NUMBERED.match(line.raw) and "?" in line.text]
        if len(asking) == 1:
            line = asking[0]
            yield Anchor(
                question=order[place],
                line=line.number,
                start=0,
                last=line.number,
                end=line.text.index("?") + 1,
                likeness=float(LIKE),
                marked=True,
            )


def _apart(found: list[Anchor]) -> list[Anchor]:
    """The anchors in order; where two overlap the likelier stays."""
    chosen: list[Anchor] = []
    ordered = sorted(found, key=lambda a: (a.line, a.start, -a.likeness))
    for anchor in ordered:
        if not chosen or (chosen[-1].last, chosen[-1].end) <= (anchor.line, anchor.start):
            chosen.append(anchor)
        elif anchor.likeness > chosen[-1].likeness:
            chosen[-1] = anchor
    return [
        anchor
        for before, anchor in zip([None, *chosen], chosen, strict=False)
        # A question said again, but not asked: the answer begins with its words.
        if anchor.marked or before is None or anchor.question != before.question
    ]


def _without_contents(anchors: list[Anchor], lines: Sequence[Line]) -> list[Anchor]:
    """Leaves out a table of contents: questions that link to where they are answered."""
    linked = [_CONTENTS.search(lines[anchor.line - 1].raw) is not None for anchor in anchors]
    direct = {a.question for a, link in zip(anchors, linked, strict=True) if not link}
    return [
        a for a, link in zip(anchors, linked, strict=True) if not link or a.question not in direct
    ]


def _asked(
    line: Line, after: Line | None, wordings: Mapping[str, list[_Wording]]
) -> Iterator[Anchor]:
    here = tokens(line.text)[:MAX_WORDS]
    wrapped = (*here, *tokens(after.text)[:30]) if after is not None and after.text else ()
    said, said_wrapped = _words(here), _words(wrapped)
    for name, asks in wordings.items():
        anchor = _anchor(name, line, after, here, _best(asks, said))
        fit = _best(asks, said_wrapped) if wrapped else None
        if fit and _is_wrapped(fit, len(here), anchor):
            anchor = _anchor(name, line, after, wrapped, fit, turn=len(here)) or anchor
        if anchor is not None:
            yield anchor


def _words(spoken: Sequence[Token]) -> list[str]:
    return [token.word for token in spoken]


def _is_wrapped(fit: _Fit, turn: int, alone: Anchor | None) -> bool:
    """Whether a question begins on one line and ends on the next."""
    if not fit.first < turn <= fit.last or fit.likeness < SURE:
        return False
    return alone is not None or fit.first <= EARLY


def _best(asks: list[_Wording], said: list[str]) -> _Fit | None:
    """Of the wordings that fit, the one that covers most: a hint belongs to its question."""
    spoken, text = set(said), " ".join(said)
    fits = [fit for ask in asks if (fit := _fit(ask, spoken, text)) is not None]
    return max(
        fits,
        key=lambda fit: (fit.likeness >= SURE, fit.last - fit.first, fit.likeness),
        default=None,
    )


def _fit(ask: _Wording, spoken: set[str], text: str) -> _Fit | None:
    """Where a question's wording stands in a text, in words."""
    if len(text) < 0.8 * len(ask.said) or len(ask.words & spoken) < 0.4 * len(ask.words):
        return None
    from rapidfuzz import fuzz

    match = fuzz.partial_ratio_alignment(ask.said, text, score_cutoff=LIKE)
    if match is None:
        return None
    first = text.count(" ", 0, match.dest_start + 1)
    last = text.count(" ", 0, max(match.dest_end - 1, match.dest_start))
    return _Fit(match.score, first, last)


def _anchor(
    name: str,
    line: Line,
    after: Line | None,
    spoken: Sequence[Token],
    fit: _Fit | None,
    turn: int | None = None,
) -> Anchor | None:
    """The question as an anchor, up to its question mark; None if it is rather a statement."""
    if fit is None:
        return None
    crosses = turn is not None and fit.last >= turn and after is not None
    ends_on = after if crosses and after is not None else line
    end = spoken[fit.last].end
    rest = _REST.match(ends_on.text, end)
    end = rest.end() if rest else end
    if not _is_question(fit, ends_on.text[end:].lstrip(_CLOSING), marked=rest is not None):
        return None
    return Anchor(
        question=name,
        line=line.number,
        start=spoken[fit.first].start,
        last=ends_on.number,
        end=end,
        likeness=fit.likeness,
        marked="?" in ends_on.text[:end],
    )


def _is_question(fit: _Fit, after: str, *, marked: bool) -> bool:
    if fit.first > EARLY:
        return fit.likeness >= SURE and (marked or after[:1] in ("", "|", ":"))
    return fit.likeness >= SURE or marked or after[:1] in ("", *"|:.!-–—=>→")


def _labels(line: Line, questions: Mapping[str, Question]) -> Iterator[Anchor]:
    """The longest short form that the line begins with, followed by a mark."""
    spoken = tokens(line.text)[:MAX_WORDS]
    fits = [
        (len(label), name)
        for name, question in questions.items()
        for label in map(words, question.labels)
        if label and _words(spoken[: len(label)]) == label
    ]
    if not fits:
        return
    length, name = max(fits)
    end = spoken[length - 1].end
    after = line.text[end:].lstrip(_CLOSING)
    if after[:1] in ("", *":?|-–—"):
        yield Anchor(
            question=name,
            line=line.number,
            start=spoken[0].start,
            last=line.number,
            end=end,
            likeness=float(LIKE),
            marked=after[:1] == "?",
        )
