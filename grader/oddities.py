"""What in a script changes the tools it is measured with: for an instructor's eyes, not for points.

Students rarely need any of it, and graders are cheated with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from grader.model import Note, SyntaxFault
from grader.script import parse

_MOST_LINES = 5
_OURS = "GRADER_"
"""How the variables begin that tell a run where its trace goes and how fast it is."""
_CALLS = frozenset(
    ("os._exit", "_exit", "atexit.register", "atexit.unregister", "exec", "eval", "__import__")
)


def oddities(script: str, source: str, modules: Mapping[str, str]) -> Iterator[Note]:
    """Notes on the parts of Python that a script replaces.

    `source` is the script's text; `modules` are the files beside it, name -> text.
    """
    for name, text in {script: source, **modules}.items():
        tree = parse(text)
        if isinstance(tree, SyntaxFault):
            continue
        found = sorted(set(_replaced(tree)))
        if found:
            shown = ", ".join(f"{what} on line {line}" for line, what in found[:_MOST_LINES])
            yield Note(kind="replaced", text=f"{name} changes how Python works: {shown}.")


def _replaced(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, what) of each change to a module of Python's, or of a way around it."""
    nodes = list(ast.walk(tree))
    imported = set(_imported(nodes))
    for node in nodes:
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)):
            yield from ((node.lineno, name) for name in _changed(node, imported))
        elif isinstance(node, ast.Call):
            name = _name(node.func)
            if name in _CALLS or (name == "setattr" and _is_module(node.args[0:1], imported)):
                yield node.lineno, name
        elif isinstance(node, ast.Constant) and _OURS in str(node.value):
            yield node.lineno, f"{_OURS}..."


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names that stand for modules in the script."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def _changed(
    node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete, imported: set[str]
) -> Iterator[str]:
    targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [node.target]
    for target in targets:
        if isinstance(target, ast.Subscript):
            name = _name(target.value)
            if name in ("sys.modules", "__builtins__") or name.endswith(".__dict__"):
                yield name
        elif isinstance(target, ast.Attribute):
            name = _name(target)
            if name.split(".")[0] in imported:
                yield name


def _is_module(arguments: Iterable[ast.expr], imported: set[str]) -> bool:
    return any(_name(argument).split(".")[0] in imported for argument in arguments)


def _name(node: ast.expr) -> str:
    """A dotted name; empty for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""
