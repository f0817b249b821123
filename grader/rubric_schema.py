"""The JSON Schema of rubric.yaml, for editors."""

from __future__ import annotations

import json
from typing import Any

from grader.rubric import Rubric


def schema() -> dict[str, Any]:
    """The schema as data; the committed copy is grader/schemas/rubric.schema.json."""
    body = Rubric.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**head, **body, "title": "Grading rubric"}


def schema_text() -> str:
    """The schema as the text that is published."""
    return json.dumps(schema(), indent=2) + "\n"
