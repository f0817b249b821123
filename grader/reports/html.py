"""The HTML report: one page that needs no network, no script and no other file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from grader.model import PastedRun, Report, Run
from grader.reports import inert, timeline_svg, wording
from grader.reports.shown_runs import ShownRun, shown_runs
from grader.reports.timeline import Kind, Timeline, story, timeline
from grader.reports.webpage import environment, policy

_WIDE, _NARROW = 740, 310
"""Pixels of a picture on a desk and on a phone; the page shows the one that fits."""
_CODE = re.compile(r"`([^`\s][^`]*)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One run, ours or the student's own."""

    title: str
    how: str
    story: str
    line: Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All runs of one configuration."""

    id: str
    duration: float
    parts: tuple[Part, ...]

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return any(part.line.lanes for part in self.parts)


def render(report: Report) -> str:
    """The report as a page in which no text of a student's does anything."""
    groups = _groups(report)
    style = _style()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            groups=groups,
            picture=_picture(groups),
            kinds=_kinds(groups),
            Kind=Kind,
            explained=wording.to_explain(report),
            style=Markup(style),  # noqa: S704 - a file of ours
            policy=policy(style),
        )
    )


def _groups(report: Report) -> tuple[Group, ...]:
    """The runs by configuration: ours first, then the student's own."""
    parts: dict[tuple[str, float], list[Part]] = {}
    for run, shown in zip(report.runs, shown_runs(report), strict=True):
        parts.setdefault((run.id, run.duration), []).append(_ours(run, shown))
    for pasted in report.pasted:
        parts.setdefault((pasted.id, pasted.duration), []).append(_theirs(pasted))
    return tuple(
        Group(id=inert.one_line(name, wording.NAME), duration=duration, parts=tuple(its))
        for (name, duration), its in parts.items()
    )


def _ours(run: Run, shown: ShownRun) -> Part:
    stopped = "; we stopped it, as it took too long" if run.timed_out else ""
    how = f"With {shown.how}{stopped}."
    return Part(title="Our run", how=how, story=shown.story, line=shown.line)


def _theirs(pasted: PastedRun) -> Part:
    line = timeline(pasted.events)
    how = f"As {inert.one_line(pasted.file, wording.NAME)} tells it."
    return Part(title="Your run", how=how, story=story(line), line=line)


def _kinds(groups: Sequence[Group]) -> frozenset[object]:
    """What the pictures show, as kinds of segments and of endings."""
    segments = [each for g in groups for part in g.parts for _, each in part.line.segments]
    return frozenset(kind for each in segments for kind in (each.kind, each.ended))


@cache
def _environment() -> Environment:
    jinja = environment("grader.reports")
    jinja.filters.update(prose=_prose, block=_block)
    jinja.globals.update(say=wording, wide=_WIDE, narrow=_NARROW)
    return jinja


def _picture(groups: Sequence[Group]) -> Callable[[Group, str, int], Markup]:
    """Draws one group's runs, on one time scale with the others."""
    scale = max((part.line.end for group in groups for part in group.parts), default=0.0)

    def picture(group: Group, key: str, width: int) -> Markup:
        named = [(part.title, part.line) for part in group.parts]
        # Every text in it went through an XML serialiser.
        return Markup(timeline_svg.draw(named, key=key, width=width, scale=scale))  # noqa: S704

    return picture


def _prose(text: str) -> Markup:
    """One line in which `code` in backticks is code."""
    pieces = _CODE.split(inert.one_line(text))
    marked = (
        Markup("<code>{}</code>").format(piece) if place % 2 else Markup.escape(piece)
        for place, piece in enumerate(pieces)
    )
    return Markup().join(marked)


def _block(text: str) -> str:
    return inert.excerpt(text, lines=12, limit=240)


def _style() -> str:
    own = files("grader.reports") / "templates" / "report.css"
    return own.read_text("utf-8") + timeline_svg.STYLE
