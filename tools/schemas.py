"""Writes the published JSON Schemas anew; a test compares them with the code."""

from __future__ import annotations

import json
from pathlib import Path

from grader.reports import json_report
from grader.rubric_schema import schema_text

FOLDER = Path(__file__).resolve().parent.parent / "grader" / "schemas"


def main() -> None:
    """Writes both files."""
    report = json.dumps(json_report.schema(), indent=2) + "\n"
    for name, text in (("report", report), ("rubric", schema_text())):
        (FOLDER / f"{name}.schema.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
