"""Whatever a file says, its parser ends in good time with a result or its documented error.

A short run is the same every time. A long one tries something new each time:

    FUZZ_EXAMPLES=20000 pytest tests/test_fuzz.py
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.answers import find_answers
from grader.assignment import default_rubric, load_assignment
from grader.errors import RubricError, UsageError
from grader.model import (
    REPORT_VERSION,
    Event,
    EventKind,
    Feedback,
    Files,
    Note,
    Quote,
    Report,
    Result,
    Run,
    ScriptFacts,
    SubmissionInfo,
    Verdict,
)
from grader.override_file import parse_overrides
from grader.reports import inert, json_report
from grader.rubric_file import parse_rubric
from grader.script import encode_source, read_script, set_constant
from grader.textfile import decode
from grader.transcript import parse_transcript

SAMPLE = Path(__file__).parent / "submissions" / "complete"
ASSIGNMENT = load_assignment()
RUBRIC = ASSIGNMENT.rubric

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
FUZZ = settings(
    max_examples=int(EXAMPLES or 20),
    derandomize=EXAMPLES is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LONGEST = 120_000
"""Characters of a text that is tried; every parser stops reading before that."""
MARKS = list("`~*_#>-+=|[](){}<&!?$^%@\\/\"'.,:;0aA \t\n")
"""Characters that mean something to a parser, each of which may stand there very often."""


@contextmanager
def in_time() -> Iterator[None]:
    """Fails when what is done takes a second of this thread's own time."""
    started = time.thread_time()
    yield
    assert time.thread_time() - started < 1.0


def lines_of(name: str) -> list[str]:
    return [f"{line}\n" for line in (SAMPLE / name).read_text("utf-8").split("\n")]


def texts(fragments: list[str]) -> st.SearchStrategy[str]:
    """Texts of known fragments and unknown characters, some repeated very often."""
    piece = st.sampled_from(fragments) | st.text(max_size=8)
    some = st.lists(piece, min_size=1, max_size=6).map("".join)
    often = st.integers(2, LONGEST)
    repeated = st.sampled_from(MARKS) | piece | some
    flood = st.builds(lambda part, times: (part * times)[:LONGEST], repeated, often)
    mixed = st.lists(some | flood | piece, max_size=10).map("".join)
    return mixed.map(lambda text: text[:LONGEST])


