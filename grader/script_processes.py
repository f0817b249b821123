"""Counts, in a syntax tree, the processes a script starts and the records each inserts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

_INSERT = re.compile(r"\binsert\b.*\binto\b", re.IGNORECASE | re.DOTALL)
Bindings = Mapping[str, ast.expr]


def count_processes(tree: ast.Module) -> int | None:
    """Processes created, also in loops and comprehensions; None where none can be counted."""
    try:
        return sum(times for times, _ in _created(tree, _bindings(tree), 1)) or None
    except RecursionError:
        return None


def records_each(tree: ast.Module) -> int | None:
    """Inserts that each process makes; None if the processes differ or none can be counted."""
    try:
        names = _bindings(tree)
        calls = [call for _, call in _created(tree, names, 1)]
        targets = {name for call in calls for name in _targets(call, names, tree)}
        counter = _InsertCounter(tree, names)
        counts = {counter.function(name) for name in targets if name in counter.functions}
        return counts.pop() or None if len(counts) == 1 else None
    except RecursionError:
        return None


def _bindings(tree: ast.Module) -> Bindings:
    """Names that are given a literal list or tuple once."""
    return {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _created(node: ast.AST, names: Bindings, times: int) -> Iterator[tuple[int, ast.Call]]:
    """(times, call) of every `Process(…)`, loops multiplied out."""
    if isinstance(node, ast.Call) and _called(node) == "Process":
        yield times, node
    for child, repeated in _children(node, names):
        yield from _created(child, names, times * repeated)


def _children(node: ast.AST, names: Bindings) -> Iterator[tuple[ast.AST, int]]:
    """A node's children and how often each runs when the node does."""
    loops: list[ast.expr] = []
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
        loops = [generator.iter for generator in node.generators]
    elif isinstance(node, ast.For):
        loops = [node.iter]
    repeated = 1
    for loop in loops:
        repeated *= _length(loop, names)
    for child in ast.iter_child_nodes(node):
        yield child, 1 if child in loops or isinstance(child, ast.comprehension) else repeated


def _length(loop: ast.expr, names: Bindings) -> int:
    """How many rounds a loop makes; 1 where the source does not say."""
    loop = names.get(loop.id, loop) if isinstance(loop, ast.Name) else loop
    if isinstance(loop, (ast.List, ast.Tuple, ast.Set)):
        return len(loop.elts)
    if isinstance(loop, ast.Dict):
        return len(loop.keys)
    if not isinstance(loop, ast.Call):
        return 1
    if not loop.args:
        items = loop.func
        return _length(items.value, names) if isinstance(items, ast.Attribute) else 1
    if _called(loop) == "range":
        return _range(loop)
    return _length(loop.args[0], names) if _called(loop) in {"enumerate", "zip", "list"} else 1


def _range(loop: ast.Call) -> int:
    values = [a.value for a in loop.args if isinstance(a, ast.Constant)]
    steps = [value for value in values if isinstance(value, int)]
    if len(steps) != len(loop.args) or (len(steps) == 3 and steps[2] == 0):
        return 1
    return min(len(range(*steps)), 10_000)


def _called(call: ast.Call) -> str | None:
    """The last part of what is called: `multiprocessing.Process` -> `Process`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else None


def _targets(call: ast.Call, names: Bindings, tree: ast.Module) -> Iterator[str]:
    """Functions a `Process(target=…)` may run; a loop's variable stands for all it loops over."""
    target = next((k.value for k in call.keywords if k.arg == "target"), None)
    if not isinstance(target, ast.Name):
        return
    yield target.id
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.comprehension)) and target.id in _names(node.target):
            looped = _names(node.iter)
            yield from looped
            for name in looped & set(names):
                yield from _names(names[name])


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


class _InsertCounter:
    """Counts the inserts that functions make, each function once."""

    def __init__(self, tree: ast.Module, names: Bindings) -> None:
        self.functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        self._names = names
        self._known: dict[str, int] = {}

    def function(self, name: str) -> int:
        """Inserts made by one call of the function; a call of itself adds nothing."""
        if name not in self._known:
            self._known[name] = 0
            self._known[name] = self._node(self.functions[name])
        return self._known[name]

    def _node(self, node: ast.AST) -> int:
        total = 0
        if isinstance(node, ast.Call):
            called = _called(node) or ""
            if called in self.functions:
                total = self.function(called)
            elif called.startswith("execute"):
                total = _executes_insert(node, self._names)
        return total + sum(
            times * self._node(child) for child, times in _children(node, self._names)
        )


def _executes_insert(call: ast.Call, names: Bindings) -> int:
    """1 for `execute("INSERT …")`; `executemany` counts its list."""
    statement = call.args[0] if call.args else None
    if isinstance(statement, ast.Name):
        statement = names.get(statement.id)
    text = "".join(
        n.value
        for n in ast.walk(statement or call)
        if isinstance(n, ast.Constant) and isinstance(n.value, str)
    )
    if not _INSERT.search(text):
        return 0
    many = _called(call) == "executemany" and len(call.args) > 1
    return _length(call.args[1], names) if many else 1
