"""A check as `init` writes it in a suite."""

from __future__ import annotations

from xnai_validate.model.json import JsonObject, JsonValue


def check_entry(
    name: str, title: str, kind: str, target: str, params: JsonObject, expect: JsonObject, needs: list[str]
) -> JsonObject:
    """Return a check as it is written in a suite; empty parts are left out."""
    check: JsonObject = {"id": name, "title": title, "kind": kind, "target": target}
    if params:
        check["with"] = params
    if expect:
        check["expect"] = expect
    if needs:
        check["needs"] = list[JsonValue](needs)
    return check
