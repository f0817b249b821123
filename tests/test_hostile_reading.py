"""Attacks by files that are read or reported: those in tests/hostile whose kind says so."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from grader.assignment import Assignment, load_assignment
from grader.criteria import RunCriterion
from grader.grading import grade
from grader.model import Report, Verdict
from grader.progress import Quiet
from grader.reports import FORMATS, render
from grader.reports.inert import UNSAFE
from tests.support.hostile import FOLDER, Kind, build, load

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="made with POSIX calls")

ATTACKS = {
    path.stem: attack
    for path in sorted(FOLDER.glob("*.yaml"))
    if (attack := load(path)).kind is not Kind.RUNNING
}
# It could pass for a commit, so that a report may be led to name it.
SECRET = "5ec2e7" * 6 + "5ec2"
LONGEST = 100_000
# The runner looks for the one at a line's beginning, and for the other anywhere.
ORDER = re.compile(r"^\s*::[\w-]+(?:\s.*)?::", re.MULTILINE)
OLD_ORDER = "##["
OURS = re.compile(r"</?(?:details|summary|sub|br)\b[^>]*>|<!--[^>]*-->")
"""HTML that our own templates write."""


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment()


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str, assignment: Assignment, tmp_path: Path) -> None:
    """Every attack earns what it deserves, and no report gives a secret away or does anything."""
    attack = ATTACKS[name]
    canary = tmp_path / "secret" / "main"
    canary.parent.mkdir()
    canary.write_text(f"{SECRET}\n", "utf-8")
    folder = build(attack, tmp_path / "submission", canary)
    criteria = assignment.rubric.criteria
    read = [key for key, one in criteria.items() if not isinstance(one, RunCriterion)]

    report = grade(str(folder), assignment, Quiet(), only=read)

    expected = dict.fromkeys(read, Verdict.CORRECT) | attack.expect
    assert {result.id: result.verdict for result in report.criteria} == expected
    assert {note.kind for note in report.notes} >= set(attack.notes)
    assert canary.read_text("utf-8") == f"{SECRET}\n"
    for format_name in FORMATS:
        harmless(render(report, format_name))
    inert(report)


def harmless(text: str) -> None:
    """No secret, no control character and no order to a CI runner is in a report."""
    assert SECRET not in text
    assert UNSAFE.search(text) is None
    assert ORDER.search(text) is None
    assert len(text) < LONGEST


def inert(report: Report) -> None:
    """In Markdown nothing of a student's is markup, and nobody is mentioned."""
    for token in tokens(MarkdownIt("commonmark").enable("table").parse(render(report, "markdown"))):
        assert token.type != "image"
        if token.type in {"html_inline", "html_block"}:
            assert OURS.sub("", token.content).strip() == ""
        if token.type == "text":
            assert "@" not in token.content
            assert OLD_ORDER not in token.content


def tokens(parsed: list[Token]) -> Iterator[Token]:
    for token in parsed:
        yield token
        yield from tokens(token.children or [])
