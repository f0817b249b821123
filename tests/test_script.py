"""What a script's source says: a case is a script, `=== expect`, and the facts in it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grader.model import ScriptFacts, SyntaxFault
from grader.script import encode_source, read_script, set_constant

CASES = Path(__file__).resolve().parent / "cases" / "scripts"
NAMES = ("PAUSE", "old_pause")


def facts(source: str) -> ScriptFacts:
    read = read_script(source, "task.py", NAMES)
    assert isinstance(read, ScriptFacts)
    return read


@pytest.mark.parametrize("path", sorted(CASES.glob("*.txt")), ids=lambda p: p.name.split(".")[0])
def test_the_facts_of_a_script(path: Path) -> None:
    """Every fact a case names is read; a syntax error gives its line and text."""
    source, _, expected = path.read_text("utf-8").partition("=== expect\n")
    wanted = yaml.safe_load(expected)
    read = read_script(source, "task.py", NAMES)
    if "syntax_error" in wanted:
        assert isinstance(read, SyntaxFault)
        found = asdict(read)
        assert {key: found[key] for key in wanted["syntax_error"]} == wanted["syntax_error"]
        assert read.message
    else:
        assert isinstance(read, ScriptFacts)
        found = asdict(read)
        lists = {key: list(v) if isinstance(v, tuple) else v for key, v in found.items()}
        assert {key: lists[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = " + "[" * 3000, id="deep brackets"),
        pytest.param("x = " + "+".join("1" * 20_000), id="deep sum"),
        pytest.param("x = '\0'", id="null byte"),
        pytest.param("\ufeffdef f(: pass", id="mark and error"),
        pytest.param("x = " + "-" * 50_000 + "1", id="deep minus"),
    ],
)
def test_a_hostile_source_is_a_fault_or_facts(source: str) -> None:
    """Whatever stands in a file, reading it ends with facts or a plain fault."""
    read = read_script(source, "task.py", NAMES)
    if isinstance(read, SyntaxFault):
        assert len(read.text) <= 200


@given(st.text())
def test_reading_never_raises(source: str) -> None:
    """Any text can be read."""
    read_script(source, "task.py", NAMES)


VALUES = st.sampled_from(["0", "3.5", "(1 +\n  2)", "f(1)", "'é'", "[x for x in y]"])
LAYOUTS = st.sampled_from(
    [
        "PAUSE = {v}",
        "PAUSE: int = {v}  # TODO é",
        "é = 'é'; PAUSE = {v}; other = 5",
        "name, PAUSE = 'é', {v}",
        "if True:\n    PAUSE = {v}",
        "a = PAUSE = {v}",
        "PAUSE = 1\n\x0c\nPAUSE = {v}",
    ]
)


@given(LAYOUTS, VALUES, st.sampled_from([0, 3, 2.5]), st.sampled_from(["\n", "# é\n\n"]))
def test_setting_the_constant_changes_nothing_else(
    layout: str, value: str, wanted: float, before: str
) -> None:
    """However it is written, each assignment gets the value and all around it stays."""
    source = before + layout.replace("{v}", value) + "\nlast = 'é'\n"
    changed = set_constant(source, NAMES, wanted)
    assert changed is not None
    assert (
        changed
        == before
        + layout.replace("1\n", f"{wanted:g}\n").replace(
            "{v}", f"({wanted:g})" if value.startswith("(") else f"{wanted:g}"
        )
        + "\nlast = 'é'\n"
    )
    assert facts(changed).constant == "PAUSE"


def test_a_script_without_the_constant_cannot_be_set() -> None:
    """Nothing is invented where the constant is not assigned."""
    assert set_constant("print(PAUSE)\n", NAMES, 0) is None
    assert set_constant("PAUSE = (", NAMES, 0) is None


@pytest.mark.parametrize("cookie", ["latin-1", "utf-8", "cp1252", "no-such-encoding"])
def test_the_bytes_say_what_the_text_says(tmp_path: Path, cookie: str) -> None:
    """Python reads back the same text, whatever encoding the first line declares."""
    source = f"# -*- coding: {cookie} -*-\nprint(ascii('é'))\n"
    script = tmp_path / "task.py"
    script.write_bytes(encode_source(source))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.stdout == ("" if cookie == "no-such-encoding" else "'\\xe9'\n")
