"""How fast a submission's runs go, and what is run again in real time before it counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from threading import Event as Flag

import pytest

from grader.assignment import load_assignment
from grader.model import (
    Ending,
    Event,
    EventKind,
    Run,
    RunOptions,
    RunOutcome,
    ScriptFacts,
    Submission,
)
from grader.progress import Quiet
from grader.runner import RunJob
from grader.running import gated, plan, running
from grader.script import read_script
from grader.submission import read_submission

ROOT = Path(__file__).resolve().parent.parent
RUBRIC = load_assignment(ROOT / "rubric.yaml").rubric
SUBMISSION = read_submission(ROOT / "tests" / "submissions" / "complete", "complete", RUBRIC)
UNSCALABLE = "import threading\nthreading.Event().wait(1)\n"


def planned(
    speed: float = 10, extra: str = "", names: tuple[str, ...] = ("run0", "run3")
) -> list[RunJob]:
    text = SUBMISSION.script.text + extra
    script = read_script(text, SUBMISSION.script.name, RUBRIC.script.constants)
    assert isinstance(script, ScriptFacts)
    submission = Submission(
        path=".",
        script=type(SUBMISSION.script)(name="x.py", state=SUBMISSION.script.state, text=text),
        readme=SUBMISSION.readme,
        transcripts={},
    )
    durations = {name: RUBRIC.configurations[name].duration for name in names}
    return plan(submission, script, durations, RUBRIC, RunOptions(speed=speed))


def outcome(job: RunJob, *, rows: int = 4, locks: int = 2, held: float = 3.0) -> RunOutcome:
    """What came of a run in which each record was held for so many seconds."""
    events = [
        event
        for number in range(rows)
        for event in (
            Event(t=held * number, process="P1", kind=EventKind.HOLD, label=""),
            Event(t=held * (number + 1), process="P1", kind=EventKind.COMMIT, label=""),
        )
    ]
    events += [Event(t=5, process="P2", kind=EventKind.LOCKED, label="")] * locks
    run = Run(
        id=job.id,
        duration=job.duration,
        speed=job.speed,
        wall_seconds=1,
        exit_code=0,
        timed_out=False,
        rows=rows,
        lock_errors=locks,
        sandbox="none",
        events=tuple(events),
    )
    return RunOutcome(run=run, ending=Ending.FINISHED)


def ran(job: RunJob, **how: float) -> list[float]:
    """The speeds at which a job was run until its outcome counted."""
    speeds: list[float] = []

    def run(job: RunJob, _stop: Flag | None) -> RunOutcome:
        speeds.append(job.speed)
        return outcome(job, **(how if job.speed > 1 else {}))  # type: ignore[arg-type]

    with running([job], RUBRIC, Quiet(), run) as runs:
        assert runs[job.id].result().run.speed == speeds[-1]
    return speeds


def test_only_what_takes_time_is_sped_up() -> None:
    """The run with no duration is in real time, the slow one as fast as was asked."""
    assert [(job.id, job.speed) for job in planned(speed=8)] == [("run0", 1), ("run3", 8)]


def test_real_time_can_be_asked_for() -> None:
    """At speed 1 nothing is sped up."""
    assert [job.speed for job in planned(speed=1)] == [1, 1]


def test_what_does_not_scale_is_not_sped_up() -> None:
    """A script with waiting that the shim cannot scale runs in real time."""
    assert [job.speed for job in planned(extra=UNSCALABLE)] == [1, 1]


def test_only_what_is_needed_is_run() -> None:
    """A configuration that no selected criterion asks for is left out."""
    assert [job.id for job in planned(names=("run3",))] == ["run3"]


def test_a_good_run_counts_at_any_speed() -> None:
    """A run that is plainly right is not repeated."""
    (job,) = planned(names=("run3",))
    assert ran(job) == [10]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"rows": 6, "locks": 0}, id="a point would be lost"),
        pytest.param({"rows": 0, "locks": 2}, id="no trace of an insert"),
        pytest.param({"held": 6.5}, id="locks held too long"),
        pytest.param({"held": 1.0}, id="locks held too short"),
    ],
)
def test_what_is_not_plainly_right_is_repeated(how: dict[str, float]) -> None:
    """No point is lost, and nothing disturbed counts, on a sped-up run alone."""
    (job,) = planned(names=("run3",))
    assert ran(job, **how) == [10, 1]


def test_a_sped_up_run_is_stopped_sooner() -> None:
    """The time limit shrinks with the speed, and is whole again in real time."""
    (job,) = planned(names=("run3",))
    limits: list[float] = []

    def run(job: RunJob, _stop: Flag | None) -> RunOutcome:
        limits.append(job.limits.wall_seconds)
        return outcome(job, rows=6, locks=0)

    with running([job], RUBRIC, Quiet(), run):
        pass
    assert limits == [10, 60]


def met(barrier: Barrier, seconds: float) -> bool:
    try:
        barrier.wait(seconds)
    except BrokenBarrierError:
        return False
    return True


@pytest.mark.parametrize(
    ("speed", "name", "meet"), [(10.0, "run3", False), (1.0, "run0", False), (1.0, "run3", True)]
)
def test_few_compete_for_the_processors(speed: float, name: str, meet: bool) -> None:
    """Runs that work all the time wait for each other; those in real time sleep side by side."""
    (job,) = planned(speed, names=(name,))
    both = Barrier(2)
    seen: list[bool] = []

    def run(job: RunJob, _stop: Flag | None) -> RunOutcome:
        seen.append(met(both, 20 if meet else 0.2))
        return outcome(job)

    in_turn = gated(run, 1)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda job: in_turn(job, None), [job, job]))
    assert len(done) == 2
    assert seen == [meet, meet]
