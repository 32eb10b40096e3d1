"""The ids of bundled checks are stable: baselines, waivers and selections of users name them."""

from __future__ import annotations

from pathlib import Path

import yaml

HERE = Path(__file__).parent
CHECKS = HERE.parent.parent / "checks"


def test_every_released_check_id_still_exists() -> None:
    """An id that was released is removed or renamed only together with its line in `check-ids.txt`."""
    existing = set()
    for file in CHECKS.glob("*/*.yaml"):
        suite = yaml.safe_load(file.read_text(encoding="utf-8"))
        existing |= {f"{file.parent.name}/{file.stem}:{check['id']}" for check in suite.get("checks", ())}
    released = (HERE / "check-ids.txt").read_text(encoding="utf-8").split()
    assert len(released) == len(set(released))
    assert set(released) - existing == set()
