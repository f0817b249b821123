"""`pytest rubric.yaml`: each criterion is a test whose failure is its feedback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import xmlschema

from grader import grading
from grader.model import Report

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parent.parent
SUBMISSIONS = ROOT / "tests" / "submissions"
RUBRIC = (ROOT / "rubric.yaml").read_text("utf-8")
WITHOUT_STARTER = re.sub(r"(?m)^starter: .*\n", "", RUBRIC)
JUNIT = xmlschema.XMLSchema(ROOT / "tests" / "cases" / "schemas" / "junit-10.xsd")
QUICK = ("-k", "q1 or q3 or out0")
"""Criteria that are judged without a run of the script."""
COUNTING = """
from pathlib import Path
from grader import grading

once = grading.grade

def counted(*arguments, **options):
    with Path("graded.txt").open("a") as file:
        file.write(",".join(options["only"]) + "\\n")
    return once(*arguments, **options)

grading.grade = counted
"""


@pytest.fixture
def mine(pytester: pytest.Pytester) -> Path:
    """The folder pytest is run in: a partly done submission, and the rubric beside it."""
    shutil.copytree(SUBMISSIONS / "swapped-outputs", pytester.path, dirs_exist_ok=True)
    (pytester.path / "rubric.yaml").write_text(WITHOUT_STARTER, encoding="utf-8")
    readme = pytester.path / "README.md"
    text = readme.read_text("utf-8").replace("**sqlite3, time, sys,", "**numpy, sqlite3, time,")
    readme.write_text(text, encoding="utf-8")
    return pytester.path


@pytest.fixture
def gradings(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """The report of every grading that a run of pytest in this process does."""
    reports: list[Report] = []
    grade = grading.grade

    def kept(*arguments: Any, **options: Any) -> Report:
        reports.append(grade(*arguments, **options))
        return reports[-1]

    monkeypatch.setattr(grading, "grade", kept)
    return reports


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Runs pytest here; no test below wants a traceback of the grader's."""
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)
    shown = "\n".join([*done.outlines, *done.errlines])
    assert not re.search(r"Traceback|pytest_plugin\.py|INTERNALERROR|^E  ", shown, re.MULTILINE)
    return done


# ---------------------------------------------------------------- what is collected


@pytest.mark.usefixtures("mine")
def test_one_item_for_each_criterion(pytester: pytest.Pytester) -> None:
    """Every criterion is an item with its id and title, in the rubric's order."""
    done = run(pytester, "rubric.yaml", "--collect-only", "-q")
    items = [line for line in done.outlines if line.startswith("rubric.yaml::")]
    ids = "run0 run3 out0 out3 q1 q2 q3 q4 q5 q6 q7 q8".split()
    assert [re.sub(r"rubric\.yaml::(\w+)\[.+\]", r"\1", item) for item in items] == ids
    assert "rubric.yaml::q3[Number of functions]" in items


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("item", ["rubric.yaml::q3", "rubric.yaml::q3[Number of functions]"])
def test_an_item_can_be_named(pytester: pytest.Pytester, gradings: list[Report], item: str) -> None:
    """The id alone names an item; with the title, as an editor re-runs it, it does as well."""
    run(pytester, item).assert_outcomes(passed=1)
    assert [each.id for each in gradings[0].criteria] == ["q3"]


def test_an_item_stands_where_its_criterion_does(mine: Path, pytester: pytest.Pytester) -> None:
    """An editor that opens the item shows the criterion in the rubric."""
    collector = pytester.getpathnode(mine / "rubric.yaml")
    lines = (mine / "rubric.yaml").read_text("utf-8").splitlines()
    places = {item.name[:4]: item.reportinfo() for item in pytester.genitems([collector])}
    assert [lines[places[name][1] or 0].strip() for name in ("run0", "q3[N")] == ["run0:", "q3:"]


def test_a_rubric_that_is_not_named_is_left_alone(mine: Path, pytester: pytest.Pytester) -> None:
    """Whoever runs the tests of a folder in which there is a rubric gets those tests alone."""
    (mine / "test_own.py").write_text("def test_own(): pass\n", encoding="utf-8")
    run(pytester, ".").assert_outcomes(passed=1)
    run(pytester).assert_outcomes(passed=1)


