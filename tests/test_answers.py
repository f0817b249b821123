"""Answers are found wherever students put them, and nothing else is taken for one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.answers import find_answers
from grader.assignment import load_assignment
from grader.model import Answer
from grader.text import plain, words
from grader.textfile import decode

TESTS = Path(__file__).resolve().parent
ASSIGNMENT = load_assignment(TESTS.parent / "rubric.yaml")
TEMPLATE = (TESTS.parent / "assignment" / "README.md").read_text("utf-8")
QUESTIONS = ASSIGNMENT.rubric.questions
ASKED = {
    "q1": "1. What libraries did we import?",
    "q2": "2. Where do we set the TASK_DURATION_SECONDS?",
    "q3": "3. How many functions are defined?",
    "q4": "4. What are the function names?",
    "q5": "5. In general, what does each function do?",
    "q6": "6. Where does the execution begin? Hint: generally at the end of the file.",
    "q7": "7. How many processes do we start?",
    "q8": "8. How many records does each process insert?",
}
ANSWERED = {
    "q1": ["datetime and logging", "sqlite3, os and sys"],
    "q2": ["Line 36, just below the set-up of the log"],
    "q3": ["7"],
    "q4": ["recreate_database, create_table", "drop_table", "insert_pet", "process_one to three"],
    "q5": ["The first one calls the other two.", "What each function does: look at its name!"],
    "q6": ['if __name__ == "__main__":'],
    "q7": ["We start three processes"],
    "q8": ["2, so 6 records in total"],
}


def find(readme: str) -> dict[str, Answer]:
    text = decode(readme.encode()).text
    return find_answers(text, QUESTIONS, ASSIGNMENT.own_readme)


def said(answer: Answer) -> list[str]:
    return [word for _, line in answer.lines for word in words(plain(line))]


# ---------------------------------------------------------------- cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file of cases/readmes: a README, then what must be found in it."""

    name: str
    readme: str
    expected: Mapping[str, Any]


def read_case(path: Path) -> Case:
    readme, _, expected = path.read_bytes().partition(b"\n=== expect\n")
    return Case(name=path.stem, readme=decode(readme).text, expected=yaml.safe_load(expected))


