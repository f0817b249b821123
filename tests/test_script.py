"""What a script's source says: a case is a script, `=== expect`, and the facts in it."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grader.model import ScriptFacts, SyntaxFault
from grader.script import MAX_CHARACTERS, encode_source, read_script, set_constant

CASES = Path(__file__).resolve().parent / "cases" / "scripts"
NAMES = ("PAUSE", "old_pause")


def facts(source: str) -> ScriptFacts:
    read = read_script(source, "task.py", NAMES)
    assert isinstance(read, ScriptFacts), read
    return read


def fault(source: str) -> SyntaxFault:
    read = read_script(source, "task.py", NAMES)
    assert isinstance(read, SyntaxFault)
    return read


# ---------------------------------------------------------------- reading


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
        assert isinstance(read, ScriptFacts), read
        found = asdict(read)
        lists = {key: list(v) if isinstance(v, tuple) else v for key, v in found.items()}
        assert {key: lists[key] for key in wanted} == wanted


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_lines_count_as_in_an_editor(end: str) -> None:
    """Whatever ends a line counts as one line; a form feed or line separator does not end it."""
    lines = ["import os", "\x0c", "text = 'a\x0b\x1c\u2028b'", "PAUSE = 1", "print(“)"]
    assert facts(end.join(lines[:4])).constant_line == 4
    assert (fault(end.join(lines)).line, fault(end.join(lines)).text) == (5, "print(“)")


def test_the_text_of_a_syntax_error_is_cut() -> None:
    """A line without end does not reach the report whole."""
    assert len(fault("x = ?" + "y" * 50_000).text) == 200


@pytest.fixture
def threads_that_interrupt_each_other() -> Iterator[None]:
    """Makes every clean-up of memory, which may come within a parse, let another thread run."""

    def let_another_run(_phase: str, _info: dict[str, int]) -> None:
        time.sleep(0)

    thresholds = gc.get_threshold()
    gc.callbacks.append(let_another_run)
    gc.set_threshold(500)
    yield
    gc.set_threshold(*thresholds)
    gc.callbacks.remove(let_another_run)


@pytest.mark.usefixtures("threads_that_interrupt_each_other")
def test_scripts_are_read_in_several_threads_at_once() -> None:
    """Threads get the same facts as one alone, although Python 3.11 cannot parse in several."""
    source = "PAUSE = 3\n" + "x = [((((1 + 2) * 3) + 4) * 5)]\n" * 50
    alone = facts(source)
    with ThreadPoolExecutor(max_workers=8) as pool:
        assert list(pool.map(facts, [source] * 40)) == [alone] * 40


# ---------------------------------------------------------------- hostile sources


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = " + "[" * 3000, id="deep brackets"),
        pytest.param("x = " + "-" * 50_000 + "1", id="deep minus"),
        pytest.param("x = '\0'", id="null byte"),
        pytest.param("x = '\ud800'", id="half a character"),
        pytest.param("\ufeffdef f(: pass", id="mark and error"),
        pytest.param("#" * (MAX_CHARACTERS + 1), id="too long"),
    ],
)
def test_what_cannot_be_read_is_a_fault(source: str) -> None:
    """A source that Python refuses or chokes on is a fault in a sentence, and is never set."""
    assert fault(source).message
    assert set_constant(source, NAMES, 0) is None


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("Process(target=a)\n" * 5000, id="processes"),
        pytest.param(
            "def f():\n x.execute('" + "insert " * 14_000 + "')\nProcess(target=f)", id="insert"
        ),
        pytest.param(
            "Q = '" + "insert into " * 4000 + "'\ndef f(): c.execute(f'" + "{Q}" * 15_000 + "')\n"
            "Process(target=f)",
            id="one statement many times",
        ),
        pytest.param(
            "".join(f"q{n} = f'{{q{n + 1}}}{{q{n + 1}}}'\n" for n in range(60))
            + "q60 = 'insert into t'\ndef f(): c.execute(q0)\nProcess(target=f)",
            id="statements that double",
        ),
        pytest.param(
            "B = [" + "0," * 20_000 + "]\n" + "for a in B: Process()\n" * 2500, id="long list"
        ),
        pytest.param("Process(target=x)\n" + "x=x\n" * 24_000, id="a name for itself"),
        pytest.param(
            "Process(target=x0)\n"
            + "".join(f"x{n}=" for n in range(5000))
            + f"[{','.join(f'x{n}' for n in range(5000))},{'0,' * 15_000}]",
            id="names for one another",
        ),
        pytest.param("[Process() " + "for a in range(9999) " * 4500 + "]", id="loops in a row"),
        pytest.param(
            "".join(f"def f{n}():\n f{n + 1}();f{n + 1}()\n" for n in range(60))
            + "def f60(): Process()\nf0()",
            id="calls that double",
        ),
        pytest.param("x = " + "+".join("1" * 40_000), id="deep sum"),
        pytest.param("PAUSE=1;" * 12_000, id="assignments"),
    ],
)
def test_a_source_cannot_keep_the_grader_busy(source: str) -> None:
    """What was written to take minutes to look through takes a moment, and counts can be told."""
    start = time.perf_counter()
    read = read_script(source, "task.py", NAMES)
    set_constant(source, NAMES, 3)
    assert time.perf_counter() - start < 8
    assert len(str(read)) < 1_000, read


@given(st.text())
def test_reading_never_raises(source: str) -> None:
    """Any text can be read."""
    read_script(source, "task.py", NAMES)


# ---------------------------------------------------------------- setting the constant


VALUES = st.sampled_from(
    [
        "0",
        "3.5",
        "(1 +\n  2)",
        "1 + \\\n  2",
        "max(1, 2)",
        "'é'",
        "[x for x in 'y']",
        "1 if 2 else 3",
    ]
)
LAYOUTS = st.sampled_from(
    [
        "PAUSE = {v}",
        "PAUSE={v};other = 5",
        "PAUSE: int = {v}  # TODO é",
        "é = 'é'; PAUSE = {v}; other = 5",
        "name, PAUSE = 'é', {v}",
        "name, (PAUSE, other) = 'é', [{v}, 2]",
        "if True:\n    PAUSE = {v}",
        "try: PAUSE = {v}\nfinally: pass",
        "a = PAUSE = {v}",
        "\x0cPAUSE = {v}\x0c# \u2028\x0b",
        "print(PAUSE := {v}, end='')",
        "é = lambda: 'é'; [PAUSE := {v} for é in 'é']",
    ]
)
NUMBERS = st.integers(0, 3600) | st.floats(0, 3600)
BEFORE = st.sampled_from(["", "# é\n\n", "'''é\n€ 𝄞\n'''\n", "PAUSE = 'of old é'\n"])


@given(LAYOUTS, VALUES, NUMBERS, BEFORE, st.sampled_from(["\n", "\r\n", "\r"]))
def test_setting_the_constant_changes_nothing_else(
    layout: str, value: str, wanted: float, before: str, end: str
) -> None:
    """However it is written, each assignment gets the very number and all around it stays."""
    new = repr(wanted).removesuffix(".0")
    written = {"of old é": before.replace("'of old é'", new), "": before}
    left = written["of old é" if "of old" in before else ""]
    source = f"{before}{layout}\nlast = 'é'\n"
    inner = f"({new})" if value.startswith("(") else new
    expected = f"{left}{layout}\nlast = 'é'\n".replace("{v}", inner)
    changed = set_constant(source.replace("{v}", value).replace("\n", end), NAMES, wanted)
    assert changed == expected.replace("\n", end)
    names: dict[str, object] = {}
    exec(compile(changed, "task.py", "exec"), names)  # noqa: S102 - only what stands above
    assert names["PAUSE"] == wanted


def test_every_assignment_of_the_constant_is_set() -> None:
    """Neither the main block nor a function can set it back; other names stay."""
    source = (
        "PAUSE = 1\nold_pause = 5\n\ndef f():\n    global PAUSE\n    PAUSE = PAUSE + 1\n\n\n"
        "if __name__ == '__main__':\n    PAUSE = int(input())\n"
    )
    changed = set_constant(source, NAMES, 0.0)
    assert changed == source.replace("PAUSE + 1", "0").replace("int(input())", "0").replace(
        "PAUSE = 1", "PAUSE = 0"
    )


def test_an_assignment_within_the_value_goes_with_it() -> None:
    """A value that sets the constant itself is replaced once, from its beginning."""
    assert set_constant("PAUSE = (PAUSE := 5) + 1\n", NAMES, 3) == "PAUSE = 3\n"


def test_an_older_name_is_set_where_there_is_no_other() -> None:
    """The names come in order: the first that the script assigns is the constant."""
    assert set_constant("old_pause = 1\n", NAMES, 3) == "old_pause = 3\n"
    assert set_constant("old_pause = 1\nPAUSE = 1\n", NAMES, 3) == "old_pause = 1\nPAUSE = 3\n"


@pytest.mark.parametrize(
    "source", ["print(PAUSE)\n", "PAUSE = (", "# PAUSE = 1\n", "'PAUSE = 1'\n", ""]
)
def test_a_script_without_the_constant_cannot_be_set(source: str) -> None:
    """Nothing is invented where the constant is not assigned."""
    assert set_constant(source, NAMES, 0) is None


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    "cookie", ["latin-1", "utf-8", "utf-8-sig", "cp1252", "Latin_1", "ascii", "nothing"]
)
def test_the_bytes_say_what_the_text_says(tmp_path: Path, cookie: str) -> None:
    """Python reads back the same text, whatever encoding the first lines declare."""
    said = "'e'" if cookie == "ascii" else "'é'"
    declared = "# no cookie" if cookie == "nothing" else f"# -*- coding: {cookie} -*-"
    script = tmp_path / "task.py"
    script.write_bytes(encode_source(f"#!/usr/bin/env python\n{declared}\nprint(ascii({said}))\n"))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{said[1:-1]!a}\n", "")


def test_characters_outside_the_declared_encoding_stay_utf_8() -> None:
    """As in the student's own file, which held them in spite of what it declares."""
    source = "# coding: latin-1\nprint('→')\n"
    assert encode_source(source) == source.encode("utf-8")


@pytest.mark.parametrize(
    "cookie",
    [
        "no-such-encoding",
        "undefined",
        "idna",
        "punycode",
        "rot13",
        "hex",
        "utf-7",
        "utf-16",
        "cp037",
    ],
)
def test_an_encoding_no_source_can_have_is_not_followed(cookie: str) -> None:
    """The text stays UTF-8: Python refuses it there as it refuses the student's own file."""
    source = f"# coding: {cookie}\n#" + "".join(map(chr, range(0x4E00, 0x9F00))) * 5
    start = time.perf_counter()
    assert encode_source(source) == source.encode("utf-8")
    assert time.perf_counter() - start < 8
