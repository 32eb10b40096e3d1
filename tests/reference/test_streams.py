"""What the bundled checks ask of streams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

CHECKS = Path(__file__).parents[2] / "checks"
FRAMING = "streaming/stream:frames"
"""The one check that reads a stream as a browser does."""


def _streams(value: object) -> Iterator[dict[str, object]]:
    """The parameters of every stream that is read within a value."""
    if isinstance(value, dict):
        if value.get("kind") in ("sse.stream", "sse.streams", "load.sse"):
            yield value["with"]
        for inner in value.values():
            yield from _streams(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _streams(inner)


def test_one_check_judges_the_framing_of_a_stream() -> None:
    """All others read leniently: one defect of framing would fail thirty checks, and hide what else is wrong."""
    strict = {
        f"{path.relative_to(CHECKS).with_suffix('')}:{check['id']}"
        for path in CHECKS.rglob("*.yaml")
        if "recipes" not in path.parts
        for check in (yaml.safe_load(path.read_text()) or {}).get("checks", ())
        if any("lenient" not in params for params in _streams(check))
    }
    assert strict == {FRAMING}
