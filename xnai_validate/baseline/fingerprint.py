"""Where a run took place and what it ran against, and whether two of them can be compared at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import ConfigDict

from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import CheckResult, RunReport

MEMORY_RATIO = 1.1
"""Hosts whose memory differs by no more than this are taken for alike: kernels reserve more or less of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The stack, the host and the tool of a run."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    profiles: tuple[str, ...]
    tool: str
    """The version of xnai-validate."""
    host: str | None = None
    """Its name."""
    machine: str | None = None
    """The architecture of its processor."""
    kernel: str | None = None
    python: str | None = None
    cpus: int | None = None
    memory_mib: int | None = None
    interfaces: Mapping[str, str] = field(default_factory=dict)
    """Target -> scheme and path of its url, which show the stack's layout; not its address."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Target -> the version that it reported to a check."""


def fingerprint_of(report: RunReport) -> Fingerprint:
    """The fingerprint of a run, as far as its report knows."""
    run = report.run
    found = before_run(run.profiles, report.tool.version, run.host, run.targets)
    return replace(found, versions=dict(_versions(report.checks)))


def before_run(
    profiles: tuple[str, ...], tool: str, host: JsonObject, targets: Mapping[str, str | None]
) -> Fingerprint:
    """The fingerprint as far as it is known before any check has run; `targets` are names and urls."""
    system = str(host.get("system") or "").split()
    cpus, memory = host.get("cpus"), host.get("memory_mib")
    return Fingerprint(
        profiles=profiles,
        tool=tool,
        host=_text_or_none(host.get("name")),
        machine=system[-1] if len(system) > 2 else None,
        kernel=" ".join(system[:2]) or None,
        python=_text_or_none(host.get("python")),
        cpus=cpus if isinstance(cpus, int) else None,
        memory_mib=memory if isinstance(memory, int) else None,
        interfaces=interfaces_of(targets),
    )


def interfaces_of(targets: Mapping[str, str | None]) -> dict[str, str]:
    """Target -> scheme and path of its url."""
    interfaces = {}
    for name, url in targets.items():
        if url is not None:
            parts = urlsplit(url)
            interfaces[name] = f"{parts.scheme}:{parts.path.rstrip('/')}"
    return interfaces


def _text_or_none(value: object) -> str | None:
    """Return the value if it is a text."""
    return value if isinstance(value, str) else None


def _versions(checks: tuple[CheckResult, ...]) -> Iterator[tuple[str, str]]:
    """The versions that targets reported: a fact `version`, or the member of that name in a JSON answer."""
    seen: set[str] = set()
    for check in checks:
        answer = check.facts.get("json")
        version = check.facts.get("version") or (answer.get("version") if isinstance(answer, dict) else None)
        if (
            check.target is not None
            and check.target not in seen
            and isinstance(version, str)
            and 0 < len(version) <= 100
        ):
            seen.add(check.target)
            yield check.target, version


def incompatibilities(first: Fingerprint, second: Fingerprint) -> list[str]:
    """Why figures of the two cannot be compared; what one of them does not know is compatible."""
    found = []
    if set(first.profiles).isdisjoint(second.profiles):
        found.append(f"other profiles: {' '.join(first.profiles)} before, {' '.join(second.profiles)} now")
    for what, before, after in (
        ("processors", first.cpus, second.cpus),
        ("architecture", first.machine, second.machine),
    ):
        if before is not None and after is not None and before != after:
            found.append(f"another host: {what} {before} before, {after} now")
    if first.memory_mib and second.memory_mib:
        most, least = max(first.memory_mib, second.memory_mib), min(first.memory_mib, second.memory_mib)
        if most > MEMORY_RATIO * least:
            found.append(f"another host: memory {first.memory_mib} MiB before, {second.memory_mib} MiB now")
    for name in sorted(first.interfaces.keys() & second.interfaces.keys()):
        before, after = first.interfaces[name], second.interfaces[name]
        if before != after:
            found.append(f"another interface of {name}: {before} before, {after} now")
    return found


def differences(first: Fingerprint, second: Fingerprint) -> list[str]:
    """What else differs, and is worth knowing where a figure changed."""
    pairs: list[tuple[str, object, object]] = [
        ("profiles", " ".join(first.profiles), " ".join(second.profiles)),
        ("host", first.host, second.host),
        ("kernel", first.kernel, second.kernel),
        ("Python", first.python, second.python),
        ("xnai-validate", first.tool, second.tool),
    ]
    names = sorted(first.versions.keys() & second.versions.keys())
    pairs += [(f"version of {name}", first.versions[name], second.versions[name]) for name in names]
    return [f"{what}: {before} before, {after} now" for what, before, after in pairs if before and after != before]
