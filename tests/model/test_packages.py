"""What packages announce is found as `importlib.metadata` finds it, or it is asked."""

from __future__ import annotations

import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from xnai_validate.model.packages import anything_installed_names

GROUP = "some_tool.families"
TEXT = f"[console_scripts]\nx = y:z\n\n[{GROUP}]\nodd = odd_checks\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is searched for packages, and no other."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "not-there"), ""])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def package(folder: Path, text: str, kind: str) -> None:
    """A package, named as the folder that it is installed in."""
    info = folder / f"{folder.name}-1.0.{kind}"
    info.mkdir(parents=True)
    (info / ("METADATA" if kind == "dist-info" else "PKG-INFO")).write_text(
        f"Metadata-Version: 2.1\nName: {folder.name}\n"
    )
    (info / "entry_points.txt").write_text(text)


@pytest.mark.parametrize("kind", ["dist-info", "egg-info"])
def test_a_group_is_found_where_a_package_has_it(elsewhere: Path, kind: str) -> None:
    """Nothing before it is installed, and then what importlib.metadata finds too."""
    assert not anything_installed_names(GROUP)
    package(elsewhere / "lib", "[console_scripts]\nx = y:z\n", kind)
    sys.path.append(str(elsewhere / "lib"))
    assert not anything_installed_names(GROUP)
    assert not entry_points(group=GROUP)
    package(elsewhere / "more", TEXT, kind)
    sys.path.append(str(elsewhere / "more"))
    assert anything_installed_names(GROUP)
    assert [one.name for one in entry_points(group=GROUP)] == ["odd"]


def test_what_cannot_be_looked_at_quickly_is_asked_for(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives, eggs and finders of other kinds: importlib.metadata knows how to look into them."""
    with zipfile.ZipFile(elsewhere / "odd.zip", "w") as archive:
        archive.writestr("odd-1.0.dist-info/entry_points.txt", TEXT)
    sys.path.append(str(elsewhere / "odd.zip"))
    assert anything_installed_names(GROUP)
    sys.path.pop()
    assert not anything_installed_names(GROUP)
    (elsewhere / "lib" / "odd-1.0-py3.11.egg" / "EGG-INFO").mkdir(parents=True)
    sys.path.append(str(elsewhere / "lib"))
    assert anything_installed_names(GROUP)
    sys.path.pop()

    class Finder:
        """Finds packages somewhere else."""

        def find_spec(self, *_: object) -> None:
            """No module."""

        def find_distributions(self, *_: object) -> tuple[()]:
            """No package."""
            return ()

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    sys.path.append(str(elsewhere / "other"))
    assert anything_installed_names(GROUP)
