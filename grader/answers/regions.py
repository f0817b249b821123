"""Reads what stands between a question and whatever comes after its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from grader.answers.anchors import Anchor
from grader.answers.endings import Ending, answer_levels, ending_of
from grader.answers.saying import Said, says, without_mark
from grader.model import Answer
from grader.own_text import OwnText
from grader.questions import Question
from grader.readme_lines import Line, Readme
from grader.text import plain, tokens, words

_AFTER_QUESTION = re.compile(
    r"^[\s?:.!\"'|)\]*_=>→–-]*(?:(?:answer|ans|a)\s*[:.)-]\s*)?", re.IGNORECASE
)
_QUESTION_MARK = re.compile(
    r"(?:\b(?:question|q|no|nr)\.?\s?)?\(?#?\d{0,2}\s?[.,:)|-]{0,3}\s*$", re.IGNORECASE
)
_LEAD_IN = re.compile(r"[\s>*_#-]{0,20}[^\W\d_]+(?: [^\W\d_]+){0,3}\s?:[\s*_]*")


def read_regions(
    read: Readme, anchors: list[Anchor], questions: Mapping[str, Question], own: OwnText
) -> list[Answer]:
    """What was said to the question of each anchor; questions in one breath share it."""
    names = list(questions)
    levels = answer_levels(read.lines, anchors)
    answers: list[Answer] = []
    for anchor, until in reversed(list(zip_longest(anchors, anchors[1:]))):
        bounded = until is not None and names.index(until.question) > names.index(anchor.question)
        ending = ending_of(read.lines, anchor.line, levels, bounded=bounded)
        answer = _region(read, anchor, until, questions[anchor.question], own, ending)
        if not answer.lines and until is not None and until.line == anchor.last:
            answer = Answer(
                lines=answers[-1].lines, asked_line=anchor.line, doubt=answers[-1].doubt
            )
        answers.append(answer)
    return answers[::-1]


def _region(
    read: Readme,
    anchor: Anchor,
    until: Anchor | None,
    question: Question,
    own: OwnText,
    ending: Ending,
) -> Answer:
    """What stands between a question and the next one, up to the assignment's own text."""
    here = read.lines[anchor.last - 1]
    together = until is not None and until.line == anchor.last
    end = until.start if until and together else None
    following = read.lines[anchor.last : until.line - 1 if until else here.code_end]
    region = [] if together else list(_until_own(ending.cut(following), question, own))
    taken = [(here.number, _AFTER_QUESTION.sub("", here.text[anchor.end : end]))]
    taken += [(line.number, line.raw) for line in region]
    if until and not together and until.start:
        taken.append((until.line, _before(read.lines[until.line - 1], until)))
    kept = _kept(taken, question, led_to=until is not None)
    if not any(plain(text) for _, text in kept):
        kept = kept or _noted(read, [here, *region])
    return Answer(lines=kept, asked_line=anchor.line, doubt=_pictured(kept))


def _kept(taken: list[Said], question: Question, *, led_to: bool) -> tuple[Said, ...]:
    """The lines that say something of the student's own."""
    own = [(number, _without_hint(text, question)) for number, text in taken]
    kept = [(number, text.rstrip()) for number, text in own if says(text)]
    if kept:
        kept[0] = (kept[0][0], without_mark(kept[0][1]))
    if led_to and len(kept) > 1 and _LEAD_IN.fullmatch(kept[-1][1]):
        kept.pop()
    return tuple(kept)


def _pictured(kept: tuple[Said, ...]) -> str | None:
    alone = kept and not any(words(plain(text)) for _, text in kept)
    return "the answer may be in a picture" if alone else None


def _noted(read: Readme, lines: Sequence[Line]) -> tuple[Said, ...]:
    """The footnotes that a question without an answer refers to."""
    return tuple(said for line in lines for name in line.notes for said in read.notes[name])


def _without_hint(text: str, question: Question) -> str:
    """A line without what the question itself adds after its question mark."""
    bare = plain(text)
    spoken = tokens(bare)
    for ask in question.ask:
        hint = words(ask.partition("?")[2])
        if hint and [token.word for token in spoken[: len(hint)]] == hint:
            return bare[spoken[len(hint) - 1].end :].lstrip(" .:;,!)*_")
    return text


def _before(line: Line, anchor: Anchor) -> str:
    """What a line says before the question on it, its number aside."""
    return _QUESTION_MARK.sub("", line.text[: anchor.start])


def _until_own(lines: Iterable[Line], question: Question, own: OwnText) -> Iterator[Line]:
    """The lines up to the assignment's own text; the question's hint is no end."""
    for line in lines:
        if words(_without_hint(line.text, question)) and own.holds(line.raw):
            return
        yield line
