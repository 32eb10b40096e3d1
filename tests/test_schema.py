"""The published schemas are schemas, stay the same, and hold for what is bundled and what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator, meta

from xnai_validate import registry
from xnai_validate.config.files.json_schema import (
    profile_schema,
    recipe_schema,
    stack_schema,
    suite_schema,
    vars_schema,
)
from xnai_validate.config.search_path import bundled_root
from xnai_validate.config.yaml_files.document import read_source
from xnai_validate.model.json import JsonObject, JsonValue, to_json
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.report import CheckInfo, Criterion, RunInfo, Source
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View
from xnai_validate.schema import events_schema, report_schema

VARS = [bundled_root() / "checks/rag/canaries.yaml"]
SUITES = sorted(set(bundled_root().glob("checks/*/*.yaml")) - set(VARS))
PROFILES = sorted(bundled_root().glob("profiles/*.yaml"))


@cache
def validator(make: Callable[[], JsonObject]) -> Draft202012Validator:
    """The validator of a published schema; the one in Rust takes a thirtieth of the time of the one in Python."""
    return Draft202012Validator(make())


def errors_in(make: Callable[[], JsonObject], value: object) -> list[str]:
    """The errors of a document by a published schema."""
    found = validator(make).iter_errors(value)
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}" for error in found]


@pytest.mark.parametrize(
    "make", [suite_schema, profile_schema, recipe_schema, vars_schema, stack_schema, report_schema, events_schema]
)
def test_each_is_a_schema_and_the_same_each_time(make: object) -> None:
    """Valid by the metaschema of 2020-12, with all references resolved within, and deterministic."""
    assert callable(make)
    schema = make()
    meta.validate(schema)
    assert json.dumps(make()) == json.dumps(schema)
    references = set(_references(schema))
    assert references <= {f"#/$defs/{name}" for name in schema.get("$defs", {})}


def _references(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        own = [str(value["$ref"])] if "$ref" in value else []
        return own + [found for item in value.values() for found in _references(item)]
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []


def _read(path: Path) -> JsonValue:
    source, problems = read_source(path, path.name)
    assert source is not None, problems
    return source.value


def test_the_bundled_files_are_valid() -> None:
    """What is bundled holds the schemas that editors are given."""
    assert PROFILES
    found = {str(path): errors_in(suite_schema, _read(path)) for path in SUITES if path.parent.name != "recipes"}
    found |= {str(path): errors_in(recipe_schema, _read(path)) for path in SUITES if path.parent.name == "recipes"}
    found |= {str(path): errors_in(profile_schema, _read(path)) for path in PROFILES}
    found |= {str(path): errors_in(vars_schema, _read(path)) for path in VARS}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def one_check(**keys: JsonValue) -> JsonObject:
    return {"title": "S", "checks": [{"id": "it", "title": "It", "kind": "http.request", "target": "api", **keys}]}


@pytest.mark.parametrize(
    ("keys", "valid"),
    [
        ({"with": {"path": "/"}, "expect": {"status": 200, "total_ms": {"max": "2s"}}}, True),
        ({"with": {"path": "/", "timeout": "${call_timeout}"}, "retry": {"attempts": 2}}, True),
        ({"expect": {"headers": {"x-request-id": {"matches": "."}}, "json": {"$.a": 1}}}, True),
        ({"expect": {"status": {"not": {"in": [1, 2]}}}}, True),
        ({"expect": {"total_msec": 1}}, False),
        ({"expect": {"total_ms": {"maximum": 1}}}, False),
        ({"expect": {}}, False),
        ({"with": {"pfad": "/"}}, False),
        ({"with": {"timeout": 5}}, False),
        ({"kind": "http.reqest"}, False),
        ({"id": "Not Kebab"}, False),
        ({"expects": {}}, False),
    ],
)
def test_an_editor_sees_what_the_loader_refuses(keys: JsonObject, valid: bool) -> None:
    """Params and facts are checked by the kind of the check; references may stand for values."""
    assert (errors_in(suite_schema, one_check(**keys)) == []) is valid


def test_every_kind_is_in_the_schema() -> None:
    """The schema comes from the registry: a new kind needs no second edit."""
    definitions = suite_schema()["$defs"]
    assert isinstance(definitions, dict)
    for kind in registry.CHECKERS.names():
        assert {f"{kind}:with", f"{kind}:facts"} <= set(definitions)


def run_events() -> list[ev.Event]:
    info = CheckInfo(id="a/b:c", title="T", category="a", kind="k.l", source=Source(file="f.yaml", line=3))
    other = replace(info, id="a/b:d")
    run = RunInfo(id="r", title="P", profiles=("p",), started_at=1.0, host={"cores": 2}, version="1")
    criterion = Criterion(scope="total", rule=Rule("failed", "equals", 0))
    return [
        ev.RunStarted(seq=1, at=1.0, run=run, checks=(info, other), criteria=(criterion,)),
        ev.TargetResolved(seq=2, at=1.0, target="api", url="http://127.0.0.1:1", tried=1, answered=True),
        ev.CheckStarted(seq=3, at=1.0, id="a/b:c"),
        ev.AttemptFinished(seq=4, at=1.1, id="a/b:c", attempt=1, held=False, reason="x", elapsed_ms=1.0),
        ev.FaultInjected(seq=5, at=1.1, fault="redis.pause", target="redis", undo="u1", check="a/b:c"),
        ev.FaultReverted(seq=6, at=1.2, undo="u1", proven=True),
        ev.CheckFinished(
            seq=7,
            at=1.3,
            id="a/b:c",
            status=Status.FAIL,
            reason="x",
            findings=(Finding("status", "equals", 200, 503, False, "expect"),),
            facts={"status": 503, "json": {"a": [1, None]}},
            attempts=1,
            elapsed_ms=1.0,
        ),
        ev.Notice(seq=8, at=1.4, level="warning", text="careful"),
        ev.RunFinished(seq=9, at=1.5, elapsed_ms=500.0, stopped="deadline"),
    ]


def test_a_real_report_and_its_events_are_valid() -> None:
    """What is written holds the schema that is published, with every kind of event in it."""
    report = json.loads(FORMATS.get("json").text(build_report(run_events()), View()))
    assert errors_in(report_schema, report) == []
    for event in run_events():
        assert errors_in(events_schema, json.loads(to_json(event))) == []
    assert errors_in(report_schema, {**report, "verdict": "fine"}) != []
    assert errors_in(events_schema, {"event": "unheard-of"}) != []


def fields_without_description(node: JsonValue, place: str = "") -> list[str]:
    """The properties of a schema that have neither a description nor a definition of their own."""
    found: list[str] = []
    if isinstance(node, dict):
        fields = node.get("properties")
        for name, entry in (fields if isinstance(fields, dict) else {}).items():
            if isinstance(entry, dict) and not {"description", "$ref", "const"} & set(entry):
                found.append(f"{place}.{name}")
        found += [each for key, value in node.items() for each in fields_without_description(value, f"{place}/{key}")]
    elif isinstance(node, list):
        found += [each for value in node for each in fields_without_description(value, place)]
    return found


def test_the_schema_of_stack_files_describes_each_field() -> None:
    """It is the only description of what a stack file may hold."""
    assert fields_without_description(stack_schema()) == []
