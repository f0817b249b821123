"""Counts, in a syntax tree, the processes a script starts and the records each inserts.

A count is what one run of the script does: calls are followed, loops multiplied out, and of the
branches of an `if` the fuller one is taken. Where the source does not say, there is no count.
A source may have been written to keep a grader busy: the work grows with its length alone, not
with what its loops and calls multiply to.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Scope = _Function | ast.ClassDef | ast.Module
_Loop = ast.For | ast.While
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_REPEATING = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp

# What of a node runs once, and the ways of which it goes one; a loop's way is what it repeats.
# What an error leads to is left out: it is seldom what usually happens.
_FIELDS: dict[type[ast.AST], tuple[Sequence[str], Sequence[Sequence[str]]]] = {
    ast.If: (["test"], [["body"], ["orelse"]]),
    ast.IfExp: (["test"], [["body"], ["orelse"]]),
    ast.Try: (["body", "orelse", "finalbody"], [[]]),
    ast.For: (["iter", "orelse"], [["body"]]),
    ast.While: (["orelse"], [["test", "body"]]),
    ast.ListComp: (["generators"], [["elt"]]),
    ast.SetComp: (["generators"], [["elt"]]),
    ast.GeneratorExp: (["generators"], [["elt"]]),
    ast.DictComp: (["generators"], [["key", "value"]]),
}

_INSERT = re.compile(r"\b(?:insert\s+(?:or\s+\w+\s+)?|replace\s+)into\b", re.IGNORECASE)
_MOST = 10_000
"""More than this is no count: nested loops make numbers too long to print."""


class _Unknown(Exception):  # noqa: N818 - an outcome, turned into None
    """The source does not say how often something happens."""


def count_processes(source: Source) -> int | None:
    """Processes created, also in loops and by functions; None where none can be counted."""
    counter = _Counter(source, lambda call, _: source.creates(call.func))
    try:
        return counter.block(source.tree.body, source.tree) or None
    except (_Unknown, RecursionError):
        return None


def records_each(source: Source) -> int | None:
    """Inserts that each process makes; None if the processes differ or none can be counted."""
    counter = _Counter(source, source.inserts)
    try:
        counts = {counter.function(target) for target in source.targets()}
        return counts.pop() or None if len(counts) == 1 else None
    except (_Unknown, RecursionError):
        return None


def _bounded(count: int) -> int:
    if count > _MOST:
        raise _Unknown
    return count


class _Counter:
    """Counts how often something happens when a part of the script runs."""

    def __init__(self, source: Source, happens: Callable[[ast.Call, _Scope], int]) -> None:
        self._source = source
        self._happens = happens
        self._known: dict[_Function, int] = {}

    def function(self, function: _Function) -> int:
        """Counts for one call of the function. Raises RecursionError if it calls itself."""
        if function not in self._known:
            body = [function.body] if isinstance(function, ast.Lambda) else function.body
            self._known[function] = self.block(body, function)
        return self._known[function]

    def block(self, nodes: Iterable[ast.AST], scope: _Scope) -> int:
        """Counts for nodes that run one after the other."""
        return _bounded(sum(self._node(node, scope) for node in nodes))

    def _node(self, node: ast.AST, scope: _Scope) -> int:
        if isinstance(node, _FUNCTIONS):
            return 0
        total = self._call(node, scope) if isinstance(node, ast.Call) else 0
        once, ways = _FIELDS.get(type(node), (node._fields, [[]]))
        inner = max(self.block(_parts(node, way), scope) for way in ways)
        if inner and isinstance(node, _REPEATING):
            inner = _bounded(inner * self._source.rounds(node, scope))
        return total + self.block(_parts(node, once), scope) + inner

    def _call(self, call: ast.Call, scope: _Scope) -> int:
        own = self._source.called(call.func)
        return self._happens(call, scope) + (self.function(own) if own else 0)


def _parts(node: ast.AST, fields: Iterable[str]) -> Iterator[ast.AST]:
    for field in fields:
        part = getattr(node, field)
        parts = part if isinstance(part, list) else [part]
        # A node without fields, such as `Load` or `Pass`, holds nothing to count.
        yield from (part for part in parts if getattr(part, "_fields", ()))


class Source:
    """A syntax tree with its names looked up."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self._functions: dict[str, _Function] = {}
        self._processes: dict[str, _Function | None] = {"Process": None}
        self._foreign: set[str] = set()
        self._stored: Counter[tuple[_Scope, str]] = Counter()
        self._given: dict[tuple[_Scope, str], ast.expr] = {}
        self._meanings: defaultdict[str, list[ast.AST]] = defaultdict(list)
        self._left_early: set[ast.AST] = set()
        self._known: dict[ast.AST, int] = {}
        self._calls: list[ast.Call] = []
        for node, scope, loop in _placed(tree):
            self._note_definition(node, scope)
            self._note_value(node, scope)
            if isinstance(node, ast.Call):
                self._calls.append(node)
            elif isinstance(node, (ast.Break, ast.Return)) and loop:
                self._left_early.add(loop)

    def creates(self, called: ast.AST) -> bool:
        """Whether calling it makes a process: `Process`, `mp.Process`, a class made from them."""
        match called:
            case ast.Name(id=name):
                return name in self._processes and name not in self._foreign
            case ast.Attribute(value=value, attr="Process"):
                return not (isinstance(value, ast.Name) and value.id in self._foreign)
        return False

    def called(self, called: ast.AST) -> _Function | None:
        """The script's own function or method that calling it runs."""
        name = called.id if isinstance(called, ast.Name) else f".{getattr(called, 'attr', '')}"
        return self._functions.get(name)

    def inserts(self, call: ast.Call, scope: _Scope) -> int:
        """Records that `execute("INSERT …")` adds; `executemany` adds its whole list."""
        name = getattr(call.func, "attr", "")
        if not name.startswith("execute") or not call.args:
            return 0
        statements = self._statements(self.value(call.args[0], scope), scope)
        if statements and name == "executemany":
            return statements * self.length(call.args[-1], scope)
        return statements

    def _statements(self, sql: ast.expr, scope: _Scope) -> int:
        if sql not in self._known:
            parts = list(ast.walk(sql))
            values = [part.value for part in parts if isinstance(part, ast.Constant)]
            text = "".join(value for value in values if isinstance(value, str))
            named = [self._given_once(p, scope) for p in parts if isinstance(p, ast.Name)]
            more = sum(self._statements(value, scope) for value in named if value)
            self._known[sql] = len(_INSERT.findall(text)) + more
        return self._known[sql]

    def targets(self) -> set[_Function]:
        """Functions that the processes run, also those picked from a list or table."""
        todo: list[ast.AST] = []
        for call in self._calls:
            if self.creates(call.func):
                todo += [k.value for k in call.keywords if k.arg == "target"] or call.args[1:2]
                run = self._processes.get(getattr(call.func, "id", ""))
                todo += [run] if run else []
        return set(self._meant(todo))

    def _meant(self, todo: list[ast.AST]) -> Iterator[_Function]:
        meanings, seen = dict(self._meanings), set[ast.AST]()
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            own = node if isinstance(node, _Function) else self.called(node)
            if own:
                yield own
            elif isinstance(node, ast.Name):
                todo += meanings.pop(node.id, [])
            else:
                todo += ast.iter_child_nodes(node)

    def value(self, node: ast.expr, scope: _Scope) -> ast.expr:
        """What a name stands for; any other expression stands for itself. Raises _Unknown."""
        value = self._given_once(node, scope) if isinstance(node, ast.Name) else node
        if value is None:
            raise _Unknown
        return value

    def _given_once(self, name: ast.Name, scope: _Scope) -> ast.expr | None:
        place = (scope if self._stored[scope, name.id] else self.tree, name.id)
        return self._given.get(place) if self._stored[place] == 1 else None

    def rounds(self, loop: ast.AST, scope: _Scope) -> int:
        """How often a loop or comprehension goes round. Raises _Unknown."""
        if isinstance(loop, ast.For) and loop not in self._left_early:
            return self.length(loop.iter, scope)
        if not isinstance(loop, _Comprehension) or any(part.ifs for part in loop.generators):
            raise _Unknown
        rounds = 1
        for part in loop.generators:
            rounds = _bounded(rounds * self.length(part.iter, scope))
        return rounds

    def length(self, items: ast.expr, scope: _Scope) -> int:
        """How many items a loop over it gets. Raises _Unknown."""
        length = self._length(self.value(items, scope), scope)
        if not length:
            # An empty list is one that is filled later.
            raise _Unknown
        return length

    def _length(self, items: ast.expr, scope: _Scope) -> int:
        match items:
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return 0 if any(isinstance(part, ast.Starred) for part in parts) else len(parts)
            case ast.Dict(keys=keys):
                return 0 if None in keys else len(keys)
            case ast.Call(func=ast.Name(id="range"), args=[_] | [_, _] as limits):
                return len(range(*(self._number(limit, scope) for limit in limits)))
            case (
                ast.Call(func=ast.Name(id="enumerate" | "list" | "sorted" | "zip"), args=[of, *_])
                | ast.Call(func=ast.Attribute(value=of, attr="items" | "keys" | "values"))
            ):
                return self.length(of, scope)
        return 0

    def _number(self, node: ast.expr, scope: _Scope) -> int:
        match self.value(node, scope):
            case ast.Constant(value=int(number)):
                return _bounded(number)
            case ast.Call(func=ast.Name(id="len"), args=[of]):
                return self.length(of, scope)
        raise _Unknown

    def _note_definition(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self._functions[f".{name}" if isinstance(scope, ast.ClassDef) else name] = node
            case ast.ClassDef():
                self._note_class(node)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    origin = f"{getattr(node, 'module', '')}.{alias.name}.".lstrip(".")
                    if not origin.startswith("multiprocessing."):
                        self._foreign.add(alias.asname or alias.name)
                    elif alias.name == "Process":
                        self._processes[alias.asname or alias.name] = None

    def _note_class(self, node: ast.ClassDef) -> None:
        base = next((base for base in node.bases if self.creates(base)), None)
        if base is None:
            self._foreign.add(node.name)
            return
        named = (n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "run")
        self._processes[node.name] = next(named, self._processes.get(getattr(base, "id", "")))

    def _note_value(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                self._stored[scope, name] += 1
            case ast.Assign(targets=targets, value=value):
                self._given |= {(scope, t.id): value for t in targets if isinstance(t, ast.Name)}
                self._note_meaning(targets, value)
            case ast.AnnAssign(target=ast.Name(id=name) as target, value=ast.expr() as value):
                self._given[scope, name] = value
                self._note_meaning([target], value)
            case ast.For(target=target, iter=items) | ast.comprehension(target=target, iter=items):
                self._note_meaning([target], items)

    def _note_meaning(self, targets: Iterable[ast.AST], value: ast.AST) -> None:
        for target in targets:
            for node in ast.walk(target):
                if isinstance(node, ast.Name):
                    self._meanings[node.id].append(value)


def _placed(tree: ast.Module) -> Iterator[tuple[ast.AST, _Scope, _Loop | None]]:
    """Each node in the source's order, with its scope and the loop that `break` would leave."""
    todo: list[tuple[ast.AST, _Scope, _Loop | None]] = [(tree, tree, None)]
    while todo:
        node, scope, loop = todo.pop()
        yield node, scope, loop
        if isinstance(node, _Function | ast.ClassDef):
            scope, loop = node, None
        elif isinstance(node, _Loop):
            loop = node
        todo += [(n, scope, loop) for n in reversed(list(ast.iter_child_nodes(node)))]
