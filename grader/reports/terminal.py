"""The terminal report: a table, then what was seen for each lost point, then what to do first."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.model import Report, Result, Verdict
from grader.reports import wording
from grader.reports.inert import excerpt, one_line
from grader.reports.shown_runs import ShownRun, shown_runs
from grader.reports.timeline_text import draw
from grader.reports.wording import NAME, TITLE

WIDEST = 100  # longer lines are tiring to read
NARROWEST = 40
QUOTES = 3
LANES = 5  # processes that are drawn of a run
_STYLES = {
    Verdict.CORRECT: "green",
    Verdict.PARTIAL: "yellow",
    Verdict.INCORRECT: "red",
    Verdict.MISSING: "magenta",
    Verdict.SKIPPED: "dim",
    Verdict.ERROR: "bold blue",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """The characters to draw with."""

    verdicts: Mapping[Verdict, str]
    full: str
    rest: str


_UNICODE = _Signs(verdicts=wording.SYMBOLS, full="█", rest="░")
_ASCII = _Signs(
    verdicts=dict(zip(wording.SYMBOLS, ("+", "~", "x", "o", "-", "!"), strict=True)),
    full="#",
    rest="-",
)


def render(report: Report, *, width: int = 80, color: bool = False, encoding: str = "utf-8") -> str:
    """The report as lines of at most `width` columns that `encoding` can write.

    Without `color` there is not one escape sequence in it.
    """
    buffer = io.BytesIO()
    # Rich falls back to ASCII boxes when the file it draws on is not in a UTF encoding.
    file = io.TextIOWrapper(buffer, encoding=encoding, errors="replace", newline="\n")
    console = _console(file, width=width, color=color)
    _draw(console, report, _UNICODE if encoding.lower().startswith("utf") else _ASCII)
    file.flush()
    lines = buffer.getvalue().decode(encoding).split("\n")
    return "\n".join(line.rstrip() for line in lines)


def svg(report: Report, *, width: int = 80) -> str:
    """The same as a picture, the same bytes for the same report."""
    console = _console(io.StringIO(), width=width, color=True, record=True)
    _draw(console, report, _UNICODE)
    picture = console.export_svg(title="grader grade", unique_id="report")
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)  # fetched from afar


def _console(file: IO[str], *, width: int, color: bool, record: bool = False) -> Console:
    # Settles everything that rich would else ask the machine or its environment about.
    return Console(
        file=file,
        width=min(max(width, NARROWEST), WIDEST),
        color_system="standard" if color else None,
        force_terminal=False,
        force_jupyter=False,
        force_interactive=False,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        record=record,
    )


def _draw(console: Console, report: Report, signs: _Signs) -> None:
    for part in _parts(report, console, signs):
        console.print(part)


def _parts(report: Report, console: Console, signs: _Signs) -> Iterator[RenderableType]:
    yield _heading(report)
    yield _table(report, signs)
    yield _total(report, signs)
    for result in wording.to_explain(report):
        yield from ("", _title(result), Padding(_details(result, signs), (0, 0, 0, 2)))
    for run in shown_runs(report):
        if run.line.contended:
            yield from ("", _run(run, console, signs))
    if report.notes:
        yield from ("", Text("Notes", style="bold"))
        yield from (_labelled([("-", Text(one_line(note.text)))]) for note in report.notes)
    yield from ("", Text(one_line(wording.closing(report)), style="bold"))


def _run(run: ShownRun, console: Console, signs: _Signs) -> Group:
    title = Text.assemble((f"{run.id}  ", "bold"), f"our run with {run.how}")
    few = replace(run.line, lanes=run.line.lanes[:LANES])
    drawn = draw(few, console.width, unicode=signs is _UNICODE)
    if (more := run.line.processes - len(few.lanes)) > 0:
        drawn.append(f"\n... and {more} more {'process' if more == 1 else 'processes'}")
    return Group(title, drawn, Text(run.story))


def _heading(report: Report) -> Text:
    about = report.submission
    facts = [one_line(about.path, TITLE)]
    if about.student:
        facts.append(f"student {one_line(about.student, NAME)}")
    if about.commit:
        facts.append(f"commit {one_line(about.commit)[:7]}")
    return Text.assemble((one_line(report.assignment, TITLE), "bold"), "\n", ", ".join(facts))


def _table(report: Report, signs: _Signs) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, expand=True)
    table.add_column("", overflow="fold", max_width=12)
    table.add_column("Criterion", overflow="fold", ratio=1)
    table.add_column("Verdict", no_wrap=True)
    if any(result.needs_review for result in report.criteria):
        table.add_column("", no_wrap=True)
    table.add_column("Points", justify="right", no_wrap=True)
    for result in report.criteria:
        table.add_row(*_row(result, signs, len(table.columns)))
    return table


def _row(result: Result, signs: _Signs, columns: int) -> list[Text]:
    review = [Text("? review" if result.needs_review else "", style="cyan")]
    return [
        Text(one_line(result.id, NAME), style="bold"),
        Text(one_line(result.title, TITLE)),
        _verdict(result, signs),
        *(review if columns == 5 else []),
        Text(f"{wording.points(result.score)} / {wording.points(result.max_score)}"),
    ]


def _verdict(result: Result, signs: _Signs) -> Text:
    word = f"{signs.verdicts[result.verdict]} {wording.WORDS[result.verdict]}"
    return Text(word, style=_STYLES[result.verdict])


def _total(report: Report, signs: _Signs) -> Text:
    score = f"{wording.points(report.score)} of {wording.points(report.max_score)} points"
    bar = wording.bar(report, 25, signs.full, signs.rest)
    text = Text.assemble("\n", (f"{score}  ", "bold"), bar, f"  {wording.percent(report)} %")
    return text.append(f"\n{wording.REVIEW}") if report.needs_review else text


def _title(result: Result) -> Text:
    return Text(f"{one_line(result.id, NAME)}  {one_line(result.title, TITLE)}", style="bold")


def _details(result: Result, signs: _Signs) -> Group:
    feedback = result.feedback
    score = f"{wording.points(result.score)} of {wording.points(result.max_score)} points"
    lines = [Text.assemble(_verdict(result, signs), f", {score}. {one_line(feedback.what)}")]
    for quote in result.evidence[:QUOTES]:
        place = f"{one_line(quote.file, NAME)}:{quote.line}"
        lines.append(Text.assemble((place, "cyan"), f'  "{one_line(quote.quote, 120)}"'))
    if (more := len(result.evidence) - QUOTES) > 0:
        lines.append(Text(f"... and {more} more"))
    rows = []
    for label, text in (("Found:", feedback.actual), ("Expected:", feedback.expected)):
        if text is not None:
            rows.append((label, Text(excerpt(text, lines=6, limit=200))))
    if feedback.hint and result.verdict is not Verdict.CORRECT:
        rows.append(("Next:", Text(one_line(feedback.hint), style="bold")))
    return Group(*lines, _labelled(rows))


def _labelled(rows: list[tuple[str, Text]]) -> Table:
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    for label, text in rows:
        grid.add_row(label, text)
    return grid
