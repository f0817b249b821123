"""Draws the README's pictures: a report in the terminal, and the page about a class."""

from __future__ import annotations

from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright
from synthetic_class import make_class

from grader.assignment import Assignment, load_assignment
from grader.batch import grade_roster
from grader.course import Settings
from grader.grading import grade
from grader.handover import PAGE
from grader.model import RunOptions
from grader.progress import shown_progress
from grader.reports import terminal
from grader.runner import run_script
from grader.running import gated, processors

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = "tests/submissions/swapped-outputs"
STUDENTS, SEED = 40, 11


def main() -> None:
    """Writes docs/report.svg and docs/class.png."""
    assignment = load_assignment()
    draw_report(assignment, ROOT / "docs" / "report.svg")
    draw_class(assignment, ROOT / "docs" / "class.png")


def draw_report(assignment: Assignment, picture: Path) -> None:
    """Draws the report of a sample, by rich's SVG export."""
    with shown_progress() as progress:
        report = grade(SAMPLE, assignment, progress)
    picture.write_text(terminal.svg(report), encoding="utf-8", newline="\n")


def draw_class(assignment: Assignment, picture: Path) -> None:
    """Draws the top of the page about a class of students who do not exist."""
    with TemporaryDirectory() as place:
        roster, out = make_class(Path(place, "class"), STUDENTS, SEED), Path(place, "marks")
        run = gated(run_script, 5 * processors())
        settings = Settings(options=RunOptions())
        grade_roster(roster, out, assignment, settings, jobs=STUDENTS, run=run)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1000, "height": 760})
            page.goto((out / PAGE).as_uri())
            page.screenshot(path=picture)
            browser.close()


if __name__ == "__main__":
    main()
