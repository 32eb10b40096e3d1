"""`run --dry-run`: which checks would run, in which order, and which would be skipped and why."""

from __future__ import annotations

from xnai_validate.model.secrets.masking import Masker
from xnai_validate.model.units import about
from xnai_validate.plan import Plan, PlannedCheck
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.terminal.page import Page, Span
from xnai_validate.report.view import View
from xnai_validate.report.words import planned_text


def describe_plan(plan: Plan, view: View, *, demo: bool) -> str:
    """Return the plan as text for people."""
    page = Page(view.width, view.color, view.unicode)
    page.text(plan.title, style="bold")
    page.text(f"a dry run of {', '.join(plan.profiles)}: no request is sent", style="dim")
    _add_targets(page, plan)
    running = [check for check in plan.checks if check.skip is None]
    _faults(page, plan, running)
    if view.detail != "quiet":
        _steps(page, running, verbose=view.detail == "verbose")
    _add_skipped(page, plan)
    notices = [*plan.warnings, *plan.notices]
    if plan.unset:
        notices.append(f"not set in the environment, and needed by a run: {', '.join(plan.unset)}")
    if demo:
        notices.append(
            "with --demo the targets are known only when the embedded stack runs; these are those of the profile"
        )
    if notices:
        page.rule("Notices")
        page.blank()
    for notice in notices:
        page.text(notice, indent=2)
    _summary(page, plan, len(running))
    return str(page)


def _add_targets(page: Page, plan: Plan) -> None:
    """Add the targets and their urls to the page."""
    rows: list[list[Span]] = []
    masker = Masker(plan.secrets)
    for name, target in plan.targets.items():
        urls = [candidate.target.url for candidate in target.candidates if candidate.target.url]
        if urls:
            rows.append([(name, "dim"), (masker.text(" or ".join(urls)), "")])
    if rows:
        page.blank()
        page.table(rows, indent=2)


def _faults(page: Page, plan: Plan, running: list[PlannedCheck]) -> None:
    """Add the faults that would be injected, and the checks that are disruptive by themselves."""
    disruptive = [check for check in running if check.faults or check.info.disruptive]
    if not disruptive:
        return
    masker = Masker(plan.secrets)
    page.rule(f"Would disturb the stack: {counted(len(disruptive), 'check')}", "bold yellow")
    for check in disruptive:
        page.blank()
        page.text(check.id, indent=2)
        sentences = [fault.description for fault in check.faults] or ["the check itself is disruptive"]
        for text in dict.fromkeys(sentences):
            page.text(masker.text(text), indent=4, style="dim")


def _steps(page: Page, running: list[PlannedCheck], *, verbose: bool) -> None:
    """Add the checks by the earliest step in which they can begin: those without needs first."""
    known = {check.id for check in running}
    for number, step in enumerate(in_steps(running), 1):
        alone = [check for check in step if check.exclusive]
        noun = "all" if len(alone) == len(step) else f"{len(alone)} of them"
        page.rule(f"Step {number}: {counted(len(step), 'check')}" + (f", {noun} alone" if alone else ""))
        if not verbose:
            page.text(listed([check.id for check in step], most=len(step)), indent=2)
            continue
        for check in step:
            page.text(check.info.title, indent=2, right=check.info.kind)
            needs = f", needs {', '.join(check.needs)}" if check.needs else ""
            after = [before for before in check.after if before in known]
            needs += f", after {', '.join(after)}" if after else ""
            target = f" on {check.info.target}" if check.info.target else ""
            places = f", from {', '.join(check.vantage)}" if check.vantage else ""
            page.text(f"{check.id}{target}{places}{needs}", indent=4, style="dim")


def in_steps(checks: list[PlannedCheck]) -> list[list[PlannedCheck]]:
    """Return the checks in steps: each waits only for checks of earlier steps, or for checks that are not run."""
    known = {check.id: check for check in checks}
    depth: dict[str, int] = {}
    for check in checks:
        path = [check.id]
        while path:
            current = known[path[-1]]
            before = [check_id for check_id in (*current.needs, *current.after) if check_id in known]
            pending = [check_id for check_id in before if check_id not in depth]
            if pending:
                path.extend(pending)
                continue
            depth[current.id] = 1 + max((depth[check_id] for check_id in before), default=-1)
            path.pop()
    by_step: list[list[PlannedCheck]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for check in checks:
        by_step[depth[check.id]].append(check)
    return by_step


def _add_skipped(page: Page, plan: Plan) -> None:
    """Add the checks that would be skipped, grouped by reason."""
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


def _summary(page: Page, plan: Plan, running: int) -> None:
    """Add how many checks would run, how long that would take, and the success criteria."""
    limits = plan.limits
    page.rule("Plan")
    page.blank()
    within = about(limits.deadline_s)
    page.text(
        f"{counted(running, 'check')} would run, {len(plan.checks) - running} would be skipped; at most "
        f"{limits.concurrency} at once and {limits.per_target} on one target, in about "
        f"{about(plan.expected.usual_s)}, and within {within}"
    )
    for criterion in plan.criteria:
        rule = planned_text(f"{criterion.rule.name} {criterion.rule.operand}")
        not_judged = f", not judged: {criterion.not_judged}" if criterion.not_judged else ""
        page.text(f"criterion: {criterion.scope} {criterion.rule.subject} {rule}{not_judged}", style="dim")
