"""Shows that sped-up runs come to the verdicts of real time, on a machine that is kept busy.

Grades the runs of two samples at the default speed again and again, eight at a time, with two
loops beside them that take all the processor they can get, and counts the verdicts that differ
from those of one run in real time.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader.assignment import Assignment, load_assignment
from grader.criteria import RunCriterion
from grader.grading import grade
from grader.model import Report, RunOptions
from grader.progress import Quiet

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ("complete", "older-edition")
RUNS = 200
AT_A_TIME = 8
BUSY = 2


def graded(sample: str, assignment: Assignment, speed: float) -> tuple[float, Report]:
    """Seconds, and the report on the sample's runs alone."""
    criteria = assignment.rubric.criteria
    only = [name for name, each in criteria.items() if isinstance(each, RunCriterion)]
    started = time.perf_counter()
    path = str(ROOT / "tests" / "submissions" / sample)
    report = grade(path, assignment, Quiet(), only=only, options=RunOptions(speed=speed))
    return time.perf_counter() - started, report


def verdicts(report: Report) -> tuple[str, ...]:
    """What each run was judged to be."""
    return tuple(f"{each.id} {each.verdict.value}" for each in report.criteria)


def facts(report: Report) -> tuple[str, ...]:
    """The rows and lock errors that each run was judged by; which process loses may vary."""
    return tuple(f"{run.id} {run.rows} rows, {run.lock_errors} lock errors" for run in report.runs)


def main() -> int:
    """Prints how often each verdict came; the exit status is 1 if one differs from real time."""
    assignment = load_assignment()
    expected = {sample: verdicts(graded(sample, assignment, 1.0)[1]) for sample in SAMPLES}
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    try:
        jobs = [SAMPLES[number % len(SAMPLES)] for number in range(RUNS)]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            speed = RunOptions().speed
            done = list(pool.map(lambda sample: graded(sample, assignment, speed), jobs))
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    print(f"{RUNS} gradings, {AT_A_TIME} at a time, {BUSY} busy loops, {os.cpu_count()} processors")
    wrong = 0
    for sample in SAMPLES:
        mine = [
            (taken, report)
            for name, (taken, report) in zip(jobs, done, strict=True)
            if name == sample
        ]
        wrong += sum(verdicts(report) != expected[sample] for _, report in mine)
        repeated = sum(all(run.speed == 1 for run in report.runs) for _, report in mine)
        median = statistics.median(taken for taken, _ in mine)
        print(f"\n{sample}: in real time {'; '.join(expected[sample])}")
        for seen in (verdicts, facts):
            for told, times in Counter(seen(report) for _, report in mine).most_common():
                print(f"  {times:4} x {'; '.join(told)}")
        print(f"  {repeated} repeated in real time; median {median:.1f} s")
    print(f"\n{wrong} of {RUNS} verdicts differ from real time")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
