"""Measures how fast a class is graded, against what running the scripts alone takes.

Makes 200 repositories and grades them twice. In the same run, some of the scripts are run by
Python alone: one after the other, and many at a time for what they cost the processor at least.
The exit status is 1 if an aim was missed.
"""

from __future__ import annotations

import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from synthetic_class import make_class

from grader.assignment import load_assignment
from grader.gradebook import Gradebook
from grader.model import Report, Student, Verdict
from grader.roster import read_roster
from grader.rubric import Rubric
from grader.running import processors
from grader.script import encode_source, set_constant

STUDENTS = 200
SEED = 1
PLAIN = 5
"""Students whose scripts are run one after the other."""
BARE = 20
"""Students whose scripts are run for what they cost the processor."""
JOBS = 12 * processors()
"""Submissions under way at the same time, as many as the command has by itself."""
AT_ONCE = 4 * processors()
"""Bare runs at the same time."""

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of linux/prctl.h: orphans become our children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What grading a class took."""

    wall: float
    cpu: float
    memory: float
    """Megabytes that the grader itself held at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The class's scripts that were run, each with the duration set to 0, without doubles."""

    students: int
    """Those who handed them in."""
    all: frozenset[str]
    sound: Sequence[str]
    """Those that did what they should at every duration."""
    sandbox: str


# ---------------------------------------------------------------- processor time


