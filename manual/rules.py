"""The page of the rules: which operators each type of fact takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from manual.markdown import code, table
from xnai_validate.schema import kinds_schema

OPERATORS = {
    "min": ("at least this number, duration or size", "{min: 5}"),
    "max": ("at most this number, duration or size", "{max: 2s}"),
    "in": ("one of these values", "{in: [200, 204]}"),
    "not": ("a value or a rule that must not hold", "{not: 500}"),
    "matches": ("a regular expression that occurs in the text; `^` and `$` are its ends", "{matches: '^nginx'}"),
    "contains": ("a text or an element that it contains", "{contains: sid}"),
    "length": ("a rule about the number of characters, elements or keys", "{length: {min: 1}}"),
    "age": ("the time between then and now, for ISO 8601 with a zone, a date of HTTP, or seconds since 1970",
            "{age: {max: 5m}}"),
    "schema": ("a file with a JSON Schema, beside the suite", "{schema: answer.json}"),
}  # fmt: skip
"""Operator -> what it requires, and an example."""
INTRO = """\
A rule stands beside a fact, under `expect:` (else the check fails) or `warn:` (else it warns). A plain value means
*equals*, strictly and at every depth, as in JSON: `true` is not `1`. `null` holds where there is no value. Otherwise a
rule is a mapping of operators, all of which must hold. A value that was not measured satisfies no rule but `null`.
"""
JSON = """\
## JSON

A fact that is a JSON document takes a rule, or JSONPath (RFC 9535) -> rule:

```yaml
expect:
  json:
    $.status: healthy
    $.items: {length: {min: 1}}
    $.updated_at: {age: {max: 1h}}
```

A path that selects nothing satisfies no rule.
"""


def operators(definitions: dict[str, object]) -> dict[str, list[str]]:
    """Return the type of a fact -> the operators that a rule about it takes, out of the published schema."""
    found: dict[str, list[str]] = {}
    for name, definition in definitions.items():
        if not name.startswith("rule of ") or not isinstance(definition, dict):
            continue
        names = set(_properties(definition))
        found[name.removeprefix("rule of ")] = [each for each in OPERATORS if each in names]
        unknown = names - set(OPERATORS)
        if unknown:
            raise ValueError(f"operators without a description: {', '.join(sorted(unknown))}")
    return found


def _properties(definition: Mapping[str, Any]) -> Iterator[str]:
    """Yield the properties of a definition and of its alternatives, at every depth."""
    yield from definition.get("properties", {})
    for inner in definition.get("anyOf", []):
        yield from _properties(inner)


def page() -> str:
    """Return the text of the page."""
    _, definitions = kinds_schema([])
    described = [(code(name), text, code(example)) for name, (text, example) in OPERATORS.items()]
    taken = [
        (name, ", ".join(map(code, names)))
        for name, names in operators(dict(definitions)).items()
        if name not in ("age", "length")
    ]
    return (
        f"# Rules\n\n{INTRO}\n{table(('operator', 'requires', 'example'), described)}\n## By type of fact\n\n"
        f"{table(('type', 'operators'), taken)}\n"
        "A mapping takes `length`, or a rule for each key; a choice of words takes `in`, `matches` and `not`.\n\n"
        + JSON
    )
