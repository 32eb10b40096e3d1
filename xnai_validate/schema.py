"""JSON Schema (draft 2020-12) of the kinds of checks, the report and the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from xnai_validate.kit import Checker, Fault
from xnai_validate.model.field_descriptions import DescribedSchema, field_descriptions
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.judging.fact_types import FactType
from xnai_validate.model.results.events import Event
from xnai_validate.model.results.report import RunReport

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "reference"
"""The definition of a text with a `${...}` in it, allowed instead of any value in a file."""

_WRAPPED = ("items", "additionalProperties", "contains")


def report_schema() -> JsonObject:
    """The schema of the JSON report."""
    made = TypeAdapter(RunReport).json_schema(by_alias=True, schema_generator=DescribedSchema, mode="serialization")
    return {"$schema": DIALECT, "title": "Report of xnai-validate", **without_title(made)}


def events_schema() -> JsonObject:
    """The schema of one event: a line of a journal or of the JSON lines format."""
    adapter: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])
    made = adapter.json_schema(by_alias=True, schema_generator=DescribedSchema, mode="serialization")
    return {"$schema": DIALECT, "title": "Event of xnai-validate", **without_title(made)}


def without_title(schema: Mapping[str, JsonValue]) -> JsonObject:
    """A schema without its generated title."""
    return {key: value for key, value in schema.items() if key != "title"}


def kinds_schema(
    checkers: Iterable[Checker], rules: tuple[str, ...] = ("expect", "warn")
) -> tuple[list[JsonValue], JsonObject]:
    """Return the conditions for `allOf` (kind -> schema of its params and facts), and the definitions they refer to.

    `rules`: the keys under which a check has rules.
    """
    conditions: list[JsonValue] = []
    definitions: JsonObject = dict(_RULES)
    for checker in checkers:
        kind = checker.kind
        params = model_schema(checker.params, f"{kind}.", definitions)
        facts = _facts_schema(checker)
        definitions[f"{kind}:with"] = params
        definitions[f"{kind}:facts"] = facts
        then: JsonObject = {"with": {"$ref": f"#/$defs/{kind}:with"}}
        for key in rules:
            then[key] = {"$ref": f"#/$defs/{kind}:facts"}
        conditions.append(
            {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": {"properties": then}}
        )
    return conditions, definitions


def faults_schema(faults: Iterable[Fault], definitions: JsonObject) -> list[JsonValue]:
    """Return the conditions for `allOf` (fault -> schema of its params); what they refer to goes to `definitions`."""
    conditions: list[JsonValue] = []
    for fault in faults:
        name = fault.name
        definitions[f"{name}:with"] = model_schema(fault.params, f"{name}.", definitions)
        condition: JsonObject = {"properties": {"fault": {"const": name}}, "required": ["fault"]}
        conditions.append({"if": condition, "then": {"properties": {"with": {"$ref": f"#/$defs/{name}:with"}}}})
    return conditions


def model_schema(model: type[BaseModel], prefix: str, definitions: JsonObject) -> JsonObject:
    """The schema of a model as it is written in a file; what it refers to goes to `definitions`, with the prefix.

    With a prefix it is a schema of params, where a `${...}` may replace a whole list or mapping.
    """
    made: dict[str, Any] = model.model_json_schema(
        by_alias=True, ref_template=f"#/$defs/{prefix}{{model}}", schema_generator=DescribedSchema
    )
    for name, definition in made.pop("$defs", {}).items():
        definitions[f"{prefix}{name}"] = with_references(definition, bool(prefix))
    return without_title(with_references(made, bool(prefix)))


def with_references(schema: JsonValue, whole: bool) -> Any:
    """Return a schema in which a `${...}` may replace every value that is not free text anyway.

    `whole`: also for a list or a mapping as a whole.
    """
    if isinstance(schema, list):
        return [with_references(item, whole) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made: JsonObject = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties") and isinstance(value, dict):
            made[key] = {name: _allow_reference(inner, whole) for name, inner in value.items()}
        elif key in _WRAPPED and isinstance(value, dict):
            made[key] = _allow_reference(value, whole)
        elif key in ("default", "const", "enum", "examples"):
            made[key] = value
        else:
            made[key] = with_references(value, whole)
    return made


def _allow_reference(schema: JsonValue, whole: bool) -> JsonValue:
    """Return the schema of a value in whose place a reference may stand. `whole`: as in `with_references`."""
    inner: JsonValue = with_references(schema, whole)
    if not isinstance(inner, dict) or not inner or (inner.get("type") == "string" and "pattern" not in inner):
        return inner
    if not whole and (inner.get("type") in ("object", "array") or not {"type", "enum"} & set(inner)):
        return inner
    outer: JsonObject = {key: inner.pop(key) for key in ("title", "description", "default") if key in inner}
    return {**outer, "anyOf": [inner, {"$ref": f"#/$defs/{REFERENCE}"}]}


def _facts_schema(checker: Checker) -> JsonObject:
    """The schema of `expect` and `warn`: fact -> rule."""
    texts = field_descriptions(checker.facts)
    described = {field.alias or name: texts.get(name) for name, field in checker.facts.model_fields.items()}
    properties: JsonObject = {}
    for name, kind in checker.types.items():
        rule = _rule_schema(kind)
        properties[name] = {"description": described[name], **rule} if described[name] else rule
    return {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": properties}


def _rule_schema(kind: FactType) -> JsonObject:
    """Return the schema of the rules about a fact of one type."""
    if kind.shape == "choice":
        return _scalar_rule({"enum": list(kind.choices)}, ("in", "matches"))
    if kind.shape == "map":
        return {
            "anyOf": [
                _reference_to("rule-of-length"),
                {"type": "object", "additionalProperties": _reference_to("rule-of-json")},
            ]
        }
    return _reference_to(f"rule-of-{kind.shape}")


def _reference_to(name: str) -> JsonObject:
    """Return a reference to a definition of the same schema."""
    return {"$ref": f"#/$defs/{name}"}


def _scalar_rule(value: JsonObject, operators: Iterable[str]) -> JsonObject:
    """A value (it must equal), or a mapping of operators; `not` takes either."""
    of: dict[str, JsonObject] = {
        "min": _QUANTITY,
        "max": _QUANTITY,
        "in": {
            "anyOf": [
                {"type": "array", "minItems": 1, "items": {"anyOf": [value, {"$ref": f"#/$defs/{REFERENCE}"}]}},
                {"$ref": f"#/$defs/{REFERENCE}"},
            ]
        },
        "matches": {"type": "string"},
        "contains": {},
        "length": _reference_to("rule-of-number"),
        "age": _reference_to("rule-of-age"),
        "schema": {"type": "string", "description": "A file with a JSON Schema, beside the suite."},
        "not": {},
    }
    mapping: JsonObject = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {name: of[name] for name in (*operators, "not")},
    }
    return {"anyOf": [value, {"type": "null"}, {"$ref": f"#/$defs/{REFERENCE}"}, mapping]}


REFERENCE_SCHEMA: JsonObject = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "An environment variable or a var.",
}
"""The definition `REFERENCE`."""
_QUANTITY: JsonObject = {"type": ["number", "string"]}
_RULES: JsonObject = {
    REFERENCE: REFERENCE_SCHEMA,
    "rule-of-number": _scalar_rule(_QUANTITY, ("min", "max", "in", "age")),
    "rule-of-text": _scalar_rule({"type": "string"}, ("in", "matches", "contains", "length", "age")),
    "rule-of-flag": _scalar_rule({"type": "boolean"}, ("in",)),
    "rule-of-list": _scalar_rule({"type": "array"}, ("contains", "length", "schema")),
    "rule-of-age": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {"min": _QUANTITY, "max": _QUANTITY},
        "description": "The age of a time: ISO 8601 with a zone, a date of HTTP, or a number since 1970.",
    },
    "rule-of-length": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "contains": {},
            "length": _reference_to("rule-of-number"),
            "schema": {"type": "string"},
            "not": {},
        },
    },
    "rule-of-json": {
        "anyOf": [
            {"type": ["string", "number", "boolean", "null", "array"]},
            _scalar_rule({}, ("min", "max", "in", "matches", "contains", "length", "age", "schema")),
            {"type": "object", "minProperties": 1, "patternProperties": {r"^\$": {}}, "additionalProperties": False},
        ]
    },
}
