"""The reports that other programs read keep those programs' rules, whatever a student wrote."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import xmlschema
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model import Feedback, Files, Note, Quote, Report, Result, SubmissionInfo, Verdict
from grader.reports import render, wording

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "tests" / "cases" / "schemas"
JUNIT = xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")
EXAMPLE = ROOT / "docs" / "examples" / "classroom.yml"
LONGEST_VARIABLE = 128 * 1024  # what Linux takes, with the name and the final zero
SHARES = {Verdict.CORRECT: 1.0, Verdict.PARTIAL: 0.5}
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=60)


def result(verdict: Verdict, text: str = "Some words.", **changes: Any) -> Result:
    """A criterion worth 5 points in which every text is `text`."""
    values: dict[str, Any] = {
        "id": f"{verdict.value}-1",
        "title": text,
        "verdict": verdict,
        "score": 5 * SHARES.get(verdict, 0.0),
        "max_score": 5.0,
        "needs_review": False,
        "confidence": 0.9,
        "feedback": Feedback(what=text, expected=text, actual=text, hint=text),
        "evidence": (Quote(file=text, line=3, quote=text),),
    }
    return Result(**{**values, **changes})


def report(*criteria: Result, text: str = "a note") -> Report:
    """A report on these criteria."""
    return Report(
        version="1",
        assignment="an-assignment",
        grader="0.1.0",
        rubric_sha256="0" * 64,
        submission=SubmissionInfo(
            path=text, student=text, commit=text, files=Files(script=text, readme=None)
        ),
        score=round(sum(each.score for each in criteria), 2),
        max_score=sum(each.max_score for each in criteria),
        needs_review=any(each.needs_review for each in criteria),
        criteria=criteria,
        runs=(),
        notes=(Note(kind="x", text=text),),
    )


EVERY_VERDICT = report(*(result(verdict) for verdict in Verdict))
FLAGGED = report(result(Verdict.CORRECT, needs_review=True), result(Verdict.MISSING))
EARNED = report(result(Verdict.CORRECT), result(Verdict.INCORRECT, score=5.0))
SAMPLES = {"every verdict": EVERY_VERDICT, "flagged": FLAGGED, "earned": EARNED}
every_sample = pytest.mark.parametrize("graded", SAMPLES.values(), ids=SAMPLES)


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))


# ---------------------------------------------------------------- JUnit


def suite(graded: Report) -> ET.Element:
    return ET.fromstring(render(graded, "junit"))[0]  # noqa: S314 - we have just written it


def cases(graded: Report) -> list[ET.Element]:
    return suite(graded).findall("testcase")


@settings(max_examples=50)
@given(ANYTHING)
def test_junit_is_valid_whatever_is_in_it(text: str) -> None:
    """Any text at all leaves the report XML that the schema of Jenkins accepts."""
    graded = report(result(Verdict.PARTIAL, text), result(Verdict.SKIPPED, text), text=text)
    JUNIT.validate(render(graded, "junit"))


def test_junit_tells_every_verdict_apart() -> None:
    """Lost points are failures, the grader's faults errors, and the counts say so too."""
    endings = {
        case.attrib["name"].partition("-")[0]: [child.tag for child in case]
        for case in cases(EVERY_VERDICT)
    }
    assert endings == {
        "correct": [],
        "partial": ["failure"],
        "incorrect": ["failure"],
        "missing": ["failure"],
        "skipped": ["skipped"],
        "error": ["error"],
    }
    counts = ("tests", "failures", "errors", "skipped")
    assert [suite(EVERY_VERDICT).attrib[count] for count in counts] == ["6", "3", "1", "1"]


def test_junit_says_why() -> None:
    """A failure holds the points and all of the feedback."""
    (failure,) = cases(report(result(Verdict.PARTIAL, "Look here.")))[0]
    assert failure.attrib["message"] == "2.5 of 5 points, partly correct. Look here."
    for line in ("Found: Look here.", "Next: Look here.", 'Look here.:3: "Look here."'):
        assert line in (failure.text or "").splitlines()


def test_junit_names_what_a_person_should_look_at() -> None:
    """A flagged criterion says so even when it passes; the others do not."""
    outs = [case.findtext("system-out") for case in cases(FLAGGED)]
    assert outs == [wording.REVIEW, None]


# ---------------------------------------------------------------- Gradescope


def gradescope(graded: Report) -> Any:
    results = json.loads(render(graded, "gradescope"))
    jsonschema.validate(results, schema("gradescope"))
    return results


@every_sample
def test_gradescope_total_is_the_sum(graded: Report) -> None:
    """The score that Gradescope takes is what its tests add up to, and the report's."""
    results = gradescope(graded)
    assert results["score"] == sum(test["score"] for test in results["tests"]) == graded.score
    assert sum(test["max_score"] for test in results["tests"]) == graded.max_score
    for test in results["tests"]:
        assert (test["status"] == "passed") == (test["score"] == test["max_score"])


@settings(max_examples=30)
@given(ANYTHING)
def test_gradescope_shows_text_as_text(text: str) -> None:
    """Nothing a student wrote is taken for HTML, Markdown or a terminal's codes."""
    graded = report(result(Verdict.PARTIAL, text), text=text)
    results = gradescope(graded)
    assert {results["output_format"], results["tests"][0]["output_format"]} == {"text"}


