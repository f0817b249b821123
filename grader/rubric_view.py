"""Explains a rubric to an instructor, as text for a terminal."""

from __future__ import annotations

import io

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.assignment import Assignment
from grader.criteria import RunCriterion, TranscriptCriterion
from grader.rubric import AnyCriterion, Expectation, Rubric

_EXPECTED = {
    Expectation.EVERY_INSERT: "every insert and no lock error",
    Expectation.LOCK_ERROR: "at least one lock error",
}


def render(assignment: Assignment) -> str:
    """The rubric's criteria as a table, and what they are judged by."""
    rubric = assignment.rubric
    buffer = io.StringIO()
    console = Console(file=buffer, width=80, color_system=None, highlight=False)
    console.print(f"{rubric.assignment}: {rubric.max_score:g} points", markup=False)
    console.print(_table(rubric))
    console.print(
        f"Answers are judged by the student's own {rubric.script.file} and by: "
        f"{', '.join(edition.source for edition in assignment.editions) or 'nothing else'}.\n"
        f"A verdict less certain than {rubric.review_below:g} is flagged for a person.",
        markup=False,
    )
    return "\n".join(line.rstrip() for line in buffer.getvalue().split("\n"))


def _table(rubric: Rubric) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Criterion", "Title", "What is looked at"):
        table.add_column(heading)
    table.add_column("Points", justify="right")
    for name, criterion in rubric.criteria.items():
        cells = (name, criterion.title, _looked_at(criterion, rubric), f"{criterion.points:g}")
        # As Text, for brackets in a title are no markup.
        table.add_row(*map(Text, cells))
    return table


def _looked_at(criterion: AnyCriterion, rubric: Rubric) -> str:
    if isinstance(criterion, (RunCriterion, TranscriptCriterion)):
        expected = _EXPECTED[rubric.configurations[criterion.configuration].expect]
        return f"{criterion.type}: {expected}"
    source = getattr(criterion, "of", None)
    return f"{criterion.type}: the script's {source}" if source else f"{criterion.type}: the rubric"
