"""Formats register by file name or by entry point, and are found by name and by the extension of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.report.runs import CASES
from xnai_validate.errors import ConfigError, RegistryError
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report import formats
from xnai_validate.report.format import Format
from xnai_validate.report.format_names import GROUP, format_name
from xnai_validate.report.registry import FORMATS, FormatRegistry
from xnai_validate.report.view import View


class WithEntryPoints(FormatRegistry):
    """A registry that has entry points of other packages."""

    def __init__(self, *points: tuple[str, str]) -> None:
        super().__init__()
        self.points = points

    def entry_points(self) -> Iterable[EntryPoint]:
        return [EntryPoint(name, value, GROUP) for name, value in self.points]


def test_every_file_is_a_format() -> None:
    """Each module of the folder declares the format of its name, with a description; no list names them."""
    folder = Path(next(iter(formats.__path__)))
    names = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert set(FORMATS.names()) >= names
    for name in names:
        found = FORMATS.get(name)
        assert found.name == name
        assert found.description


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("out/r.json", "json"),
        ("r.JSONL", "jsonl"),
        ("a.junit.xml", "junit"),
        ("a.xml", "junit"),
        ("r.txt", "terminal"),
        ("r.htm", "html"),
        ("r.prom", "prometheus"),
    ],
)
def test_the_extension_chooses_the_format(name: str, expected: str) -> None:
    """The extension of a file decides in which format the report is written."""
    assert FORMATS.for_file(name).name == expected


def test_unknown_formats_are_refused_with_a_hint() -> None:
    """An unknown extension or name is an error that lists the extensions, or gives the nearest name."""
    with pytest.raises(ConfigError, match="does not show the format") as file:
        FORMATS.for_file("report.pdf")
    assert ".json" in (file.value.hint or "")
    with pytest.raises(ConfigError, match="unknown format") as name:
        FORMATS.get("junitt")
    assert name.value.hint == 'did you mean "junit"?'


def test_names_are_verified_without_an_import() -> None:
    """The name of a format is accepted as it is, or refused with the nearest name."""
    assert format_name("junit") == "junit"
    with pytest.raises(ConfigError, match='unknown format "junitt"') as error:
        format_name("junitt")
    assert error.value.hint == 'did you mean "junit"?'


def test_other_packages_add_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that an entry point names is a format like the bundled ones, by name and by extension."""
    (tmp_path / "report_as_csv.py").write_text(
        "from xnai_validate.report.format import Format\n"
        "def render(report, view):\n"
        "    for check in report.checks:\n"
        "        yield f'{check.id},{check.status}\\n'\n"
        "FORMAT = Format('csv', 'for a spreadsheet', extensions=('.csv',), render=render)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = WithEntryPoints(("csv", "report_as_csv"))
    try:
        assert "csv" in registry.names()
        text = registry.for_file("r.csv").text(build_report(CASES["passed"][1]()), View())
    finally:
        sys.modules.pop("report_as_csv", None)
    assert text.splitlines()[0] == "services/redis:ping,pass"


def test_a_format_that_two_packages_provide_is_refused() -> None:
    """The error names both modules: neither may replace the other silently."""
    with pytest.raises(RegistryError, match=r"xnai_validate\.report\.formats\.json and by other_json"):
        WithEntryPoints(("json", "other_json")).names()


@pytest.mark.parametrize(
    ("module", "message"), [("no_such_module", "cannot be loaded"), ("json", "does not declare a FORMAT of the name x")]
)
def test_a_broken_entry_point_is_an_error_with_its_name(module: str, message: str) -> None:
    """A module that cannot be imported, or that declares no format, is named; the other formats still work."""
    registry = WithEntryPoints(("x", module))
    with pytest.raises(RegistryError, match=message):
        registry.get("x")
    assert registry.get("tap").name == "tap"


def test_a_format_is_made_of_a_report_or_of_events() -> None:
    """A format with both or neither is refused where it is declared."""
    with pytest.raises(ValueError, match="either render or line"):
        Format("x", "nothing")
    with pytest.raises(ValueError, match="made of events"):
        FORMATS.get("jsonl").text(build_report(CASES["passed"][1]()), View())
