"""The golden reports: which there are, and `python -m tests.report.golden` to write them anew after a look at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.report.runs import CASES
from xnai_validate.model.results.report_builder import fold
from xnai_validate.report.formats import FORMATS
from xnai_validate.report.terminal import render
from xnai_validate.report.view import View

_TEXTS = {"tap": "tap", "markdown": "md", "github": "github", "prometheus": "prom"}
"""Format -> the end of its golden files' names."""
FOLDER = Path(__file__).parent / "golden"
_VIEWS = {
    "80": View(80, written=("report.json", "junit.xml")),
    "120": View(120),
    "80-color": View(80, color=True),
    "80-ascii": View(80, unicode=False),
    "80-quiet": View(80, detail="quiet"),
    "80-verbose": View(80, detail="verbose", broken=("junit.xml: No space left on device",)),
}


def reports() -> Iterator[tuple[str, str]]:
    """File name `<case>.<exit code>.<view>.txt`, or with the format's end, -> the report as it is made now."""
    for case, (code, make) in CASES.items():
        report = fold(make())
        views = _VIEWS if case in ("failed", "hostile") else {name: _VIEWS[name] for name in ("80", "120")}
        for name, view in views.items():
            yield f"{case}.{code}.{name}.txt", render(report, view)
        for name, end in _TEXTS.items():
            yield f"{case}.{code}.{end}", FORMATS[name].render(report, View())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in reports():
        (FOLDER / name).write_text(text, encoding="utf-8")
