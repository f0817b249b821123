"""Reading rubric.yaml: a case is a faulty rubric, `=== faults`, and line -> what is said."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import load_assignment
from grader.errors import RubricError
from grader.rubric import Rubric
from grader.rubric_examples import MarkedExample, mark_examples
from grader.rubric_file import parse_rubric
from grader.rubric_schema import schema_text
from grader.rubric_view import render

ROOT = Path(__file__).resolve().parent.parent
CASES = sorted((ROOT / "tests" / "cases" / "rubrics").glob("*.yaml"))
SHIPPED = (ROOT / "rubric.yaml").read_text("utf-8")
SCHEMA = json.loads((ROOT / "grader" / "schemas" / "rubric.schema.json").read_text("utf-8"))
# Small enough to be parsed hundreds of times.
LOANS = """\
assignment: loans
script: {file: loans.py, constant: PAUSE, table: loans, processes: 2, records_each: 1}
output: {starts: [BEGIN], inserts: ["{process} lends {name}"], lock_error: locked}
limits: {wall_seconds: 5}
configurations:
  quick: {duration: 0, transcript: quick.txt, expect: every_insert}
criteria:
  runs: {type: run, configuration: quick, title: "[b] It [/runs] :+1:", points: 2.5, hint: Run it.}
  count:
    type: number
    of: functions
    title: Functions
    points: 5
    hint: Count.
    ask: [How many functions]
    examples: [{answer: "3", verdict: correct}]
  place: {type: place, of: main, means: [end], title: Begin, points: 1, hint: Look., ask: [Where]}
synonyms: {end: [bottom]}
editions:
  2024: {constant: PAUSE, constant_line: 3, main_line: 9, main_end: 12, imports: [time],
         functions: [a, b, c], processes: 2, records: 1}
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(RubricError) as caught:
        parse_rubric(text, "rubric.yaml")
    return caught.value.faults


def faulty(path: Path) -> tuple[str, str]:
    """A case's rubric, and what is expected of it."""
    text, _, expected = path.read_text("utf-8").partition("=== faults\n")
    return text, expected


def grader_rubric(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grader", "rubric", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False
    )


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_fault_is_named_with_its_line(path: Path) -> None:
    """Each expected fault is reported at its line, and no other."""
    text, expected = faulty(path)
    wanted = [
        (f"rubric.yaml:{line}: ", said)
        for line, parts in yaml.safe_load(expected).items()
        for said in ([parts] if isinstance(parts, str) else parts)
    ]
    found = faults(text)
    fits = [[f for f in found if f.startswith(line) and said in f] for line, said in wanted]
    assert all(fits), found
    assert {fault for fitting in fits for fault in fitting} == set(found)


def test_five_faults_are_reported_at_once(tmp_path: Path) -> None:
    """The command prints all five with their lines on stderr and exits with 2."""
    text, _ = faulty(ROOT / "tests" / "cases" / "rubrics" / "five-faults.yaml")
    rubric = tmp_path / "loans.yaml"
    rubric.write_text(text, "utf-8")
    done = grader_rubric("check", "--rubric", str(rubric))
    assert (done.returncode, done.stdout) == (2, "")
    assert [f"loans.yaml:{line}: " in done.stderr for line in (6, 10, 17, 21, 25)] == [True] * 5
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "place", "advice"),
    [
        ("review_below", "review_bellow", "review_bellow", "review_below"),
        ("    things: libraries", "    thngs: libraries", "q1.thngs", "things"),
        ("expect: every_insert", "expects: every_insert", "configurations.run0.expects", "expect"),
        ("    main_line: 169", "    mainline: 169", "editions.2024.mainline", "main_line"),
        ("  wall_seconds: 60", "  wall_second: 60", "limits.wall_second", "wall_seconds"),
        ("    hint: Count the lines", "    hnit: Count the lines", "q3.hnit", "hint"),
    ],
)
def test_a_misspelt_key_is_told_what_was_meant(
    right: str, wrong: str, place: str, advice: str
) -> None:
    """At every level of the file the nearest key of that very place is suggested."""
    assert right in SHIPPED
    found = faults(SHIPPED.replace(right, wrong, 1))
    assert [f for f in found if f" {place}: " in f and f"did you mean {advice!r}?" in f]


@pytest.mark.parametrize("end", ["\r\n", "\r"], ids=["windows", "old mac"])
def test_line_ends_change_nothing(end: str) -> None:
    """A rubric saved on another system is the same rubric, and its faults have the same lines."""
    assert parse_rubric(LOANS.replace("\n", end), "x") == parse_rubric(LOANS, "x")
    wrong = LOANS.replace("points: 5", "points: five")
    assert faults(wrong.replace("\n", end)) == faults(wrong)
    assert "rubric.yaml:13: " in faults(wrong)[0]


def test_a_byte_order_mark_is_no_part_of_the_rubric(tmp_path: Path) -> None:
    """Some editors on Windows write one."""
    path = tmp_path / "loans.yaml"
    path.write_text(LOANS, "utf-8-sig")
    assert load_assignment(path).rubric == parse_rubric(LOANS, "loans.yaml")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\0\x01", id="binary"),
        pytest.param(LOANS.encode("utf-16").decode("utf-8", "replace"), id="UTF-16"),
        pytest.param("a: " + "[" * 5000, id="deep"),
        pytest.param("x" * 2_000_000, id="huge"),
        pytest.param("a: !!python/object/apply:os.system [ls]", id="a call"),
        pytest.param("? [a]\n: b", id="a list as key"),
        pytest.param("a: &a [*a]", id="a list within itself"),
        pytest.param(LOANS.replace("points: 5", "points: " + "9" * 5000), id="endless number"),
        pytest.param("".join(f"key{n}: 1\n" for n in range(5000)), id="many unknown keys"),
    ],
)
def test_what_is_no_rubric_is_refused_in_a_moment(text: str) -> None:
    """Anything else is a fault in a sentence, never a crash or a long wait."""
    start = time.perf_counter()
    found = faults(text)
    assert time.perf_counter() - start < 8
    assert all(fault.startswith("rubric.yaml:") and len(fault) < 300 for fault in found)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param(r'"\ud800loans"', "?loans", id="half a character"),
        pytest.param("2024-09-01", "2024-09-01", id="a date"),
    ],
)
def test_what_yaml_makes_of_a_value_does_no_harm(written: str, read: str) -> None:
    """YAML can write what no file can hold, and takes some text for more than text."""
    rubric = parse_rubric(LOANS.replace("assignment: loans", f"assignment: {written}"), "x")
    assert rubric.assignment == read


