"""The types of parameters as a person writes them."""

from __future__ import annotations

from xnai_validate import registry
from xnai_validate.cli.terminal.type_names import default_of, type_of


def test_types_as_a_person_writes_them() -> None:
    """Types of parameters read as words, defaults as they would be written."""
    scalars = [{"type": name} for name in ("string", "integer", "number", "boolean")]
    assert type_of({"anyOf": [*scalars, {"type": "null"}]}) == "scalar"
    assert type_of({"anyOf": [{"type": "string"}, {"type": "null"}]}) == "text"
    assert type_of({"type": "array", "items": {"enum": ["a", "b"]}}) == "list of one of a, b"
    assert type_of({"$ref": "#/$defs/JsonValue"}) == "any JSON"
    checker = registry.CHECKERS.get("http.request")
    timeout = checker.params.model_json_schema(by_alias=True)["properties"]["timeout"]
    assert (type_of(timeout), default_of(timeout)) == ("duration", "default 10s")
