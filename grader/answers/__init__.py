"""Finds in a README what the student answered to each question."""

from __future__ import annotations

from collections.abc import Mapping

from grader.answers.anchors import find_anchors
from grader.answers.listed import find_listed
from grader.answers.regions import read_regions
from grader.model import Answer
from grader.own_text import OwnText
from grader.questions import Question
from grader.readme_lines import read_lines
from grader.text import plain, words

__all__ = ["find_answers"]


def find_answers(readme: str, questions: Mapping[str, Question], own: OwnText) -> dict[str, Answer]:
    """Returns an answer for every question; one without lines where there is none."""
    read = read_lines(readme)
    anchors = find_anchors(read.lines, questions)
    found: dict[str, list[Answer]] = {name: [] for name in questions}
    for anchor, answer in zip(anchors, read_regions(read, anchors, questions, own), strict=True):
        found[anchor.question].append(answer)
    answers = {name: _settle(candidates) for name, candidates in found.items()}
    last = anchors[-1].question if anchors else None
    if any(answer.lines for name, answer in answers.items() if name != last):
        return answers
    return find_listed(read.lines, anchors, questions, own) or answers


def _settle(candidates: list[Answer]) -> Answer:
    """One answer out of all the places where the question stands."""
    given = [answer for answer in candidates if answer.lines]
    if not given:
        return candidates[0] if candidates else Answer(lines=())
    different = {tuple(words(plain(answer.text))) for answer in given}
    if len(different) == 1:
        return given[0]
    return Answer(
        lines=given[-1].lines,
        asked_line=given[-1].asked_line,
        doubt="the question is answered more than once",
    )
