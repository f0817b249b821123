"""The command that grades a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli_comment import github_connection
from grader.cli_options import (
    only_option,
    overrides_option,
    reveal_option,
    rubric_option,
    sandbox_option,
    speed_option,
)
from grader.errors import UsageError
from grader.model import Outcome, RunOptions, Sandbox

if TYPE_CHECKING:
    from grader.batch import Graded
    from grader.model import Row
    from grader.running import Runner

FAILED = 3

_JOBS = 12
"""Submissions under way for each processor, as those that are run in real time mostly sleep."""
_RUNS = 5
"""Runs that are not in real time for each processor."""
_BETWEEN_WRITES = 1.0
"""Seconds that GitHub wants between two things that are posted."""


def _deadline(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> datetime | None:
    if value is None:
        return None
    try:
        # Python 3.10 does not know the Z.
        moment = datetime.fromisoformat(value.strip().upper().replace("Z", "+00:00"))
    except ValueError:
        raise click.BadParameter(
            f"{value} is no moment. Write it like 2026-11-30T23:59-06:00."
        ) from None
    return moment.astimezone()


@click.command(name="class")
@click.argument("roster", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder for everything that is handed over, and for what is kept for the next time.",
)
@click.option(
    "--deadline",
    callback=_deadline,
    metavar="TIME",
    help="Grade the last commit made before, such as 2026-11-30T23:59-06:00. That goes by the "
    "clock of whoever committed: git does not know when something was pushed.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Submissions under way at the same time. Default: 12 for each processor here, or as many "
    "as the cluster has threads.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Run the scripts on a Dask cluster, such as tcp://10.0.0.5:8786, instead of here.",
)
@click.option(
    "--comment",
    is_flag=True,
    help="Also post the feedback on GitHub: on each student's open pull request, else as an issue "
    "in their repository. GITHUB_TOKEN must be allowed to write both.",
)
@click.option("--dry-run", is_flag=True, help="With --comment: only say what would be posted.")
@click.option("--fresh", is_flag=True, help="Grade everything anew, changed or not.")
@only_option
@rubric_option
@speed_option
@sandbox_option
@reveal_option
@overrides_option
def class_(
    roster: Path,
    out: Path,
    deadline: datetime | None,
    jobs: int | None,
    scheduler: str | None,
    comment: bool,
    dry_run: bool,
    fresh: bool,
    only: tuple[str, ...],
    rubric_file: Path | None,
    speed: float,
    sandbox: str,
    reveal: bool,
    overrides_file: Path | None,
) -> int:
    """Grade a class: everyone in ROSTER, many at a time, and hand over the marks.

    ROSTER is a CSV file with a line for each student and the columns student and repository;
    ref, name, email, canvas_id and others are welcome. Or it is a folder that holds a folder
    for each student. What has not changed since the last time is not graded again, so start
    the same command as often as you like, also after Ctrl-C.

    \b
    DIR then holds:
      index.html             how the class did, and what needs your eyes first
      gradebook.csv          a row for each student, a column for each criterion
      canvas.csv, moodle.csv for the LMS; gradescope/ one file a student
      feedback/              what each student gets, as html, md and json
      gradebook.sqlite       all results there ever were

    \b
    Exit status:
      0  everyone was graded        3  some could not be; the rest were
      2  wrong usage, a faulty roster or rubric

    \b
    Examples:
      grader class roster.csv --out marks
      grader class submissions/ --out marks --overrides overrides.yaml
      grader class roster.csv --out marks --deadline 2026-11-30T23:59-06:00
      grader class roster.csv --out marks --comment --dry-run
    """
    from grader.assignment import load_assignment
    from grader.batch import grade_roster
    from grader.course import Settings
    from grader.grading import read_overrides

    if dry_run and not comment:
        raise UsageError("--dry-run goes with --comment.")
    if comment and reveal:
        raise UsageError("--reveal is for your eyes: do not post expected answers with --comment.")
    if comment:
        _check_token()
    assignment = load_assignment(rubric_file)
    settings = Settings(
        only=only,
        reveal=reveal,
        overrides=read_overrides(overrides_file, assignment) if overrides_file else (),
        options=RunOptions(sandbox=Sandbox(sandbox), speed=speed),
        deadline=deadline,
        fresh=fresh,
    )
    try:
        with _runs(scheduler) as (run, slots):
            graded = grade_roster(roster, out, assignment, settings, jobs=jobs or slots, run=run)
    except KeyboardInterrupt:
        click.echo("What was graded is kept: the same command goes on from there.", err=True)
        raise
    for note in graded.notes:
        click.echo(f"grader: {note}", err=True)
    click.echo(_summary(graded.rows, out), nl=False)
    posted = not comment or _post(graded, dry_run=dry_run)
    failed = any(row.outcome is Outcome.FAILED for row in graded.rows)
    return FAILED if failed or not posted else 0


@contextmanager
def _runs(scheduler: str | None) -> Iterator[tuple[Runner, int]]:
    """What runs scripts, and how many submissions it can have under way."""
    if scheduler is None:
        from grader.runner import run_script
        from grader.running import gated, processors

        here = processors()
        yield gated(run_script, _RUNS * here), _JOBS * here
        return
    from grader.cluster import cluster

    with cluster(scheduler) as workers:
        yield workers.run, workers.slots


def _check_token() -> None:
    """What is missing is told before an evening is spent on grading."""
    with github_connection():
        pass


def _post(graded: Graded, *, dry_run: bool) -> bool:
    """Posts everyone's feedback and tells of each; whether all of it went well."""
    from grader.github.class_feedback import FAILED as FAILED_TO_POST
    from grader.github.class_feedback import post_feedback
    from grader.reports.inert import one_line

    reports = graded.feedback.reports(graded.rows)
    click.echo("On GitHub this would be done:" if dry_run else "On GitHub:")
    well = True
    with github_connection(_BETWEEN_WRITES) as github:
        for told in post_feedback(github, reports, dry_run=dry_run):
            click.echo(f"  {one_line(told.student)}: {told.done}: {told.where}")
            well = well and told.done != FAILED_TO_POST
    return well


def _summary(rows: Sequence[Row], out: Path) -> str:
    from grader.class_reports.statistics import summary
    from grader.handover import PAGE
    from grader.reports.wording import points

    figures = summary(rows)
    recalled = sum(row.outcome is Outcome.CACHED for row in rows)
    lines = [f"{figures.graded} of {figures.students} submissions are graded."]
    if recalled:
        lines.append(f"{recalled} of them had not changed and were not graded again.")
    if figures.mean is not None and figures.median is not None:
        lines.append(
            f"Mean {points(round(figures.mean, 1))}, median {points(figures.median)} "
            f"of {points(figures.max_score)} points."
        )
    if figures.flagged:
        lines.append(f"{figures.flagged} have a verdict that a person should look at.")
    if figures.failed:
        lines.append(f"{figures.failed} could not be graded; the page says why.")
    return "\n".join([*lines, f"Open {out / PAGE}", ""])
