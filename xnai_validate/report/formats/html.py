"""The report as one page for a browser, complete in itself."""

from __future__ import annotations

from collections.abc import Iterator

from xnai_validate.model.results.report import RunReport
from xnai_validate.report.format import Format
from xnai_validate.report.view import View


def render(report: RunReport, view: View) -> Iterator[str]:
    """Yield the page, piece by piece."""
    from xnai_validate.report.html.page import page_pieces  # the template engine is imported for this format only

    return page_pieces(report, view.trend)


FORMAT = Format("html", "one page for a browser, complete in itself", extensions=(".html", ".htm"), render=render)
