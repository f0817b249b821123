"""Measures what a user waits for, and how the marks agree with marks given by hand.

Prints medians of one run on one machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agreement import compare

from grader.assignment import load_assignment
from grader.checks import judge
from grader.evidence import collect
from grader.progress import Quiet
from grader.script import encode_source, set_constant
from grader.submission import read_submission

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "submissions" / "complete"
GRADER = (sys.executable, "-m", "grader")


def median(action: Callable[[], object], rounds: int) -> float:
    """Median seconds of an action."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def command(*arguments: str) -> Callable[[], object]:
    """A command to be timed as a whole process."""
    return lambda: subprocess.run(arguments, capture_output=True, check=False)


def bare_script(folder: Path) -> Callable[[], object]:
    """The sample's script at 3 s, run as a student would."""
    rubric = load_assignment().rubric
    source = (SAMPLE / rubric.script.file).read_text("utf-8")
    slow = set_constant(source, rubric.script.constants, 3)
    script = folder / rubric.script.file
    script.write_bytes(encode_source(slow or source))
    return lambda: subprocess.run(
        [sys.executable, str(script)], cwd=folder, capture_output=True, check=True
    )


def marking() -> Callable[[], object]:
    """Reading and judging everything but the runs, after start-up."""
    assignment = load_assignment()
    rubric = assignment.rubric
    chosen = {name: c for name, c in rubric.criteria.items() if c.type != "run"}
    submission = read_submission(SAMPLE, "complete", rubric)

    def mark() -> None:
        evidence = collect(submission, assignment, chosen.values(), Quiet())
        for name in chosen:
            judge(evidence, name, rubric)

    return mark


def main() -> None:
    """Prints one line for each measurement."""
    with tempfile.TemporaryDirectory() as folder:
        bare = median(bare_script(Path(folder)), 3)
    whole = median(command(*GRADER, "grade", str(SAMPLE)), 3)
    rows = (
        ("grader --help", median(command(*GRADER, "--help"), 15)),
        (
            "grader grade --only q3",
            median(command(*GRADER, "grade", str(SAMPLE), "--only", "q3"), 9),
        ),
        ("reading and marking one submission", median(marking(), 15)),
        ("the bare script at 3 s", bare),
        ("grader grade, both runs in real time", whole),
    )
    for what, seconds in rows:
        print(f"{what:42} {seconds:8.3f} s")
    print(f"{'grading against the bare script':42} {whole / bare:8.2f} x")
    print("\nAgreement with the answers marked by hand in tests/cases/answers")
    for question, tally in compare(ROOT / "tests" / "cases" / "answers", load_assignment()).items():
        print(f"{question}: {tally}")


if __name__ == "__main__":
    main()
