"""docs/security.md tells of every attack there is."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.hostile import FOLDER, load

PAGE = Path(__file__).resolve().parent.parent / "docs" / "security.md"


def test_page_lists_every_attack() -> None:
    """The table holds each attack file with its sentences, and no other; see `make security`."""
    page = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| \[([\w-]+)\]\(\S+\) \| (.+?) \| (.+?) \|", page, re.MULTILINE)
    attacks = {path.stem: load(path) for path in FOLDER.glob("*.yaml")}
    assert sorted(rows) == sorted((name, a.tries, a.must) for name, a in attacks.items())
    assert len(rows) >= 40


def test_no_attack_got_through() -> None:
    """What is published was measured on a state that withstood everything."""
    assert "**got through**" not in PAGE.read_text("utf-8")
