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
from bench_sandbox import overhead

from grader.assignment import load_assignment
from grader.checks import judge
from grader.evidence import collect
from grader.model import Sandbox
from grader.progress import Quiet
from grader.rubric import Limits
from grader.sandbox import Program, executed
from grader.script import encode_source, set_constant
from grader.submission import read_submission

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "submissions" / "complete"
GRADER = (sys.executable, "-m", "grader")
TRACE_ROUNDS = 41


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


def written(folder: Path, duration: float) -> Path:
    """The sample's script with a duration, in a folder."""
    rubric = load_assignment().rubric
    source = (SAMPLE / rubric.script.file).read_text("utf-8")
    script = folder / rubric.script.file
    set_to = set_constant(source, rubric.script.constants, duration)
    script.write_bytes(encode_source(set_to or source))
    return script


def bare_script(folder: Path) -> Callable[[], object]:
    """The sample's script at 3 s, run as a student would."""
    script = written(folder, 3)
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


def sandboxed(folder: Path, *, trace: bool) -> Callable[[], object]:
    """The sample's script at 0 s as grading runs it, with the trace or without."""
    script = written(folder, 0)
    program = Program(
        files={script.name: script.read_bytes()},
        script=script.name,
        shim=ROOT / "grader" / "shim" if trace else None,
    )

    def run() -> None:
        with executed(program, Limits(), Sandbox.AUTO):
            pass

    return run


def alternating(
    one: Callable[[], object], other: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """Median seconds of two actions that take turns, so that both meet the same machine."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for action, kept in zip((one, other), times, strict=True):
            kept.append(median(action, 1))
    return statistics.median(times[0]), statistics.median(times[1])


def peak_memory(*arguments: str) -> float:
    """Megabytes that a command itself held at most; not those of what it starts."""
    code = (
        "import resource, sys; sys.argv[0] = 'grader'; from grader.cli import cli; "
        "cli.main(standalone_mode=False); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return int(done.stderr.split()[-1]) / 1024


def seconds(what: str, value: float, ratio: str = "") -> None:
    """Prints one measurement."""
    print(f"{what:46} {value:8.3f} s  {ratio}")


def main() -> None:
    """Prints one line for each measurement, and how they compare."""
    grade = (*GRADER, "grade", str(SAMPLE))
    with tempfile.TemporaryDirectory() as folder:
        bare = median(bare_script(Path(folder)), 3)
        real = median(command(*grade, "--speed", "1"), 3)
        auto = median(command(*grade), 9)
        quick = Path(folder)
        off, on = alternating(
            sandboxed(quick, trace=False), sandboxed(quick, trace=True), TRACE_ROUNDS
        )
    seconds("grader --help", median(command(*GRADER, "--help"), 15), "(at most 0.3 s)")
    seconds("grader grade --only q3", median(command(*grade, "--only", "q3"), 9))
    seconds("reading and marking one submission", median(marking(), 15))
    seconds("the bare script at 3 s", bare)
    seconds("grader grade --speed 1", real, f"{real / bare:5.2f} x the bare script (at most 1.10)")
    seconds("grader grade", auto, f"{auto / bare:5.2f} x the bare script (at most 0.20)")
    seconds("a run at 0 s, not traced", off)
    cost = f"{on / off:5.2f} x, {(on - off) * 1000:+.1f} ms (at most 1.02 and 5 ms)"
    seconds("a run at 0 s, traced", on, cost)
    memory = peak_memory("grade", str(SAMPLE))
    print(f"{'peak memory of grader grade':46} {memory:8.0f} MB (at most 120)")
    print(overhead())
    print("\nAgreement with the answers marked by hand in tests/cases/answers")
    for question, tally in compare(ROOT / "tests" / "cases" / "answers", load_assignment()).items():
        print(f"{question}: {tally}")


if __name__ == "__main__":
    main()
