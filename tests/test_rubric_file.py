"""Reading rubric.yaml: a case is a faulty rubric, `=== faults`, and line -> what is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import load_assignment
from grader.errors import RubricError
from grader.rubric_examples import mark_examples
from grader.rubric_file import parse_rubric
from grader.rubric_schema import schema_text

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases" / "rubrics"
SHIPPED = (ROOT / "rubric.yaml").read_text("utf-8")
SCHEMA = json.loads((ROOT / "grader" / "schemas" / "rubric.schema.json").read_text("utf-8"))


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(RubricError) as caught:
        parse_rubric(text, "rubric.yaml")
    return caught.value.faults


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_fault_is_named_with_its_line(path: Path) -> None:
    """Each expected fault is reported at its line, and no other."""
    text, _, expected = path.read_text("utf-8").partition("=== faults\n")
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
    text = (CASES / "five-faults.yaml").read_text("utf-8").partition("=== faults\n")[0]
    rubric = tmp_path / "loans.yaml"
    rubric.write_text(text, "utf-8")
    command = [sys.executable, "-m", "grader", "rubric", "check", "--rubric", str(rubric)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
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


def test_the_shipped_rubric_is_sound() -> None:
    """It adds up to 100 points, and every example gets the verdict it names."""
    assignment = load_assignment(ROOT / "rubric.yaml")
    assert assignment.rubric.max_score == 100
    marked = list(mark_examples(assignment))
    assert len(marked) > 24
    assert [str(example) for example in marked if not example.right] == []


def test_a_wrong_example_is_reported(tmp_path: Path) -> None:
    """A rubric whose example gets another verdict fails its check, with the answer quoted."""
    text = SHIPPED.replace(
        '{answer: "eight", verdict: incorrect}', '{answer: "7", verdict: incorrect}'
    )
    text = text.replace("starter: assignment", f"starter: {ROOT / 'assignment'}")
    rubric = tmp_path / "rubric.yaml"
    rubric.write_text(text, "utf-8")
    command = [sys.executable, "-m", "grader", "rubric", "check", "--rubric", str(rubric)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert "q3 example 5: correct, not incorrect: 7" in done.stderr


def test_the_published_schema_is_the_codes() -> None:
    """`make schemas` was run after the last change."""
    published = (ROOT / "grader" / "schemas" / "rubric.schema.json").read_text("utf-8")
    assert published == schema_text()


def test_the_schema_knows_the_shipped_rubric_and_refuses_others() -> None:
    """An editor that checks with the schema agrees with the grader."""
    data: dict[str, Any] = yaml.safe_load(SHIPPED)
    jsonschema.validate(data, SCHEMA)
    data["criteria"]["q3"]["pionts"] = 5
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\0\x01", id="binary"),
        pytest.param("a: " + "[" * 5000, id="deep"),
        pytest.param("x" * 2_000_000, id="huge"),
        pytest.param("a: !!python/object/apply:os.system [ls]", id="a call"),
        pytest.param("? [a]\n: b", id="a list as key"),
    ],
)
def test_what_is_no_rubric_is_refused(text: str) -> None:
    """Anything else is a fault in a sentence, never a crash."""
    assert all(fault.startswith("rubric.yaml:") for fault in faults(text))


@given(st.text(max_size=200))
def test_any_text_is_a_rubric_or_has_faults(text: str) -> None:
    """Whatever is given, the only failure is a list of faults."""
    assert faults(text)
