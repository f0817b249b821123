"""What a script's source says, read from its syntax tree; nothing of it is ever executed."""

from __future__ import annotations

import ast
import io
import re
import threading
import tokenize
import warnings
from collections.abc import Iterator, Sequence

from grader.model import ScriptFacts, SyntaxFault
from grader.script_processes import count_processes, records_each

# ast.parse from several threads at once fails on Python 3.11:
# "SystemError: AST constructor recursion depth mismatch".
_PARSING = threading.Lock()


def read_script(source: str, name: str, constants: Sequence[str]) -> ScriptFacts | SyntaxFault:
    """Reads a script's facts, or where Python stops reading it.

    `constants` are the names the constant may have, the likeliest first.
    """
    tree = _parse(source)
    if isinstance(tree, SyntaxFault):
        return tree
    constant = next(iter(_assignments(tree, constants)), None)
    main = next((node for node in tree.body if _is_main_guard(node)), None)
    return ScriptFacts(
        source=name,
        imports=tuple(dict.fromkeys(_imports(tree))),
        functions=tuple(dict.fromkeys(_functions(tree))),
        constant=constant[0].id if constant else None,
        constant_line=constant[0].lineno if constant else None,
        main_line=main.lineno if main else None,
        main_end=main.end_lineno if main else None,
        processes=count_processes(tree),
        records=records_each(tree),
    )


def set_constant(source: str, constants: Sequence[str], value: float) -> str | None:
    """Returns the source with every assignment of the constant set to `value`.

    Works by place in the syntax tree, so comments and layout stay. None if there is no
    such assignment or the source cannot be read.
    """
    tree = _parse(source)
    if isinstance(tree, SyntaxFault):
        return None
    places = sorted(
        {
            (n.lineno, n.col_offset, n.end_lineno or 0, n.end_col_offset or 0)
            for _, n in _assignments(tree, constants)
        },
        reverse=True,
    )
    lines = [line.encode() for line in _lines(source)]
    for first, start, last, end in places:
        after = lines[last - 1][end:]
        lines[first - 1 : last] = [lines[first - 1][:start] + f"{value:g}".encode() + after]
    return b"".join(lines).decode() if places else None


def encode_source(source: str) -> bytes:
    """The bytes of a source file: in the encoding its first lines declare, else UTF-8."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source.encode()).readline)
        return source.encode(encoding)
    except (SyntaxError, UnicodeEncodeError, LookupError):
        return source.encode()


def _parse(source: str) -> ast.Module | SyntaxFault:
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except SyntaxError as fault:
            message = re.sub(r"\s*\(<unknown>, line \d+\)$", "", fault.msg)
            line = fault.lineno or 1
            return SyntaxFault(line=line, text=_line(source, line), message=message)
        except (ValueError, RecursionError, MemoryError):
            return SyntaxFault(line=1, text="", message="Python cannot read this file")


def _lines(source: str) -> list[str]:
    """The source's lines as Python counts them: only `\\n` ends one."""
    return re.findall(r"[^\n]*\n|[^\n]+", source)


def _line(source: str, number: int) -> str:
    lines = _lines(source)
    return lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def _functions(tree: ast.Module) -> Iterator[str]:
    """Functions and methods, in the order of their lines."""
    found = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    yield from (node.name for node in sorted(found, key=lambda node: node.lineno))


def _assignments(tree: ast.Module, names: Sequence[str]) -> list[tuple[ast.Name, ast.expr]]:
    """(target, value) of each assignment to the first of the names that is used, by line."""
    pairs = [pair for node in ast.walk(tree) for pair in _assigned(node)]
    used = next((name for name in names if any(name == target.id for target, _ in pairs)), None)
    return sorted((p for p in pairs if p[0].id == used), key=lambda pair: pair[0].lineno)


def _assigned(node: ast.AST) -> Iterator[tuple[ast.Name, ast.expr]]:
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        yield from _pairs(node.target, node.value)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _pairs(target, node.value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.Name, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target, value
    elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
        for part, part_value in zip(target.elts, value.elts, strict=False):
            yield from _pairs(part, part_value)


def _is_main_guard(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If):
        return False
    words = {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
    values = {n.value for n in ast.walk(node.test) if isinstance(n, ast.Constant)}
    return "__name__" in words and "__main__" in values