@given(st.text(max_size=200) | st.text("abc:-[]{}*&!|>\"'#?, \t\n", max_size=200))
def test_any_text_is_a_rubric_or_has_faults(text: str) -> None:
    """Whatever is given, the only failure is a list of faults."""
    assert faults(text)


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = (
        part.items()
        if isinstance(part, dict)
        else enumerate(part)
        if isinstance(part, list)
        else ()
    )
    return [path, *(p for key, value in items for p in places(value, (*path, key)))]


PLACES = places(yaml.safe_load(LOANS))[1:]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.sampled_from(PLACES), ANYTHING)
def test_anything_anywhere_is_a_rubric_or_has_faults(place: tuple[Any, ...], value: Any) -> None:
    """A value of any kind at any place is accepted, or told apart in words of our own."""
    data = yaml.safe_load(LOANS)
    part = data
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    try:
        # JSON is YAML.
        assert isinstance(parse_rubric(json.dumps(data), "rubric.yaml"), Rubric)
    except RubricError as error:
        assert error.faults
        assert not any(word in str(error) for word in ("Input", "valid", "JSON", "[key]"))


# ---------------------------------------------------------------- examples


def test_the_shipped_rubric_is_sound() -> None:
    """It adds up to 100 points, and every example gets the verdict it names."""
    assignment = load_assignment(ROOT / "rubric.yaml")
    assert assignment.rubric.max_score == 100
    marked = list(mark_examples(assignment))
    assert len(marked) > 24
    assert [str(example) for example in marked if not example.right] == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        pytest.param(
            '{answer: "3", verdict: correct}',
            '{answer: "3", verdict: incorrect}',
            "count example 1: correct, not incorrect: 3\n",
            id="another verdict",
        ),
        pytest.param(
            "editions:",
            "synonyms: {}\n_: ",
            "_: is not known here",
            id="a fault comes first",
        ),
        pytest.param(
            LOANS[LOANS.index("editions:") :],
            "",
            "count example 1: skipped, not correct: 3\n",
            id="nothing to mark by",
        ),
    ],
)
def test_a_wrong_example_is_reported(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    """A rubric whose example gets another verdict fails its check, with the answer quoted."""
    path = tmp_path / "loans.yaml"
    path.write_text(LOANS, "utf-8")
    done = grader_rubric("check", "--rubric", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "3 criteria, 8.5 points; 1 of 1 examples as expected.\n"
    path.write_text(LOANS.replace(right, wrong), "utf-8")
    done = grader_rubric("check", "--rubric", str(path))
    assert done.returncode == 2
    assert said in done.stderr


def test_a_long_example_is_told_on_one_short_line() -> None:
    """The line names the question, and the answer as far as it fits."""
    example = MarkedExample(
        question="q1", number=2, answer="one\n\ntwo " * 40, wanted="correct", got="partial"
    )
    assert str(example).startswith("q1 example 2: partial, not correct: one two one ")
    assert len(str(example)) < 100


# ---------------------------------------------------------------- schema and view


def test_the_published_schema_is_the_codes() -> None:
    """`make schemas` was run after the last change, and the command prints the same."""
    published = (ROOT / "grader" / "schemas" / "rubric.schema.json").read_text("utf-8")
    assert published == schema_text()
    assert grader_rubric("schema").stdout == published
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", [SHIPPED, LOANS.replace("2024:", "'2024':")], ids=["own", "loans"])
def test_the_schema_knows_a_rubric(text: str) -> None:
    """An editor that checks with the schema agrees with the grader."""
    jsonschema.validate(yaml.safe_load(text), SCHEMA)


@pytest.mark.parametrize(
    "name", ["misspelt-everywhere", "missing-keys", "unknown-type", "wrong-types", "a-list"]
)
def test_the_schema_refuses_what_the_grader_refuses(name: str) -> None:
    """Keys, types and kinds that are wrong are underlined while the rubric is written."""
    text, _ = faulty(ROOT / "tests" / "cases" / "rubrics" / f"{name}.yaml")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), SCHEMA)


def test_the_view_shows_each_criterion_as_it_is_written(tmp_path: Path) -> None:
    """Brackets and colons in a title are no markup."""
    path = tmp_path / "loans.yaml"
    path.write_text(LOANS, "utf-8")
    shown = render(load_assignment(path))
    assert "loans: 8.5 points" in shown
    assert "[b] It [/runs] :+1:" in shown
    assert "number: the script's functions" in " ".join(shown.split())
    assert "edition 2024" in shown


def test_the_view_fits_a_small_terminal(tmp_path: Path) -> None:
    """However long a title is, no line is wider than 80 columns."""
    path = tmp_path / "loans.yaml"
    path.write_text(LOANS.replace("title: Begin", f"title: {'Begin ' * 30}"), "utf-8")
    assert max(map(len, render(load_assignment(path)).splitlines())) <= 80