def test_another_rubric_is_left_alone(pytester: pytest.Pytester) -> None:
    """A rubric.yaml that is none of the grader's is nobody's test."""
    (pytester.path / "rubric.yaml").write_text("style: house\n", encoding="utf-8")
    done = run(pytester, "rubric.yaml")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.assert_outcomes()


def test_grade_alone_takes_the_graders_own_rubric(
    mine: Path, pytester: pytest.Pytester, gradings: list[Report]
) -> None:
    """`pytest --grade DIR` needs no rubric beside the work, and does not look for other tests."""
    (mine / "rubric.yaml").unlink()
    (mine / "test_own.py").write_text("def test_own(): pass\n", encoding="utf-8")
    pytester.makeini("[pytest]\ntestpaths = nowhere\nfilterwarnings = error\n")
    pytester.chdir()
    run(pytester, "--grade=.", *QUICK).assert_outcomes(passed=1, failed=2, deselected=9)
    assert gradings[0].submission.path == "."


def test_grade_names_the_work_for_a_named_rubric(
    mine: Path, pytester: pytest.Pytester, gradings: list[Report]
) -> None:
    """The rubric may stand elsewhere than the work."""
    work = shutil.copytree(SUBMISSIONS / "complete", mine / "elsewhere")
    run(pytester, "rubric.yaml", f"--grade={work}", *QUICK).assert_outcomes(passed=3, deselected=9)
    assert gradings[0].submission.path == str(work)


def test_a_faulty_rubric_is_explained(mine: Path, pytester: pytest.Pytester) -> None:
    """The faults are named with their lines, as everywhere."""
    rubric = mine / "rubric.yaml"
    rubric.write_text(WITHOUT_STARTER.replace("points: 15", "points: many"), encoding="utf-8")
    done = run(pytester, "rubric.yaml")
    done.assert_outcomes(errors=1)
    done.stdout.re_match_lines([r"rubric\.yaml:\d+: q5\.points: "])


# ---------------------------------------------------------------- what it says


@pytest.mark.usefixtures("mine")
def test_a_failure_is_the_feedback(pytester: pytest.Pytester) -> None:
    """A criterion that lost points shows them, why, where, and what to do next."""
    done = run(pytester, "rubric.yaml", *QUICK)
    done.assert_outcomes(passed=1, failed=2, deselected=9)
    done.stdout.fnmatch_lines(
        [
            "rubric.yaml FF. *",
            "____* out0[[]out0.txt shows the quick run[]] ____*",
            "0 of 20 points, not yet correct",
            "",
            "out0.txt shows all 6 inserts, but with a lock error among them. *",
            "out0.txt:23: *",
            "",
            "Next: Open out0.txt and out3.txt side by side. *",
            "____* q1[[]Libraries imported[]] ____*",
            "2.5 of 5 points, partly correct",
            "README.md:7: *",
            "Found: recognised: datetime, *",
            "  time; not expected: numpy",
            "7.5 of 30 points",
            "FAILED rubric.yaml::q1[[]Libraries imported[]]*",
        ]
    )


def test_a_doubt_is_shown(mine: Path, pytester: pytest.Pytester) -> None:
    """What a person should look at is marked, whether it passes or fails."""
    rubric = mine / "rubric.yaml"
    rubric.write_text(WITHOUT_STARTER.replace("below: 0.7", "below: 1"), encoding="utf-8")
    review = "[?] review: the grader was not sure here, so a person should look at it."
    run(pytester, "rubric.yaml", "-k", "q3").stdout.fnmatch_lines(
        ["rubric.yaml [?] *", "5 of 5 points", f"q3  {review}"]
    )
    done = run(pytester, "rubric.yaml", "-v", "-k", "q3 or q1")
    done.assert_outcomes(passed=1, failed=1, deselected=10)
    done.stdout.fnmatch_lines(
        ["*q1* FAILED*", "*q3* PASSED ([?] review)*", "Next: *", review, f"q1, q3  {review}"]
    )