def mutated(original: str, pieces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The original with up to four of its parts replaced, or left out."""
    place = st.integers(0, len(original))
    edits = st.lists(st.tuples(place, st.integers(0, 40), pieces), min_size=1, max_size=4)

    def apply(changes: list[tuple[int, int, str]]) -> str:
        text = original
        for start, length, piece in changes:
            text = text[:start] + piece + text[start + length :]
        return text

    return edits.map(apply)


# ---------------------------------------------------------------- what students write

PHRASES = [*RUBRIC.output.starts, *RUBRIC.output.ends, RUBRIC.output.lock_error]
INSERTS = [
    form.format(process=process, name=name)
    for form in RUBRIC.output.inserts
    for process in ("P1", "P2", "process_3")
    for name in ("Ace", "Rex II")
]
TERMINAL = (
    "\x1b[0m \x1b[1;31m \x1b]0;t\x07 \x1b[5C \x1b[2J \x1bP [32m ^[[ \b \r\n > | - 1. ``` ~~~ "
    '\ufeff \u200b File " '
    ", line 3 Traceback \t \0 ﷺ é 日 { } P1 Ace"
).split(" ")
TRANSCRIPT = [
    *PHRASES,
    *INSERTS,
    *TERMINAL,
    "\n",
    " ",
    *lines_of("out0.txt"),
    *lines_of("out3.txt"),
]


@FUZZ
@given(texts(TRANSCRIPT))
@example("~" * 30_000 + "x(")
@example("P1 ADDED Ace the " * 7_000)
def test_transcript(text: str) -> None:
    """A transcript of anything gives runs whose lines are in the text."""
    own = next(iter(ASSIGNMENT.own_transcripts.values()))
    with in_time():
        found = parse_transcript(text, RUBRIC.output, own.holds)
    numbers = {insert.line for run in found.runs for insert in run.inserts}
    assert {*numbers, *found.lock_errors} <= set(range(1, text.count("\n") + 2))


QUESTIONS = RUBRIC.questions
ASKS = [ask for question in QUESTIONS.values() for ask in (*question.ask, *question.labels)]
GIVEN = [example.answer for question in QUESTIONS.values() for example in question.examples]
MARKDOWN = (
    "> - * + 1. 12) #  ## ### ``` ~~~ ` * ** _ __ ~~ [ ] ( ) ![a](b) [a](b) [^n] [^n]: "
    "| --- |-|-| \\ \\_ "
    "<!-- --> <details> <summary> </summary> <h1> <img <br> &lt; &#x202e; &amp;amp; "
    "ﷺ ① ½ = == + x / , ; : . ? "
    "and or not line lines to each total in the of after before main import TODO Answer: yes"
).split(" ")
ANSWER = [
    *ASKS,
    *GIVEN,
    *MARKDOWN,
    *ASSIGNMENT.editions[0].functions,
    *ASSIGNMENT.editions[0].imports,
    *(str(number) for number in (0, 1, 2, 3, 6, 7, 40, 142, 9999, 10**9)),
    "\n",
    "\n\n",
    " ",
    "\t",
    "    ",
    *lines_of("README.md"),
]


@FUZZ
@given(texts(ANSWER))
def test_readme(text: str) -> None:
    """A README of anything gives answers out of its own lines."""
    with in_time():
        answers = find_answers(text, QUESTIONS, ASSIGNMENT.own_readme)
    assert list(answers) == list(QUESTIONS)
    for answer in answers.values():
        assert {number for number, _ in answer.lines} <= set(range(1, text.count("\n") + 2))


@FUZZ
@given(texts(ANSWER), st.sampled_from(list(QUESTIONS)))
@example("insert_pet(process_one(" * 270, "q2")
@example("1: 1; 1\n\n" * 660, "q3")
@example("each 1 " * 850, "q8")
@example("\n" * 50_000 + "x", "q4")
def test_answer(text: str, name: str) -> None:
    """Any answer to any question gets a verdict, with what to tell the student."""
    with in_time():
        marking = QUESTIONS[name].mark(text, ASSIGNMENT.editions, RUBRIC.lexicon)
    assert marking is not None
    assert isinstance(marking.verdict, Verdict)
    assert 0 <= marking.confidence <= 1
    assert marking.what


CODE = [
    *lines_of(RUBRIC.script.file),
    *(f"{name} = " for name in RUBRIC.script.constants),
    *(
        '( [ { ) ] } f" """ \' \\\n lambda: not - a. a( a[ if a: def f():\n class A: '
        "for a in b: while 1: try: "
        "with await yield := ** @ # ; , = 1 0x 1e9 1_ "
        'Process(target= .execute( "insert into x" range(9999) '
        "from import match case async \f \r \0 é \ufeff __name__ == '__main__'"
    ).split(" "),
    "\n",
    " ",
    "    ",
    "# -*- coding: utf-16 -*-\n",
    "# coding: punycode\n",
]


@FUZZ
@given(texts(CODE) | mutated((SAMPLE / RUBRIC.script.file).read_text("utf-8"), texts(CODE)))
def test_script(source: str) -> None:
    """A script of anything gives facts or a fault, and setting its constant leaves it readable."""
    constants = RUBRIC.script.constants
    with in_time():
        facts = read_script(source, "it", constants)
    with in_time():
        changed = set_constant(source, constants, 3.0)
    if isinstance(facts, ScriptFacts) and facts.constant:
        assert changed is not None
        assert isinstance(read_script(changed, "it", constants), ScriptFacts)
    encode_source(source)


@FUZZ
@given(
    st.binary(max_size=200) | texts(TRANSCRIPT).map(lambda text: text.encode("utf-16")),
    st.integers(0, 3),
)
def test_bytes(data: bytes, cut: int) -> None:
    """Any bytes are read as text, with one kind of line end and without NULs."""
    with in_time():
        text = decode(data[cut:]).text
    assert "\0" not in text
    assert "\r" not in text


# ---------------------------------------------------------------- what instructors write

YAML = [
    *(
        "[ ] { } - ? : , & * ! | > ' \" % @ ` # --- ... << = ~ null true .inf .nan 0x 0b1 1:1:1 "
        "1e999 2001-13-45 !!bool "
        "!!python/object:os.system !!set *a &a \\e \\ud800 \ufeff \x85 é a b: criteria: "
        "points: type: questions:"
    ).split(" "),
    "\n",
    "\n  ",
    "\n    - ",
    " ",
    "\t",
    "9" * 5000,
    "0x" + "f" * 5000,
]
SOURCE = default_rubric().read_text("utf-8")


