"""What YAML files say is remembered, is the same as if it were read anew, and is never in the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xnai_validate.config import parsed
from xnai_validate.config.source import Source, parse_source

SUITE = b"""title: Some
checks:
  - id: a
    with: &shared {path: /, headers: {x: [1, 2.5, true, null, "1"]}}
  - id: b
    with: *shared
  - id: c
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is remembered; nothing is at first."""
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path))
    return tmp_path / "parsed"


def read(data: bytes) -> Source:
    source, problems = parse_source(data, "it.yaml")
    assert source is not None
    assert not problems
    return source


def test_it_says_the_same_and_what_is_one_stays_one(folder: Path) -> None:
    """Values, the lines of list items, and the places that are looked up when something is wrong."""
    first, second = read(SUITE), read(SUITE)
    assert len(list(folder.iterdir())) == 1
    for source in (first, second):
        assert repr(source.value) == repr(first.value)  # 1 is not true, and not 1.0
        assert [source.line_of("checks", index) for index in range(3)] == [3, 5, 7]
        assert source.place(("checks", 2, "id")).line == 7
        checks: Any = source.value["checks"]  # type: ignore[index,call-overload]  # a mapping
        assert checks[0]["with"] is checks[1]["with"]


def test_the_parser_is_not_even_imported() -> None:
    """That is most of what is saved."""
    code = (
        "import sys\nfrom xnai_validate.config.source import parse_source\n"
        f"print(parse_source({SUITE!r}, 'x')[0].value['title'], 'yaml' in sys.modules)"
    )
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout for _ in "12"
    ]
    assert said == ["Some True\n", "Some False\n"]


def test_mistakes_are_told_every_time(folder: Path) -> None:
    """Neither a text that is no YAML nor one with a key twice is remembered."""
    for _ in range(2):
        assert [one.message for one in parse_source(b"a: 1\na: 2\n", "it.yaml")[1]] == ['the key "a" stands here twice']
        assert parse_source(b"a: [1", "it.yaml")[0] is None
        assert parse_source(b"a: caf\xe9", "it.yaml")[1][0].message == "not UTF-8 text"
    assert not folder.exists()


@pytest.mark.parametrize(
    "spoil", [lambda kept: b"", lambda kept: kept[:-1], lambda kept: kept[:40] + b"\xff" + kept[41:]]
)
def test_what_was_damaged_is_read_anew(folder: Path, spoil: Callable[[bytes], bytes]) -> None:
    """An empty, a truncated and a changed file; the next one is whole again."""
    read(SUITE)
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(spoil(whole))
    assert read(SUITE).line_of("checks", 1) == 5
    assert kept.read_bytes() == whole


def test_a_folder_that_cannot_be_had_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its place, a home that does not exist, none at all."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path / "file"))
    read(SUITE)
    monkeypatch.delenv("XNAI_VALIDATE_STATE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    read(SUITE)

    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr(Path, "home", no_home)
    read(SUITE)


def test_it_lies_where_caches_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a state directory of its own; readable by its owner only."""
    monkeypatch.delenv("XNAI_VALIDATE_STATE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    read(SUITE)
    (kept,) = (tmp_path / "cache" / "xnai-validate").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700


def test_the_oldest_are_let_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are never more than a few hundred."""
    monkeypatch.setattr(parsed, "KEEP_FILES", 8)
    for number in range(20):
        read(f"a: {number}".encode())
        assert len(list(folder.iterdir())) <= 8
    assert parsed.recall(b"a: 19") is not None
    assert parsed.recall(b"a: 0") is None


def test_what_other_code_has_read_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version may say something else of the same text."""
    read(SUITE)
    monkeypatch.setattr(parsed, "__version__", "0.0.0")
    assert parsed.recall(SUITE) is None
