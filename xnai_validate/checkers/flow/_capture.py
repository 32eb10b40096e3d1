"""Taking something out of what a step has measured, for later steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Self

from xnai_validate.checkers._watch import Missing, value_at
from xnai_validate.kit import (
    Field,
    Ge,
    JsonValue,
    Le,
    Params,
    field_validator,
    json_path,
    model_validator,
    search,
    verified_regex,
)

VALUE_CAP = 64 * 1024
"""Characters, as JSON, of a captured value."""


class CaptureError(Exception):
    """The step has measured no such value; the message has the reason."""


class SseCapture(Params):
    """Which event of a stream; the step keeps events by its parameter `keep_events`."""

    type: str | None = None
    """Only events of this type."""
    index: Annotated[int, Ge(-1000), Le(999)] = 0
    """Which of them: 0 is the first, -1 the last."""
    path: str = "$"
    """A JSONPath into the event's data."""

    _compiles = field_validator("path")(lambda path: _verify_json_path(path))


class Capture(Params):
    """Where the value stands: one of json, header, cookie, regex, sse or fact."""

    json_: str | None = Field(default=None, alias="json")
    """A JSONPath (RFC 9535) into the body."""
    header: str | None = None
    """The name of a header of the answer."""
    cookie: str | None = None
    """The name of a cookie that the answer sets."""
    regex: str | None = None
    """A regular expression that is looked for in the body as text: its first group, or all of it where it has none."""
    sse: SseCapture | None = None
    """An event of a stream."""
    fact: str | None = None
    """A fact of the step's kind."""
    path: str | None = None
    """With `fact`: a key, where it is a mapping; a JSONPath, where it is a JSON document."""
    secret: bool = False
    """Whether the value is masked in every report; it always is under a name such as `token`, and where a later step
    sends it as a credential."""

    @field_validator("json_", "path")
    @classmethod
    def _verify_path(cls, path: str | None, info: object) -> str | None:
        """Return the path. Raises ValueError if it begins with $ and is not a JSONPath."""
        return _verify_json_path(path) if path is not None and path.startswith("$") else path

    @field_validator("regex")
    @classmethod
    def _verify_pattern(cls, regex: str | None) -> str | None:
        """Return the regular expression. Raises ValueError for text that is not one."""
        return None if regex is None else verified_regex(regex)

    @model_validator(mode="after")
    def _verify_single_place(self) -> Self:
        """Raise ValueError unless the capture names exactly one place."""
        places = (self.json_, self.header, self.cookie, self.regex, self.sse, self.fact)
        if sum(place is not None for place in places) != 1:
            raise ValueError("a capture needs exactly one of json, header, cookie, regex, sse, fact")
        if self.path is not None and self.fact is None:
            raise ValueError("`path` goes with `fact`; the value of `json` is itself a path")
        if self.json_ is not None and not self.json_.startswith("$"):
            raise ValueError(f"{self.json_!r} is not a JSONPath: it begins with $")
        return self

    @property
    def source(self) -> str:
        """The fact that the value stands in."""
        if self.fact is not None:
            return self.fact
        if self.cookie is not None:
            return "set_cookies"
        return "json" if self.json_ else "headers" if self.header else "text" if self.regex else "events"

    def take(self, facts: Mapping[str, object]) -> JsonValue:
        """Return the value. Raises CaptureError where it is missing, Unmeasurable where that takes too long."""
        fact = facts.get(self.source)
        if self.regex is not None:
            captured: object = self._search(self.regex, fact)
        elif self.cookie is not None:
            captured = _value_of_cookie(self.cookie, fact)
        elif self.sse is not None:
            captured = self._value_in_event(self.sse, fact)
        else:
            captured = value_at(fact, self.json_ or self.header or self.path)
        if captured is None or isinstance(captured, Missing):
            where = " ".join(filter(None, (self.source, self.json_ or self.header or self.cookie or self.path)))
            raise CaptureError(f"no value exists at {where}")
        text = json.dumps(captured, default=str)
        if len(text) > VALUE_CAP:
            raise CaptureError(f"the value has {len(text)} characters; at most {VALUE_CAP} are kept")
        value: JsonValue = json.loads(text)  # a copy of plain JSON types, whatever the fact is made of
        return value

    def _search(self, regex: str, text: object) -> str:
        """Return the first group of a match, or the whole match. Raises CaptureError."""
        if not isinstance(text, str):
            raise CaptureError("the value has no text to search in")
        match = search(regex, text)
        if match is None:
            raise CaptureError(f"{regex!r} does not match the text")
        found: str | None = match[1] if match.re.groups else match[0]
        if found is None:
            raise CaptureError(f"the group of {regex!r} took no part in the match")
        return found

    def _value_in_event(self, capture: SseCapture, events: object) -> object:
        """Return the value in one of the kept events. Raises CaptureError without such an event."""
        kept = events if isinstance(events, list) else []
        chosen = [event for event in kept if isinstance(event, dict) and capture.type in (None, event.get("type"))]
        try:
            data = chosen[capture.index].get("data")
        except IndexError:
            name = f"events of type {capture.type}" if capture.type else "events"
            message = f"there are {len(chosen)} {name} among the {len(kept)} kept; none is number {capture.index}"
            raise CaptureError(message) from None
        return value_at(data, capture.path)


def _value_of_cookie(name: str, cookies: object) -> object:
    """The value of the last cookie of that name, as a client keeps it; None where the answer sets none."""
    kept = cookies if isinstance(cookies, list) else []
    values = [cookie.get("cookie") for cookie in kept if isinstance(cookie, dict) and cookie.get("name") == name]
    return values[-1] if values else None


def _verify_json_path(path: str) -> str:
    """Return the path. Raises ValueError if it is not a JSONPath."""
    try:
        json_path(path)
    except ValueError as error:
        raise ValueError(f"{path!r} is not a JSONPath: {error}") from None
    return path
