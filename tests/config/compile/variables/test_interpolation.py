"""References to the environment and to vars are replaced, with their types kept and their errors placed."""

from __future__ import annotations

import pytest

from xnai_validate.config.compile.variables.interpolation import Interpolator, Reference, parts
from xnai_validate.config.compile.variables.space import VarSpace
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.json import JsonObject, JsonValue

ENVIRON = {"HOST": "example", "PORT": "8000", "EMPTY": "", "API_TOKEN": "s3cret-token", "YES": "true"}
VARS: JsonObject = {
    "layout": "A",
    "budget": {"ms": 200, "ratio": 0.5},
    "canaries": [{"question": "What?"}],
    "token": "${API_TOKEN}",
    "url": "http://${HOST}:${PORT}",
    "nothing": None,
    "flag": True,
}


def interpolator(vars_: JsonObject | None = None) -> Interpolator:
    space = VarSpace()
    space.overlay(VARS if vars_ is None else vars_, Where(None))
    return Interpolator(ENVIRON, space, Problems())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${HOST}", "example"),
        ("${PORT}", 8000),
        ("port ${PORT}", "port 8000"),
        ("${YES}", True),
        ("${NONE:-5s}", "5s"),
        ("${NONE:-5}", 5),
        ("${NONE:-}", None),
        ("x${NONE:-}y", "xy"),
        ("${EMPTY:-other}", "other"),
        ("${NONE:-${HOST}:${PORT}}", "example:8000"),
        ("${NONE-5s}", "5s"),
        ("${PORT-2283:2283}", 8000),
        ("x${EMPTY-other}y", "xy"),
        ("${NONE-:2283:2283}", ":2283:2283"),
        ("${HOST:?must be set}", "example"),
        ("x${EMPTY?must be set}", "x"),
        ("${HOST:+up}", "up"),
        ("x${NONE:+up}${EMPTY:+up}", "x"),
        ("${EMPTY+up}", "up"),
        ("x${NONE+up}", "x"),
        ("${budget.ms}", 200),
        ("${budget.ms}ms", "200ms"),
        ("${budget}", {"ms": 200, "ratio": 0.5}),
        ("${canaries.0.question}", "What?"),
        ("${no.such:-3}", 3),
        ("${url}/health", "http://example:8000/health"),
        ("is ${flag}${nothing}", "is true"),
        ("$${HOST} costs $5 and {x}", "${HOST} costs $5 and {x}"),
        ("$.status", "$.status"),
    ],
)
def test_references_are_replaced(text: str, value: JsonValue) -> None:
    """A scalar that is nothing but a reference keeps the type; within text a value is spelled as YAML would."""
    values = interpolator()
    assert values.value(text, Where(None)) == value
    assert not values.problems.found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${NONE:?set it to the url of the shop}", "NONE is not set: set it to the url of the shop"),
        ("${EMPTY:?not empty}", "EMPTY is not set: not empty"),
        ("${NONE?}", "the environment variable NONE is not set"),
        ("${NONE:?see ${HOST}}", "NONE is not set: see example"),
    ],
)
def test_a_required_variable_has_its_own_error(text: str, expected: str) -> None:
    """The text after `?` is the error of a variable that is not set."""
    values = interpolator()
    values.value(text, Where(None))
    (problem,) = values.problems.found
    assert problem.message.endswith(expected)


def test_lists_and_mappings_are_walked_and_keys_left_alone() -> None:
    """References are replaced in values at any depth, never in keys."""
    raw: JsonValue = {"${HOST}": ["${HOST}", {"a": "${PORT}"}], "b": 1}
    assert interpolator().value(raw, Where(None)) == {"${HOST}": ["example", {"a": 8000}], "b": 1}


def test_secrets_are_remembered() -> None:
    """The value of a variable or var whose name looks secret must never reach an event."""
    values = interpolator()
    values.value(["Bearer ${token}", "${HOST}"], Where(None))
    assert values.secrets == {"s3cret-token"}


def test_a_var_is_resolved_once_and_circles_are_named() -> None:
    """Vars may refer to vars, but not around in a circle."""
    values = interpolator({"a": "${b}", "b": "${a}"})
    values.value("${a}", Where(None))
    assert [problem.message for problem in values.problems.found] == ["vars refer to each other: a -> b -> a"]


def test_what_has_no_value_is_counted() -> None:
    """A check that is not for this stack may refer to what the stack does not have; that is known afterwards."""
    values = interpolator()
    values.value({"a": "${nothing}", "b": "${layout}"}, Where(None))
    assert values.missing_values == 1


def test_a_text_is_cut_into_its_pieces() -> None:
    """Braces within a default belong to it."""
    assert parts("a${B:-x${c.d}}e") == ("a", Reference("B", "x${c.d}"), "e")
    with pytest.raises(ValueError, match="without its }"):
        parts("a${B:-x${c.d}")


def test_what_vars_expand_to_is_bounded() -> None:
    """Vars that repeat one another many times are an error with its place, not a full memory."""
    tenfold: JsonObject = {"v0": "x" * 10}
    for level in range(1, 10):
        tenfold[f"v{level}"] = f"${{v{level - 1}}}" * 10
    values = interpolator(tenfold)
    assert values.lookup("v9", Where(None)) is None
    assert any("references expand to more than 16 MiB of text" in str(found) for found in values.problems.found)
    lists: JsonObject = {"v0": [1] * 10}
    for level in range(1, 10):
        lists[f"v{level}"] = [f"${{v{level - 1}}}"] * 10
    values = interpolator(lists)
    values.lookup("v9", Where(None))
    assert any("expands to more than 1000000 values" in str(found) for found in values.problems.found)


@pytest.mark.parametrize(
    "vars_",
    [
        {"a": "${A:-" * 5000 + "x" + "}" * 5000},
        {"a": "${v999}", "v0": "x", **{f"v{n}": f"${{v{n - 1}}}" for n in range(1, 1000)}},
    ],
)
def test_references_within_one_another_are_bounded(vars_: JsonObject) -> None:
    """Defaults within defaults, and vars of vars of vars: an error with its place, not the end of Python's stack."""
    made = interpolator(vars_)
    assert made.lookup("a", Where(None)) is None
    (problem,) = made.problems.found
    assert problem.message == "references stand within one another more than 50 levels deep"
