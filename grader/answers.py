"""Finds in a README what the student answered to each question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.model import Answer
from grader.own_text import OwnText
from grader.questions import Question
from grader.readme_lines import Line, read_lines
from grader.text import tokens, words

SURE = 95
"""A likeness (0 to 100) at which a question is recognised anywhere in a line."""
LIKE = 86
"""A likeness at which it is recognised at the beginning of a line."""

_NO_ANSWER = frozenset(
    {"a", "ans", "answer", "answers", "your", "here", "todo", "tbd", "the", "is"}
)
_AFTER_QUESTION = re.compile(
    r"^[\s?:.!\"'|)\]*_-]*(?:(?:answer|ans|a)\s*[:.)-]\s*)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A question where it stands in the README."""

    question: str
    line: int
    start: int
    end: int
    likeness: float


def find_answers(readme: str, questions: Mapping[str, Question], own: OwnText) -> dict[str, Answer]:
    """Returns an answer for every question; one without lines where there is none."""
    lines = read_lines(readme)
    anchors = [anchor for line in lines for anchor in _anchors(line, questions)]
    found: dict[str, list[Answer]] = {name: [] for name in questions}
    for place, anchor in enumerate(anchors):
        until = anchors[place + 1] if place + 1 < len(anchors) else None
        found[anchor.question].append(_region(lines, anchor, until, own))
    answers = {name: _settle(candidates) for name, candidates in found.items()}
    return _by_order(lines, anchors, answers, own)


def _anchors(line: Line, questions: Mapping[str, Question]) -> list[Anchor]:
    """The questions on a line, in order; where two overlap the likelier stays."""
    found = [a for name, q in questions.items() if (a := _anchor(line, name, q)) is not None]
    chosen: list[Anchor] = []
    for anchor in sorted(found, key=lambda a: -a.likeness):
        if all(anchor.end <= other.start or other.end <= anchor.start for other in chosen):
            chosen.append(anchor)
    return sorted(chosen, key=lambda a: a.start)


def _anchor(line: Line, name: str, question: Question) -> Anchor | None:
    spoken = tokens(line.text)[:400]
    fits = [fit for ask in question.ask if (fit := _likeness(ask, spoken)) is not None]
    fits += [fit for label in question.labels if (fit := _label(label, line.text)) is not None]
    if not fits:
        return None
    # Of the wordings that fit, the one that covers most: the hint belongs to its question.
    likeness, first, last = max(fits, key=lambda fit: (fit[2] - fit[1], fit[0]))
    return Anchor(
        question=name,
        line=line.number,
        start=spoken[first].start,
        end=spoken[last].end,
        likeness=likeness,
    )


def _likeness(ask: str, spoken: Sequence[object]) -> tuple[float, int, int] | None:
    """(likeness, first token, last token) of a question's wording on a line."""
    from rapidfuzz import fuzz

    wording = " ".join(words(ask))
    said = [getattr(token, "word", "") for token in spoken]
    text = " ".join(said)
    if len(text) < 0.8 * len(wording):
        return None
    match = fuzz.partial_ratio_alignment(wording, text, score_cutoff=LIKE)
    if match is None:
        return None
    first = text.count(" ", 0, match.dest_start + 1)
    last = text.count(" ", 0, max(match.dest_end - 1, match.dest_start))
    return (match.score, first, last) if match.score >= SURE or first <= 3 else None


def _label(label: str, text: str) -> tuple[float, int, int] | None:
    wanted, said = words(label), tokens(text)
    if [token.word for token in said[: len(wanted)]] != wanted:
        return None
    after = text[said[len(wanted) - 1].end :].strip()
    ends = not after or after[0] in ":?|-–"
    return (float(LIKE), 0, len(wanted) - 1) if ends else None


def _region(lines: list[Line], anchor: Anchor, until: Anchor | None, own: OwnText) -> Answer:
    """What stands between a question and the next one, up to the assignment's own text."""
    here = lines[anchor.line - 1]
    end = until.start if until and until.line == anchor.line else None
    taken = [(here.number, _AFTER_QUESTION.sub("", here.text[anchor.end : end]))]
    last = until.line - 1 if until else len(lines)
    following = lines[anchor.line : last] if end is None else []
    taken += [(line.number, line.raw) for line in _until_own(here, following, own)]
    if until and end is None and until.start:
        taken.append((until.line, _before(lines[until.line - 1], until)))
    kept = tuple((number, text.rstrip()) for number, text in taken if _says(text))
    pictured = any(line.image for line in (here, *following[:6]))
    doubt = "the answer may be in a picture" if pictured else None
    return Answer(lines=kept, asked_line=anchor.line, doubt=doubt)


def _before(line: Line, anchor: Anchor) -> str:
    """What a line says before the question on it, its number aside."""
    return re.sub(r"\(?\d{1,2}[.)]?\s*$", "", line.text[: anchor.start])


def _says(text: str) -> bool:
    return not set(words(text)) <= _NO_ANSWER or any(c.isdigit() for c in text)


def _until_own(question: Line, following: list[Line], own: OwnText) -> Iterator[Line]:
    """The lines up to the assignment's own text or a heading that opens another section."""
    style: int | None = question.heading or None
    blank = False
    for line in following:
        if own.holds(line.raw) or (line.heading and _opens_section(line, style, blank)):
            return
        if line.text:
            style = style or line.heading or 7
        blank = blank or not line.text
        yield line


def _opens_section(line: Line, style: int | None, blank: bool) -> bool:
    """Whether a heading ends an answer; some students write answers as headings.

    A heading is an answer directly below its question, or among headings like itself.
    """
    if style is None:
        return blank and line.heading <= 3
    return line.heading != style


def _settle(candidates: list[Answer]) -> Answer:
    """One answer out of all the places where the question stands."""
    given = [answer for answer in candidates if answer.lines]
    if not given:
        return candidates[0] if candidates else Answer(lines=())
    different = {tuple(words(answer.text)) for answer in given}
    if len(different) == 1:
        return given[0]
    return Answer(
        lines=given[-1].lines,
        asked_line=given[-1].asked_line,
        doubt="the question is answered more than once",
    )


def _by_order(
    lines: list[Line], anchors: list[Anchor], answers: dict[str, Answer], own: OwnText
) -> dict[str, Answer]:
    """Answers given as a numbered list of their own, after the questions or without them."""
    last = anchors[-1].question if anchors else None
    if any(answer.lines for name, answer in answers.items() if name != last):
        return answers
    start = anchors[-1].line if anchors else 0
    items = _numbered(lines[start:], len(answers), own)
    if items is None:
        return answers
    return {
        name: Answer(
            lines=tuple(item),
            asked_line=answers[name].asked_line,
            doubt=None if anchors else "found by its number alone, without the question",
        )
        for name, item in zip(answers, items, strict=True)
    }


def _numbered(lines: list[Line], count: int, own: OwnText) -> list[list[tuple[int, str]]] | None:
    """The one list numbered 1 to `count`, each item with the lines that belong to it."""
    items: list[list[tuple[int, str]]] = []
    for line in lines:
        if own.holds(line.raw) or (line.heading and items):
            if len(items) == count:
                break
            items = []
        elif line.item is not None and line.item[0] == len(items) + 1:
            items.append([(line.number, line.item[1])])
        elif items and line.text:
            items[-1].append((line.number, line.raw))
    return items if len(items) == count else None
