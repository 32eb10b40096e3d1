"""The documentation in a real browser: everybody can use its pages, and no page overflows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.extra.chromium import Browser
from tests.extra.test_page import OVERFLOW, axe, chromium, violations
from tests.packaging.interpreters import ROOT

__all__ = ["axe", "chromium"]
pytestmark = [pytest.mark.extra, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as `make docs` builds them."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True)
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_any_page(site: Path, chromium: Browser, axe: str, width: int, dark: bool) -> None:
    """On a phone and on a screen, light and dark: contrast, names, keyboard; the console of the browser stays empty.

    The page is as high as its navigation, since what a scrolled part hides counts as a target that is too small.
    """
    found = []
    for page in sorted(set(site.rglob("*.html")) - {site / "404.html"}):  # its links begin at the root of a server
        chromium.view(width, dark=dark)
        chromium.open(page)
        chromium.evaluate("localStorage.clear()")  # in which the theme keeps the colours of the first page
        chromium.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=4000, deviceScaleFactor=1, mobile=False
        )
        chromium.complaints.clear()
        chromium.open(page)
        scheme = chromium.evaluate("document.body.getAttribute('data-md-color-scheme')")
        assert scheme == ("slate" if dark else "default")
        overflow = [f"overflows by {more}"] if (more := chromium.evaluate(OVERFLOW)) > 0 else []
        problems = [*violations(chromium, axe), *chromium.complaints, *overflow]
        found += [f"{page.relative_to(site)}: {problem}" for problem in problems]
    assert found == []
