"""The command that a workflow shows a report with."""

from __future__ import annotations

from pathlib import Path

import click

LOST_POINTS = 1


@click.command()
@click.argument("report_file", metavar="REPORT", type=click.Path(path_type=Path))
@click.option(
    "--fail-below",
    type=click.FloatRange(min=0),
    default=0,
    metavar="POINTS",
    help="Fail when fewer points are earned. Default: 0, which never fails.",
)
def ci(report_file: Path, fail_below: float) -> int:
    """Show a JSON REPORT in a GitHub workflow: summary, annotations, outputs.

    The files are those that GITHUB_STEP_SUMMARY and GITHUB_OUTPUT name; annotations go to the
    job's log. Elsewhere only the annotations are shown. The outputs are score, max-score,
    percent and needs-review.

    \b
    Exit status:
      0  shown                      1  fewer points than --fail-below asks for
      2  wrong usage, or no such report

    \b
    Example:
      grader grade my-fork --format json > report.json
      grader ci report.json --fail-below 70
    """
    from grader.github.annotations import commands
    from grader.github.summary import write_outputs, write_summary
    from grader.named_file import read_named
    from grader.reports.json_report import read
    from grader.reports.wording import points

    report = read(read_named(report_file))
    write_summary(report)
    write_outputs(report)
    for command in commands(report):
        click.echo(command)
    click.echo(f"{points(report.score)} of {points(report.max_score)} points")
    if report.score < fail_below:
        click.echo(f"That is less than the {points(fail_below)} points asked for.", err=True)
        return LOST_POINTS
    return 0
