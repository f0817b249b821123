"""Looks in a script for what does not run faster when its sleeps and its locks' patience do.

The shim makes `time.sleep` and SQLite's time-out shorter. Whatever else a script waits for or
measures keeps its pace, and a run sped up could come to another end. A doubt counts as an
obstacle here: a run in real time costs seconds, a wrong verdict costs points.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grader.model import SyntaxFault
from grader.pace_flow import Flow, last
from grader.script import parse

_SHORTEST = 0.2
"""Seconds; a tenth of less is lost in what starting and writing take."""
_MANY_ROUNDS = 100_000

_MODULES = frozenset(
    "asyncio ctypes curses importlib pty runpy sched select selectors socket socketserver "
    "subprocess tkinter".split()
)
_CALLS = {
    **dict.fromkeys(("os.system", "os.popen", "os.posix_spawn", "os.posix_spawnp"), "a command"),
    **dict.fromkeys(("signal.alarm", "signal.setitimer", "signal.sigtimedwait"), "an alarm"),
    **dict.fromkeys(("exec", "eval", "compile", "__import__"), "code made while it runs"),
    "threading.Timer": "a timer",
}
_COMMANDS = ("os.spawn", "os.exec")
_LIMITS = {
    **dict.fromkeys(("join", "poll", "result", "wait"), 0),
    **dict.fromkeys(("acquire", "wait_for"), 1),
    **dict.fromkeys(("put", "Barrier"), 2),
}
"""Where among its arguments a call takes its time limit."""
_DECIDES = (ast.While, ast.If, ast.IfExp, ast.Assert, ast.Compare, ast.Match)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """A place in a script that keeps its pace whatever the speed."""

    file: str
    line: int
    what: str
    """A short plain phrase, such as "wait() with a time limit"."""


def obstacles(sources: Mapping[str, str]) -> tuple[Obstacle, ...]:
    """What does not scale in a script and the modules beside it, file name -> source."""
    trees = {file: parse(source) for file, source in sources.items()}
    nodes = {f: list(ast.walk(t)) for f, t in trees.items() if not isinstance(t, SyntaxFault)}
    look = _Look(Flow(found[0] for found in nodes.values()), sources)
    places = {
        (file, tree.line, "code that cannot be read")
        for file, tree in trees.items()
        if isinstance(tree, SyntaxFault)
    }
    for file, found in nodes.items():
        ignored = {node.value for node in found if isinstance(node, ast.Expr)}
        for node in found:
            if not isinstance(node, ast.Constant) or node not in ignored:
                places |= {(file, getattr(node, "lineno", 1), what) for what in look.at(node)}
    return tuple(Obstacle(file=file, line=line, what=what) for file, line, what in sorted(places))


class _Look:
    """What is to be said of each part of a script."""

    def __init__(self, flow: Flow, files: Iterable[str]) -> None:
        self._flow = flow
        self._own = {file.split("/")[0].removesuffix(".py") for file in files}

    def at(self, node: ast.AST) -> Iterator[str]:
        """Names what keeps its pace here, without what is within it."""
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from self._imported(node)
            case ast.Constant(value=str(text)) if "busy_timeout" in text.lower():
                yield "PRAGMA busy_timeout"
            case ast.Constant(value=float(number)) if 0 < number < _SHORTEST:
                yield f"{number:g}, too short a time to be made shorter"
            case ast.Call():
                yield from self._called(node)
            case ast.While() | ast.For() | ast.AsyncFor() if self._tries_again(node):
                yield "a loop that tries again after an error"
            case ast.ExceptHandler() if node in self._flow.handling and node in self._flow.writing:
                yield "another try after an error"
        if isinstance(node, _DECIDES) and node in self._flow.by_clock:
            yield "a decision by the clock or by chance"

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            if "*" in names:
                yield "import *"
            names = [node.module] if node.module and not node.level else []
        for name in names:
            top = name.split(".")[0]
            if top in _MODULES:
                yield f"the module {top}"
            elif top not in sys.stdlib_module_names and top not in self._own:
                yield f"the library {top[:40]}"

    def _called(self, call: ast.Call) -> Iterator[str]:
        origin = self._flow.origin(call.func)
        name = last(origin)
        if origin in _CALLS or origin.startswith(_COMMANDS):
            yield _CALLS.get(origin, "a command")
        elif name in {"set_start_method", "get_context"} and "fork" not in _values(call):
            yield "processes that take their time to start"
        elif name == "range" and any(map(_is_large, call.args)):
            yield "a very long loop"
        elif name in {"sleep", "connect", "Connection"}:
            yield from self._measured(call, 0 if name == "sleep" else 1)
        elif name not in self._flow.functions and self._is_limited(call, origin):
            yield f"{name[:40]}() with a time limit"

    def _measured(self, call: ast.Call, place: int) -> Iterator[str]:
        times = [keyword.value for keyword in call.keywords if keyword.arg == "timeout"]
        times += call.args[place : place + 1]
        if any(time in self._flow.by_clock or time in self._flow.worked_out for time in times):
            yield "a time that is worked out while it runs"

    def _is_limited(self, call: ast.Call, origin: str) -> bool:
        """Whether a call gives up after some time."""
        if any(k.arg == "timeout" and not _is_none(k.value) for k in call.keywords):
            return True
        name, values = last(origin), _values(call)
        if name == "get":
            # A table has get(key, default), a queue get(block, timeout), a result get(timeout).
            first = next(iter(values), None)
            return len(values) > 1 if isinstance(first, bool) else isinstance(first, (int, float))
        place = _LIMITS.get(name, len(values))
        if place >= len(call.args) or origin.startswith("os.path."):
            return False
        receiver = getattr(call.func, "value", None)
        joins = name == "join" and receiver is not None and not self._flow.may_be_number(receiver)
        return not joins and self._flow.may_be_number(call.args[place])

    def _tries_again(self, loop: ast.While | ast.For | ast.AsyncFor) -> bool:
        """Whether a loop goes on after a lock error, and is left when there is none."""
        flow = self._flow
        if isinstance(loop, ast.While) or loop in flow.left_early:
            return loop in flow.catching
        counted = isinstance(loop.iter, ast.Call) and flow.origin(loop.iter.func) == "range"
        return counted and loop in flow.handling


def _values(call: ast.Call) -> list[object]:
    """The call's arguments; Ellipsis for what is no plain value."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return [value.value if isinstance(value, ast.Constant) else ... for value in given]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_large(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, (ast.Pow, ast.LShift, ast.Mult))
    number = node.value if isinstance(node, ast.Constant) else 0
    return isinstance(number, (int, float)) and number >= _MANY_ROUNDS
