"""The report for a person at a terminal: what stands well, what is wrong and how to mend it, and the verdict last."""

from __future__ import annotations

from collections.abc import Sequence

from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.units import format_ms
from xnai_validate.report.causes import skips_of
from xnai_validate.report.comparison import comparison
from xnai_validate.report.ending import ending
from xnai_validate.report.page import Page, Span, Style
from xnai_validate.report.problems import STYLES, elapsed, problems
from xnai_validate.report.view import Detail, View
from xnai_validate.report.words import counted, in_words, listed, met_in_words

_COLUMNS: tuple[tuple[str, frozenset[Status], Style], ...] = (
    ("passed", frozenset({Status.PASS, Status.FLAKY, Status.WARN}), ""),
    ("flaky", frozenset({Status.FLAKY}), "yellow"),
    ("warned", frozenset({Status.WARN}), "yellow"),
    ("failed", frozenset({Status.FAIL}), "bold red"),
    ("errors", frozenset({Status.ERROR}), "bold red"),
    ("skipped", frozenset({Status.SKIP}), ""),
)


def render(report: RunReport, view: View) -> str:
    """The whole report as text."""
    page = Page(view.width, view.color, view.unicode)
    if view.detail != "quiet":
        _header(page, report, view.detail)
        _categories(page, report.checks)
    if view.detail == "verbose":
        _every_check(page, report.checks)
    problems(page, report, fold=view.detail != "verbose")
    if view.detail != "quiet":
        _skips(page, report.checks)
    _notices(page, report, quiet=view.detail == "quiet")
    _faults(page, report)
    if report.comparison is not None:
        comparison(page, report.comparison, every=view.detail == "verbose")
    if view.detail != "quiet":
        _criteria(page, report)
    ending(page, report, view)
    return str(page)


def _header(page: Page, report: RunReport, detail: Detail) -> None:
    run = report.run
    page.text(run.title, style="bold")
    host = run.host.get("name")
    when = run.started_at.replace("T", " ").split(".")[0].removesuffix("Z") + " UTC"
    parts = [
        f"run {run.id}",
        when,
        f"on {host}" if isinstance(host, str) else "",
        f"xnai-validate {report.tool.version}",
    ]
    page.text(", ".join(part for part in parts if part), style="dim")
    used = {check.target for check in report.checks}
    rows: list[list[Span]] = [
        [(name, "dim"), (url, "")] for name, url in run.targets.items() if url and (name in used or detail == "verbose")
    ]
    if rows:
        page.blank()
        page.table(rows, indent=2)


def _categories(page: Page, checks: Sequence[CheckResult]) -> None:
    """One row a category; a column only where it says something."""
    if not checks:
        return
    names = list(dict.fromkeys(check.category for check in checks))
    shown = [c for c in _COLUMNS if c[0] == "passed" or any(check.status in c[1] for check in checks)]
    head: list[Span] = [("category", "dim"), *((name, "dim") for name, _, _ in shown), ("slowest", "dim")]
    rows = [head]
    for name in names:
        rows.append([(name, ""), *_counts([c for c in checks if c.category == name], shown)])
    if len(names) > 1:
        rows.append([("total", "bold"), *_counts(checks, shown)])
    page.blank()
    if page.width < 76:
        rows = [row[:-1] for row in rows]
    page.table(rows, numeric=range(1, len(head)), indent=2, gap=3 if page.width >= 76 else 2)


def _counts(checks: Sequence[CheckResult], columns: Sequence[tuple[str, frozenset[Status], Style]]) -> list[Span]:
    cells: list[Span] = []
    for _, statuses, style in columns:
        count = sum(check.status in statuses for check in checks)
        cells.append((str(count) if count else "", style))
    slowest = max((check.elapsed_ms for check in checks if check.attempts), default=None)
    return [*cells, ("" if slowest is None else format_ms(slowest), "dim")]


def _every_check(page: Page, checks: Sequence[CheckResult]) -> None:
    for name in dict.fromkeys(check.category for check in checks):
        page.rule(name)
        for check in checks:
            if check.category == name:
                page.text(check.title, indent=7, lead=(check.status.value, STYLES[check.status]), right=elapsed(check))
                page.text(check.id, indent=7, style="dim")


def _skips(page: Page, checks: Sequence[CheckResult]) -> None:
    """Skipped checks by their reason."""
    reasons = skips_of(checks)
    if not reasons:
        return
    page.rule(f"Skipped: {sum(len(ids) for _, ids in reasons)}", STYLES[Status.SKIP])
    for reason, ids in reasons:
        page.blank()
        page.text(f"{reason} ({counted(len(ids), 'check')})", indent=7, lead=("SKIP", STYLES[Status.SKIP]))
        page.text(listed(ids), indent=7, style="dim")


def _notices(page: Page, report: RunReport, *, quiet: bool) -> None:
    styles: dict[str, Style] = {"info": "cyan", "warning": "bold yellow", "error": "bold red"}
    words = {"info": "note", "warning": "warning", "error": "error"}
    shown = [notice for notice in report.notices if not (quiet and notice.level == "info")]
    if shown:
        page.rule("Notices")
        page.blank()
    for notice in shown:
        page.text(notice.text, indent=9, lead=(words[notice.level], styles[notice.level]))


def _faults(page: Page, report: RunReport) -> None:
    if not report.faults:
        return
    page.rule("Faults")
    page.blank()
    rows: list[list[Span]] = []
    for fault in report.faults:
        state: Span = ("undone, and proven to be", "green") if fault.proven else ("undone, not proven", "bold yellow")
        if fault.reverted_at is None:
            state = ("may still be in force", "bold red")
        rows.append([(fault.fault, ""), (fault.target or "", ""), state])
    page.table(rows, indent=2)


def _criteria(page: Page, report: RunReport) -> None:
    if not report.criteria:
        return
    page.rule("Success criteria")
    page.blank()
    if report.run.stopped == "fail-fast":
        page.text("not judged: the run ended at its first failure", indent=2)
        return
    head: list[Span] = [("criterion", "dim"), ("planned", "dim"), ("actual", "dim"), ("", "")]
    rows = [head]
    for one in report.criteria:
        planned = in_words(one.planned)
        style: Style = "cyan" if one.met is None else "green" if one.met else "bold red"
        actual: Span = (str(one.actual), "bold red" if one.met is False else "")
        rows.append([(one.name, ""), (planned, ""), actual, (met_in_words(one), style)])
    page.table(rows, numeric=(2,), indent=2, gap=3)
