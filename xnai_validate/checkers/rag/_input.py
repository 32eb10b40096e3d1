"""One input of a question endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from xnai_validate.kit import JsonValue
from xnai_validate.wire.http.upload import Body

Expectation = Literal["accepted", "refused", "answered"]
"""Within all limits; beyond one, or no question at all; or what may rightly be either."""
JSON = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Input:
    """A request body named after what is special about it."""

    name: str
    expected: Expectation
    body: Body
    headers: tuple[tuple[str, str], ...] = JSON
    also: tuple[int, ...] = ()
    """Further statuses that are right: a refusal by a server that looks at it before the application does, or 504 for
    an input that was taken and whose answer takes too long."""


def of_json(name: str, expected: Expectation, document: JsonValue) -> Input:
    """An input that is a JSON document."""
    return Input(name, expected, json.dumps(document, ensure_ascii=False).encode())
