"""Reads YAML that a person wrote: plain data, the line of each part, and faults on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from grader.errors import RubricError

Path = tuple[str | int, ...]
Loader = yaml.SafeLoader | yaml.BaseLoader
MAX_CHARACTERS = 200_000
MAX_PARTS = 20_000
DEEPEST = 50
"""Blocks within blocks; a person needs a few."""
_LONGEST_NUMBER = 50
_MOST_FAULTS, _LONGEST_FAULT = 50, 250


@dataclass(slots=True)
class Document:
    """Plain data of a YAML file, the line of each path, and the faults found on the way."""

    data: Any = None
    """None when the file holds nothing."""
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[tuple[int, Path, str]] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest part of it that is in the file."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str, name: str, what: str, loader: type[Loader] = yaml.SafeLoader) -> Document:
    """Reads one YAML document; `name` is the file's and `what` says what it should hold.

    With `yaml.BaseLoader` every value is text, just as it was written. Raises RubricError with
    one `name:LINE: what is wrong` when the text is no YAML, or more than a person writes.
    """
    if len(text) > MAX_CHARACTERS:
        raise RubricError((f"{name}:1: the file is larger than {MAX_CHARACTERS:,} characters",))
    try:
        return _read(text, name, what, loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise told([(line, f"not YAML: {error.problem}")], name) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise told([(line, f"not YAML: {error.reason}")], name) from error
    except (yaml.YAMLError, ValueError) as error:
        raise told([(1, f"not YAML: {error}")], name) from error


def told(faults: Iterable[tuple[int, str]], name: str) -> RubricError:
    """The faults (line, what is wrong) of a file as one error, in order and in bounds."""
    ordered = sorted(set(faults))
    lines = [f"{name}:{line}: {_shown(fault)}" for line, fault in ordered[:_MOST_FAULTS]]
    more = len(ordered) - len(lines)
    return RubricError((*lines, *([f"{name}: and {more:,} more faults"] if more else [])))


def _shown(fault: str) -> str:
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in fault)
    return printable if len(printable) <= _LONGEST_FAULT else f"{printable[:_LONGEST_FAULT]}…"


def _read(text: str, name: str, what: str, loader: type[Loader]) -> Document:
    for line, fault in _excesses(text, what, loader):
        raise RubricError((f"{name}:{line}: {fault}",))
    document, reader = Document(), loader(text)
    node = reader.get_single_node()
    document.data = _plain(node, (), reader, document) if node else None
    return document


def _excesses(text: str, what: str, loader: type[Loader]) -> Iterator[tuple[int, str]]:
    """What makes a small file a huge document, or takes for ever to read."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, loader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            yield line, f"aliases (`*name`) cannot be used in {what}"
        if getattr(event, "tag", None) is not None:
            yield line, f"tags (`!name`) cannot be used in {what}"
        if number > MAX_PARTS:
            yield line, f"the file holds more than {MAX_PARTS:,} values"
        if depth > DEEPEST:
            yield line, "not YAML: nested too deeply"


def _plain(node: yaml.Node, path: Path, reader: Loader, document: Document) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, path, reader, document))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(n, (*path, i), reader, document) for i, n in enumerate(node.value)]
    # Some numbers take minutes to work out, and cannot be printed.
    return node.value if len(node.value) > _LONGEST_NUMBER else reader.construct_object(node)


def _pairs(
    node: yaml.MappingNode, path: Path, reader: Loader, document: Document
) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        here = (*path, key)
        if key in seen:
            document.faults.append((line, here, "stands here a second time"))
        seen.add(key)
        document.lines[here] = line
        yield key, _plain(value_node, here, reader, document)
