"""The JSON report, version "1": `Report` as it stands, its published schema, and the way back."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from grader.errors import UsageError
from grader.model import REPORT_VERSION, Report
from grader.reports.inert import REPLACEMENT, UNSAFE, one_line


class _Published(GenerateJsonSchema):
    """Requires every key, since a report always has them all."""

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: ARG002
        return True

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


@cache
def _adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def render(report: Report) -> str:
    """The report as JSON; characters that could steer a terminal stand as `\\u` escapes."""
    plain = _adapter().dump_python(report, mode="json")
    text = json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False)
    # GitHub's runner obeys `##[…]` wherever it stands in a job's log.
    return UNSAFE.sub(_escape, text).replace("##[", "\\u0023#[") + "\n"


def schema() -> dict[str, Any]:
    """The report's published JSON Schema, the same every time."""
    body = _adapter().json_schema(mode="serialization", schema_generator=_Published)
    body["properties"]["version"]["const"] = REPORT_VERSION
    return {"$schema": _Published.schema_dialect, **body, "title": "Grading report"}


def read(text: str) -> Report:
    """The report that the JSON tells of; raises `UsageError` when it is none."""
    try:
        report = _adapter().validate_json(text, strict=True)
        render(report)  # JSON can say 1e999, which is no finite number
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = one_line(".".join(map(str, first["loc"])), 80) or "the text"
        raise UsageError(f"This is no grading report: {where}: {first['msg']}.") from None
    except ValueError:
        raise UsageError("This is no grading report: a number in it is not finite.") from None
    if report.version != REPORT_VERSION:
        raise UsageError(
            f"This grader reads reports of version {REPORT_VERSION}, "
            f"not {one_line(report.version, 20)!r}."
        )
    return report


def _escape(match: re.Match[str]) -> str:
    # Half a surrogate pair (a file name that is no text) has no place in JSON, even escaped.
    return REPLACEMENT if "\ud800" <= match[0] <= "\udfff" else json.dumps(match[0])[1:-1]
