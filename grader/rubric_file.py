"""Reads rubric.yaml: text in, `Rubric` out, or every fault at once with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from grader.errors import RubricError
from grader.rubric import Rubric
from grader.rubric_faults import explain
from grader.suggest import suggestion
from grader.yaml_file import Path, read_yaml, told


def parse_rubric(text: str, name: str) -> Rubric:
    """Returns the rubric in `text`; `name` is what faults call the file.

    Raises RubricError with one `name:LINE: path: what is wrong` for each fault.
    """
    document = read_yaml(text, name, "a rubric")
    document.data = {} if document.data is None else document.data
    if not isinstance(document.data, dict):
        raise RubricError((f"{name}:1: must be a list of `key: value` lines",))
    problems = list(_unresolved(document.data))
    try:
        # JSON mode is strict about types, yet takes a list where a tuple is meant.
        written = json.dumps(document.data, default=str, ensure_ascii=False)
        rubric = Rubric.model_validate_json(written.encode("utf-8", "replace"))
    except ValidationError as error:
        problems += [explain(detail) for detail in error.errors(include_url=False)]
    faults = {(document.line(path), _shown(path), message) for path, message in problems}
    faults |= {(line, _shown(path), message) for line, path, message in document.faults}
    if faults:
        raise told(((line, f"{path}{message}") for line, path, message in faults), name)
    return rubric


def _unresolved(data: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Names in the rubric that point at nothing."""
    criteria, known = data.get("criteria"), data.get("configurations")
    if not isinstance(criteria, dict) or not isinstance(known, dict):
        return
    for name, criterion in criteria.items():
        wanted = criterion.get("configuration") if isinstance(criterion, dict) else None
        if isinstance(wanted, str) and wanted not in known:
            message = f"no configuration {wanted!r}; {suggestion(wanted, known)}"
            yield ("criteria", name, "configuration"), message


def _shown(path: Path) -> str:
    """`criteria.q3.points` is told as `q3.points`."""
    parts = path[1:] if len(path) > 1 and path[0] == "criteria" else path
    return "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in parts)[1:] + (
        ": " if path else ""
    )
