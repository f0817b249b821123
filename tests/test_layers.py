"""Imports point down only: facts, pure core, edges, grading, commands."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "grader"

# A module may import its own layer and those above its line.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("model", "errors", "text", "criteria"),
    ("lexicon", "script_processes", "readme_lines", "suggest", "yaml_file", "trace"),
    ("script", "own_text", "questions"),
    ("rubric", "pace_names", "pace_flow"),
    ("answers", "transcript", "pace", "pasted", "oddities", "overrides"),
    ("rubric_faults", "checks", "reports"),
    ("rubric_file", "rubric_schema", "override_file", "similarity", "class_reports", "live"),
    ("textfile", "output_file", "database", "process_tree", "process", "sandbox"),
    ("printed",),
    ("named_file", "repository", "submission", "runner", "github"),
    ("roster_table", "roster", "checkouts"),
    ("assignment", "running"),
    ("gradebook_file", "gradebook"),
    ("evidence", "rubric_examples", "rubric_view"),
    ("progress", "class_progress", "notes", "single_run", "cluster"),
    ("grading", "rubric_try", "doctor"),
    ("course", "handover"),
    ("batch",),
    ("cli_options",),
    ("cli_rubric", "cli_run", "cli_ci", "cli_comment", "cli_class", "pytest_plugin"),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
PURE = (
    "similarity",
    "class_reports",
    "checks",
    "questions",
    "reports",
    "answers",
    "transcript",
    "script",
    "lexicon",
    "text",
)
DISK_AND_PROCESS = {"os", "pathlib", "subprocess", "socket", "tempfile", "shutil", "time", "random"}


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "shipped" not in path.parts]


def top(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    names = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    return names | {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    """A module imports nothing from a layer above its own."""
    if top(path) == "__init__":
        return
    used = {name.split(".")[1] for name in imported(path) if name.startswith("grader.")}
    assert {name for name in used if RANK[name] > RANK[top(path)]} == set()


@pytest.mark.parametrize("name", PURE)
def test_the_core_is_pure(name: str) -> None:
    """What judges and renders touches no disk, no process, no clock and no chance."""
    for path in modules():
        if top(path) == name:
            roots = {module.split(".")[0] for module in imported(path)}
            assert roots & DISK_AND_PROCESS == set(), path


def test_the_grader_does_not_name_the_assignment() -> None:
    """The assignment's words live in rubric.yaml, so another assignment needs no other code."""
    words = ("task_duration", "multiple_processes", "insert_pet", "process_one", "shared.db")
    for path in modules():
        source = path.read_text("utf-8").lower()
        assert [word for word in words if word in source] == [], path
