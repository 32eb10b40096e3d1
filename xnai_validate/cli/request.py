"""What was asked for on the command line, verified as far as that goes without reading a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, cast

from xnai_validate.errors import ConfigError
from xnai_validate.model.results.status import Status
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.units import duration_s
from xnai_validate.report.format import Format
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import Detail

Layout = Literal["A", "B"]
ALLOWABLE = ("disruptive",)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embedded stack that the run is to start."""

    layout: Layout
    defects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A run as it was asked for."""

    profiles: tuple[str, ...]
    embedded: Embedded | None
    stack: Path | None
    targets: Mapping[str, str]
    vars: Mapping[str, str]
    tags: frozenset[str]
    skip_tags: frozenset[str]
    only: tuple[str, ...]
    allow: frozenset[str]
    allow_remote: bool
    wait_s: float | None
    fail_fast: bool
    fail_on: tuple[Status, ...]
    rerun: bool
    baseline: str | None
    record: str | None
    dry_run: bool
    outputs: tuple[str, ...]
    format: Format
    concurrency: int | None
    deadline_s: float | None
    paths: tuple[Path, ...]
    detail: Detail
    color: bool | None

    @classmethod
    def parse(
        cls,
        *,
        profiles: Sequence[str],
        demo: bool,
        layout: str | None,
        defects: Sequence[str],
        targets: Sequence[str],
        stack: Path | None,
        vars_: Sequence[str],
        tags: Sequence[str],
        skip_tags: Sequence[str],
        only: Sequence[str],
        allow: Sequence[str],
        allow_remote: bool,
        listen: str | None,
        wait: str | None,
        fail_fast: bool,
        fail_on: Sequence[str],
        rerun: str | None,
        baseline: str | None,
        record: str | None,
        dry_run: bool,
        outputs: Sequence[str],
        format_: str,
        concurrency: int | None,
        deadline: str | None,
        paths: Sequence[Path],
        quiet: bool,
        verbose: bool,
        color: bool | None,
    ) -> Self:
        """Verify the texts of the command line; raises ConfigError with the first mistake and how to go on."""
        if quiet and verbose:
            raise ConfigError("--quiet and --verbose exclude each other")
        return cls(
            profiles=tuple(profiles),
            embedded=embedded(demo, layout, defects, stack),
            stack=stack,
            targets=pairs(targets, "--target", "name=url"),
            vars={**pairs(vars_, "--var", "key=value"), **_listening(listen)},
            tags=frozenset(tags),
            skip_tags=frozenset(skip_tags),
            only=tuple(only),
            allow=frozenset(_known(one, ALLOWABLE, "--allow") for one in allow),
            allow_remote=allow_remote,
            wait_s=_duration(wait, "--wait"),
            fail_fast=fail_fast,
            fail_on=_statuses(fail_on),
            rerun=rerun is not None,
            baseline=baseline,
            record=record,
            dry_run=dry_run,
            outputs=tuple(outputs),
            format=FORMATS.get(format_),
            concurrency=concurrency,
            deadline_s=_duration(deadline, "--deadline"),
            paths=tuple(paths),
            detail="quiet" if quiet else "verbose" if verbose else "normal",
            color=color,
        )


def embedded(demo: bool, layout: str | None, defects: Sequence[str], stack: Path | None = None) -> Embedded | None:
    """The embedded stack that is asked for; raises ConfigError for options that do not fit together."""
    if not demo:
        for given, flag in ((layout, "--layout"), (defects, "--defect")):
            if given:
                raise ConfigError(f"{flag} is about the embedded stack", hint="add --demo")
        return None
    if stack is not None:
        raise ConfigError("--demo and --stack each bring a stack", hint="leave one of them out")
    return Embedded(cast(Layout, layout or "A"), tuple(defects))


def pairs(texts: Sequence[str], flag: str, form: str) -> dict[str, str]:
    """Texts of the form name=value as a mapping; raises ConfigError for one that is not."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, item = text.partition("=")
        if not equals or not name:
            raise ConfigError(f"{flag} {text} is not of the form {form}")
        pairs[name.strip()] = item
    return pairs


def _listening(address: str | None) -> dict[str, str]:
    """The var that says where alerts are received; raises ConfigError for what is no address."""
    if address is None:
        return {}
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"--listen {address} is no address to listen on", hint="write HOST:PORT, such as 0.0.0.0:9095"
        )
    return {"alerts.listen": address}


def _duration(text: str | None, flag: str) -> float | None:
    if text is None:
        return None
    try:
        seconds = duration_s(text)
    except ValueError as error:
        raise ConfigError(f"{flag}: {error}") from None
    if seconds <= 0:
        raise ConfigError(f"{flag}: {text} is no time")
    return seconds


def _statuses(texts: Sequence[str]) -> tuple[Status, ...]:
    words = [word for text in texts for word in text.replace(",", " ").split()]
    known = [status.value for status in Status if status is not Status.PASS]
    more = [Status(_known(word, known, "--fail-on")) for word in words]
    return tuple(dict.fromkeys((Status.FAIL, *more)))


def _known(word: str, known: Sequence[str], flag: str) -> str:
    if word not in known:
        raise ConfigError(f'{flag}: "{word}" is unknown', hint=did_you_mean(word, known))
    return word
