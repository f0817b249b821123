"""What tests of several modules use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; a test is skipped without one, and fails without one in CI."""
    reason = f"This test needs Playwright and a browser: one of {', '.join(CHROMIUMS)}."
    absent = pytest.fail if os.environ.get("CI") else pytest.skip
    if find_spec("playwright") is None:
        absent(reason)
    from playwright.sync_api import Error, sync_playwright

    found = next((path for path in map(shutil.which, CHROMIUMS) if path), None)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = [*FLAGS, *["--no-sandbox"] * as_root]
    with sync_playwright() as playwright:
        try:
            # On macOS and Windows a browser is not on the PATH: Playwright knows where Chrome is.
            launched = playwright.chromium.launch(
                executable_path=found, channel=None if found else "chrome", args=flags
            )
        except Error:
            absent(reason)
        yield launched
        launched.close()
