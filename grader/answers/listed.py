"""Finds answers that stand apart from their questions, in a section of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from grader.answers.anchors import Anchor
from grader.answers.items import NUMBERED, Listed, by_number, by_place, one_text
from grader.answers.saying import Said
from grader.lexicon import Stems, stems
from grader.model import Answer
from grader.own_text import OwnText
from grader.questions import Question
from grader.questions.number import NumberQuestion
from grader.readme_lines import Line
from grader.text import NUMBER_WORDS, plain, words

_ANSWERS = frozenset(("answer", "answers", "questions", "solution", "solutions", "responses"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """Lines of the student's own, without a question among them."""

    title: Line | None
    lines: tuple[Line, ...]
    given: bool
    """Whether the assignment's own text stands between the title and the lines."""
    near: bool
    """Whether they come after the questions, with no other section between."""

    @property
    def answers(self) -> bool:
        """Whether the section says that it is one of answers."""
        above = (self.title.text if self.title else "", *(line.text for line in self.lines[:2]))
        return any(map(_tells_of_answers, above))


def find_listed(
    lines: Sequence[Line],
    anchors: Sequence[Anchor],
    questions: Mapping[str, Question],
    own: OwnText,
) -> dict[str, Answer] | None:
    """Returns the answers of a student who left all questions as they were, or deleted them.

    None when there is no such list, table or text.
    """
    asked = {anchor.question: anchor.line for anchor in reversed(anchors)}
    title = own.title_above({stems(ask) for question in questions.values() for ask in question.ask})
    sections = sorted(_sections(lines, anchors, own), key=lambda s: (not s.near, not s.answers))
    for section in sections:
        find = _among_questions if anchors else partial(_without_questions, title=title)
        listed = find(section, questions)
        if listed is not None and _plausible(listed, questions):
            return {
                name: Answer(
                    lines=tuple(listed.items.get(number, ())),
                    asked_line=asked.get(name),
                    doubt=listed.doubt if number in listed.items else None,
                )
                for number, name in enumerate(questions, start=1)
            }
    return None


def _sections(lines: Sequence[Line], anchors: Sequence[Anchor], own: OwnText) -> Iterator[_Section]:
    """The student's own lines, cut at headings, questions and the assignment's own text."""
    asked = {number for a in anchors for number in range(a.line, a.last + 1)}
    last = max(asked, default=len(lines))
    title: Line | None = None
    given, opened = False, 0
    held: list[Line] = []
    for line in (*lines, None):
        opens = line is not None and line.heading > 0 and NUMBERED.match(line.raw) is None
        if line and not opens and line.number not in asked and not own.holds(line.raw):
            held += [line] if line.text or held else []
            continue
        if held:
            near = held[0].number > last and _near(opened, title)
            yield _Section(title=title, lines=tuple(held), given=given, near=near)
        held, given = [], not opens
        if line and opens:
            title, opened = line, opened + (line.number > last)


def _near(opened: int, title: Line | None) -> bool:
    """Whether `opened` sections after the questions are none, or one of answers."""
    return not opened or (opened == 1 and title is not None and _tells_of_answers(title.text))


def _tells_of_answers(text: str) -> bool:
    return bool(_ANSWERS & set(words(text)[:6]))


def _among_questions(section: _Section, questions: Mapping[str, Question]) -> Listed | None:
    """What a section answers in a README whose questions were left as they were."""
    count = len(questions)
    listed = by_number(section.lines, count, titled=section.answers, near=section.near)
    if not section.near:
        return listed and replace(listed, doubt="found far from the questions")
    return listed or by_place(section.lines, count) or one_text(section.lines, questions)


def _without_questions(
    section: _Section, questions: Mapping[str, Question], *, title: Stems
) -> Listed | None:
    """What a section answers in a README that may not even be this assignment's.

    `title` is the heading that the questions were given under; students shorten it.
    """
    said = stems(section.title.text) if section.title else ()
    placed = len(said) >= 2 and title[: len(said)] == said
    count = len(questions)
    listed = by_number(section.lines, count, titled=placed, near=False)
    if listed is None and (placed or section.answers):
        listed = by_place(section.lines, count) or one_text(section.lines, questions)
    if listed is None or (placed and section.given and listed.numbered):
        return listed
    return replace(listed, doubt=listed.doubt or "found without the questions")


def _plausible(listed: Listed, questions: Mapping[str, Question]) -> bool:
    """Whether most answers that should be a number hold one, and few are questions."""
    asking = sum(item[0][1].rstrip("*_ ").endswith("?") for item in listed.items.values())
    numbers = [
        _says_number(listed.items[number])
        for number, question in enumerate(questions.values(), start=1)
        if isinstance(question, NumberQuestion) and number in listed.items
    ]
    return 2 * sum(numbers) >= len(numbers) and 2 * asking < len(listed.items)


def _says_number(item: list[Said]) -> bool:
    said = [word for _, text in item for word in words(plain(text))]
    return any(word.isdigit() or word in NUMBER_WORDS for word in said)