def test_what_cannot_be_looked_at_is_skipped(mine: Path, pytester: pytest.Pytester) -> None:
    """A question whose answer would be in a missing script is skipped, with the reason."""
    (mine / "multiple_processes.py").unlink()
    text = WITHOUT_STARTER.partition("\neditions:")[0]
    (mine / "rubric.yaml").write_text(text, encoding="utf-8")
    done = run(pytester, "rubric.yaml", "-rs", "-k", "q3")
    done.assert_outcomes(skipped=1, deselected=11)
    done.stdout.re_match_lines([r"SKIPPED \[1\] rubric\.yaml:\d+: \w+.*\."])


@pytest.mark.usefixtures("mine")
def test_work_that_is_not_there_is_an_error(pytester: pytest.Pytester) -> None:
    """A folder that does not exist is no lost point, and the sentence says what to do."""
    done = run(pytester, "rubric.yaml", "--grade=nowhere", "-k", "q3")
    done.assert_outcomes(errors=1, deselected=11)
    done.stdout.fnmatch_lines(
        ["This costs you nothing: it could not be graded.", "There is no folder nowhere. *"]
    )


@pytest.mark.usefixtures("mine")
def test_a_fault_of_the_grader_is_an_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug is told as one, in a sentence, and the grading is not tried again for each item."""
    tries: list[object] = []

    def stumble(*arguments: object, **_: object) -> Report:
        tries.append(arguments)
        raise ZeroDivisionError("by 0")

    monkeypatch.setattr(grading, "grade", stumble)
    done = run(pytester, "rubric.yaml", *QUICK)
    done.assert_outcomes(errors=3, deselected=9)
    done.stdout.fnmatch_lines(["*it is a fault of the grader*", "ZeroDivisionError: by 0"])
    assert len(tries) == 1


# ---------------------------------------------------------------- one grading


@pytest.mark.usefixtures("mine")
def test_evidence_is_collected_once_for_what_is_selected(
    pytester: pytest.Pytester, gradings: list[Report]
) -> None:
    """The selected items share one grading, which runs no script unless one of them needs it."""
    run(pytester, "rubric.yaml", *QUICK)
    (graded,) = gradings
    assert [each.id for each in graded.criteria] == ["out0", "q1", "q3"]
    assert graded.runs == ()


def test_workers_share_one_grading(mine: Path, pytester: pytest.Pytester) -> None:
    """With -n 4 one worker grades for all, and the points are added up as ever."""
    (mine / "conftest.py").write_text(COUNTING, encoding="utf-8")
    done = pytester.runpytest_subprocess("-n", "4", "rubric.yaml", "-k", "q or out")
    done.assert_outcomes(passed=7, failed=3)
    done.stdout.fnmatch_lines(["*4 workers*", "47.5 of 90 points"])
    (only,) = (mine / "graded.txt").read_text("utf-8").splitlines()
    assert only == "out0,out3,q1,q2,q3,q4,q5,q6,q7,q8"


@pytest.mark.usefixtures("mine")
def test_junit_of_pytest_is_right(pytester: pytest.Pytester) -> None:
    """--junitxml is valid, and each criterion is a test case that ends as it should."""
    run(pytester, "rubric.yaml", *QUICK, "--junitxml=out.xml")
    text = (pytester.path / "out.xml").read_text("utf-8")
    JUNIT.validate(text)
    suite: Any = JUNIT.to_dict(text)
    (suite,) = suite["testsuite"]
    assert (suite["@tests"], suite["@failures"], suite["@errors"]) == ("3", "2", "0")
    out0, q1, q3 = suite["testcase"]
    assert set(q3) == {"@classname", "@name", "@time"}
    assert (q3["@classname"], q3["@name"]) == ("rubric.yaml", "q3[Number of functions]")
    assert out0["failure"][0]["@message"].startswith("0 of 20 points, not yet correct\n\nout0.txt")
    assert "numpy" in q1["failure"][0]["$"]


# ---------------------------------------------------------------- other projects


def test_loading_the_plugin_costs_nothing() -> None:
    """In a project that is not about grading, no other module of the grader is imported."""
    code = "import sys, grader.pytest_plugin; print([m for m in sys.modules if 'grader' in m])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip() == "['grader', 'grader.pytest_plugin']"