CASES = [read_case(path) for path in sorted((TESTS / "cases" / "readmes").glob("*.md"))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cases(case: Case) -> None:
    """Each answer holds what it should, begins where it should, and is doubted when it should."""
    found = find_answers(case.readme, QUESTIONS, ASSIGNMENT.own_readme)
    assert set(found) == set(case.expected)
    wrong = {name: said for name in found if (said := faults(found[name], case.expected[name]))}
    assert wrong == {}


def faults(answer: Answer, expected: Any) -> list[str]:
    if expected == "missing":
        return [f"not missing: {answer.text}"] if answer.lines else []
    if not answer.lines:
        return ["missing"]
    text, doubt = answer.text.lower(), expected.get("doubt", False)
    lines = [expected["line"]] if "line" in expected else []
    return [
        *(
            f"without {part!r}: {text}"
            for part in expected.get("has", ())
            if lower(part) not in text
        ),
        *(f"with {part!r}: {text}" for part in expected.get("not", ()) if lower(part) in text),
        *(f"begins on {answer.lines[0]}" for line in lines if answer.lines[0][0] != line),
        *([f"doubt: {answer.doubt}"] if doubt not in ("any", answer.doubt is not None) else []),
    ]


def lower(part: str) -> str:
    return part.lower()


# ---------------------------------------------------------------- disguises

Lines = list[str]

ANSWER_FORMS: Mapping[str, Callable[[Lines], Lines]] = {
    "plain": list,
    "bullets": lambda lines: [f"- {line}" for line in lines],
    "stars": lambda lines: [f"* {line}" for line in lines],
    "plus": lambda lines: [f"  + {line}" for line in lines],
    "numbers": lambda lines: [f"   1. {line}" for line in lines],
    "letters": lambda lines: [f"   a. {line}" for line in lines],
    "bold": lambda lines: [f"**{line}**" for line in lines],
    "italic": lambda lines: [f"*{line}*" for line in lines],
    "code": lambda lines: [f"`{line}`" for line in lines],
    "fence": lambda lines: ["```python", *lines, "```"],
    "tildes": lambda lines: ["~~~", *lines, "~~~"],
    "indented": lambda lines: [f"    {line}" for line in lines],
    "tabs": lambda lines: [f"\t{line}" for line in lines],
    "trailing spaces": lambda lines: [f"{line}   " for line in lines],
    "quoted": lambda lines: [f"> {line}" for line in lines],
    "small headings": lambda lines: [f"##### {line}" for line in lines],
    "comment": lambda lines: ["<!--", *lines, "-->"],
    "comments": lambda lines: [f"<!-- {line} -->" for line in lines],
    "details": lambda lines: ["<details><summary>Answer</summary>", "", *lines, "", "</details>"],
    "breaks": lambda lines: [f"{line}<br>" for line in lines],
    "label": lambda lines: [f"**Answer:** {lines[0]}", *lines[1:]],
    "label above": lambda lines: ["Answer:", *lines],
    "blank lines": lambda lines: [each for line in lines for each in ("", line, "")],
    "entities": lambda lines: [
        line.replace(",", "&#44;").replace('"', "&quot;").replace("_", "&lowbar;") for line in lines
    ],
    "escaped": lambda lines: [line.replace("_", "\\_") for line in lines],
}


def on_questions(change: Callable[[str], str]) -> Callable[[str], str]:
    """Changes the lines on which the questions stand, and no other."""
    return lambda readme: "\n".join(
        change(line) if line in ASKED.values() else line for line in readme.split("\n")
    )


def on_lines(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda readme: "\n".join(map(change, readme.split("\n")))


def bare(line: str) -> str:
    return line.partition(" ")[2]


README_FORMS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "line ends": lambda readme: readme.replace("\n", "\r\n"),
    "old line ends": lambda readme: readme.replace("\n", "\r"),
    "mark": lambda readme: "\ufeff" + readme,
    "trailing spaces": on_lines(lambda line: f"{line}  "),
    "trailing tabs": on_lines(lambda line: f"{line}\t"),
    "quoted": on_lines(lambda line: f"> {line}"),
    "more blank lines": on_lines(lambda line: line or "\n"),
    "all ones": on_questions(lambda line: f"1. {bare(line)}"),
    "no numbers": on_questions(bare),
    "parentheses": on_questions(lambda line: f"{line[0]}) {bare(line)}"),
    "escaped numbers": on_questions(lambda line: f"{line[0]}\\. {bare(line)}"),
    "Q": on_questions(lambda line: f"Q{line[0]}. {bare(line)}"),
    "bold questions": on_questions(lambda line: f"{line[:2]} **{bare(line)}**"),
    "bullet questions": on_questions(lambda line: f"- {bare(line)}"),
    "upper case": on_questions(str.upper),
    "lower case": on_questions(str.lower),
    "entities": on_questions(lambda line: line.replace("?", "&#63;").replace("_", "&#95;")),
    "no question marks": on_questions(lambda line: line.replace("?", "")),
}
COMMON = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def filled(answers: Mapping[str, Lines]) -> str:
    """The template with the answers below their questions."""
    readme = TEMPLATE
    for name, lines in answers.items():
        readme = readme.replace(ASKED[name], "\n".join([ASKED[name], *lines]))
    return readme


def expected(answers: Mapping[str, Lines]) -> dict[str, list[str]]:
    return {
        name: [word for line in answers.get(name, ()) for word in words(line)] for name in QUESTIONS
    }


@pytest.mark.parametrize("form", ANSWER_FORMS)
@pytest.mark.parametrize("apart", ["", "\n"], ids=["touching", "apart"])
def test_form_of_answers(form: str, apart: str) -> None:
    """An answer's words do not depend on how its lines are written."""
    dressed = {name: [*apart, *ANSWER_FORMS[form](lines)] for name, lines in ANSWERED.items()}
    found = find(filled(dressed))
    assert {name: said(found[name]) for name in found} == expected(ANSWERED)
    assert {answer.doubt for answer in found.values()} == {None}


@pytest.mark.parametrize("form", README_FORMS)
def test_form_of_readmes(form: str) -> None:
    """An answer's words do not depend on how the README and its questions are written."""
    found = find(README_FORMS[form](filled(ANSWERED)))
    assert {name: said(found[name]) for name in found} == expected(ANSWERED)


@pytest.mark.parametrize("form", README_FORMS)
def test_untouched(form: str) -> None:
    """The README as students receive it answers nothing in any disguise."""
    assert {name: said(answer) for name, answer in find(README_FORMS[form](TEMPLATE)).items()} == (
        expected({})
    )


@COMMON
@given(
    names=st.sets(st.sampled_from(sorted(ASKED))),
    answer_form=st.sampled_from(sorted(ANSWER_FORMS)),
    readme_form=st.sampled_from(sorted(README_FORMS)),
    blank=st.booleans(),
)
def test_any_form(names: set[str], answer_form: str, readme_form: str, blank: bool) -> None:
    """Whichever questions are answered, in whatever form, the others stay unanswered."""
    given_answers = {name: ANSWERED[name] for name in sorted(names)}
    gap = [""] * blank
    dressed = {
        name: [*gap, *ANSWER_FORMS[answer_form](lines), *gap]
        for name, lines in given_answers.items()
    }
    found = find(README_FORMS[readme_form](filled(dressed)))
    assert {name: said(found[name]) for name in found} == expected(given_answers)


@pytest.mark.parametrize("name", ASKED)
def test_question_twice(name: str) -> None:
    """A question that a student copied and answered once is answered once."""
    readme = filled({name: [ASKED[name], *ANSWERED[name]]})
    found = find(readme)
    assert said(found[name]) == expected({name: ANSWERED[name]})[name]
    assert found[name].doubt is None


def test_lines() -> None:
    """An answer knows the lines it stands on, and the one its question stands on."""
    readme = filled({"q4": ["", "- one", "", "- two"]})
    asked = readme.split("\n").index(ASKED["q4"]) + 1
    answer = find(readme)["q4"]
    assert answer.asked_line == asked
    assert answer.lines == ((asked + 2, "- one"), (asked + 4, "- two"))


# ---------------------------------------------------------------- hostile text

PIECES = [*ASKED.values(), "|", "\n", "\n\n", "> ", "- ", "1. ", "[^1]", "[^1]: ", "```\n", "# "]
PIECES += ["<!--", "<details>", "![", "](", "**", "_", "&#", "\u0000", "\u2028", "７", "\t", "7"]


@COMMON
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=60).map("".join))
@example("")
@example("1. What libraries did we\n")
def test_any_text(readme: str) -> None:
    """Every text gives an answer to every question, from lines that are in it."""
    found = find(readme)
    assert list(found) == list(QUESTIONS)
    count = len(re.split("\n|\r\n?", readme))
    assert all(1 <= number <= count for answer in found.values() for number, _ in answer.lines)


