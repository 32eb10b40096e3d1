"""Counters of the family `counting` as the params of flows name them."""

from __future__ import annotations

from typing import Any

from xnai_validate.kit import Target

API = Target("api", "http://127.0.0.1:1")


OTHER = Target("other", "http://127.0.0.1:2")


ADD = {"kind": "counting.add"}


CALLS = {"kind": "counting.read", "fact": "calls"}


def watch(fact: str, path: str | None = None, **with_: Any) -> dict[str, Any]:
    return {"kind": "counting.read", "fact": fact, "path": path, "with": with_}
