"""The sections of the integration report, in the order in which they are read: the verdict and its reasons first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from xnai_validate.model.judging.findings import value_text
from xnai_validate.model.results.status import Status
from xnai_validate.model.units import format_ms
from xnai_validate.report.faults import IN_FORCE, NOT_VERIFIED, VERIFIED, state_of
from xnai_validate.report.integration.background import background_of
from xnai_validate.report.integration.models import Coverage, IntegrationReport, LoadFigures, RootCause
from xnai_validate.report.integration.section import Entry, Row, Section
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.loads import figure_text, percent_text
from xnai_validate.report.words import met_text, planned_text

STATUSES = (
    (Status.PASS, "passed"),
    (Status.FAIL, "failed"),
    (Status.ERROR, "not measured"),
    (Status.WARN, "passed with a warning"),
    (Status.FLAKY, "flaky"),
    (Status.WAIVED, "waived"),
    (Status.SKIP, "skipped"),
)
"""The statuses as the summary counts them, in its order."""
_HEADS = ("Unjudged: waived, not measured or blocked. N/a: not applicable to this stack.",)
_COUNTS = range(2, 7)
"""The columns of counts in the tables of categories and gaps."""


def title_of(report: IntegrationReport) -> str:
    """Return the title of the whole."""
    return f"Integration report: {report.readiness.level}"


def verdict_of(report: IntegrationReport) -> str:
    """Return the verdict as a sentence: `The stack is not ready for the next phase, for 2 reasons.`"""
    readiness = report.readiness
    if readiness.obstacles:
        return f"The stack is not ready for the next phase, for {counted(len(readiness.obstacles), 'reason')}."
    conditions = f", with {counted(len(readiness.conditions), 'condition')}" if readiness.conditions else ""
    return f"The stack is ready for the next phase{conditions}."


def counts_of(report: IntegrationReport) -> Iterator[tuple[str, int, Status]]:
    """Yield a word, how many checks it stands for, and their status: `failed, 3, fail`."""
    for status, word in STATUSES:
        yield word, getattr(report.summary, "pass_" if status is Status.PASS else status.value), status


def sections_of(report: IntegrationReport) -> Iterator[Section]:
    """Yield the sections, in the order in which they are read."""
    yield _summary_section(report)
    yield Section(
        f"Root causes: {len(report.causes)}",
        paragraphs=() if report.causes else ("Nothing failed.",),
        entries=tuple(_cause_entry(number, cause) for number, cause in enumerate(report.causes, 1)),
    )
    yield _readiness_section(report)
    yield _criteria_section(report)
    none = () if report.categories else ("No check has run.",)
    yield Section("Categories", none or _HEADS, table=_coverages("category", report.categories), numeric=_COUNTS)
    yield Section("Knowledge gaps", table=_coverages("gap", report.gaps), numeric=_COUNTS)
    yield _load_section(report)
    yield from background_of(report)


def _summary_section(report: IntegrationReport) -> Section:
    """Return the section with the verdict, the counts and the runs."""
    counts = [(word, count) for word, count, _ in counts_of(report)]
    total = sum(count for _, count in counts)
    shown = ", ".join(f"{count} {word}" for word, count in counts if count)
    paragraphs = [verdict_of(report), f"{counted(total, 'check')}: {shown or 'none has run'}."]
    if len(report.runs) > 1:
        paragraphs[-1] += " Each counts once, by its newest result."
    if not report.causes:
        paragraphs.append("Nothing failed.")
    if report.faults:
        states = Counter(map(state_of, report.faults))
        ends = "; ".join(f"{states[state]} {state}" for state in (IN_FORCE, NOT_VERIFIED, VERIFIED) if states[state])
        paragraphs.append(f"{counted(len(report.faults), 'fault')} injected: {ends}.")
    head = ("profile", "verdict", "checks", "duration", "started (UTC)", "run")
    rows = tuple(
        (
            " ".join(run.profiles),
            run.verdict,
            str(sum(run.summary.values())),
            format_ms(run.elapsed_ms),
            run.started_at[5:16].replace("T", " "),
            run.id,
        )
        for run in report.runs
    )
    causes = map(_describe_cause, report.causes)
    missing = (f"missing: {each}" for each in report.missing)
    return Section("Executive summary", tuple(paragraphs), (*missing, *causes), (head, *rows), numeric=(2, 3))


def _describe_cause(cause: RootCause) -> str:
    """Describe a cause and what to do about it in one line."""
    reason = f" ({cause.reason})" if cause.reason else ""
    return f"{cause.severity}: {cause.title}{reason}. To do: {cause.recommendation}"


def _cause_entry(number: int, cause: RootCause) -> Entry:
    """Return the entry of a cause."""
    lines = [("recommendation", cause.recommendation)]
    lines += [("evidence", text) for text in cause.evidence]
    lines.append(("impact", cause.impact))
    if cause.promise:
        lines.append(("breaks", cause.promise))
    if cause.blocks:
        lines.append(("blocks", listed(cause.blocks, 20)))
    target = f" of {cause.target}" if cause.target else ""
    lines.append(("check", f"{cause.id}{target}, in the run {cause.run}"))
    verb = "" if cause.status is Status.FAIL else " (could not be measured)"
    return Entry(f"{number}. {cause.severity}: {cause.title}{verb}", tuple(lines), cause.severity)


def _readiness_section(report: IntegrationReport) -> Section:
    """Return the section with the obstacles, the conditions and the rules."""
    readiness = report.readiness
    items = (
        *(f"Not ready: {text}" for text in readiness.obstacles),
        *(f"Condition: {text}" for text in readiness.conditions),
    )
    rows = tuple(
        (str(number), "applies" if found else "no", rule)
        for number, (rule, found) in enumerate(zip(readiness.rules, readiness.met, strict=True), 1)
    )
    decided = f"{verdict_of(report)} Of these rules the first that applies decides."
    return Section("Readiness for the next phase", (decided,), items, (("rule", "applies", "if"), *rows))


def _criteria_section(report: IntegrationReport) -> Section:
    """Return the section with the success criteria of all runs."""
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
    head = ("profile", "criterion", "planned", "actual", "result")
    return Section("Success criteria", none, table=(head, *rows), numeric=(3,))


def _coverages(name: str, entries: Sequence[Coverage]) -> tuple[Row, ...]:
    """The rows about categories or gaps, with the head."""
    head = (name, "state", "checks", "passed", "failed", "unjudged", "n/a")
    return head, *map(_coverage_row, entries)


def _coverage_row(entry: Coverage) -> Row:
    """Return the row of a requirement that checks cover."""
    name = f"{entry.id} {entry.title}" if entry.title and entry.title != entry.id else entry.id
    not_judged = entry.not_judged - entry.not_applicable
    counts = (entry.checks, entry.passed, entry.failed, not_judged, entry.not_applicable)
    return name, entry.state, *(str(count) if count else "" for count in counts)


def _load_section(report: IntegrationReport) -> Section:
    """Return the section with the loads."""
    head = ("load", "sent", "rate", "p50", "p95", "p99", "errors")
    none = () if report.loads else ("No check measured under load.",)
    return Section("Loads", none, table=(head, *map(_load_row, report.loads)), numeric=range(1, len(head)))


def _load_row(load: LoadFigures) -> Row:
    """Return the row of a load."""
    times = (load.p50_ms, load.p95_ms, load.p99_ms)
    return (
        load.check.partition("/")[2],
        str(load.sent),
        "" if load.rate_rps is None else f"{figure_text(load.rate_rps)}/s",
        *("" if ms is None else format_ms(ms) for ms in times),
        "" if load.error_ratio is None else percent_text(load.error_ratio),
    )
