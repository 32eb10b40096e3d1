"""YAML is read with the place of everything in it, bounded, whatever the file holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.config.yaml_files import reader as yamlevents
from xnai_validate.config.yaml_files.document import SIZE_CAP, Source, parse_source, read_source

TEXT = """\
title: Two   # a comment
base: &base {kind: a, needs: [x, "y"]}
checks:
  - <<: *base
    id: one
    kind: b
  - {<<: [*base], id: 'two', on: no}
"""


def parsed(text: str) -> Source:
    source, problems = parse_source(text.encode(), "it.yaml")
    assert source is not None
    assert not problems
    return source


def test_values_anchors_and_merge_keys() -> None:
    """A merge key adds what the mapping does not have itself; keys are text, whatever they look like."""
    assert parsed(TEXT).value == {
        "title": "Two",
        "base": {"kind": "a", "needs": ["x", "y"]},
        "checks": [
            {"kind": "b", "needs": ["x", "y"], "id": "one"},
            {"kind": "a", "needs": ["x", "y"], "id": "two", "on": "no"},
        ],
    }


@pytest.mark.parametrize(
    ("steps", "line", "column"),
    [
        (("title",), 1, 8),
        (("base", "needs", 1), 2, 34),
        (("checks", 0, "kind"), 6, 11),
        (("checks", 1), 7, 5),
        (("checks", 1, "on"), 7, 34),
        (("checks", 0, "needs", 0), 2, 31),
        (("checks", 0, "missing"), 4, 5),
        (("nowhere", "at", "all"), 1, 1),
    ],
)
def test_every_value_has_its_place(steps: tuple[str | int, ...], line: int, column: int) -> None:
    """A scalar stands where it is written, a merged one where its anchor is, what is missing where its container is."""
    place = parsed(TEXT).place(steps)
    assert (place.line, place.column) == (line, column)


def test_checks_know_their_lines_without_a_second_reading() -> None:
    """The line of a mapping in a list is known at once: it is the source of a check in the report."""
    source = parsed(TEXT)
    assert isinstance(source.value, dict)
    checks = source.value["checks"]
    assert isinstance(checks, list)
    assert [source.line_of("checks", index) for index in range(len(checks))] == [4, 7]


def test_values_that_repeat_are_one() -> None:
    """Equal values under one key of item after item are kept once; those that only compare as equal are not."""
    text = "- with: {a: [1, x]}\n- with: {a: [1, x]}\n- with: {a: [true, x]}\n- with: {a: [1.0, x]}\n"
    value = parsed(text).value
    assert isinstance(value, list)
    items = [item["with"] for item in value if isinstance(item, dict)]
    assert items[0] is items[1]
    assert [repr(item) for item in items[1:]] == ["{'a': [1, 'x']}", "{'a': [True, 'x']}", "{'a': [1.0, 'x']}"]


def test_the_slow_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML was built without libyaml, values, places and errors are the same."""
    fast = parsed(TEXT)
    monkeypatch.setattr(yamlevents, "_Loader", yaml.SafeLoader)
    slow = parsed(TEXT)
    assert slow.value == fast.value
    assert slow.place(("checks", 1, "on")) == fast.place(("checks", 1, "on"))
    assert parse_source(b"a: [1", "x")[1][0].place is not None


def test_bytes_that_are_not_utf8_are_refused_with_their_line() -> None:
    """A file in another encoding is named as such, not misread."""
    source, (problem,) = parse_source(b"title: a\nfix: caf\xe9\n", "it.yaml")
    assert source is None
    assert str(problem) == "it.yaml:2: not UTF-8 text; save the file as UTF-8"


def test_files_too_large_or_missing_are_refused(tmp_path: Path) -> None:
    """What is read is bounded; what cannot be read is reported in a sentence."""
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (SIZE_CAP + 1))
    assert "larger than 8 MiB" in read_source(large, "large.yaml")[1][0].message
    assert "No such file" in read_source(tmp_path / "none.yaml", "none.yaml")[1][0].message


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_endless_nesting_is_an_error_and_no_crash(opening: str) -> None:
    """A hundred thousand opened brackets end in a sentence; a recursive reader would end the process."""
    source, problems = parse_source((opening * 100_000).encode(), "deep.yaml")
    assert source is None
    assert len(problems) == 1


def test_aliases_may_repeat_what_is_small() -> None:
    """A thousand aliases of a small anchor are fine: only what explodes is refused."""
    text = "a: &a {x: 1}\nb: [" + ", ".join(["*a"] * 1000) + "]\n"
    value = parsed(text).value
    assert isinstance(value, dict)
    assert isinstance(value["b"], list)
    assert len(value["b"]) == 1000


TEXTS = st.text(st.characters(max_codepoint=0xFFFD, exclude_categories=["Cs"]), max_size=8)
"""Beyond the first plane JSON escapes are surrogate pairs, which YAML does not know."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_json_is_yaml(value: object) -> None:
    """Every JSON document is read as what it is (YAML 1.2 is a superset of JSON)."""
    source, problems = parse_source(json.dumps({"v": value}).encode(), "it.yaml")
    assert source is not None, problems
    assert source.value == {"v": value}


def test_json_with_surrogate_pairs_is_read() -> None:
    """`json.dumps` writes a character beyond U+FFFF as two escapes, which YAML alone refuses."""
    document = {"title": "one \U0001f600 two", "path": "\\ud83d"}
    assert parsed(json.dumps(document)).value == document


def test_half_a_surrogate_pair_is_an_error_with_its_place() -> None:
    """Half a character is none."""
    source, (problem,) = parse_source(b'title: "a"\nother: "\\ud83d"\n', "it.yaml")
    assert source is None
    assert problem.place is not None
    assert (problem.place.line, problem.message.startswith("not YAML: found invalid Unicode")) == (2, True)


def test_an_error_shows_its_line_without_credentials() -> None:
    """Errors go to logs of CI: what stands under a secret name is blanked, and the caret stays in its place."""
    problem = parsed("a: {password: hunter2, b: c}\n").problem(("a", "b"), "wrong")
    assert problem.excerpt == "a: {password: *******, b: c}"
    assert problem.place is not None
    assert problem.place.column == 27
