"""index.html: the whole class on one page that needs no network and no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup

from grader.class_reports import faults, plots, review, statistics
from grader.class_reports.cells import in_order
from grader.class_reports.gradebook_csv import criterion_ids
from grader.model import Report, Result, Row, Verdict
from grader.reports import inert, wording
from grader.reports.webpage import environment, policy
from grader.similarity import HEADINGS, Cluster

_PACKAGE = "grader.class_reports"
_CASES = 300
"""Verdicts to review that the page shows; the gradebook names all of them."""
_NAMED = 12
"""Students that one sentence names."""
_BY, _COMMENT = "instructor", "Looked at by a person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the table."""

    row: Row
    href: str | None
    results: tuple[Result | None, ...]
    alike: bool

    @property
    def report(self) -> Report | None:
        """The row's report."""
        return self.row.report


def render(
    rows: Sequence[Row], assignment: str, links: Mapping[str, str], clusters: Sequence[Cluster] = ()
) -> str:
    """The page; `links` is key -> relative path of the student's own report.

    Without the library of the extra `report` tables stand where plots would.
    """
    css, script = _source("page.css"), _source("page.js")
    graded = {row.student.key for row in rows if row.report}
    hrefs = {key: quote(path) for key, path in links.items() if key in graded}
    cases = review.to_review(rows)
    ids = criterion_ids(rows)
    bins, parts = statistics.distribution(rows), statistics.success(rows)
    return (
        _environment()
        .get_template("index.html.j2")
        .render(
            assignment=assignment,
            css=Markup(css),  # noqa: S704 - both are files of ours
            script=Markup(script),  # noqa: S704
            policy=policy(css, script),
            summary=statistics.summary(rows),
            bins=bins,
            parts=parts,
            seen={verdict for part in parts for verdict in Verdict if part.verdicts[verdict]},
            drawn=_drawn(bins, parts),
            mistakes=statistics.mistakes(rows),
            cases=cases[:_CASES],
            more_cases=max(len(cases) - _CASES, 0),
            not_graded=faults.not_graded(rows),
            faults=faults.faults(rows),
            notes=faults.notes(rows),
            clusters=clusters,
            headings=HEADINGS,
            entries=_entries(rows, ids, hrefs, clusters),
            ids=ids,
            hrefs=hrefs,
            Verdict=Verdict,
        )
    )


def _entries(
    rows: Sequence[Row], ids: Sequence[str], hrefs: Mapping[str, str], clusters: Sequence[Cluster]
) -> list[Entry]:
    alike = {student for cluster in clusters for student in cluster.students}
    return [
        Entry(
            row=row,
            href=hrefs.get(row.student.key),
            results=tuple(map(_by_id(row.report).get, ids)),
            alike=row.student.key in alike,
        )
        for row in in_order(rows)
    ]


def _by_id(report: Report | None) -> dict[str, Result]:
    return {result.id: result for result in report.criteria} if report else {}


def _drawn(
    bins: Sequence[statistics.Bin], parts: Sequence[statistics.Success]
) -> Mapping[str, Markup]:
    if not (parts and plots.available()):
        return {}
    # Every text in them went through an XML serialiser.
    return {
        "distribution": Markup(plots.distribution(bins)),  # noqa: S704
        "criteria": Markup(plots.criteria(parts)),  # noqa: S704
    }


def _environment() -> Environment:
    jinja = environment(_PACKAGE)
    jinja.filters.update(cut=_cut)
    jinja.globals.update(
        words=wording.WORDS,
        symbols=wording.SYMBOLS,
        lost=wording.lost,
        span=plots.span,
        shown=plots.SHOWN,
        extra=plots.EXTRA,
        choices=review.CHOICES,
        override=review.override,
        by=_BY,
        comment=_COMMENT,
        named=_NAMED,
    )
    return jinja


def _cut(text: str, lines: int = 8) -> str:
    return inert.excerpt(text, lines=lines, limit=240)


def _source(name: str) -> str:
    return (files(_PACKAGE) / "templates" / name).read_text("utf-8")
