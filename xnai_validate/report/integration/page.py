"""The integration report as one HTML page, with rules for print; it loads nothing and has no scripts."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import jinja2

from xnai_validate.model.text import printable
from xnai_validate.report.integration.models import IntegrationReport
from xnai_validate.report.integration.section import tone_of
from xnai_validate.report.integration.sections import counts_of, sections_of, title_of, verdict_of


def page_text(report: IntegrationReport) -> str:
    """Return the page."""
    folder = Path(__file__).parent
    style = (folder / "page.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.finalize = lambda value: printable(value) if type(value) is str and not value.isprintable() else value
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        title=title_of(report),
        tone=tone_of(report.readiness.level),
        tone_of=tone_of,
        verdict=verdict_of(report),
        counts=list(counts_of(report)),
        causes=report.causes,
        missing=report.missing,
        tool=report.tool,
        sections=list(sections_of(report)),
        style=style,
        style_hash=f"sha256-{digest}",
    )
