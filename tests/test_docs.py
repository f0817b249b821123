"""What the documents promise exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from grader.cli import cli

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "assignment/README.md",
    "docs/students.md",
    "docs/instructors.md",
    "docs/classes.md",
    "docs/speed.md",
    "docs/security.md",
)


def blocks(name: str) -> list[str]:
    """Lines of the document's code blocks."""
    text = (ROOT / name).read_text("utf-8")
    return [
        line
        for block in re.findall(r"```[^\n]*\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]


def commands() -> list[str]:
    """Every `grader …` that a document shows, with what follows two spaces left out."""
    lines = [line for name in DOCUMENTS for line in blocks(name)]
    inline = [
        code
        for name in DOCUMENTS
        for code in re.findall(r"`(grader [^`\n]+)`", (ROOT / name).read_text("utf-8"))
    ]
    shown = [re.split(r"\s{2,}", line)[0] for line in lines if line.startswith("grader ")]
    return sorted({*shown, *inline})


@pytest.mark.parametrize("line", commands())
def test_the_commands_shown_are_commands(line: str) -> None:
    """Each command's name and options are what the program knows."""
    command: click.Command = cli
    for word in shlex.split(line)[1:]:
        if isinstance(command, click.Group) and not word.startswith("-"):
            assert word in command.commands
            command = command.commands[word]
        elif word.startswith("--"):
            assert word == "--help" or word in {o for p in command.params for o in p.opts}


def test_the_make_targets_shown_exist() -> None:
    """`make grade` and the others are in the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    known = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for name in DOCUMENTS:
        text = (ROOT / name).read_text("utf-8")
        shown = re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
        assert set(shown) <= known, name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link of a document names a file that is there."""
    text = (ROOT / name).read_text("utf-8")
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text)
    assert [t for t in targets if not (ROOT / name).parent.joinpath(t).exists()] == []


def test_the_design_names_modules_that_exist() -> None:
    """CONTRIBUTING's table of layers is about this package."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = [row.split("|")[2] for row in text.splitlines() if row.startswith("| ") and "`" in row]
    for name in re.findall(r"`([a-z_]+/?)`", " ".join(rows)):
        path = ROOT / "grader" / name.rstrip("/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), name
