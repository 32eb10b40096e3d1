"""The report of a run for a person at a terminal: the counts, what is wrong and how to repair it, the verdict last."""

from __future__ import annotations

from collections.abc import Sequence

from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.report.causes import skips_of
from xnai_validate.report.faults import IN_FORCE, NOT_VERIFIED, VERIFIED, fault_groups
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.terminal.categories import append_categories
from xnai_validate.report.terminal.comparison import append_comparison
from xnai_validate.report.terminal.ending import append_ending
from xnai_validate.report.terminal.loads import append_loads
from xnai_validate.report.terminal.page import Page, Span, Style
from xnai_validate.report.terminal.problems import MARGIN, STYLES, append_causes, append_problems, elapsed
from xnai_validate.report.view import Detail, View
from xnai_validate.report.words import met_text, planned_text

AT_ONCE = 200
"""Checks that are laid out together when every check is listed."""
_NOTICE_INDENT = 9
_NOTICES: dict[str, Span] = {
    "info": ("note", "cyan"),
    "warning": ("warning", "bold yellow"),
    "error": ("error", "bold red"),
}
_FAULT_STYLES: dict[str, Style] = {VERIFIED: "green", NOT_VERIFIED: "bold yellow", IN_FORCE: "bold red"}


def report_text(report: RunReport, view: View) -> str:
    """Return the whole report as text."""
    page = Page(view.width, view.color, view.unicode)
    if view.detail != "quiet":
        _header(page, report, view.detail)
        append_categories(page, report.checks)
        append_loads(page, report)
    if view.detail == "verbose":
        _every_check(page, report.checks)
    append_causes(page, report)
    append_problems(page, report, fold=view.detail != "verbose")
    if view.detail != "quiet":
        _skips(page, report.checks)
    _add_notices(page, report, quiet=view.detail == "quiet")
    _faults(page, report)
    if report.comparison is not None:
        append_comparison(page, report.comparison, every=view.detail == "verbose")
    if view.detail != "quiet":
        _criteria(page, report)
    append_ending(page, report, view)
    return str(page)


def _header(page: Page, report: RunReport, detail: Detail) -> None:
    """Add the title of the run, when and where it ran, and the urls of its targets."""
    run = report.run
    page.text(run.title, style="bold")
    host = run.host.get("name")
    when = run.started_at.replace("T", " ").split(".")[0].removesuffix("Z") + " UTC"
    where = f" on {host}" if isinstance(host, str) else ""
    facts, tool = f"run {run.id}, {when}{where}", f"xnai-validate {report.tool.version}"
    for line in [f"{facts}, {tool}"] if len(facts) + len(tool) + 2 <= page.width else [f"{facts},", tool]:
        page.text(line, style="dim")
    used = {check.target for check in report.checks}
    rows: list[list[Span]] = [
        [(name, "dim"), (url, "")] for name, url in run.targets.items() if url and (name in used or detail == "verbose")
    ]
    page.blank()
    page.table(rows, indent=2)


def _every_check(page: Page, checks: Sequence[CheckResult]) -> None:
    """Every check under its category: its status, how long it took, its title and its id."""
    categories: dict[str, list[CheckResult]] = {}
    for check in checks:
        categories.setdefault(check.category, []).append(check)
    for name, members in categories.items():
        page.rule(name)
        statuses = max(len(check.status.value) for check in members)
        times = max(len(elapsed(check)) for check in members)
        for start in range(0, len(members), AT_ONCE):
            rows: list[list[Span]] = []
            for check in members[start : start + AT_ONCE]:
                status: Span = (check.status.value.ljust(statuses), STYLES[check.status])
                rows.append([status, (elapsed(check).rjust(times), "dim"), (check.title, "")])
                rows.append([("", ""), ("", ""), (check.id, "dim")])
            page.table(rows)


def _skips(page: Page, checks: Sequence[CheckResult]) -> None:
    """Skipped checks, grouped by their reason."""
    reasons = skips_of(checks)
    if not reasons:
        return
    count = sum(len(ids) for _, ids in reasons)
    blocked = sum(check.status is Status.SKIP for check in checks) - count
    page.rule(f"Skipped: {count}" + (f", and {blocked} blocked by failures" if blocked else ""), STYLES[Status.SKIP])
    for reason, ids in reasons:
        page.blank()
        page.text(f"{reason} ({counted(len(ids), 'check')})", indent=MARGIN, lead=("SKIP", STYLES[Status.SKIP]))
        page.text(listed(ids), indent=MARGIN, style="dim")


def _add_notices(page: Page, report: RunReport, *, quiet: bool) -> None:
    """Add the notices to the page."""
    shown = [notice for notice in report.notices if not (quiet and notice.level == "info")]
    if shown:
        page.rule("Notices")
        page.blank()
    for notice in shown:
        page.text(notice.text, indent=_NOTICE_INDENT, lead=_NOTICES[notice.level])


def _faults(page: Page, report: RunReport) -> None:
    """Add the faults by kind, target and end."""
    if not report.faults:
        return
    page.rule(f"Faults: {len(report.faults)}")
    page.blank()
    rows: list[list[Span]] = []
    for group in fault_groups(report.faults):
        times = f"{group.count} times" if group.count > 1 else ""
        rows.append([(group.fault, ""), (group.target, ""), (times, ""), (group.state, _FAULT_STYLES[group.state])])
    page.table(rows, numeric=(2,), indent=2)


def _criteria(page: Page, report: RunReport) -> None:
    """Add the table of success criteria; as lines where the terminal is too narrow."""
    if not report.criteria:
        return
    page.rule("Success criteria")
    page.blank()
    if report.run.stopped == "fail-fast":
        page.text("not judged: the run stopped at its first failure", indent=2)
        return
    rows: list[list[Span]] = [[("criterion", "dim"), ("planned", "dim"), ("actual", "dim"), ("", "")]]
    for criterion in report.criteria:
        style: Style = "cyan" if criterion.met is None else "green" if criterion.met else "bold red"
        planned: Span = (planned_text(criterion.planned), "")
        actual: Span = (str(criterion.actual), "bold red" if criterion.met is False else "")
        rows.append([(criterion.name, ""), planned, actual, (met_text(criterion), style)])
    if page.has_room_for(rows, indent=2, gap=3):
        page.table(rows, numeric=(2,), indent=2, gap=3)
        return
    for name, planned, actual, (met, style) in rows[1:]:
        page.text(f"{name[0]}: planned {planned[0]}, actual {actual[0]}, {met}", indent=2, style=style)