def adopt_orphans() -> None:
    """Counts what bubblewrap starts, too: it ends without waiting for that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1)


def processor_seconds() -> float:
    """Those of all children so far, once all of them have ended."""
    with suppress(ChildProcessError):
        while True:
            os.wait()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def graded(roster: Path, out: Path) -> Used:
    """Grades the class as an instructor would; ends the benchmark when that fails."""
    options = ("--out", str(out), "--jobs", str(JOBS))
    command = (sys.executable, "-m", "grader", "class", str(roster), *options)
    before, began = processor_seconds(), time.perf_counter()
    with (out.parent / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 3}:  # some of the repositories are broken
        raise SystemExit(Path(log.name).read_text("utf-8"))
    scale = 1024**2 if sys.platform == "darwin" else 1024
    return Used(wall=wall, cpu=processor_seconds() - before, memory=usage.ru_maxrss / scale)


# ---------------------------------------------------------------- the scripts alone


def start(script: str, duration: float, folder: Path, rubric: Rubric) -> subprocess.Popen[bytes]:
    """Runs a script in a folder of its own, as a student would."""
    home = Path(tempfile.mkdtemp(dir=folder))
    source = set_constant(script, rubric.script.constants, duration) or script
    (home / rubric.script.file).write_bytes(encode_source(source))
    command = (sys.executable, rubric.script.file)
    return subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def plain_loop(scripts: Sequence[str], folder: Path, rubric: Rubric) -> float:
    """Median seconds that a student takes when all runs are made one after the other."""
    taken = []
    for script in scripts:
        began = time.perf_counter()
        for one in rubric.configurations.values():
            start(script, one.duration, folder, rubric).wait()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def floor(scripts: Sequence[str], folder: Path, rubric: Rubric) -> float:
    """Processor seconds that the runs of one student take."""
    before = processor_seconds()
    durations = [one.duration for one in rubric.configurations.values()]
    jobs = [(script, duration) for duration in durations for script in scripts]
    for first in range(0, len(jobs), AT_ONCE):
        runs = [start(*job, folder, rubric) for job in jobs[first : first + AT_ONCE]]
        for run in runs:
            run.wait()
    return (processor_seconds() - before) / len(scripts)


# ---------------------------------------------------------------- the class


def ran(roster: Path, out: Path, rubric: Rubric) -> Ran:
    """Looks up in the gradebook which scripts were run."""
    students = read_roster(roster).students
    with Gradebook(out / "gradebook.sqlite") as book:
        sources = {work.student: work.script for work in book.works(students)}
        reports = {row.student.key: row.report for row in book.current(students) if row.report}
    names = rubric.script.constants
    scripts = {
        key: set_constant(sources[key], names, 0) or sources[key]
        for key, report in reports.items()
        if report.runs
    }
    sound = [script for key, script in scripts.items() if _sound(reports[key], rubric)]
    return Ran(
        students=len(scripts),
        all=frozenset(scripts.values()),
        sound=list(dict.fromkeys(sound)),
        sandbox=", ".join({run.sandbox for report in reports.values() for run in report.runs}),
    )


def _sound(report: Report, rubric: Rubric) -> bool:
    return all(
        result.verdict is Verdict.CORRECT
        for result in report.criteria
        if rubric.criteria[result.id].type == "run"
    )


def ends(roster: Path, out: Path) -> list[float]:
    """The moments at which the submissions were done, in the roster's order.

    Those that cannot be graded have no feedback and are known to the second.
    """
    with Gradebook(out / "gradebook.sqlite") as book:
        return [_end(student, out, book) for student in read_roster(roster).students]


def times_taken(done: Sequence[float], began: float) -> list[float]:
    """Seconds from taking each submission up until it was done, sorted.

    They are taken up in the roster's order, each as soon as another one is done.
    """
    starts = [*[began] * JOBS, *sorted(done)]
    return sorted(max(end - start, 0) for start, end in zip(starts, done, strict=False))


def _end(student: Student, out: Path, book: Gradebook) -> float:
    with suppress(FileNotFoundError):
        return (out / "feedback" / f"{student.key}.json").stat().st_mtime
    return book.history(student.key)[0].at.timestamp()


# ---------------------------------------------------------------- what is printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that was measured."""

    first: Used
    again: Used
    ran: Ran
    done: Sequence[float]
    """Seconds after which each submission was done, sorted."""
    taken: Sequence[float]
    """Seconds that each submission took, sorted."""
    plain: float
    floor: float

    @property
    def of_the_floor(self) -> tuple[float, float]:
        """The class's processor time by that of bare runs, of each script and of each student."""
        total = self.first.cpu / self.floor
        return total / len(self.ran.all), total / self.ran.students

    def aims(self) -> Iterator[tuple[str, str, bool]]:
        """What is aimed at, what came of it, and whether that is enough."""
        speed = self.plain * STUDENTS / self.first.wall
        _, cost = self.of_the_floor
        again = self.again.wall
        yield "as fast as the plain loop, at least 25 x", f"{speed:.1f} x", speed >= 25
        yield "of the floor, each student's bare runs, at most 1.6 x", f"{cost:.2f} x", cost <= 1.6
        yield "graded again with nothing changed, under 3 s", f"{again:.2f} s", again < 3

    def figures(self) -> Iterator[tuple[str, str]]:
        """What else there is to know."""
        first, ran = self.first, self.ran
        yield "submissions", f"{STUDENTS}"
        yield "  whose script was run", f"{ran.students}"
        yield "  different scripts among them", f"{len(ran.all)}"
        yield "sandbox", ran.sandbox
        yield "processors", f"{processors()}"
        yield "submissions a minute", f"{60 * STUDENTS / first.wall:.0f}"
        yield f"  plain loop, median of {PLAIN} students", f"{60 / self.plain:.1f}"
        yield "all were graded after", f"{first.wall:.1f} s"
        yield "  95 % of them; a script that hangs takes a minute", f"{part(self.done, 0.95):.1f} s"
        yield f"a submission took, with {JOBS} under way: p50", f"{part(self.taken, 0.5):.1f} s"
        yield "  p95, told from when feedback was written", f"{part(self.taken, 0.95):.1f} s"
        yield "processor time of a submission", f"{first.cpu / STUDENTS:.3f} s"
        yield f"  floor: its bare runs, mean of {BARE} students", f"{self.floor:.3f} s"
        yield "  of the floor if equal scripts were run once", f"{self.of_the_floor[0]:.2f} x"
        yield "  of grading again with nothing changed, in all", f"{self.again.cpu:.2f} s"
        yield "processors in use", f"{first.cpu / first.wall / processors():.0%}"
        yield "peak memory of the grader", f"{first.memory:.0f} MB"


def part(times: Sequence[float], share: float) -> float:
    """The time within which that share of them lies."""
    return times[round(share * (len(times) - 1))]


def measured(home: Path) -> Measured:
    """Measures everything once, in a folder."""
    rubric = load_assignment().rubric
    roster, out = make_class(home / "class", STUDENTS, SEED), home / "marks"
    began = time.time()
    first = graded(roster, out)
    scripts, done = ran(roster, out, rubric), ends(roster, out)
    return Measured(
        first=first,
        floor=floor(scripts.sound[:BARE], home, rubric),  # next to what it is compared with
        again=graded(roster, out),
        plain=plain_loop(scripts.sound[:PLAIN], home, rubric),
        ran=scripts,
        done=sorted(end - began for end in done),
        taken=times_taken(done, began),
    )


def main() -> int:
    """Prints all figures; the exit status is 1 if an aim was missed."""
    adopt_orphans()
    with tempfile.TemporaryDirectory() as home:
        found = measured(Path(home))
    for what, value in found.figures():
        print(f"{what:54} {value:>10}")
    for aim, value, met in found.aims():
        print(f"{aim:54} {value:>10}  {'met' if met else 'MISSED'}")
    return 0 if all(met for _, _, met in found.aims()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
