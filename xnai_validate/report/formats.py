"""The formats a report can be had in: their names, the extensions that choose them, and who renders them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import cast

from xnai_validate.errors import ConfigError
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.report.view import View

Render = Callable[[RunReport, View], str]
Pieces = Callable[[RunReport, View], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of reports."""

    name: str
    extensions: tuple[str, ...]
    """Ends of file names that choose it; the longest that fits wins."""
    says: str
    """What it is for, in a line."""
    module: str | None
    """The module whose `render` makes the whole text at the end; None for a format that is written as events happen."""

    @property
    def streaming(self) -> bool:
        """Whether it is written line by line while the run goes on."""
        return self.module is None

    def render(self, report: RunReport, view: View) -> str:
        """The report in this format; its module is imported only now."""
        if self.module is None:
            raise ValueError(f"{self.name} is made of events, not of a report")
        render = cast(Render, importlib.import_module(self.module).render)
        return render(report, view)

    def pieces(self, report: RunReport, view: View) -> Iterator[str]:
        """The text of `render` in pieces, for a format that is made so; in one piece for the others."""
        made = getattr(importlib.import_module(self.module), "pieces", None) if self.module else None
        if made is None:
            yield self.render(report, view)
        else:
            yield from cast(Pieces, made)(report, view)


FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("terminal", (".txt",), "for a person", "xnai_validate.report.terminal"),
        Format("json", (".json",), "the whole run as one document", "xnai_validate.report.json"),
        Format("jsonl", (".jsonl", ".ndjson"), "events, a line each, as they happen", None),
        Format("junit", (".xml",), "JUnit XML, for Jenkins, GitLab and others", "xnai_validate.report.junit"),
        Format("tap", (".tap",), "TAP version 13, for prove and others", "xnai_validate.report.tap"),
        Format("markdown", (".md",), "for a comment or a job's summary", "xnai_validate.report.markdown"),
        Format("github", (), "annotations in GitHub Actions", "xnai_validate.report.github"),
        Format("prometheus", (".prom",), "metrics, for a textfile collector", "xnai_validate.report.prometheus"),
        Format("html", (".html", ".htm"), "one page for a browser, complete in itself", "xnai_validate.report.html"),
    )
}


def named(name: str) -> Format:
    """The format of a name; raises ConfigError with the nearest one."""
    found = FORMATS.get(name)
    if found is None:
        raise ConfigError(f'unknown format "{name}"', hint=did_you_mean(name, FORMATS))
    return found


def for_file(name: str) -> Format:
    """The format that a file's extension chooses; raises ConfigError where there is none."""
    base = PurePath(name).name.lower()
    known = {extension: one for one in FORMATS.values() for extension in one.extensions}
    fits = [extension for extension in known if base.endswith(extension)]
    if not fits:
        raise ConfigError(
            f'the format of the report "{name}" cannot be told from its name',
            hint=f"end it in one of {', '.join(sorted(known))}",
        )
    return known[max(fits, key=len)]
