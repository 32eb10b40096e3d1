"""The sections behind the verdict: baselines, faults, what was skipped or is known, and where the runs took place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.judging.findings import value_text
from xnai_validate.model.results.report import FaultResult
from xnai_validate.model.units import format_ms
from xnai_validate.report.comparison_text import regressions, sums
from xnai_validate.report.faults import fault_groups, state_of
from xnai_validate.report.integration.models import IntegrationReport, RunEnvironment
from xnai_validate.report.integration.section import Entry, Section
from xnai_validate.report.lists import listed

SKIPS = 10
"""Checks that are listed for one reason why they were skipped."""
_HOST = {"python": "Python {}", "cpus": "{} CPUs", "memory_mib": "{} MiB of memory"}
"""Name of a fact about the host -> how it is worded; a fact without one stands as it is."""


def background_of(report: IntegrationReport) -> Iterator[Section]:
    """Yield the sections, in the order in which they are read."""
    yield _baseline_section(report)
    yield _faults(report.faults)
    yield Section(
        "Skipped",
        paragraphs=() if report.skipped else ("No check was skipped.",),
        items=tuple(f"{entry.reason} ({listed(entry.checks, SKIPS)})" for entry in report.skipped),
    )
    yield Section(
        "Known failures",
        paragraphs=() if report.known_failures else ("No failure is waived.",),
        items=tuple(f"{known.check} ({known.status}): {known.waiver}" for known in report.known_failures),
    )
    yield _host_entries(report)


def _baseline_section(report: IntegrationReport) -> Section:
    """Return the section about comparisons with baselines."""
    if not report.comparisons:
        return Section("Baselines and regressions", ("No run was compared with a baseline (run --baseline NAME).",))
    return Section(
        "Baselines and regressions",
        tuple(f"Against {comparison.baseline}: {sums(comparison)}." for comparison in report.comparisons),
        tuple(sentence for comparison in report.comparisons for sentence in regressions(comparison)),
    )


def _faults(faults: Sequence[FaultResult]) -> Section:
    """A row for each kind of fault, target and end; those without a proven revert first, and each with its time."""
    if not faults:
        return Section("Faults injected", ("No fault was injected.",))
    rows = tuple(
        (
            group.fault,
            group.target,
            str(group.count),
            "" if group.longest_ms is None else format_ms(group.longest_ms),
            group.state,
        )
        for group in fault_groups(faults)
    )
    return Section(
        "Faults injected",
        ("Verified: after the revert the state is equal to that before the fault.",),
        tuple(
            f"{fault.fault} of {fault.target or 'the host'}, injected {fault.injected_at[:19].replace('T', ' ')} UTC: "
            f"{state_of(fault)}"
            for fault in faults
            if not fault.proven
        ),
        (("fault", "target", "times", "longest", "state"), *rows),
        numeric=(2, 3),
    )


def _host_entries(report: IntegrationReport) -> Section:
    """Return an entry for each host, with the runs that had the same addresses of the targets together."""
    hosts: dict[str, dict[str, list[str]]] = {}
    for environment in report.environments:
        runs_of = hosts.setdefault(_describe_host(environment.host), {})
        runs_of.setdefault(_list_targets(environment), []).append(environment.run)
    entries = tuple(Entry(host, tuple(_runs_on_host(runs_of))) for host, runs_of in hosts.items())
    return Section("Environment", (f"Written by {report.tool}.",), entries=entries)


def _runs_on_host(runs_of: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield the runs on a host and their targets."""
    for targets, runs in runs_of.items():
        yield "run" if len(runs) == 1 else "runs", ", ".join(runs)
        if targets:
            yield "targets", targets


def _describe_host(host: JsonObject) -> str:
    """Describe a host by its facts."""
    return ", ".join(_HOST.get(name, "{}").format(_format_fact(value)) for name, value in host.items())


def _format_fact(value: JsonValue) -> str:
    """Format a fact of a host."""
    return value if isinstance(value, str) else value_text(value)


def _list_targets(environment: RunEnvironment) -> str:
    """List the targets and their urls."""
    return ", ".join(f"{name} {url}" for name, url in environment.targets.items() if url)
