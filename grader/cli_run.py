"""The command that runs a script once and draws what its processes did."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli_options import rubric_option, sandbox_option, speed_option
from grader.errors import UsageError
from grader.model import RunOptions, Sandbox
from grader.output_file import write_whole

if TYPE_CHECKING:
    from grader.model import RunOutcome
    from grader.runner import RunJob

FAILED = 1
_LONGEST = 3600.0
_PICTURES = ("svg", "json")


def _number(_context: click.Context, _option: click.Parameter, value: float) -> float:
    """The value; the range lets through what is no number."""
    if math.isnan(value):
        raise click.BadParameter("nan is no number of seconds.")
    return value


@click.command()
@click.argument("submission", default=".")
@click.option(
    "--duration",
    type=click.FloatRange(0, _LONGEST),
    callback=_number,
    default=3.0,
    show_default=True,
    metavar="SECONDS",
    help="What the script's duration is set to for this run.",
)
@click.option(
    "--save",
    multiple=True,
    metavar="svg|json:FILE",
    help="Write the timeline to a file too, such as svg:run.svg. May be given several times.",
)
@rubric_option
@speed_option
@sandbox_option
def run(
    submission: str,
    duration: float,
    save: tuple[str, ...],
    rubric_file: Path | None,
    speed: float,
    sandbox: str,
) -> int:
    """Run the script of a SUBMISSION once, and watch who holds the database and who waits.

    Each line is a process. It waits until it may write, holds the database while its task takes
    its time, and then its record is saved; or it has waited too long and gives up.

    \b
    Exit status:
      0  the script ended by itself   2  wrong usage, or no script to run
      1  it failed, or was stopped    3  the grader could not do its job

    \b
    Examples:
      grader run
      grader run my-fork --duration 0
      grader run my-fork --duration 1 --speed 1
      grader run my-fork --save svg:locks.svg
    """
    from grader.assignment import load_assignment
    from grader.single_run import job_for

    targets = [_target(text) for text in save]
    options = RunOptions(sandbox=Sandbox(sandbox), speed=speed)
    job = job_for(Path(submission), load_assignment(rubric_file).rubric, duration, options)
    outcome = _watched(job)
    _tell(job, outcome)
    for kind, path in targets:
        write_whole(path, _picture(outcome, kind))
    return 0 if outcome.run.exit_code == 0 else FAILED


def _target(text: str) -> tuple[str, Path]:
    kind, _, path = text.partition(":")
    if kind not in _PICTURES or not path:
        raise UsageError(f"--save {text}: write it as svg:FILE or json:FILE.")
    return kind, Path(path)


def _watched(job: RunJob) -> RunOutcome:
    """Runs the job; in a terminal the drawing grows while it runs."""
    from grader.runner import run_script

    if not sys.stdout.isatty():
        return run_script(job)
    from rich.console import Console
    from rich.live import Live

    from grader.live import Drawing

    drawing = Drawing(job.speed, unicode=_unicode())
    with Live(drawing, console=Console(), transient=True, refresh_per_second=8):
        return run_script(job, watch=drawing.update)


def _tell(job: RunJob, outcome: RunOutcome) -> None:
    from rich.console import Console
    from rich.text import Text

    from grader.reports.inert import clean
    from grader.reports.timeline import story, timeline
    from grader.reports.timeline_text import draw

    console = Console(width=None if sys.stdout.isatty() else 80, highlight=False)
    line = timeline(outcome.run.events)
    pace = "in real time" if job.speed == 1 else f"{job.speed:g} times as fast as real time"
    title = f"{job.name} with a duration of {job.duration:g} s, run {pace}"
    console.print(Text(title, style="bold"))
    console.print()
    if line.lanes:
        console.print(draw(line, console.width, unicode=_unicode()))
        console.print()
    console.print(Text(story(line)))
    if outcome.run.exit_code != 0 or not line.lanes:
        console.print(Text(clean(_ended(outcome))))


def _ended(outcome: RunOutcome) -> str:
    from grader.model import Ending

    ended = f"ended with exit status {outcome.run.exit_code}"
    if outcome.ending is not Ending.FINISHED:
        ended = f"was stopped: {outcome.ending.value}"
    if outcome.error:
        return f"The script {ended}. {outcome.error}"
    last = f" It printed last:\n{outcome.tail}" if outcome.tail else ""
    return f"The script {ended}.{last}"


def _picture(outcome: RunOutcome, kind: str) -> str:
    from grader.reports.timeline import timeline

    run = outcome.run
    if kind == "svg":
        from grader.reports.timeline_svg import draw

        title = f"A run with a duration of {run.duration:g} s"
        return draw([(title, timeline(run.events))], standalone=True) + "\n"
    from pydantic_core import to_json

    return to_json(run, indent=2).decode() + "\n"


def _unicode() -> bool:
    return (sys.stdout.encoding or "ascii").lower().startswith("utf")
