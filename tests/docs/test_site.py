"""The documentation is built, and every link and anchor in it leads somewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.documents import DOCS, ROOT


def build(output: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as `make docs` does, into another folder."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(output)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built without a warning."""
    output = tmp_path_factory.mktemp("site")
    done = build(output)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return output


def test_every_page_is_in_the_site_and_in_its_navigation(site: Path) -> None:
    """A page that is written by hand is built, and the navigation of the first page leads to it."""
    home = (site / "index.html").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix(".html")
        assert (site / name).is_file()
        assert f'href="{name}"' in home


def test_the_reference_is_in_the_site(site: Path) -> None:
    """The generated pages are built, with the navigation to them."""
    home = (site / "index.html").read_text(encoding="utf-8")
    for name in ("kinds/http", "rules", "faults", "recipes", "files", "commands", "exit-codes", "environment"):
        assert (site / f"reference/{name}.html").is_file()
        assert f"reference/{name}.html" in home


def test_nothing_is_loaded_from_other_servers(site: Path) -> None:
    """A page can be read without a network."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert 'src="http' not in text
        assert "fonts.googleapis" not in text


def test_pictures_are_small_pictures() -> None:
    """Each weighs less than 200 kB, and is what its name claims."""
    pictures = {path.name: path.read_bytes() for path in (DOCS / "pictures").iterdir()}
    assert set(pictures) == {"terminal.svg", "report.png", "integration.png"}
    assert all(1_000 < len(content) < 200_000 for content in pictures.values())
    assert all(pictures[name].startswith(b"\x89PNG") for name in ("report.png", "integration.png"))
    assert pictures["terminal.svg"].lstrip().startswith(b"<svg")
    assert b"http://www.w3.org/2000/svg" in pictures["terminal.svg"]
    assert b"url(http" not in pictures["terminal.svg"]


def test_the_site_is_not_in_git_and_not_in_the_package() -> None:
    """Its folder is ignored, and the wheel holds the package and its data only."""
    assert "site/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    config = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert config["site_dir"] == "site"
    assert config["strict"] == "true"
