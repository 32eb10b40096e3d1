"""What `explain` prints: a kind of check, a family, a fault or a check in words, from its annotations and its plan."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping

from xnai_validate import registry
from xnai_validate.cli.embedded_stack import missing_packages
from xnai_validate.cli.explanation.recipes import add_recipe
from xnai_validate.cli.terminal import console
from xnai_validate.cli.terminal.page import new_page
from xnai_validate.cli.terminal.type_names import default_of, type_of
from xnai_validate.config.catalogue import Catalogue, catalogue
from xnai_validate.config.locate import RECIPES
from xnai_validate.config.one_check import plan_check
from xnai_validate.config.options import LoadOptions
from xnai_validate.errors import ConfigError, RegistryError
from xnai_validate.kit import Checker, Facts, Fault, Params
from xnai_validate.model.field_descriptions import DescribedSchema, field_descriptions
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.fact_types import FactType
from xnai_validate.model.judging.findings import expected_text, judge
from xnai_validate.model.judging.rules import Rule, parse_rules
from xnai_validate.model.results.report import CheckInfo
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.units import format_ms
from xnai_validate.plan import PlannedCheck
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.terminal.page import Page, Span

_NO_SECRETS = Masker(())
"""Masks only credentials in urls: for kinds, whose rules have no values of the user."""


def print_explanation(name: str, load: LoadOptions) -> None:
    """Explain a kind, a family, a fault or the id of a check. Raises ConfigError for an unknown name."""
    page = new_page(sys.stdout)
    known = catalogue(load)
    if ":" in name:
        check, secrets = plan_check(name, known)
        _check(page, check, Masker(secrets))
    elif "." in name and "/" not in name and all(profile.name != name for profile in known.profiles):
        _kind_or_fault(page, name, known)
    elif name in registry.CHECKERS.families():
        _family(page, name)
    elif name.removeprefix(f"{RECIPES}/") in known.library.recipes:
        add_recipe(page, name.removeprefix(f"{RECIPES}/"), known)
    else:
        raise ConfigError(
            f'"{name}" is neither a kind of check, a fault, a recipe nor the id of a check',
            hint=_suggest_name(name, known),
        )
    console.print_out(str(page))


def _suggest_name(name: str, known: Catalogue) -> str | None:
    """Return a hint for a name that cannot be explained: what it is instead, or the names that it may stand for."""
    if any(profile.name == name for profile in known.profiles):
        return f"it is a profile: xnai-validate list {name}"
    if any(name in (suite.name, suite.category) for suite in known.suites):
        return f"it names several checks: xnai-validate list checks --only '{name}'"
    recipes = (f"{RECIPES}/{recipe}" for recipe in known.library.recipes)
    names = [*registry.CHECKERS.names(), *registry.FAULTS.names(), *recipes, *(check.id for check in known.checks)]
    # A part of a name: the `disk` of `disk.full`, or the `ready` of `api/health:ready`.
    matching = [full for full in names if name and name in (full.partition(".")[0], full.partition(":")[2])]
    return f"known: {', '.join(matching)}" if matching else did_you_mean(name, names)


def _family(page: Page, name: str) -> None:
    """Add the documentation that the kinds of a family share, and the list of the kinds."""
    first, _, rest = registry.CHECKERS.family_doc(name).partition("\n")
    page.text(name, style="bold")
    page.text(first)
    _paragraphs(page, rest)
    page.rule("Kinds")
    kinds = registry.CHECKERS.load(name)
    page.table([[(kind, "bold"), (checker.title, "")] for kind, checker in kinds.items()], indent=2)


def _kind_or_fault(page: Page, name: str, known: Catalogue) -> None:
    """Add the kind or fault of this name (never both); raises RegistryError for an unknown name."""
    family = name.partition(".")[0]
    if family in registry.FAULTS.families() and name in registry.FAULTS.names(family):
        _add_fault(page, registry.FAULTS.get(name))
    elif family in registry.CHECKERS.families() and name in registry.CHECKERS.names(family):
        _kind(page, registry.CHECKERS.get(name), known)
    else:
        hint = did_you_mean(name, [*registry.CHECKERS.names(), *registry.FAULTS.names()])
        raise RegistryError(f'unknown kind of check or fault "{name}"', hint=hint)


def _add_fault(page: Page, fault: Fault) -> None:
    """Add a fault to the page: its documentation, time limits and parameters."""
    page.text(fault.name, style="bold")
    _add_documentation(page, fault.doc)
    traits = [
        "needs a target" if fault.needs_target else "needs no target",
        f"in force for at most {format_ms(fault.limit_s * 1000)}",
        f"reverted within {format_ms(fault.grace_s * 1000)}",
        f"needs the extra {fault.extra}" if fault.extra else "",
    ]
    page.blank()
    page.text(", ".join(filter(None, traits)), style="dim")
    _add_params(page, fault.params)


def _add_documentation(page: Page, doc: str) -> None:
    """Add a docstring to the page."""
    first, _, rest = doc.partition("\n")
    page.text(first)
    _paragraphs(page, rest)


def _add_params(page: Page, model: type[Params]) -> None:
    """Add the parameters of a kind or fault to the page, with those of the models within them."""
    schema = model.model_json_schema(by_alias=True, schema_generator=DescribedSchema)
    page.rule("Parameters (with:)")
    _append_properties(page, schema)
    for name, part in _objects(schema.get("$defs")):
        page.rule(f"{name}: {' '.join(str(part.get('description', '')).split())}", "")
        _append_properties(page, part)


def _kind(page: Page, checker: Checker, known: Catalogue) -> None:
    """Add a kind of check: its documentation, params, facts, default rules and the checks that use it."""
    page.text(checker.kind, style="bold")
    _add_documentation(page, checker.doc)
    traits = [
        "needs a target" if checker.needs_target else "needs no target",
        "runs alone" if checker.exclusive else "",
        "can be measured from workers" if checker.from_workers else "",
        f"needs the extra {checker.extra}" if checker.extra else "",
    ]
    page.blank()
    page.text(", ".join(filter(None, traits)), style="dim")
    _add_params(page, checker.params)
    page.rule("Facts (expect:, warn:)")
    _add_facts(page, checker.facts, checker.types)
    if checker.expect:
        page.rule("Default rules, unless a check replaces them")
        rules, _ = parse_rules(checker.expect, checker.types, kind=checker.kind)
        _add_rules(page, rules)
    users = [check.id for check in known.checks if check.kind == checker.kind]
    if users:
        page.rule(f"Used by {counted(len(users), 'check')}")
        page.text(listed(users, most=20), indent=2)


def _paragraphs(page: Page, text: str) -> None:
    """Add documentation: prose is wrapped, indented lines are an example and stay as they are."""
    prose: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.strip() and not line.startswith("    "):
            prose.append(line.strip())
            continue
        if prose:
            page.blank()
            page.text(" ".join(prose).replace("::", ":"))  # reStructuredText's sign for an example
            prose = []
            if line.strip():
                page.blank()
        if line.strip():
            page.line(line, "cyan")
        else:
            page.blank()


def _objects(definitions: object) -> Iterable[tuple[str, Mapping[str, object]]]:
    """Yield the definitions of a JSON Schema that are objects with properties."""
    for name, part in definitions.items() if isinstance(definitions, dict) else ():
        if isinstance(part, dict) and "properties" in part:
            yield name, part


def _append_properties(page: Page, schema: Mapping[str, object]) -> None:
    """Append a table of the properties of a JSON Schema: name, type, required or default, description."""
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict) or not properties:
        page.text("none", indent=2)
        return
    rows = []
    for name, part in properties.items():
        is_required = isinstance(required, list) and name in required
        words = [type_of(part), "required" if is_required else default_of(part)]
        rows.append(_entry(name, ", ".join(filter(None, words)), str(part.get("description", ""))))
    page.table(rows, indent=2)


def _add_facts(page: Page, model: type[Facts], types: Mapping[str, FactType]) -> None:
    """Add the facts of a kind to the page."""
    texts = field_descriptions(model)
    docs = {field.alias or name: texts.get(name, "") for name, field in model.model_fields.items()}
    page.table([_entry(name, str(type_), docs.get(name, "")) for name, type_ in types.items()], indent=2)


def _entry(name: str, type_name: str, doc: str) -> list[Span]:
    """Return the row of a parameter or a fact."""
    return [(name, "bold"), (f"{type_name}. {' '.join(doc.split())}".strip(), "")]


def _add_rules(page: Page, rules: Iterable[Rule], masker: Masker = _NO_SECRETS) -> None:
    """Add rules to the page, each as its subject and what is expected."""
    rows: list[list[Span]] = []
    for rule in rules:
        (finding,) = judge([rule], {})
        level = "" if rule.level == "expect" else ", else a warning"
        rows.append([(rule.subject, ""), (masker.text(f"{expected_text(finding)}{level}"), "")])
    page.table(rows, indent=2)


def _check(page: Page, check: PlannedCheck, masker: Masker) -> None:
    """Add a check: what it measures, when it runs, its faults and its rules."""
    info, checker = check.info, check.measurement.checker
    page.text(info.title, style="bold")
    page.text(info.id, style="cyan")
    page.blank()
    entries: dict[str, str] = {
        "measures": f"{info.kind}: {checker.title}",
        **_describe_promise(info),
        "target": info.target or "",
        "with": _format_params(check, masker),
        "from": listed(check.vantage),
        "needs": listed(check.needs),
        "after": listed(check.after),
        "covers": ", ".join(info.covers),
        "tags": ", ".join(info.tags),
        "attempts": str(check.retry.attempts) if check.retry.attempts > 1 else "",
        "until": f"it holds, for at most {format_ms(check.until.within_s * 1000)}" if check.until else "",
        "timeout": format_ms(check.timeout_s * 1000),
        "alone": "no other check runs at the same time" if check.exclusive else "",
        "faults": "; ".join(fault.description for fault in check.faults),
        "skipped": check.skip or "",
        "fix": " ".join((info.fix or "").split()),
        "fix of": "; ".join(f"{key}: {' '.join(text.split())}" for key, text in (info.fixes or {}).items()),
        "file": f"{info.source.file}:{info.source.line}",
        "proved by": _proofs(info.id),
    }
    for label, text in entries.items():
        if text:
            page.text(masker.text(text), indent=12, lead=(f"  {label}", "dim"))
    page.rule("Rules")
    _add_rules(page, check.measurement.rules, masker)


def _format_params(check: PlannedCheck, masker: Masker) -> str:
    """Format the parameters of a check that differ from their defaults as JSON, secrets masked."""
    params: JsonValue = check.measurement.params.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps(masker.json(params), ensure_ascii=False) if params else ""


def _describe_promise(info: CheckInfo) -> dict[str, str]:
    """Return the promise or practice that a check names, with its source."""
    if info.promise is None:
        return {}
    label = "practice" if info.promise.practice else "promise"
    return {label: f"{info.promise.id}: {info.promise.text} Source: {info.promise.source}"}


def _proofs(check_id: str) -> str:
    """Return the defects of the embedded stack that this check must catch, if the embedded stack is installed."""
    if missing_packages():
        return ""
    from xnai_validate.demo.defects import CATALOGUE  # needs the extra `demo`

    names = [name for name, defect in CATALOGUE.items() if check_id in defect.checks]
    return ", ".join(f"--defect {name}" for name in names)