def test_gradescope_tells_doubts_to_instructors_only() -> None:
    """What needs a person's look stands in extra_data, and no test is hidden for it."""
    results = gradescope(FLAGGED)
    assert results["extra_data"]["needs_review"] == ["correct-1"]
    assert [t["extra_data"]["needs_review"] for t in results["tests"]] == [True, False]
    assert {t["visibility"] for t in results["tests"]} == {results["visibility"]} == {"visible"}
    alone = gradescope(report(result(Verdict.CORRECT, needs_review=True)))
    shown = alone["output"] + "".join(test["output"] for test in alone["tests"])
    assert "review" not in shown
    assert "person" not in shown


def test_gradescope_says_which_points_are_not_lost() -> None:
    """A fault of the grader's is told at the top, since Gradescope can only show it as a zero."""
    assert "could not judge error-1" in gradescope(EVERY_VERDICT)["output"]
    assert "could not judge" not in gradescope(FLAGGED)["output"]


# ---------------------------------------------------------------- GitHub Classroom


def reported(text: str) -> tuple[Any, float, int]:
    """The result as the reporter reads it: decoded, its scores added up, its passes counted."""
    decoded = json.loads(base64.b64decode(text.strip(), validate=True))
    jsonschema.validate(decoded, schema("classroom"))
    tests = decoded["tests"]
    return decoded, sum(t["score"] for t in tests), sum(t["status"] == "pass" for t in tests)


@every_sample
def test_classroom_counters_agree(graded: Report) -> None:
    """The points and the passed tests tell the same: a test passes with all its points only."""
    decoded, score, passed = reported(render(graded, "classroom"))
    assert (score, decoded["max_score"]) == (graded.score, graded.max_score)
    assert passed == sum(each.score == each.max_score for each in graded.criteria)
    assert (decoded["status"] == "pass") == (score == decoded["max_score"])
    assert (decoded["status"] == "pass") == (passed == len(graded.criteria))


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        pytest.param([Verdict.CORRECT], "pass", id="earned"),
        pytest.param([Verdict.CORRECT, Verdict.PARTIAL], "fail", id="lost"),
        pytest.param([Verdict.MISSING, Verdict.ERROR], "error", id="our fault"),
    ],
)
def test_classroom_status(verdicts: list[Verdict], status: str) -> None:
    """The whole passes, fails, or says that the grader could not judge."""
    text = render(report(*map(result, verdicts)), "classroom")
    assert reported(text)[0]["status"] == status


def test_classroom_fits_into_a_variable() -> None:
    """Feedback of any length, in the costliest letters, stays below what the system takes."""
    text = "\N{PARTY POPPER}" * 5000
    many = [result(Verdict.PARTIAL, text, title="A question", evidence=()) for _ in range(40)]
    result_variable = render(report(*many), "classroom")
    assert reported(result_variable)[1] == 100
    assert len(f"GRADER_RESULTS={result_variable}") < LONGEST_VARIABLE


@pytest.mark.parametrize("text", ["::error::x", "a\n  ::add-mask::x", "a ##[command]x"])
def test_classroom_commands_nothing(text: str) -> None:
    """A student's text that the reporter prints is no command to the job that runs it."""
    (test,) = reported(render(report(result(Verdict.PARTIAL, text)), "classroom"))[0]["tests"]
    lines = [line.strip() for line in test["message"].splitlines()]
    assert [line for line in lines if line.startswith("::") or "##[" in line] == []
    assert "x" in test["message"]


# ---------------------------------------------------------------- the example workflow


def test_example_workflow_is_sound() -> None:
    """GitHub's schema and zizmor have nothing against it."""
    tools = Path(sys.executable).parent
    checks = (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
        ["zizmor", "--offline", "--quiet"],
    )
    for command, *options in checks:
        subprocess.run([tools / command, *options, EXAMPLE], check=True, timeout=60)


def test_example_workflow_hands_the_result_over() -> None:
    """The reporter finds the result under the name that it makes of the step's."""
    *_, grade, report_step = yaml.safe_load(EXAMPLE.read_text("utf-8"))["jobs"]["grade"]["steps"]
    assert report_step["with"] == {"runners": grade["id"]}
    name = f"{grade['id'].upper()}_RESULTS"
    assert report_step["env"] == {name: f"${{{{ steps.{grade['id']}.outputs.result }}}}"}


def run_example(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the example's step that grades, as GitHub runs it."""
    steps = yaml.safe_load(EXAMPLE.read_text("utf-8"))["jobs"]["grade"]["steps"]
    (step,) = [step for step in steps if step.get("id") == "grader"]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }
    return subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


needs_bash = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("bash") is None, reason="GitHub runs it in bash"
)


@needs_bash
def test_example_workflow_gives_the_reporter_its_result(tmp_path: Path) -> None:
    """Its step leaves a result that the reporter reads, and a summary; lost points are no fault."""
    shutil.copytree(ROOT / "tests" / "submissions" / "syntax-error", tmp_path / "submission")
    done = run_example(tmp_path)
    assert done.returncode == 0, done.stderr
    key, _, value = (tmp_path / "output").read_text("utf-8").partition("=")
    decoded, score, passed = reported(value)
    assert (key, decoded["status"], score, passed) == ("result", "fail", 90, 10)
    assert "90 of 100 points" in (tmp_path / "summary").read_text("utf-8")


@needs_bash
def test_example_workflow_fails_without_a_result(tmp_path: Path) -> None:
    """When the grader says nothing the step fails, and no empty result is passed on."""
    done = run_example(tmp_path)
    assert done.returncode != 0
    assert "There is no folder submission" in done.stderr
    assert not (tmp_path / "output").exists()
