"""The pages of the kinds of checks: one for each family, and their index."""

from __future__ import annotations

from collections.abc import Iterator

from manual.fields import description, fields, objects
from manual.markdown import code, escape, prose, table
from xnai_validate import registry
from xnai_validate.kit import Checker
from xnai_validate.model.field_descriptions import DescribedSchema, field_descriptions
from xnai_validate.model.judging.findings import expected_text, judge
from xnai_validate.model.judging.rules import parse_rules


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page."""
    rows = []
    for family in registry.CHECKERS.families():
        kinds = registry.CHECKERS.load(family)
        rows += [(f"[`{name}`]({family}.md#{anchor(name)})", escape(kind.title)) for name, kind in kinds.items()]
        shared = prose(registry.CHECKERS.family_doc(family))
        yield f"reference/kinds/{family}.md", f"# {family}\n\n{shared}\n" + "\n".join(map(_kind, kinds.values()))
    intro = "The types of checks. `xnai-validate explain KIND` shows one in the terminal, with its checks.\n"
    yield "reference/kinds/index.md", f"# Kinds\n\n{intro}\n{table(('kind', 'measures'), rows)}"


def anchor(name: str) -> str:
    """Return the anchor that MkDocs makes of a heading: `redis.ping` is found at `redisping`."""
    return name.replace(".", "")


def _kind(checker: Checker) -> str:
    schema = checker.params.model_json_schema(by_alias=True, schema_generator=DescribedSchema)
    traits = [
        "needs a target" if checker.needs_target else "needs no target",
        "runs alone" if checker.exclusive else "",
        "can be measured [from workers](../../distributed.md#checks-from-other-places)" if checker.from_workers else "",
        f"needs the extra `{checker.extra}`" if checker.extra else "",
    ]
    parts = [f"## {checker.kind}\n", prose(checker.doc), f"*{', '.join(filter(None, traits))}*\n"]
    parts += ["**Parameters** (`with:`)\n", fields(schema)]
    for name, part in objects(schema):
        parts += [f"**{name}**: {description(part)}\n", fields(part)]
    parts += ["**Facts** (`expect:`, `warn:`)\n", _facts(checker)]
    if checker.expect:
        parts += ["**Default rules**, unless a check replaces them\n", _default_rules(checker)]
    return "\n".join(parts)


def _facts(checker: Checker) -> str:
    texts = field_descriptions(checker.facts)
    docs = {field.alias or name: texts.get(name, "") for name, field in checker.facts.model_fields.items()}
    rows = [(code(name), escape(str(kind)), escape(docs.get(name, ""))) for name, kind in checker.types.items()]
    return table(("fact", "type", "meaning"), rows)


def _default_rules(checker: Checker) -> str:
    rules, _ = parse_rules(checker.expect, checker.types, kind=checker.kind)
    rows = []
    for rule in rules:
        (finding,) = judge([rule], {})
        rows.append((code(rule.subject), escape(expected_text(finding))))
    return table(("fact", "rule"), rows)
