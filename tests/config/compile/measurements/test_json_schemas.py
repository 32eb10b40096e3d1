"""A rule names a JSON Schema beside its suite; a document is judged by it, and a schema that is wrong is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from xnai_validate.config.compile.measurements.measurements import Measurements
from xnai_validate.config.yaml_files.document import read_source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.errors import Unmeasurable
from xnai_validate.model.judging.findings import Finding, describe_finding, judge
from xnai_validate.model.source_location import InvalidConfig

ANSWER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
    "$defs": {"item": {"type": "object", "required": ["name"]}},
}


def judged(folder: Path, rule: Any, document: Any, fact: str = "json") -> Finding:
    """The finding of a rule of a suite in a folder about a document; raises InvalidConfig."""
    (folder / "suite.yaml").write_text(json.dumps({"expect": {fact: rule}}))
    source, problems = read_source(folder / "suite.yaml", "suite.yaml")
    assert source is not None
    assert problems == ()
    noted = Problems()
    measurement = Measurements(noted, frozenset({"api"}), set()).compile(
        "http.request", {}, {fact: rule}, None, "api", Where(source)
    )
    noted.raise_if_any()
    assert measurement is not None
    rules = [each for each in measurement.rules if each.fact == fact]
    return judge(rules, {fact: document})[0]


def write(folder: Path, schema: Any, name: str = "answer.json") -> None:
    """Write a schema beside the suite."""
    (folder / name).write_text(schema if isinstance(schema, str) else json.dumps(schema))


def test_a_document_conforms_or_its_errors_have_places(tmp_path: Path) -> None:
    """The errors of the document are what was got, each with its place; `not` turns the rule round."""
    write(tmp_path, ANSWER)
    rule = {"$": {"schema": "answer.json"}}
    assert judged(tmp_path, rule, {"id": 1, "items": [{"name": "a"}]}).held
    finding = judged(tmp_path, rule, {"id": "x", "items": [{"name": "a"}, {}]})
    assert not finding.held
    assert finding.actual == ["$.id: 'x' is not of type 'integer'", "$.items[1]: 'name' is a required property"]
    text = describe_finding(finding)
    assert 'expected a document of the schema "answer.json"' in text
    assert "$.items[1]: 'name' is a required property" in text
    assert judged(tmp_path, {"$": {"not": {"schema": "answer.json"}}}, {}).held
    assert not judged(tmp_path, {"$": {"not": {"schema": "answer.json"}}}, {"id": 1}).held


def test_a_part_of_a_document_and_a_missing_one(tmp_path: Path) -> None:
    """The schema is of the value at the path; what is not there conforms to no schema."""
    write(tmp_path, {"type": "object", "required": ["name"]})
    rule = {"$.items[0]": {"schema": "answer.json"}}
    assert judged(tmp_path, rule, {"items": [{"name": "a"}]}).held
    assert not judged(tmp_path, rule, {"items": []}).held
    assert not judged(tmp_path, {"$": {"schema": "answer.json"}}, None).held
    assert not judged(tmp_path, {"$.x": {"not": {"schema": "answer.json"}}}, {}).held


def test_suites_of_two_folders_have_their_own_schemas(tmp_path: Path) -> None:
    """Equal rules of two folders name two files, and a file that has changed is read again."""
    for name, schema in (("one", {"type": "object"}), ("two", {"type": "array"})):
        (tmp_path / name).mkdir()
        write(tmp_path / name, schema)
    rule = {"$": {"schema": "answer.json"}}
    assert judged(tmp_path / "one", rule, {}).held
    assert not judged(tmp_path / "two", rule, {}).held
    write(tmp_path / "two", {"type": "object"})
    os.utime(tmp_path / "two" / "answer.json", (1, 1))
    assert judged(tmp_path / "two", rule, {}).held


def test_errors_are_bounded(tmp_path: Path) -> None:
    """Of a document with many errors the first ones are reported."""
    write(tmp_path, {"items": {"type": "integer"}})
    finding = judged(tmp_path, {"$": {"schema": "answer.json"}}, ["x" * 1000] * 1000)
    assert isinstance(finding.actual, list)
    assert len(finding.actual) == 10
    assert len(str(finding.actual)) < 3000


def test_references_by_anchor_and_by_escaped_pointer_are_followed(tmp_path: Path) -> None:
    """RFC 6901 section 6: a pointer in a fragment is percent-encoded."""
    write(tmp_path, {"$defs": {"a b": {"$anchor": "x", "type": "integer"}}, "items": {"$ref": "#/$defs/a%20b"}})
    assert judged(tmp_path, {"$": {"schema": "answer.json"}}, [1]).held
    write(tmp_path, {"$defs": {"a": {"$anchor": "x", "type": "integer"}}, "items": {"$ref": "#x"}}, "other.json")
    assert not judged(tmp_path, {"$": {"schema": "other.json"}}, ["1"]).held


@pytest.mark.parametrize(
    ("dialect", "anchor"),
    [
        ("http://json-schema.org/draft-04/schema#", "id"),
        ("http://json-schema.org/draft-07/schema", "$id"),
        ("https://json-schema.org/draft-07/schema#", "$id"),
        ("http://json-schema.org/schema#", "$anchor"),
        ("https://json-schema.org/draft/2020-12/schema", "$anchor"),
        ("https://spec.openapis.org/oas/3.1/dialect/base", "$anchor"),
    ],
)
def test_schemas_of_each_dialect_are_read(tmp_path: Path, dialect: str, anchor: str) -> None:
    """With the anchors of the dialect, and with either scheme in the url of the dialect, as files have it."""
    name = "x" if anchor == "$anchor" else "#x"
    write(
        tmp_path,
        {"$schema": dialect, "definitions": {"a": {anchor: name, "type": "integer"}}, "items": {"$ref": "#x"}},
    )
    rule = {"$": {"schema": "answer.json"}}
    assert (judged(tmp_path, rule, [1]).held, judged(tmp_path, rule, ["1"]).held) == (True, False)


def test_a_pattern_that_takes_for_ever_is_not_judged(tmp_path: Path) -> None:
    """A document of a server cannot keep the tool busy: after two seconds of the processor it could not be measured."""
    write(tmp_path, {"pattern": "^(a+)+$"})
    with pytest.raises(Unmeasurable, match="takes more than 2 s to compare"):
        judged(tmp_path, {"$": {"schema": "answer.json"}}, "a" * 60 + "!")


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (None, "cannot be read"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ({"type": "text"}, "invalid at"),
        ({"properties": {"a": {"minimum": "1"}}}, r"invalid at \$\.properties\.a\.minimum"),
        ({"$ref": "#/$defs/gone"}, "which it does not have"),
        ({"$defs": {"a": {"$anchor": "x"}}, "$ref": "#y"}, "which it does not have"),
        ({"$schema": "https://example.org/none"}, "of an unknown dialect"),
        ({"$ref": "other.json"}, "only places of the same file"),
        ({"$ref": "https://example.org/schema"}, "only places of the same file"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_at_load(tmp_path: Path, schema: Any, why: str) -> None:
    """The error names the rule's place in the suite and what is wrong with the schema."""
    if schema is not None:
        write(tmp_path, schema)
    with pytest.raises(InvalidConfig, match=why) as caught:
        judged(tmp_path, {"$": {"schema": "answer.json"}}, {})
    assert caught.value.problems[0].place is not None


def test_a_rule_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    """A schema does not fit a number, is not a mapping in place, and only a regular file is read."""
    with pytest.raises(InvalidConfig, match="does not fit"):
        judged(tmp_path, {"schema": "answer.json"}, 200, fact="status")
    with pytest.raises(InvalidConfig, match="takes the name of a file"):
        judged(tmp_path, {"$": {"schema": {"type": "object"}}}, {})
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InvalidConfig, match="not a regular file"):
        judged(tmp_path, {"$": {"schema": "pipe.json"}}, {})
