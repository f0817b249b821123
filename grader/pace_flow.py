"""Follows, in a script's syntax trees, where values go and where errors end.

A way leads from a part of the source to what it is a part of, and from a name to each place that
uses it. Every part is passed once, so the work grows with the source's length alone.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

Place = ast.AST | str
"""A part of a syntax tree, or a name: without what it belongs to."""

_CLOCKS = frozenset(
    "time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter "
    "time.perf_counter_ns time.process_time time.process_time_ns time.thread_time "
    "time.thread_time_ns time.localtime time.gmtime time.ctime time.strftime os.times "
    "datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today "
    "datetime.date.today".split()
)
_CHANCE = ("random.", "secrets.", "os.urandom")
_LOCK_ERRORS = frozenset("OperationalError DatabaseError Error Exception BaseException".split())
_KEEPS_LENGTH = frozenset("float int abs max min range".split())
_SHORTENS = (ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
_MAKES_TEXT = frozenset("dict filter format list map reversed set sorted split str tuple".split())
_NO_NUMBER = (
    *(ast.JoinedStr, ast.List, ast.Tuple, ast.Set, ast.Dict),
    *(ast.ListComp, ast.SetComp, ast.GeneratorExp),
)
_VALUES = (ast.expr, ast.keyword, ast.comprehension, ast.withitem)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_WRITES = frozenset("connect execute executemany executescript commit".split())


def last(name: str) -> str:
    """The last part of a dotted name."""
    return name.rpartition(".")[2]


class Flow:
    """What is known of a script and its modules, taken together."""

    def __init__(self, trees: Iterable[ast.AST]) -> None:
        self._parents: dict[ast.AST, ast.AST] = {}
        self._uses: defaultdict[str, list[ast.AST]] = defaultdict(list)
        self._calls: defaultdict[str, list[ast.AST]] = defaultdict(list)
        self._values: defaultdict[str, list[ast.expr]] = defaultdict(list)
        nodes = [node for tree in trees for node in ast.walk(tree)]
        self._origins = dict(_imports(nodes))
        for node in nodes:
            self._note(node)
        self.functions = {node.name for node in nodes if isinstance(node, _FUNCTIONS)}
        self._numbers = {name for name, given in self._values.items() if any(map(_number, given))}
        clocks = [node for node in nodes if self._reads_clock(node)]
        self.by_clock = _reached(clocks, self._value_goes)
        """Parts and names whose value comes from a clock, or from chance."""
        shortened = [node for node in nodes if self._shortens(node)]
        self.worked_out = _reached(shortened, self._value_goes)
        """Those whose value is made from others in a way that can make it very small."""
        handlers = [node for node in nodes if self._handles(node)]
        self.handling = _reached(handlers, self._within)
        """Parts that hold an `except` or a `suppress` for lock errors."""
        self.catching = _reached(handlers, self._error_ends)
        """Those, and parts that call a function with one."""
        leaving = (node for node in nodes if isinstance(node, (ast.Break, ast.Return)))
        self.left_early = _reached(leaving, self._within)
        writing = (node for node in nodes if isinstance(node, ast.Call) and self._writes(node))
        self.writing = _reached(writing, self._within)
        """Parts that use a database, or call a function that catches lock errors."""

    def origin(self, called: ast.AST) -> str:
        """The dotted name of what is called, as its module knows it."""
        parts: list[str] = []
        while isinstance(called, ast.Attribute):
            parts.append(called.attr)
            called = called.value
        root = called.id if isinstance(called, ast.Name) else "?"
        return ".".join([self._origins.get(root, root), *reversed(parts)])

    def may_be_number(self, node: ast.expr) -> bool:
        """False if a value is text or a collection for certain."""
        name = _identifier(node)
        return name in self._numbers if name and name in self._values else _number(node)

    def _note(self, node: ast.AST) -> None:
        self._parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
        name = _identifier(node)
        if name and isinstance(getattr(node, "ctx", None), ast.Load):
            self._uses[name].append(node)
        if isinstance(node, ast.Call):
            self._calls[last(self.origin(node.func))].append(node)
        if isinstance(node, _ASSIGNMENTS) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._values[_identifier(target)].append(node.value)

    def _value_goes(self, place: Place) -> Iterator[Place]:
        if isinstance(place, str):
            yield from self._uses[place]
            return
        if isinstance(place, _VALUES):
            yield self._parents[place]
        if isinstance(place, ast.Return):
            yield from self._function(place)
        yield from _stored(place)

    def _error_ends(self, place: Place) -> Iterator[Place]:
        if isinstance(place, str):
            yield from self._calls[place]
        elif isinstance(place, _FUNCTIONS):
            yield place.name
        else:
            yield from self._within(place)

    def _within(self, place: Place) -> Iterator[Place]:
        if isinstance(place, ast.AST) and not isinstance(place, (*_FUNCTIONS, ast.Module)):
            yield self._parents[place]

    def _function(self, place: ast.AST) -> Iterator[str]:
        while place in self._parents and not isinstance(place, _FUNCTIONS):
            place = self._parents[place]
        if isinstance(place, _FUNCTIONS):
            yield place.name

    def _handles(self, node: ast.AST) -> bool:
        if isinstance(node, ast.ExceptHandler):
            return node.type is None or _fits_lock_error([node.type])
        if isinstance(node, ast.Call) and last(self.origin(node.func)) == "suppress":
            return _fits_lock_error(node.args)
        return False

    def _writes(self, call: ast.Call) -> bool:
        return call in self.catching or last(self.origin(call.func)) in _WRITES

    def _reads_clock(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        name = self.origin(node.func)
        return name in _CLOCKS or name.startswith(_CHANCE)

    def _shortens(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Call):
            return last(self.origin(node.func)) not in _KEEPS_LENGTH
        return isinstance(node, ast.BinOp) and isinstance(node.op, _SHORTENS)


def _reached(first: Iterable[Place], ways: Callable[[Place], Iterable[Place]]) -> frozenset[Place]:
    """The places, and all that the ways lead to from them."""
    found: set[Place] = set()
    waiting = list(first)
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += ways(place)
    return frozenset(found)


def _imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """(name, what it stands for) of everything imported."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.asname, alias.name) for alias in node.names if alias.asname)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _stored(node: ast.AST) -> Iterator[str]:
    """The names that a part of the source gives a value, or something new within."""
    single = getattr(node, "target", None) or getattr(node, "optional_vars", None)
    targets: Sequence[ast.AST] = getattr(node, "targets", [single] if single else [])
    for part in (part for target in targets for part in ast.walk(target)):
        if isinstance(getattr(part, "ctx", None), ast.Store):
            yield _identifier(part.value if isinstance(part, ast.Subscript) else part)


def _identifier(node: ast.AST) -> str:
    """The name itself, without what it belongs to; empty for anything else."""
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _number(node: ast.AST) -> bool:
    """Whether a value could be a number, as far as it says itself."""
    if isinstance(node, ast.Call):
        return _identifier(node.func) not in _MAKES_TEXT
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    return not isinstance(node, _NO_NUMBER)


def _fits_lock_error(classes: Iterable[ast.expr]) -> bool:
    parts = (part for node in classes for part in ast.walk(node))
    return not _LOCK_ERRORS.isdisjoint(map(_identifier, parts))