def bounded(error: RubricError) -> bool:
    """Whether the faults can be read: few, short, and without characters that do anything."""
    text = str(error)
    return len(text) < 40_000 and inert.UNSAFE.search(text) is None


@FUZZ
@given(texts(YAML) | mutated(SOURCE, texts(YAML)))
@example("points: 0x" + "f" * 5000)
@example("points: !!bool x")
@example("points: !!timestamp x")
@example("points: " + "1:" * 90_000 + "1")
@example("".join(f"{key}: 1\n" * 2 for key in range(9000)))
@example('"\\e]0;title\\a": 1')
def test_rubric(text: str) -> None:
    """A rubric of anything is one, or has faults that say where."""
    with in_time():
        try:
            parse_rubric(text, "rubric.yaml")
        except RubricError as error:
            assert bounded(error)


ENTRY = """\
- submission: ada
  criterion: q1
  verdict: partial
  comment: All but one.
  by: Grace
  text: os, sys
"""


@FUZZ
@given(texts([*YAML, ENTRY, *ENTRY.split("\n")]) | mutated(ENTRY * 9, texts(YAML)))
def test_overrides(text: str) -> None:
    """A file of overrides of anything is one, or has faults that say where."""
    with in_time():
        try:
            parse_overrides(text, "overrides.yaml", RUBRIC)
        except RubricError as error:
            assert bounded(error)


# ---------------------------------------------------------------- what comes back

REPORT = json.loads(
    json_report.render(
        Report(
            version=REPORT_VERSION,
            assignment="streaming-example",
            grader="0.1.0",
            rubric_sha256="0" * 64,
            submission=SubmissionInfo(
                path="ada", student=None, commit=None, files=Files(script="a.py", readme=None)
            ),
            score=2.5,
            max_score=5.0,
            needs_review=True,
            criteria=(
                Result(
                    id="q1",
                    title="Libraries",
                    verdict=Verdict.PARTIAL,
                    score=2.5,
                    max_score=5.0,
                    needs_review=True,
                    confidence=0.5,
                    feedback=Feedback(what="All but one.", actual="os", hint="Look again."),
                    evidence=(Quote(file="README.md", line=3, quote="os"),),
                ),
            ),
            runs=(
                Run(
                    id="run3",
                    duration=3.0,
                    speed=1.0,
                    wall_seconds=12.3,
                    exit_code=0,
                    timed_out=False,
                    rows=4,
                    lock_errors=2,
                    sandbox="none",
                    events=(Event(t=0.02, process="P2", kind=EventKind.WAIT, label="Cooper"),),
                ),
            ),
            notes=(Note(kind="git", text="There is no commit."),),
        )
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The ways to everything in plain data."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def replaced(path: tuple[str | int, ...], value: Any) -> str:
    """The report with something else in one place."""
    if not path:
        return json.dumps(value)
    report = json.loads(json.dumps(REPORT))
    inner = report
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(report)


JSON = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\ud800",
    "\\",
    "1e999",
    "NaN",
    "-",
    "9" * 5000,
    "null",
    "\0",
]


@FUZZ
@given(
    st.builds(replaced, st.sampled_from(list(places(REPORT))), VALUES)
    | texts(JSON)
    | mutated(json.dumps(REPORT), texts(JSON))
)
def test_report(text: str) -> None:
    """A report of anything is read as it stands, or refused with a sentence."""
    with in_time():
        try:
            report = json_report.read(text)
        except UsageError as error:
            assert len(str(error)) < 1000
        else:
            assert json_report.read(json_report.render(report)) == report


STUDENT = [
    *MARKDOWN,
    *TERMINAL,
    "::error::",
    "::",
    "##[",
    "@a",
    "#1",
    "https://a.b",
    "\u202e",
    "\u0301",
    "\n",
]


@FUZZ
@given(texts(STUDENT))
def test_inert(text: str) -> None:
    """Any text of a student's is harmless on one line and in a block, and is so a second time."""
    with in_time():
        line = inert.one_line(text)
        shown = (line, inert.prose(text), inert.cell(text), inert.code(text), inert.block(text))
    assert inert.one_line(line) == line
    for piece in shown:
        assert inert.UNSAFE.search(piece) is None
        assert not re.search(r"^\s*::[\w-]+(?:\s.*)?::|##\[", piece, re.MULTILINE)
    assert "\n" not in "".join(shown[:-1])
