"""The integration report as sections of text, tables and entries, which each format renders in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xnai_validate.model.judging.findings import value_text
from xnai_validate.model.results.status import Status
from xnai_validate.model.units import format_ms
from xnai_validate.report.comparison_text import regressions, sums
from xnai_validate.report.integration.models import Coverage, IntegrationReport, RootCause
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.words import met_text, planned_text

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A titled list of labels and texts."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it; what is empty is left out."""

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    """A list."""
    table: tuple[Row, ...] = ()
    """The head, then the rows."""
    entries: tuple[Entry, ...] = ()


def title_of(report: IntegrationReport) -> str:
    """Return the title of the whole."""
    return f"Integration report: {report.readiness.level}"


def sections_of(report: IntegrationReport) -> Iterator[Section]:
    """Yield the sections, in the order in which they are read."""
    yield _summary(report)
    yield _readiness(report)
    yield _criteria(report)
    names = ("category", "checks", "passed", "failed", "not judged", "state")
    none = () if report.categories else ("No check has run.",)
    yield Section("Categories", none, table=(names, *map(_coverage, report.categories)))
    yield Section("Knowledge gaps", table=(("gap", *names[1:]), *map(_coverage, report.gaps)))
    yield Section(
        f"Root causes: {len(report.causes)}",
        paragraphs=() if report.causes else ("Nothing failed.",),
        entries=tuple(_cause(number, cause) for number, cause in enumerate(report.causes, 1)),
    )
    yield _baselines(report)
    yield _faults(report)
    yield Section(
        "Skipped",
        paragraphs=() if report.skipped else ("No check was skipped.",),
        items=tuple(f"{entry.reason} ({listed(entry.checks, 10)})" for entry in report.skipped),
    )
    yield Section(
        "Known failures",
        paragraphs=() if report.known_failures else ("No failure is waived.",),
        items=tuple(f"{known.check} ({known.status}): {known.waiver}" for known in report.known_failures),
    )
    yield _environment(report)


def _summary(report: IntegrationReport) -> Section:
    counts = {status: getattr(report.summary, "pass_" if status is Status.PASS else status.value) for status in Status}
    total = sum(counts.values())
    shown = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    causes = counted(len(report.causes), "root cause")
    gravest = f"; the gravest: {report.causes[0].title} ({report.causes[0].severity})" if report.causes else ""
    reverted = sum(fault.proven for fault in report.faults)
    lines = [
        f"The stack is {report.readiness.level}. {counted(total, 'check')}: {shown or 'none'}. {causes}{gravest}.",
        f"{counted(len(report.faults), 'fault')} injected, {reverted} proven to be reverted.",
    ]
    head = ("run", "profile", "started", "duration", "verdict", "checks")
    rows = tuple(
        (
            run.id,
            " ".join(run.profiles),
            f"{run.started_at[:16].replace('T', ' ')} UTC",
            format_ms(run.elapsed_ms),
            run.verdict,
            str(sum(run.summary.values())),
        )
        for run in report.runs
    )
    return Section(
        "Executive summary", tuple(lines), tuple(f"missing: {each}" for each in report.missing), (head, *rows)
    )


def _readiness(report: IntegrationReport) -> Section:
    readiness = report.readiness
    lines = [("because", text) for text in readiness.obstacles] + [("condition", text) for text in readiness.conditions]
    verdict = Entry(f"The stack is {readiness.level}", tuple(lines))
    rules = Entry("Rules", tuple((f"{number}", rule) for number, rule in enumerate(readiness.rules, 1)))
    return Section("Readiness for the next phase", entries=(verdict, rules))


def _criteria(report: IntegrationReport) -> Section:
    rows = tuple(
        (
            each.profiles,
            each.result.name,
            planned_text(each.result.planned),
            value_text(each.result.actual),
            met_text(each.result),
        )
        for each in report.criteria
    )
    none = () if rows else ("The runs have no success criteria.",)
    return Section("Success criteria", none, table=(("profile", "criterion", "planned", "actual", "result"), *rows))


def _coverage(entry: Coverage) -> Row:
    name = f"{entry.id} {entry.title}" if entry.title and entry.title != entry.id else entry.id
    return name, str(entry.checks), str(entry.passed), str(entry.failed), str(entry.not_judged), entry.state


def _cause(number: int, cause: RootCause) -> Entry:
    lines = [("check", cause.id), ("run", cause.run)]
    if cause.target:
        lines.append(("target", cause.target))
    if cause.promise:
        lines.append(("breaks", cause.promise))
    lines += [("evidence", text) for text in cause.evidence]
    lines += [("impact", cause.impact), ("recommendation", cause.recommendation)]
    if cause.blocks:
        lines.append(("blocks", listed(cause.blocks, 20)))
    verb = "" if cause.status is Status.FAIL else " (could not be measured)"
    return Entry(f"{number}. {cause.severity}: {cause.title}{verb}", tuple(lines))


def _baselines(report: IntegrationReport) -> Section:
    if not report.comparisons:
        return Section("Baselines and regressions", ("No run was compared with a baseline (run --baseline NAME).",))
    return Section(
        "Baselines and regressions",
        tuple(f"Against {comparison.baseline}: {sums(comparison)}." for comparison in report.comparisons),
        tuple(sentence for comparison in report.comparisons for sentence in regressions(comparison)),
    )


def _faults(report: IntegrationReport) -> Section:
    if not report.faults:
        return Section("Faults injected", ("No fault was injected.",))
    rows = tuple(
        (
            fault.fault,
            fault.target or "the host",
            fault.injected_at[:19].replace("T", " "),
            (fault.reverted_at or "")[:19].replace("T", " "),
            "equal to the one before" if fault.proven else "not proven",
        )
        for fault in report.faults
    )
    head = ("fault", "target", "injected (UTC)", "reverted (UTC)", "fingerprint afterwards")
    return Section("Faults injected", table=(head, *rows))


def _environment(report: IntegrationReport) -> Section:
    entries = tuple(
        Entry(
            f"Run {environment.run}",
            (
                *((name, value_text(value)) for name, value in environment.host.items()),
                *((f"target {name}", url) for name, url in environment.targets.items() if url),
            ),
        )
        for environment in report.environments
    )
    return Section("Environment", (f"Written by {report.tool}.",), entries=entries)
