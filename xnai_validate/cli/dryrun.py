"""`run --dry-run`: what a run would do, in which order, and what it would leave out and why."""

from __future__ import annotations

from xnai_validate.model.text import Masker
from xnai_validate.model.units import format_ms
from xnai_validate.plan import Plan, PlannedCheck
from xnai_validate.report.terminal.page import Page, Span
from xnai_validate.report.view import View
from xnai_validate.report.words import counted, listed, planned_text


def planned(plan: Plan, view: View, *, demo: bool) -> str:
    """The plan as text for people; made without touching anything."""
    page = Page(view.width, view.color, view.unicode)
    page.text(plan.title, style="bold")
    page.text(f"a dry run of {', '.join(plan.profiles)}: nothing is touched", style="dim")
    _targets(page, plan)
    going = [check for check in plan.checks if check.skip is None]
    _disturbed(page, plan, going)
    if view.detail != "quiet":
        _order(page, going, verbose=view.detail == "verbose")
    _left_out(page, plan)
    notices = [*plan.warnings, *plan.notices]
    if demo:
        notices.append(
            "with --demo the targets are known only once the embedded stack runs; these are the profile's own"
        )
    if notices:
        page.rule("Notices")
        page.blank()
    for notice in notices:
        page.text(notice, indent=2)
    _ending(page, plan, len(going))
    return str(page)


def _targets(page: Page, plan: Plan) -> None:
    rows: list[list[Span]] = []
    masker = Masker(plan.secrets)
    for name, target in plan.targets.items():
        urls = [one.target.url for one in target.candidates if one.target.url]
        if urls:
            rows.append([(name, "dim"), (masker.text(" or ".join(urls)), "")])
    if rows:
        page.blank()
        page.table(rows, indent=2)


def _disturbed(page: Page, plan: Plan, going: list[PlannedCheck]) -> None:
    """What would be done to the stack, to whom, and for which check."""
    disturbing = [check for check in going if check.faults or check.info.disruptive]
    if not disturbing:
        return
    masker = Masker(plan.secrets)
    page.rule(f"Would disturb the stack: {counted(len(disturbing), 'check')}", "bold yellow")
    for check in disturbing:
        page.blank()
        page.text(check.id, indent=2)
        sentences = [one.description for one in check.faults] or ["it is disruptive by itself, and says no more"]
        for text in dict.fromkeys(sentences):
            page.text(masker.text(text), indent=4, style="dim")


def _order(page: Page, going: list[PlannedCheck], *, verbose: bool) -> None:
    """The checks by the step in which they can begin at the earliest: those without needs first."""
    for number, step in enumerate(steps(going), 1):
        alone = [check for check in step if check.exclusive]
        page.rule(f"Step {number}: {counted(len(step), 'check')}" + (f", {len(alone)} of them alone" if alone else ""))
        if not verbose:
            page.text(listed([check.id for check in step], most=len(step)), indent=2)
            continue
        for check in step:
            page.text(check.info.title, indent=2, right=check.info.kind)
            needs = f", needs {', '.join(check.needs)}" if check.needs else ""
            target = f" on {check.info.target}" if check.info.target else ""
            page.text(f"{check.id}{target}{needs}", indent=4, style="dim")


def steps(checks: list[PlannedCheck]) -> list[list[PlannedCheck]]:
    """The checks in steps: each needs only checks of earlier ones, or checks that are not run."""
    known = {check.id: check for check in checks}
    depth: dict[str, int] = {}
    for check in checks:
        path = [check.id]
        while path:
            here = known[path[-1]]
            waiting = [need for need in here.needs if need in known and need not in depth]
            if waiting:
                path.extend(waiting)
                continue
            depth[here.id] = 1 + max((depth[need] for need in here.needs if need in known), default=-1)
            path.pop()
    found: list[list[PlannedCheck]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for check in checks:
        found[depth[check.id]].append(check)
    return found


def _left_out(page: Page, plan: Plan) -> None:
    reasons: dict[str, list[str]] = {}
    for check in plan.checks:
        if check.skip is not None:
            reasons.setdefault(check.skip, []).append(check.id)
    if not reasons:
        return
    page.rule(f"Would be skipped: {sum(map(len, reasons.values()))}", "cyan")
    for reason, ids in sorted(reasons.items(), key=lambda item: -len(item[1])):
        page.blank()
        page.text(f"{reason} ({counted(len(ids), 'check')})", indent=2)
        page.text(listed(ids), indent=2, style="dim")


def _ending(page: Page, plan: Plan, going: int) -> None:
    limits = plan.limits
    page.rule("Plan")
    page.blank()
    within = format_ms(limits.deadline_s * 1000)
    page.text(
        f"{counted(going, 'check')} would run, {len(plan.checks) - going} would be skipped; at most "
        f"{limits.concurrency} at once and {limits.per_target} on one target, within {within}"
    )
    for one in plan.criteria:
        rule = planned_text(f"{one.rule.name} {one.rule.operand}")
        judged = f", not judged: {one.not_judged}" if one.not_judged else ""
        page.text(f"criterion: {one.scope} {one.rule.subject} {rule}{judged}", style="dim")
