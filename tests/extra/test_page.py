"""The page of a run in a real browser: nothing is complained about, nothing overflows, everybody can use it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.tool import tool
from tests.extra.chromium import Browser, browser
from tests.report.pictured import pictured
from tests.report.runs import CASES
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.integration.compilation import compile_integration
from xnai_validate.report.integration.models import Scope
from xnai_validate.report.integration.rendering import render_integration
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

MEGABYTE = 1_000_000
OPEN_ALL = "document.querySelectorAll('details').forEach((part) => { part.open = true; })"
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
PHASE4 = ("phase4", "phase4-integration")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = [pytest.mark.extra, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser, from Debian."""
    if shutil.which("chromium") is None:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=True, stdout=subprocess.DEVNULL)
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, from npm."""
    home = tmp_path_factory.mktemp("axe")
    subprocess.run(["npm", "pack", "--silent", "axe-core@4"], cwd=home, check=True, stdout=subprocess.DEVNULL)
    [archive] = home.glob("axe-core-*.tgz")
    shutil.unpack_archive(archive, home, filter="data")
    return (home / "package" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def phase4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the pages of a run of all that is bundled against the embedded stack."""
    home = tmp_path_factory.mktemp("phase4")
    ended = tool(home, "run", "phase4", "--demo", "--allow", "disruptive", "-o", "phase4.html", timeout=840)
    assert ended.code in (0, 1), ended.stderr
    assert tool(home, "report", "--integration", "-o", "phase4-integration.html").code == 0
    return home


@pytest.fixture(scope="module", params=["pictured", "failed", "hostile", "tangled", "integration", *PHASE4])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page: of runs written by hand, and of all that is bundled against the embedded stack."""
    if request.param in PHASE4:
        home: Path = request.getfixturevalue("phase4")
        return home / f"{request.param}.html"
    file = tmp_path_factory.mktemp("page") / f"{request.param}.html"
    if request.param == "integration":
        reports = [build_report(make()) for make in (CASES["hostile"][1], CASES["compared"][1], pictured)]
        text = render_integration(compile_integration(reports, Scope(missing=("p has not run",))), "html", View())
    else:
        make = pictured if request.param == "pictured" else CASES[request.param][1]
        text = FORMATS.get("html").text(build_report(make()), View())
    file.write_text(text, encoding="utf-8")
    return file


def violations(chromium: Browser, axe: str) -> list[str]:
    """What axe-core finds on the page as it is now."""
    found = "found.violations.map((rule) => [rule.id, rule.help, rule.nodes[0].html, rule.nodes[0].failureSummary])"
    options = json.dumps({"resultTypes": ["violations"], "runOnly": RULES})
    result = chromium.evaluate(f"{axe}; axe.run(document, {options}).then((found) => JSON.stringify({found}))")
    return [" | ".join(rule) for rule in json.loads(result)]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440, 1920])
def test_nothing_overflows_and_axe_finds_nothing(
    page: Path, chromium: Browser, axe: str, width: int, dark: bool, tmp_path: Path
) -> None:
    """From a phone to a wide screen, light and dark: first as it opens, then with every detail unfolded."""
    chromium.complaints.clear()
    chromium.view(width, dark=dark)
    chromium.open(page)
    assert chromium.evaluate(OVERFLOW) <= 0
    assert violations(chromium, axe) == []
    chromium.picture(tmp_path / f"{page.stem}-{width}.png")
    chromium.evaluate(OPEN_ALL)
    assert chromium.evaluate(OVERFLOW) <= 0
    assert chromium.complaints == []


@pytest.mark.parametrize("media", ["screen", "print"])
def test_it_needs_no_scripts(page: Path, chromium: Browser, media: str) -> None:
    """Without them, and on paper, every figure is there, and nothing is complained about."""
    chromium.complaints.clear()
    chromium.view(800, media=media, scripts=False)
    chromium.open(page)
    assert chromium.evaluate(OVERFLOW) <= 0
    broken = "[...document.images].filter((image) => image.complete && !image.naturalWidth).length"
    assert chromium.evaluate(broken) == 0
    assert chromium.evaluate("document.querySelectorAll('main h2').length") > 0
    assert chromium.complaints == []


def test_the_filter_and_links_unfold_what_they_lead_to(page: Path, chromium: Browser) -> None:
    """A link to a check opens its category; a filter leaves the checks that match."""
    chromium.view(1440)
    chromium.open(page)
    if "integration" in page.name:  # whose links lead to sections, and which has no scripts
        links = "[...document.querySelectorAll('a')].every((link) => document.querySelector(link.getAttribute('href')))"
        assert chromium.evaluate(links)
        return
    some = "[...document.querySelectorAll('.check')].at(-1).id"
    chromium.evaluate(f"location.hash = '#' + encodeURIComponent({some})")
    chromium.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert chromium.evaluate(f"document.getElementById({some}).closest('.category').open")
    chromium.evaluate(f"filter.value = {some}; filter.dispatchEvent(new Event('input'))")
    assert chromium.evaluate("document.querySelectorAll('.check:not([hidden])').length") >= 1


def test_a_page_is_small(page: Path) -> None:
    """All of phase 4 with its figures is below 2 MB."""
    assert page.stat().st_size < 2 * MEGABYTE
