"""Grades a sample and draws its report for the README, by rich's SVG export."""

from __future__ import annotations

from pathlib import Path

from grader.assignment import load_assignment
from grader.grading import grade
from grader.progress import shown_progress
from grader.reports import terminal

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = "tests/submissions/swapped-outputs"


def main() -> None:
    """Writes docs/report.svg."""
    with shown_progress() as progress:
        report = grade(SAMPLE, load_assignment(), progress)
    picture = ROOT / "docs" / "report.svg"
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(terminal.svg(report), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
