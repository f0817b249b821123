"""What every page of ours is made with: templates in which no text of a student's does anything."""

from __future__ import annotations

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grader.reports import inert, wording


def environment(package: str) -> Environment:
    """What renders a package's HTML templates: every value is made harmless."""
    jinja = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.filters.update(points=wording.points, line=inert.one_line)
    return jinja


def policy(style: str, script: str = "") -> str:
    """Lets the page's own style and script work, and nothing else, not even the network."""
    scripts = f"script-src {_hash(script)}; " if script else ""
    return (
        f"default-src 'none'; style-src {_hash(style)}; {scripts}"
        "base-uri 'none'; form-action 'none'"
    )


def _harmless(value: object) -> object:
    """What Jinja's escaping leaves: characters that steer, turn or hide text."""
    return inert.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
