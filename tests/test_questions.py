"""Answers marked by hand: `tests/cases/answers/<question>.yaml`, one list for each question.

An entry is `answer` and the `verdict` it deserves; `edition` says which edition's script the
student had, `review: true` that a person would hesitate.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from grader.assignment import load_assignment
from grader.model import ScriptFacts
from grader.questions import Marking

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases" / "answers"
ASSIGNMENT = load_assignment(ROOT / "rubric.yaml")
RUBRIC = ASSIGNMENT.rubric
LEAST_RIGHT = 0.90
"""Share of each file's answers that must be marked right; these are harder than real ones."""


@dataclass(frozen=True)
class Case:
    question: str
    answer: str
    verdict: str
    edition: str
    open: bool


def load(question: str) -> list[Case]:
    entries = yaml.safe_load((CASES / f"{question}.yaml").read_text("utf-8"))
    return [
        Case(
            question,
            entry["answer"],
            entry["verdict"],
            str(entry.get("edition", "current")),
            bool(entry.get("review")),
        )
        for entry in entries
    ]


QUESTIONS = sorted(path.stem for path in CASES.glob("*.yaml"))
EVERY = {question: load(question) for question in QUESTIONS}


def known(edition: str) -> list[ScriptFacts]:
    """The facts of the edition that a student was given."""
    constant = {"2023": RUBRIC.editions["2023"].constant}.get(edition, RUBRIC.script.constant)
    return [facts for facts in ASSIGNMENT.editions if facts.constant == constant]


def mark(case: Case, answer: str | None = None) -> Marking:
    question = RUBRIC.questions[case.question]
    text = case.answer if answer is None else answer
    marking = question.mark(text, known(case.edition), RUBRIC.lexicon)
    assert marking is not None
    return marking


def flagged(marking: Marking) -> bool:
    return marking.doubt is not None or marking.confidence < RUBRIC.review_below


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_get_the_verdict_they_deserve(question: str) -> None:
    """Nine of ten are right, and whoever looks at the flagged ones finds the others."""
    wrong = [(case, mark(case)) for case in EVERY[question]]
    wrong = [(case, marking) for case, marking in wrong if marking.verdict.value != case.verdict]
    silent = [case.answer for case, m in wrong if not flagged(m) and not case.open]
    assert silent == []
    assert 1 - len(wrong) / len(EVERY[question]) >= LEAST_RIGHT


DISGUISES: dict[str, Callable[[str], str]] = {
    "quoted": lambda text: "\n".join(f"> {line}" for line in text.splitlines()),
    "trailing spaces": lambda text: "\n".join(f"{line}  " for line in text.splitlines()),
    "blank lines": lambda text: text.replace("\n", "\n\n"),
    "tabs": lambda text: "\n".join(f"\t{line}" for line in text.splitlines()),
    "entities": lambda text: html.escape(text, quote=True) if "<" not in text else text,
}


@pytest.mark.parametrize("disguise", sorted(DISGUISES))
@pytest.mark.parametrize("question", QUESTIONS)
def test_form_does_not_change_a_verdict(question: str, disguise: str) -> None:
    """Quoting, indentation, blank lines and entities are no reason for another mark."""
    changed = [
        (case.answer, mark(case).verdict.value, marking.verdict.value)
        for case in EVERY[question]
        if "|" not in case.answer
        and "```" not in case.answer
        and (marking := mark(case, DISGUISES[disguise](case.answer))).verdict
        is not mark(case).verdict
    ]
    assert changed == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_question_itself_earns_nothing(question: str) -> None:
    """Repeating the question, or naming every possible answer, is no answer."""
    for answer in (RUBRIC.questions[question].ask[0], "1, 2, 3, 4, 5, 6, 7, 8, 9"):
        case = Case(question, answer, "incorrect", "current", open=False)
        assert mark(case).verdict.value == "incorrect", answer


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_endless_answer_is_read_up_to_a_point_and_flagged(question: str) -> None:
    """A megabyte of numbers and names is no reason to wait, and none to be believed."""
    text = "7 functions, process_one inserts 2 pets at line 40, " * 20_000
    assert flagged(mark(Case(question, text, "", "current", open=False)))
