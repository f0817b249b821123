"""Turns pydantic's errors into sentences for an instructor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel

from grader.rubric import Rubric
from grader.suggest import suggestion

Path = tuple[str | int, ...]

_MESSAGES = {
    "missing": "is missing",
    "float_type": "must be a number, got {input}",
    "int_type": "must be a whole number, got {input}",
    "bool_type": "must be true or false, got {input}",
    "string_type": "must be text, got {input}",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a list, got {input}",
    "dict_type": "must be a block of `key: value` lines, got {input}",
    "model_type": "must be a block of `key: value` lines, got {input}",
    "too_short": "must not be empty",
    "greater_than": "must be over {gt:g}, got {input}",
    "greater_than_equal": "must be at least {ge:g}, got {input}",
    "less_than_equal": "must be at most {le:g}, got {input}",
    "literal_error": "must be {expected}, got {input}",
    "enum": "must be {expected}, got {input}",
    "union_tag_invalid": "must be one of {expected_tags}, got {input}",
    "union_tag_not_found": "is missing; it says what kind of criterion this is",
}


def explain(error: Mapping[str, Any]) -> tuple[Path, str]:
    """(path in the file, sentence) of one error of pydantic's `ValidationError.errors()`."""
    kind, path = error["type"], _in_file(error["loc"])
    if kind == "extra_forbidden":
        return path, _unknown(error["loc"])
    if kind.startswith("union_tag"):
        path = (*path, "type")
    template = _MESSAGES.get(kind)
    if template is None:
        return path, error["msg"].removeprefix("Value error, ")
    if path[-1:] == ("[key]",):
        return path[:-2], "has an entry without a name"
    context = error.get("ctx", {})
    shown = _shown(context.get("tag", error["input"]))
    return path, template.format(**{**context, "input": shown})


def _shown(value: object) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _in_file(loc: Path) -> Path:
    """The error's place without the union tag that pydantic puts behind a criterion's id."""
    return loc[:2] + loc[3:] if _tagged(loc) else loc


def _tagged(loc: Path) -> bool:
    return len(loc) > 2 and loc[0] == "criteria" and loc[2] in _tags()


def _unknown(loc: Path) -> str:
    known = sorted({name for model in _models_at(loc[:-1]) for name in model.model_fields})
    return f"is not known here; {suggestion(str(loc[-1]), known)}"


def _models_at(loc: Path) -> list[type[BaseModel]]:
    """The models that may stand at a place of the rubric."""
    models: list[type[BaseModel]] = [Rubric]
    for place, part in enumerate(loc):
        if place == 2 and _tagged(loc):
            models = [m for m in models if part in get_args(m.model_fields["type"].annotation)]
        else:
            fields = [m.model_fields[part] for m in models if part in m.model_fields]
            models = [m for f in fields for m in _models_in(f.annotation)] or models
    return models


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


@lru_cache(maxsize=1)
def _tags() -> set[str]:
    """The values of `type`."""
    criteria = _models_in(Rubric.model_fields["criteria"].annotation)
    return {
        tag
        for model in criteria
        if "type" in model.model_fields
        for tag in get_args(model.model_fields["type"].annotation)
    }