@pytest.mark.parametrize(
    "readme",
    [
        pytest.param("a " * 500_000, id="one line"),
        pytest.param("1. x\n" * 200_000, id="items"),
        pytest.param("- " * 400_000, id="nested list"),
        pytest.param((">" * 1000 + " x\n") * 1000, id="nested quotes"),
        pytest.param("".join(" " * (n % 500) + "- x\n" for n in range(4000)), id="deep list"),
        pytest.param("3. How many functions are defined?\n" * 30_000, id="questions"),
        pytest.param("how many functions are\n" * 45_000, id="half questions"),
        pytest.param(("[" * 2000 + "\n") * 500, id="brackets"),
        pytest.param(("<a " * 900 + "\n") * 400, id="tags"),
        pytest.param("| 1 | 2 |\n" * 100_000, id="table"),
        pytest.param("[^1]: x [^1]\n" * 80_000, id="footnotes"),
        pytest.param("_a" * 500_000, id="underscores"),
    ],
)
def test_speed(readme: str) -> None:
    """A megabyte of anything is read in a moment."""
    find_answers(TEMPLATE, QUESTIONS, ASSIGNMENT.own_readme)
    started = time.process_time()
    find_answers(readme, QUESTIONS, ASSIGNMENT.own_readme)
    assert time.process_time() - started < 3
