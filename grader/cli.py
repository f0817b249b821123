"""Commands and exit codes, nothing else."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from grader import __version__
from grader.cli_ci import ci
from grader.cli_class import class_
from grader.cli_comment import comment
from grader.cli_options import (
    only_option,
    overrides_option,
    reveal_option,
    rubric_option,
    sandbox_option,
    speed_option,
)
from grader.cli_rubric import rubric
from grader.cli_run import run
from grader.errors import GraderError, UsageError
from grader.model import RunOptions, Sandbox
from grader.reports import FORMAT_NAMES

if TYPE_CHECKING:
    from grader.model import Report

INTERRUPTED = 130
FAILED = 3
LOST_POINTS = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="grader")
def cli() -> None:
    """Grade a programming assignment: run the script, read the transcripts, mark the answers.

    \b
    Try:
      grader grade my-fork          grade the folder my-fork and show the report
      grader grade . --only q3      look at one criterion (quick: runs nothing)
      grader class forks --out marks
                                    grade everyone's fork in the folder forks
      grader run my-fork            watch who holds the database and who waits
      grader doctor                 see whether this computer is ready

    Each command explains itself: grader grade --help
    """


cli.add_command(rubric)
cli.add_command(run)
cli.add_command(ci)
cli.add_command(comment)
cli.add_command(class_)


@cli.command()
@click.argument("submission", default=".")
@only_option
@click.option(
    "--format",
    "report_format",
    type=click.Choice(FORMAT_NAMES),
    default="terminal",
    show_default=True,
    help="How the report on the screen looks.",
)
@click.option(
    "--save",
    multiple=True,
    metavar="FORMAT:FILE",
    help="Write the report to a file too, such as markdown:report.md. May be given several times.",
)
@rubric_option
@speed_option
@sandbox_option
@reveal_option
@overrides_option
def grade(
    submission: str,
    only: tuple[str, ...],
    report_format: str,
    save: tuple[str, ...],
    rubric_file: Path | None,
    speed: float,
    sandbox: str,
    reveal: bool,
    overrides_file: Path | None,
) -> int:
    """Grade one SUBMISSION and report what earned points and what did not.

    SUBMISSION is a folder (default: the one you are in) or the URL of a git repository;
    URL@NAME takes the branch, tag or commit NAME. The script is run twice in a sandbox, which
    takes seconds; the submission's files are not changed.

    \b
    Exit status:
      0  every point earned        2  wrong usage, or a faulty rubric
      1  graded, points lost       3  the grader could not do its job

    \b
    Examples:
      grader grade
      grader grade my-fork --only q1 --only q2
      grader grade my-fork --save json:report.json --save markdown:report.md
      grader grade my-fork --overrides overrides.yaml
      grader grade my-fork --sandbox require
      grader grade https://github.com/someone/streaming-02@main
    """
    from grader.assignment import load_assignment
    from grader.grading import grade as grade_submission
    from grader.grading import read_overrides
    from grader.output_file import write_whole
    from grader.progress import shown_progress
    from grader.reports import render

    files = [_save_target(target) for target in save]
    assignment = load_assignment(rubric_file)
    overrides = read_overrides(overrides_file, assignment) if overrides_file else ()
    with shown_progress() as progress:
        report = grade_submission(
            submission,
            assignment,
            progress,
            only=only,
            reveal=reveal,
            overrides=overrides,
            options=RunOptions(sandbox=Sandbox(sandbox), speed=speed),
        )
    for name, path in files:
        write_whole(path, render(report, name))
    _print(report, report_format)
    _warn(report)
    return _status(report)


@cli.command()
def doctor() -> int:
    """See what this computer can do, and how to fix what is missing.

    Exit status: 0 when the grader can work here, 3 when something it needs is missing.
    """
    from grader.doctor import examine

    findings = examine()
    for finding in findings:
        click.echo(str(finding))
    return FAILED if any(finding.blocks for finding in findings) else 0


def main() -> NoReturn:
    """Runs the command line and ends the process with its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    raise SystemExit(_run())


def _run() -> int:
    try:
        return int(cli.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except GraderError as error:
        click.echo(f"grader: {error}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("grader: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough; the interpreter must not complain at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if os.environ.get("GRADER_DEBUG"):
            raise
        click.echo(
            f"grader: this is a fault of the grader, not of the submission: "
            f"{type(error).__name__}: {error}\n"
            "Set GRADER_DEBUG=1 to see where it happened, and please report it.",
            err=True,
        )
        return FAILED


def _save_target(target: str) -> tuple[str, Path]:
    name, _, path = target.partition(":")
    if name not in FORMAT_NAMES or not path:
        raise UsageError(
            f"--save {target}: write it as FORMAT:FILE, with one of {', '.join(FORMAT_NAMES)}."
        )
    return name, Path(path)


def _print(report: Report, name: str) -> None:
    from grader.reports import Screen, render

    shown = sys.stdout.isatty()
    screen = Screen(
        width=shutil.get_terminal_size().columns if shown else 80,
        color=shown and not os.environ.get("NO_COLOR"),
        encoding=sys.stdout.encoding,
    )
    click.echo(render(report, name, screen), nl=False, color=screen.color)


def _warn(report: Report) -> None:
    from grader.overrides import OUTDATED
    from grader.reports.inert import one_line

    for note in report.notes:
        if note.kind == OUTDATED:
            click.echo(f"grader: warning: {one_line(note.text)}", err=True)


def _status(report: Report) -> int:
    from grader.model import Verdict

    if any(result.verdict is Verdict.ERROR for result in report.criteria):
        return FAILED
    return 0 if report.score >= report.max_score else LOST_POINTS
