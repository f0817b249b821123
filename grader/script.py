"""What a script's source says, read from its syntax tree; nothing of it is ever executed."""

from __future__ import annotations

import ast
import io
import re
import threading
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from grader.model import ScriptFacts, SyntaxFault
from grader.script_processes import Source, count_processes, records_each

MAX_CHARACTERS = 60_000
"""Of a script that is looked into: a longer one may nest so deeply that Python 3.10 crashes."""

# ast.parse from several threads at once fails on Python 3.11:
# "SystemError: AST constructor recursion depth mismatch".
_PARSING = threading.Lock()
_ASCII = "".join(map(chr, range(128)))


def read_script(source: str, name: str, constants: Sequence[str]) -> ScriptFacts | SyntaxFault:
    """Reads a script's facts, or where Python stops reading it.

    `constants` are the names the constant may have, the likeliest first.
    """
    tree = parse(source)
    if isinstance(tree, SyntaxFault):
        return tree
    nodes = list(ast.walk(tree))
    names = Source(tree)
    constant = next(iter(_assignments(nodes, constants)), None)
    main = next((node for node in tree.body if _is_main_guard(node)), None)
    return ScriptFacts(
        source=name,
        imports=tuple(dict.fromkeys(_imports(nodes))),
        functions=tuple(dict.fromkeys(_functions(nodes))),
        constant=constant[0].id if constant else None,
        constant_line=constant[0].lineno if constant else None,
        main_line=main.lineno if main else None,
        main_end=main.end_lineno if main else None,
        processes=count_processes(names),
        records=records_each(names),
    )


def set_constant(source: str, constants: Sequence[str], value: float) -> str | None:
    """Returns the source with every assignment of the constant set to `value`.

    Works by place in the syntax tree, so comments and layout stay. None if there is no
    such assignment or the source cannot be read.
    """
    tree = parse(source)
    if isinstance(tree, SyntaxFault):
        return None
    values = [node for _, node in _assignments(list(ast.walk(tree)), constants)]
    return _replaced(source, values, repr(value).removesuffix(".0")) if values else None


def encode_source(source: str) -> bytes:
    """The bytes of a source file: in the encoding its first lines declare, else UTF-8."""
    data = source.encode()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        # Python reads no other; and some, such as punycode, take minutes to write.
        keeps_ascii = _ASCII.encode(encoding) == _ASCII.encode()
        return source.encode(encoding) if keeps_ascii else data
    except (SyntaxError, UnicodeError, LookupError):
        return data


def parse(source: str) -> ast.Module | SyntaxFault:
    """A source's syntax tree, or where Python stops reading it; safe to call from any thread."""
    if len(source) > MAX_CHARACTERS:
        message = f"the file is longer than {MAX_CHARACTERS:,} characters"
        return SyntaxFault(line=1, text="", message=message)
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except SyntaxError as fault:
            line = fault.lineno or 1
            return SyntaxFault(line=line, text=_line(source, line), message=fault.msg)
        except ValueError:
            return SyntaxFault(line=1, text="", message="the file holds more than text")
        except (RecursionError, MemoryError):
            return SyntaxFault(line=1, text="", message="the code is nested too deeply")


def _replaced(source: str, nodes: Iterable[ast.expr], text: str) -> str:
    """The source with `text` in place of each node."""
    data = source.encode()
    starts = list(accumulate((len(line.encode()) for line in _lines(source)), initial=0))
    spans = {
        (
            starts[n.lineno - 1] + n.col_offset,
            starts[(n.end_lineno or 0) - 1] + (n.end_col_offset or 0),
        )
        for n in nodes
    }
    pieces, done = list[bytes](), 0
    for start, end in sorted(spans):
        if start >= done:
            pieces += [data[done:start], text.encode()]
            done = end
    return b"".join([*pieces, data[done:]]).decode()


def _lines(source: str) -> list[str]:
    """The source's lines as Python counts them: a form feed, for one, ends none."""
    return re.findall(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+", source)


def _line(source: str, number: int) -> str:
    lines = _lines(source)
    return lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Imported modules; `__future__` is none."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module != "__future__":
            yield (node.module or "").split(".")[0]


def _functions(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Functions and methods, in the order of their lines."""
    found = [n for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    yield from (node.name for node in sorted(found, key=lambda node: node.lineno))


def _assignments(nodes: Iterable[ast.AST], names: Sequence[str]) -> list[tuple[ast.Name, ast.expr]]:
    """(target, value) of each assignment to the first of the names that is used.

    The nodes come level by level, so an assignment at the top of the script is the first.
    """
    pairs = [pair for node in nodes for pair in _assigned(node)]
    used = next((name for name in names if any(name == target.id for target, _ in pairs)), None)
    return [pair for pair in pairs if pair[0].id == used]


def _assigned(node: ast.AST) -> Iterator[tuple[ast.Name, ast.expr]]:
    if isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
        yield from _pairs(node.target, node.value)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _pairs(target, node.value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.Name, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target, value
    elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
        parts = list(zip(target.elts, value.elts, strict=False))
        if not any(isinstance(part, ast.Starred) for pair in parts for part in pair):
            for part, part_value in parts:
                yield from _pairs(part, part_value)


def _is_main_guard(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If):
        return False
    parts = list(ast.walk(node.test))
    names = any(isinstance(part, ast.Name) and part.id == "__name__" for part in parts)
    main = any(isinstance(part, ast.Constant) and part.value == "__main__" for part in parts)
    return names and main and not any(isinstance(part, (ast.NotEq, ast.Not)) for part in parts)
