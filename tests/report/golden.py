"""The golden reports: which there are, and `python -m tests.report.golden` to write them anew after a look at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.report.runs import CASES
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

FOLDER = Path(__file__).parent / "golden"
_EXTENSIONS = {"tap": "tap", "markdown": "md", "github": "github", "prometheus": "prom"}
"""Format -> the extension of its golden files."""
_VIEWS = {
    "60": View(60),
    "80": View(80, written=("report.json", "junit.xml")),
    "120": View(120),
    "80-color": View(80, color=True),
    "80-ascii": View(80, unicode=False),
    "80-quiet": View(80, detail="quiet"),
    "80-verbose": View(80, detail="verbose", broken=("junit.xml: No space left on device",)),
}


def reports() -> Iterator[tuple[str, str]]:
    """File name `<case>.<exit code>.<view>.txt`, or with the extension of the format, and the report as made now."""
    for case, (code, make) in CASES.items():
        report = build_report(make())
        views = _VIEWS if case in ("failed", "hostile") else {name: _VIEWS[name] for name in ("80", "120")}
        for name, view in views.items():
            yield f"{case}.{code}.{name}.txt", FORMATS.get("terminal").text(report, view)
        for name, extension in _EXTENSIONS.items():
            yield f"{case}.{code}.{extension}", FORMATS.get(name).text(report, View())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in reports():
        (FOLDER / name).write_text(text, encoding="utf-8")
