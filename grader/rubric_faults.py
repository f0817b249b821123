"""Turns pydantic's errors into sentences for an instructor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from grader.rubric import Rubric

Path = tuple[str | int, ...]

_MESSAGES = {
    "missing": "is missing",
    "float_type": "must be a number, got {input!r}",
    "int_type": "must be a whole number, got {input!r}",
    "int_from_float": "must be a whole number, got {input!r}",
    "string_type": "must be text, got {input!r}",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a list, got {input!r}",
    "dict_type": "must be a block of `key: value` lines, got {input!r}",
    "model_type": "must be a block of `key: value` lines, got {input!r}",
    "model_attributes_type": "must be a block of `key: value` lines, got {input!r}",
    "too_short": "must not be empty",
    "greater_than": "must be over {gt:g}, got {input!r}",
    "greater_than_equal": "must be at least {ge:g}, got {input!r}",
    "less_than_equal": "must be at most {le:g}, got {input!r}",
    "literal_error": "must be {expected}, got {input!r}",
    "enum": "must be {expected}, got {input!r}",
    "union_tag_invalid": "must be one of {expected_tags}, got {tag!r}",
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
    shown = error["input"]
    shown = f"{shown[:57]}..." if isinstance(shown, str) and len(shown) > 60 else shown
    return path, template.format(**{"input": shown, **error.get("ctx", {})})


def _in_file(loc: Path) -> Path:
    """The error's place without the union tag that pydantic puts behind a criterion's id."""
    return loc[:2] + loc[3:] if _tagged(loc) else loc


def _tagged(loc: Path) -> bool:
    return len(loc) > 2 and loc[0] == "criteria" and loc[2] in _tags()


def _unknown(loc: Path) -> str:
    from rapidfuzz import process

    known = sorted({name for model in _models_at(loc[:-1]) for name in model.model_fields})
    near = process.extractOne(str(loc[-1]), known, score_cutoff=60)
    advice = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
    return f"is not known here; {advice}"


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


def _tags() -> set[str]:
    """The values of `type`."""
    criteria = _models_in(Rubric.model_fields["criteria"].annotation)
    return {
        tag
        for model in criteria
        if "type" in model.model_fields
        for tag in get_args(model.model_fields["type"].annotation)
    }
