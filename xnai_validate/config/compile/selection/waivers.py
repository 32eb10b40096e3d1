"""The waivers of a run: which one covers a check, which have expired, which match no check."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from xnai_validate.config.catalogue import Catalogue
from xnai_validate.config.compile.selection.id_globs import id_pattern
from xnai_validate.config.files.waivers import WaiverEntry, parse_waivers
from xnai_validate.config.locate import ConfigFile, Library
from xnai_validate.config.search_path import ENDINGS, WAIVERS
from xnai_validate.config.yaml_files.document import Source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.results.report import Source as SourceLine
from xnai_validate.model.results.report import Waiver
from xnai_validate.model.source_location import InvalidConfig
from xnai_validate.model.suggestions import did_you_mean

LONGEST_DAYS = 366
"""How far from now a waiver may end: a year, which may be a leap year."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A waiver, and the compiled glob of its checks."""

    waiver: Waiver
    pattern: re.Pattern[str]


class Waivers:
    """The waivers of all files of a run."""

    def __init__(self, patterns: Iterable[Pattern] = ()) -> None:
        # A waiver that still holds goes before one that has expired; else the first of the files counts.
        self._patterns = tuple(sorted(patterns, key=lambda each: each.waiver.expired))

    def __len__(self) -> int:
        return len(self._patterns)

    def of(self, check_id: str) -> Waiver | None:
        """The waiver that covers a check; None if it has none."""
        return next((each.waiver for each in self._patterns if each.pattern.match(check_id)), None)

    def expired(self) -> Iterator[str]:
        """A sentence for each waiver that has expired."""
        for each in self._patterns:
            if each.waiver.expired:
                yield f'{_format_place(each.waiver)}: the waiver "{each.waiver.check}" expired on {each.waiver.until}'

    def unmatched(self, ids: Collection[str], library: Library) -> Iterator[str]:
        """A sentence for each waiver that matches neither one of the ids nor any other check within reach."""
        left = [each for each in self._patterns if not any(map(each.pattern.match, ids))]
        if not left:
            return
        try:
            others = [check.id for check in Catalogue(library.options, library.cache).checks]
        except InvalidConfig:
            return  # a suite that cannot be read may hold the check
        for each in left:
            if not any(map(each.pattern.match, others)):
                hint = did_you_mean(each.waiver.check, others)
                yield f'{_format_place(each.waiver)}: the waiver "{each.waiver.check}" matches no check; {hint}'


def read_waivers(library: Library, problems: Problems, folders: Iterable[Path]) -> list[Pattern]:
    """The waivers of the file of the options, else of the `waivers.yaml` in each folder; errors are noted."""
    options = library.options
    files = [options.cwd / options.waivers] if options.waivers else _beside(folders)
    patterns: list[Pattern] = []
    for path in files:
        file = ConfigFile(WAIVERS, path, (options.cwd,), bundled=False)
        source = library.read(file)
        if source is not None:
            patterns += waivers_of(source, problems, long=options.long_waivers)
    return patterns


def waivers_of(source: Source, problems: Problems, *, long: bool) -> list[Pattern]:
    """The waivers of one file; errors are noted. With `long` a waiver may end more than a year from now."""
    today = datetime.now(UTC).date()
    entries = parse_waivers(source, problems)
    for index, entry in enumerate(entries):
        if not long and (entry.until - today).days > LONGEST_DAYS:
            message = f"the waiver ends in {(entry.until - today).days} days, which is more than a year"
            hint = "decide again within a year, or allow it with --long"
            problems.at(Where(source, ("waivers", index, "until")), message, hint)
    return [_compile_waiver(entry, source, index, today) for index, entry in enumerate(entries)]


def _compile_waiver(entry: WaiverEntry, source: Source, index: int, today: date) -> Pattern:
    """Return a waiver with the pattern of the checks that it covers, and whether it has expired."""
    place = SourceLine(file=source.file, line=source.line_of("waivers", index))
    waiver = Waiver(
        check=entry.check, reason=entry.reason, until=entry.until.isoformat(), owner=entry.owner, source=place
    )
    if entry.until < today:
        waiver = replace(waiver, expired=True)
    return Pattern(waiver, id_pattern(entry.check))


def _beside(folders: Iterable[Path]) -> list[Path]:
    """The files of waivers in the folders, each once."""
    files = (folder / f"{WAIVERS}{ending}" for folder in dict.fromkeys(folders) for ending in ENDINGS)
    return [path for path in files if path.exists()]


def _format_place(waiver: Waiver) -> str:
    """Return the place of a waiver as `file:line`."""
    return f"{waiver.source.file}:{waiver.source.line}"
