"""The Markdown report, for a pull request, a job summary or an editor."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from grader.model import Report
from grader.reports import inert, mermaid, wording
from grader.reports.shown_runs import ShownRun, shown_runs


def render(report: Report) -> str:
    """The report as GitHub Markdown in which no text of a student's does anything."""
    template = environment().get_template("report.md.j2")
    return template.render(report=report, runs=shown_runs(report), say=wording)


@cache
def environment() -> Environment:
    """What renders Markdown templates: every value is made harmless."""
    # Jinja escapes HTML; in Markdown it is `finalize` that makes every value harmless.
    jinja = Environment(
        loader=PackageLoader("grader.reports"),
        autoescape=False,  # noqa: S701
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.filters.update(
        points=wording.points,
        prose=inert.prose,
        cell=inert.cell,
        code=inert.code,
        block=inert.block,
        mermaid=_diagram,
    )
    return jinja


def _diagram(run: ShownRun) -> inert.Markdown:
    return inert.diagram(mermaid.draw(run.line, f"{run.id} in seconds"))


def _harmless(value: object) -> str:
    return value if isinstance(value, inert.Markdown) else inert.prose(str(value))
