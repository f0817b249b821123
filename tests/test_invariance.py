"""A verdict does not depend on form: whole READMEs in disguise get the marks of the plain ones."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.answers import find_answers
from grader.assignment import load_assignment
from grader.checks import judge
from grader.model import Evidence, FileState, ScriptFacts, Submission, TextFile
from grader.script import read_script
from grader.textfile import decode

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ("complete", "swapped-outputs", "older-edition", "serialised", "logs-to-file")
ASSIGNMENT = load_assignment(ROOT / "rubric.yaml")
RUBRIC = ASSIGNMENT.rubric
# A line that is nothing but the student's: neither a question nor Markdown's own structure.
PROSE = re.compile(r"(?!\d+[.)]|#|```|\||>|<|-{3,}|\s*$)(\s*(?:[-*+]\s+)?)(.+)")


def answered(readme: str) -> list[int]:
    """Numbers of the lines that answers stand on alone, from 1."""
    answers = find_answers(readme, RUBRIC.questions, ASSIGNMENT.own_readme)
    return [
        number
        for answer in answers.values()
        for number, _ in answer.lines
        if number != answer.asked_line and PROSE.match(readme.split("\n")[number - 1])
    ]


def on_answers(change: Callable[[str, str], str]) -> Callable[[str], str]:
    """A disguise that changes the lines of answers: (indentation and mark, words) -> line."""

    def disguise(readme: str) -> str:
        lines = readme.split("\n")
        fenced = readme.count("```") > 0
        for number in answered(readme):
            match = PROSE.match(lines[number - 1])
            if match and not fenced:
                lines[number - 1] = change(match[1], match[2])
        return "\n".join(lines)

    return disguise


DISGUISES: dict[str, Callable[[str], str]] = {
    "bold": on_answers(lambda mark, words: f"{mark}**{words.replace('*', '')}**"),
    "italics": on_answers(lambda mark, words: f"{mark}*{words.replace('*', '')}*"),
    "bullets": on_answers(lambda mark, words: f"{mark.split('-')[0]}* {words}"),
    "breaks": on_answers(lambda mark, words: f"{mark}{words}<br>"),
    "tabs": lambda text: re.sub(r"^ {3,4}(?=\S)", "\t", text, flags=re.MULTILINE),
    "trailing spaces": lambda text: text.replace("\n", "   \n"),
    "blank lines": lambda text: re.sub(r"\n(?=\d+\. )", "\n\n", text),
    "broken numbering": lambda text: re.sub(r"^\d+\. ", "1. ", text, flags=re.MULTILINE),
    "other numbering": lambda text: re.sub(r"^(\d+)\. ", r"\1) ", text, flags=re.MULTILINE),
    "entities": lambda text: html.escape(text) if "<" not in text and ">" not in text else text,
    "capitals": lambda text: re.sub(
        r"^(\d+\. .*\?)", lambda m: m[1].upper(), text, flags=re.MULTILINE
    ),
    "a question repeated": lambda text: f"{text}\n\n1. {RUBRIC.questions['q3'].ask[0]}\n",
}

ENCODINGS = {
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
}


def verdicts(sample: str, readme: str) -> dict[str, str]:
    script = (ROOT / "tests" / "submissions" / sample / "multiple_processes.py").read_text("utf-8")
    facts = read_script(script, "multiple_processes.py", RUBRIC.script.constants)
    assert isinstance(facts, ScriptFacts)

    def file(name: str, text: str) -> TextFile:
        return TextFile(name=name, state=FileState.PRESENT, text=text)

    submission = Submission(
        path=sample,
        script=file("multiple_processes.py", script),
        readme=file("README.md", readme),
        transcripts={},
    )
    evidence = Evidence(
        submission=submission,
        script=facts,
        editions=tuple(e for e in ASSIGNMENT.editions if e.constant == facts.constant),
        answers=find_answers(readme, RUBRIC.questions, ASSIGNMENT.own_readme),
    )
    return {name: judge(evidence, name, RUBRIC).verdict.value for name in RUBRIC.questions}


def read(sample: str) -> str:
    return (ROOT / "tests" / "submissions" / sample / "README.md").read_text("utf-8")


@pytest.mark.parametrize("disguise", sorted(DISGUISES))
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_disguise_changes_no_verdict(sample: str, disguise: str) -> None:
    """Emphasis, list marks, numbering, spaces, entities, case: the marks stay."""
    plain = verdicts(sample, read(sample))
    assert set(plain.values()) == {"correct"}
    assert verdicts(sample, DISGUISES[disguise](read(sample))) == plain


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
@pytest.mark.parametrize("sample", SAMPLES)
def test_an_encoding_changes_no_verdict(sample: str, encoding: str) -> None:
    """Whatever an editor made of the file's bytes, the marks stay."""
    text, _, _ = decode(ENCODINGS[encoding](read(sample)))
    assert verdicts(sample, text) == verdicts(sample, read(sample))
