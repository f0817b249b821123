"""Scripts that do not scale come to the verdict of real time at the default speed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.grading import grade
from grader.model import AUTO_SPEED, Report, RunOptions
from grader.progress import Quiet

ROOT = Path(__file__).resolve().parent.parent
CASES = sorted((ROOT / "tests" / "cases" / "unscalable").glob("*.txt"))
ASSIGNMENT = load_assignment(ROOT / "rubric.yaml")


def graded(folder: Path, speed: float) -> Report:
    """The slow run alone."""
    options = RunOptions(speed=speed)
    return grade(str(folder), ASSIGNMENT, Quiet(), only=["run3"], options=options)


@pytest.mark.xdist_group("slow")
def test_verdicts_are_those_of_real_time(tmp_path: Path) -> None:
    """Each script is judged alike at both speeds, since neither run was sped up."""
    folders = [tmp_path / case.name.partition(".")[0] for case in CASES]
    for folder, case in zip(folders, CASES, strict=True):
        folder.mkdir()
        script = folder / ASSIGNMENT.rubric.script.file
        script.write_bytes(case.read_bytes())
    with ThreadPoolExecutor(2 * len(CASES)) as pool:
        auto = [pool.submit(graded, folder, AUTO_SPEED) for folder in folders]
        real = [pool.submit(graded, folder, 1.0) for folder in folders]
    for folder, one, other in zip(folders, auto, real, strict=True):
        verdicts = [each.result().criteria[0].verdict for each in (one, other)]
        assert verdicts[0] is verdicts[1], folder.name
        assert [run.speed for run in one.result().runs] == [1.0], folder.name
    assert len(CASES) >= 6
