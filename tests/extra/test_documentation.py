"""The documentation in a real browser: everybody can use its pages, and no page overflows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
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


class _Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(name="url", scope="module")
def _url(site: Path) -> Iterator[str]:
    """The url of the site on a server of its own: a page that is opened as a file may not fetch what it searches in."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_any_page(
    site: Path, url: str, chromium: Browser, axe: str, width: int, dark: bool
) -> None:
    """On a phone and on a screen, light and dark: contrast, names, keyboard; the console of the browser stays empty.

    The page is as high as its navigation, since what a scrolled part hides counts as a target that is too small.
    """
    found = []
    for file in sorted(site.rglob("*.html")):
        page = f"{url}/{file.relative_to(site)}"
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
        found += [f"{file.relative_to(site)}: {problem}" for problem in problems]
    assert not found, "\n".join(found)
