"""Writes anew what is published with the package; tests compare it with its source.

That is the JSON Schemas, and the copy of what students receive: they work in `assignment/`
itself, so the grader keeps what it was like before.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from grader.reports import json_report
from grader.rubric_schema import schema_text

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "grader" / "schemas"
STARTER = ROOT / "assignment"
KEPT = ROOT / "grader" / "shipped" / "assignment"


def starter_files() -> list[Path]:
    """What students receive, without settings for their editor."""
    return [path for path in sorted(STARTER.iterdir()) if path.is_file()]


def main() -> None:
    """Writes both schemas and the copy."""
    report = json.dumps(json_report.schema(), indent=2) + "\n"
    for name, text in (("report", report), ("rubric", schema_text())):
        (SCHEMAS / f"{name}.schema.json").write_text(text, encoding="utf-8", newline="\n")
    KEPT.mkdir(parents=True, exist_ok=True)
    for path in starter_files():
        shutil.copyfile(path, KEPT / path.name)


if __name__ == "__main__":
    main()
