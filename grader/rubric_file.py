"""Reads rubric.yaml: text in, `Rubric` out, or every fault at once with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

from grader.errors import RubricError
from grader.rubric import Rubric
from grader.rubric_faults import explain

Path = tuple[str | int, ...]
MAX_BYTES = 1_000_000


def parse_rubric(text: str, name: str) -> Rubric:
    """Returns the rubric in `text`; `name` is what faults call the file.

    Raises RubricError with one `name:LINE: path: what is wrong` for each fault.
    """
    document = _read_yaml(text, name)
    problems = list(_unresolved(document.data))
    try:
        # JSON mode is strict about types, yet takes a list where a tuple is meant.
        rubric = Rubric.model_validate_json(json.dumps(document.data, default=str))
    except ValidationError as error:
        problems += [explain(detail) for detail in error.errors(include_url=False)]
    faults = {(document.line(path), _shown(path), message) for path, message in problems}
    faults |= set(document.faults)
    if faults:
        raise RubricError(
            tuple(f"{name}:{line}: {path}{message}" for line, path, message in sorted(faults))
        )
    return rubric


@dataclass(slots=True)
class _Document:
    """Plain data of a YAML file, the line of each path, and the faults found on the way."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[tuple[int, str, str]] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest part of it that is in the file."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def _read_yaml(text: str, name: str) -> _Document:
    if len(text) > MAX_BYTES:
        raise RubricError((f"{name}:1: the file is larger than {MAX_BYTES:,} characters",))
    document = _Document()
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise RubricError((f"{name}:1: aliases (`*name`) cannot be used in a rubric",))
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        document.data = _plain(node, (), loader, document) if node else {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RubricError((f"{name}:{line}: not YAML: {error.problem}",)) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RubricError((f"{name}:1: not YAML: {error}",)) from error
    if not isinstance(document.data, dict):
        raise RubricError((f"{name}:1: must be a list of `key: value` lines",))
    return document


def _plain(node: yaml.Node, path: Path, loader: yaml.SafeLoader, document: _Document) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, path, loader, document))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(n, (*path, i), loader, document) for i, n in enumerate(node.value)]
    return loader.construct_object(node)


def _pairs(
    node: yaml.MappingNode, path: Path, loader: yaml.SafeLoader, document: _Document
) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        here = (*path, key)
        if key in seen:
            document.faults.append((line, _shown(here), "stands here a second time"))
        seen.add(key)
        document.lines[here] = line
        yield key, _plain(value_node, here, loader, document)


def _unresolved(data: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Names in the rubric that point at nothing."""
    criteria, known = data.get("criteria"), data.get("configurations")
    if not isinstance(criteria, dict) or not isinstance(known, dict):
        return
    for name, criterion in criteria.items():
        wanted = criterion.get("configuration") if isinstance(criterion, dict) else None
        if wanted is not None and wanted not in known:
            message = f"no configuration {wanted!r}; there are: {', '.join(known)}"
            yield ("criteria", name, "configuration"), message


def _shown(path: Path) -> str:
    """`criteria.q3.points` is told as `q3.points`."""
    parts = path[1:] if len(path) > 1 and path[0] == "criteria" else path
    return "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in parts)[1:] + (
        ": " if path else ""
    )
