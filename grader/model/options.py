"""How the person at the keyboard wants scripts to be run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Sandbox(str, Enum):
    """Which sandbox untrusted scripts run in."""

    AUTO = "auto"
    """The best that this computer has."""
    REQUIRE = "require"
    """Bubblewrap, or nothing is run."""
    OFF = "off"
    """An ordinary process with limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The choices that hold for every run of a grading."""

    sandbox: Sandbox = Sandbox.AUTO
