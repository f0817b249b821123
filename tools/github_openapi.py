"""Cuts the operations that we use out of GitHub's OpenAPI description.

    npm install @octokit/openapi
    python tools/github_openapi.py node_modules/@octokit/openapi

The package holds 13 MB; tests/github/openapi.json keeps what the tests validate against. Its
schemas are turned from OpenAPI 3.0 into JSON Schema, where `nullable` is a type.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "tests" / "github" / "openapi.json"
RUNS = "/repos/{owner}/{repo}/actions/runs/{run_id}"
OPERATIONS = (
    ("get", RUNS),
    ("get", f"{RUNS}/artifacts"),
    ("get", "/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}"),
    ("get", "/repos/{owner}/{repo}/pulls"),
    ("get", "/repos/{owner}/{repo}/pulls/{pull_number}"),
    ("get", "/repos/{owner}/{repo}/pulls/{pull_number}/files"),
    ("get", "/repos/{owner}/{repo}/issues/{issue_number}/comments"),
    ("post", "/repos/{owner}/{repo}/issues/{issue_number}/comments"),
    ("patch", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
    ("get", "/user"),
    ("get", "/repos/{owner}/{repo}"),
    ("get", "/repos/{owner}/{repo}/issues"),
    ("post", "/repos/{owner}/{repo}/issues"),
    ("patch", "/repos/{owner}/{repo}/issues/{issue_number}"),
)
TALK = {"description", "summary", "title", "tags", "example", "externalDocs"}


def main() -> None:
    """Writes the extract from the package named on the command line."""
    package = Path(sys.argv[1])
    text = (package / "generated" / "api.github.com.json").read_text(encoding="utf-8")
    extract = cut(json.loads(text), (package / "LICENSE").read_text(encoding="utf-8"))
    TARGET.write_text(json.dumps(extract, indent=1) + "\n", encoding="utf-8", newline="\n")


def cut(whole: dict[str, Any], licence: str) -> dict[str, Any]:
    """The extract: operations, and the components that they name."""
    extract: dict[str, Any] = {"openapi": whole["openapi"], "info": whole["info"], "paths": {}}
    extract["info"]["license"]["text"] = licence.split("\n")
    for method, path in OPERATIONS:
        extract["paths"].setdefault(path, {})[method] = _plain(whole["paths"][path][method])
    wanted = list(_references(extract["paths"]))
    while wanted:
        _, kind, group, name = wanted.pop().split("/")
        there = extract.setdefault(kind, {}).setdefault(group, {})
        if name not in there:
            found = whole[kind][group][name]
            there[name] = found if group == "examples" else _plain(found)
            wanted += _references(there[name])
    return extract


def _plain(node: Any) -> Any:
    """The node without prose and extensions, and with null as a type."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {k: _plain(v) for k, v in node.items() if k != "nullable" and not _is_talk(k, v)}
    if node.get("nullable") is not True:
        return plain
    if isinstance(plain.get("type"), str) and "enum" not in plain:
        return {**plain, "type": [plain["type"], "null"]}
    return {"anyOf": [plain, {"type": "null"}]}


def _is_talk(key: str, value: object) -> bool:
    # A property may be called "description"; its value is then a schema and not a text.
    return key.startswith("x-") or (key in TALK and not isinstance(value, dict))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        node = dict(enumerate(node))
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from _references(each)


if __name__ == "__main__":
    main()
